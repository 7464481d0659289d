import pytest

from demo.errors import InvalidOption
from demo.variants import VARIANTS, get_variant


@pytest.mark.parametrize("key", ["xxs", "XXS", " xxs "])
def test_found_whatever_the_case(key: str) -> None:
    assert get_variant(key) is VARIANTS["xxs"]


@pytest.mark.parametrize("key", ["m", "", None, 3])
def test_unknown_variant_is_refused(key: object) -> None:
    with pytest.raises(InvalidOption, match="Choose xxs, xs or s"):
        get_variant(key)  # type: ignore[arg-type]
