"""Our pixel values, logits and class maps equal those of transformers, on real architectures."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from filelock import FileLock
from huggingface_hub import constants
from transformers import MobileViTForSemanticSegmentation, MobileViTImageProcessorPil

from demo.class_map import classify_pixels
from demo.framing import frame_pixels, plan_framing, to_pixel_values
from demo.image import Image, read_image
from demo.models import hub
from demo.models.checkpoint import read_checkpoint
from demo.models.engines.contract import Engine
from demo.models.engines.openvino import load_openvino_engine
from demo.models.engines.pytorch import load_torch_engine
from demo.models.sources import BUNDLED_FOLDER
from demo.ui.examples import EXAMPLES_FOLDER
from demo.variants import VARIANTS, Variant, get_variant
from tests.support.checkpoints import save_random

REAL_CACHE = constants.HF_HUB_CACHE
BUNDLED = sorted(folder.name for folder in BUNDLED_FOLDER.iterdir() if folder.is_dir())
CHECKPOINTS = [*(f"random {key}" for key in VARIANTS), *(f"bundled {key}" for key in BUNDLED)]
ENGINES: dict[str, Callable[[Path, Variant], Engine]] = {
    "torch": load_torch_engine,
    "openvino": lambda folder, variant: load_openvino_engine(
        read_checkpoint(folder, "local"), variant, print
    ),
}


@pytest.fixture(scope="module", params=CHECKPOINTS)
def checkpoint(
    request: pytest.FixtureRequest, shared_folder: Path, converted: None
) -> tuple[Path, Variant]:
    kind, key = request.param.split()
    variant = get_variant(key)
    if kind == "bundled":
        return BUNDLED_FOLDER / key, variant
    folder = shared_folder / f"random-{key}"
    with FileLock(f"{folder}.lock"):  # the other processes take what the first has made
        if not folder.exists():
            save_random(variant, folder)
    return folder, variant


@pytest.fixture(scope="module")
def reference(checkpoint: tuple[Path, Variant]) -> MobileViTForSemanticSegmentation:
    return MobileViTForSemanticSegmentation.from_pretrained(
        checkpoint[0], dtype=torch.float32
    ).eval()


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, checkpoint: tuple[Path, Variant], shared_folder: Path
) -> Engine:
    with FileLock(shared_folder / f"{checkpoint[0].name}-{request.param}.lock"):
        return ENGINES[request.param](*checkpoint)


def photograph(height: int, width: int) -> Image:
    picture = PIL.Image.open(EXAMPLES_FOLDER / "astronaut.jpg").resize((width, height))
    return read_image(picture)


def crop_values(image: Image) -> np.ndarray:
    plan = plan_framing((image.shape[0], image.shape[1]), "crop")
    return to_pixel_values(frame_pixels(image, plan))


def processor_values(image: Image) -> torch.Tensor:
    values: torch.Tensor = MobileViTImageProcessorPil.from_pretrained(BUNDLED_FOLDER / "xxs")(
        image, return_tensors="pt"
    )["pixel_values"]
    return values


SQUASH = {"do_center_crop": False, "size": {"height": 512, "width": 512}}


@pytest.mark.parametrize(("framing", "options"), [("crop", {}), ("whole", SQUASH)])
@pytest.mark.parametrize(
    "hw", [(480, 640), (640, 480), (544, 544), (1080, 1920), (100, 77), (3000, 999), (7, 5)]
)
def test_pixel_values_equal_those_of_the_image_processor(
    hw: tuple[int, int], framing: str, options: dict[str, Any]
) -> None:
    image = photograph(*hw)
    ours = to_pixel_values(frame_pixels(image, plan_framing(hw, framing)))
    processor = MobileViTImageProcessorPil.from_pretrained(BUNDLED_FOLDER / "xxs", **options)
    theirs = processor(image, return_tensors="np")["pixel_values"]
    assert np.abs(ours - theirs).max() <= 1 / 255 + 1e-6


def test_logits_equal_those_of_transformers(
    engine: Engine, reference: MobileViTForSemanticSegmentation
) -> None:
    values = crop_values(photograph(480, 640))
    with torch.inference_mode():
        expected = reference(pixel_values=torch.from_numpy(values)).logits.numpy()
    logits = engine(values)
    assert logits.shape == expected.shape == (1, 21, 32, 32)
    assert logits.dtype == np.float32
    assert np.abs(logits - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())


# The crop of these sizes falls on whole pixels, so that both maps have the same pixels.
WHOLE_CROPS = [(544, 816), (816, 544), (1088, 1088)]


def agreement(image: Image, engine: Engine, reference: MobileViTForSemanticSegmentation) -> float:
    """Give the fraction of the crop's pixels on which both class maps agree."""
    plan = plan_framing((image.shape[0], image.shape[1]), "crop")
    seen = classify_pixels(engine(to_pixel_values(frame_pixels(image, plan)))[0], plan)[plan.seen]
    with torch.inference_mode():
        outputs = reference(pixel_values=processor_values(image))
    processor = MobileViTImageProcessorPil.from_pretrained(BUNDLED_FOLDER / "xxs")
    (expected,) = processor.post_process_semantic_segmentation(outputs, target_sizes=[seen.shape])
    return float((seen == expected.numpy()).mean())


