"""`segment` with the bundled checkpoints on the example photographs."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.areas import class_areas
from demo.errors import InvalidOption
from demo.image import Image, read_image
from demo.inference import segment
from demo.metrics import FORWARD_PASSES, SEGMENT_SECONDS
from demo.models.model import Model
from demo.models.registry import Registry
from demo.ui.examples import EXAMPLES_FOLDER
from demo.variants import VARIANTS
from tests.support.models import ColourEngine


@pytest.fixture(scope="module")
def bundled() -> Registry:
    return Registry()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_astronaut_is_marked_as_person_and_the_wall_is_not(
    bundled: Registry, variant: str
) -> None:
    image = read_image(EXAMPLES_FOLDER / "astronaut.jpg")
    result = segment(image, bundled.get(variant))
    person = result.class_map == 15
    # The wall is the part between her hair and the rocket.
    head, wall = person[40:190, 180:280].mean(), person[20:160, 310:360].mean()
    assert 0.3 < person.mean() < 0.6
    assert head > 0.9
    assert wall < 0.05
    others = [a.fraction for a in class_areas(result) if a.class_id not in (0, 15)]
    assert sum(others) < 0.02


@pytest.mark.parametrize("framing", ["whole", "aspect", "crop"])
@pytest.mark.parametrize("hw", [(1, 1), (7, 900), (333, 500)])
def test_the_class_map_has_the_size_of_the_image(
    bundled: Registry, framing: str, hw: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*hw, 3), dtype=np.uint8)
    result = segment(image, bundled.get("xxs"), framing=framing, side=256)
    assert result.class_map.shape == hw
    assert result.elapsed_ms > 0


def test_callers_at_the_same_time_get_their_own_results(bundled: Registry) -> None:
    astronaut = read_image(EXAMPLES_FOLDER / "astronaut.jpg")
    images = [np.roll(astronaut, columns, axis=1) for columns in (0, 64, 128, 192)]
    work = [(image, side) for image in images for side in (256, 288)]

    def run(image: Image, side: int) -> NDArray[np.uint8]:
        return segment(image, bundled.get("xxs"), side=side).class_map

    alone = [run(*each) for each in work]
    with ThreadPoolExecutor(8) as callers:
        together = list(callers.map(lambda each: run(*each), work * 4))
    for number, class_map in enumerate(together):
        assert np.array_equal(class_map, alone[number % len(work)])
    for one, other in itertools.combinations(alone, 2):
        assert not np.array_equal(one, other)


def test_options_are_checked_before_the_network_runs(model: Model, engine: ColourEngine) -> None:
    with pytest.raises(InvalidOption):
        segment(np.zeros((8, 8, 3), np.uint8), model, framing="squash")
    assert engine.calls == 0


def test_metrics_name_a_variant_the_same_however_it_is_spelled(registry: Registry) -> None:
    """Each new name would take memory until the server stops."""
    for spelling in ("XS", " xs", "xs  "):
        segment(np.zeros((8, 8, 3), np.uint8), registry.get(spelling))
    metrics = [*FORWARD_PASSES.collect(), *SEGMENT_SECONDS.collect()]
    names = {sample.labels["variant"] for metric in metrics for sample in metric.samples}
    assert "xs" in names and not names & {"XS", " xs", "xs  "}
