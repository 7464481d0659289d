import pytest

from demo.errors import InvalidOption
from demo.variants import VARIANTS, get_variant


@pytest.mark.parametrize("key", ["xxs", "XXS", " xxs "])
def test_case_and_spaces_around_a_name_do_not_matter(key: str) -> None:
    assert get_variant(key) is VARIANTS["xxs"]


@pytest.mark.parametrize("key", ["m", "", None, 3])
def test_an_unknown_variant_is_refused(key: object) -> None:
    with pytest.raises(InvalidOption, match="Choose xxs, xs or s"):
        get_variant(key)  # type: ignore[arg-type]
