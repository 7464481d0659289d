"""Engines and registries that need no weights, and isolation from the Hub."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES, PALETTE
from demo.framing import plan_framing
from demo.loading import LoadedVariant
from demo.registry import Registry
from demo.segmentation import Segmentation, WeightsSource
from demo.variants import Variant, get_variant

settings.register_profile("untimed", deadline=None)  # how long a case takes is the machine's affair
settings.load_profile("untimed")

FAKE_WEIGHTS = WeightsSource("local", "tests/fake", "sha256:0")


class ColourEngine:
    """Recognises each class by its palette colour, read as BGR, so that an image can be painted.

    The logit of a class falls with the distance of the mean colour of a 16×16 block from the
    colour of the class.
    """

    name = "colour"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        _, _, height, width = pixel_values.shape
        blocks = pixel_values[0].reshape(3, height // 16, 16, width // 16, 16).mean(axis=(2, 4))
        colours = PALETTE[: len(CLASS_NAMES), ::-1].astype(np.float32) / 255  # (21, 3) BGR
        distances = np.abs(blocks[None] - colours[:, :, None, None]).sum(axis=1)
        logits: NDArray[np.float32] = (-20 * distances)[None].astype(np.float32)
        return logits


def ignore(fraction: float, sentence: str) -> None:
    """Nobody waits for this load."""


@pytest.fixture
def engine() -> ColourEngine:
    return ColourEngine()


@pytest.fixture
def registry(engine: ColourEngine) -> Registry:
    def load(variant: Variant, on_progress: object) -> LoadedVariant:
        return LoadedVariant(variant, engine, FAKE_WEIGHTS)

    return Registry(load)


def make_segmentation(
    class_map: NDArray[np.uint8], framing: str = "whole", variant: str = "s"
) -> Segmentation:
    """A result with the given class map and empty logits."""
    height, width = class_map.shape
    return Segmentation(
        class_map=class_map,
        logits=np.zeros((21, 32, 32), np.float32),
        framing=plan_framing((height, width), framing),
        variant=get_variant(variant),
        weights=FAKE_WEIGHTS,
        elapsed_ms=1.0,
    )


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Graphs are converted once for all tests, and none of the user's are used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGMENTATION_CACHE", str(tmp_path_factory.mktemp("graphs")))
        yield


@pytest.fixture(autouse=True)
def no_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """No test reaches the real Hub or the user's cache of it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))
    for name in ("SEGMENTATION_CHECKPOINTS", "SEGMENTATION_ENGINE", "CPU_CORES"):
        monkeypatch.delenv(name, raising=False)
    yield
