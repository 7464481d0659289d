from pathlib import Path

import pytest

from demo.errors import WeightsUnavailable
from demo.models import loading
from demo.models.checkpoint import Checkpoint, NoWeights, WeightsSource
from demo.models.engines.choice import Engines
from demo.models.loading import load_folder, load_own
from demo.models.sources import BUNDLED_FOLDER
from demo.variants import Variant, get_variant
from tests.support.models import ColourEngine, ignore


def test_sources_are_tried_in_order_and_each_refusal_is_reported(
    monkeypatch: pytest.MonkeyPatch, engine: ColourEngine
) -> None:
    def refuses(variant: Variant) -> Checkpoint | None:
        raise NoWeights("the Hub is asleep")

    def has_none(variant: Variant) -> Checkpoint | None:
        return None

    def has_it(variant: Variant) -> Checkpoint | None:
        return Checkpoint(Path("here"), WeightsSource("hub", "x", "r"), "0")

    def load_engines(checkpoint: object, variant: Variant, on_progress: object) -> Engines:
        return Engines(engine, None)

    sources = {"first": has_none, "second": refuses, "third": has_it}
    monkeypatch.setattr(loading, "own_sources", lambda on_progress: sources)
    monkeypatch.setattr(loading, "load_engines", load_engines)
    loaded = load_own(get_variant("s"), ignore)
    assert loaded.weights == WeightsSource("hub", "x", "r", reason="the Hub is asleep")
    assert engine.calls == 1  # warmed up
    del sources["third"]
    with pytest.raises(NoWeights, match=r"^the Hub is asleep$"):
        load_own(get_variant("s"), ignore)


def test_a_folder_without_the_variant_s_weights_is_refused_in_a_sentence(tmp_path: Path) -> None:
    model = load_folder(BUNDLED_FOLDER / "xxs", get_variant("xxs"))
    assert model.variant.key == "xxs" and model.weights.kind == "local"
    for folder in (tmp_path, BUNDLED_FOLDER / "xs"):
        with pytest.raises(WeightsUnavailable, match=r"cannot be loaded: .*\. Choose another"):
            load_folder(folder, get_variant("xxs"))