# The way from logits to classes is the same for both engines.
@pytest.mark.parametrize("engine", ["openvino"], indirect=True)
@pytest.mark.parametrize("hw", WHOLE_CROPS)
def test_class_maps_of_the_crop_equal_those_of_transformers(
    engine: Engine, reference: MobileViTForSemanticSegmentation, hw: tuple[int, int]
) -> None:
    assert agreement(photograph(*hw), engine, reference) >= 0.9999


@pytest.fixture(scope="module")
def random_xxs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(get_variant("xxs"), tmp_path_factory.mktemp("xxs"))


def swap_channels(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values[:, ::-1])


def undo_scaling(values: np.ndarray) -> np.ndarray:
    return values * 255


def leave(values: np.ndarray) -> np.ndarray:
    return values


@pytest.mark.parametrize(
    ("mutate", "training"),
    [(swap_channels, False), (undo_scaling, False), (leave, True)],
    ids=["channels swapped", "scaling forgotten", "batch-norm in training mode"],
)
def test_a_planted_mistake_breaks_the_agreement(
    random_xxs: Path, mutate: Callable[[np.ndarray], np.ndarray], training: bool
) -> None:
    """The tests above would notice each of these common mistakes."""
    variant = get_variant("xxs")
    reference = MobileViTForSemanticSegmentation.from_pretrained(random_xxs, dtype=torch.float32)
    reference.eval()
    engine = load_torch_engine(random_xxs, variant)
    if training:
        engine.model.mobilevit.train()

    class Mistaken:
        precision = "f32"

        def __call__(self, pixel_values: np.ndarray) -> np.ndarray:
            return engine(mutate(pixel_values))

    image = photograph(544, 816)
    assert agreement(image, Mistaken(), reference) < 0.9


# Logits from transformers' integration test: XXS, COCO val2017 000000039769 (.png), framing crop
KNOWN_LOGITS = [
    [[6.9713, 6.9786, 7.2422], [7.2893, 7.2825, 7.4446], [7.6580, 7.8797, 7.9420]],
    [[-10.6869, -10.3250, -10.3471], [-10.4228, -9.9868, -9.7132], [-11.0405, -11.0221, -10.7318]],
    [[-3.3089, -2.8539, -2.6740], [-3.2706, -2.5621, -2.5108], [-3.2534, -2.6615, -2.6651]],
]


def test_the_hub_s_weights_give_the_published_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", REAL_CACHE)
    folder = hub.find_cached(get_variant("xxs").checkpoint)
    picture = os.environ.get("COCO_39769_PNG", "")
    if folder is None or not picture:
        pytest.skip(
            "NOT RUN: needs apple/deeplabv3-mobilevit-xx-small in the Hub's cache and the picture "
            "000000039769.png of COCO val2017 at the path COCO_39769_PNG"
        )
    engine = load_torch_engine(folder, get_variant("xxs"))
    logits = engine(crop_values(read_image(Path(picture))))
    assert np.abs(logits[0, :3, :3, :3] - np.array(KNOWN_LOGITS)).max() <= 1e-4
