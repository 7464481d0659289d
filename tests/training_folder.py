"""A small folder of photographs, and a plan for it, that tests of the training share."""

from pathlib import Path

import cv2
import numpy as np

import training
from demo.classes import CLASS_NAMES
from training.maps import CHANNELS, LOGIT_STEPS
from training.scenes import Sources
from training.sources import Plan
from training.teacher import CELLS

CAT, DOG, PERSON = (CLASS_NAMES.index(name) for name in ("cat", "dog", "person"))
FOLDER = Path(training.__file__).parent
PLAN = """
[[train]]
folder = "animals"
share = 3

[[train]]
folder = "people"
only = ["person"]
shift = [1, 2]
skip_names = ["b"]

[[train]]
folder = "photos"

[[check]]
folder = "animals"

[[check]]
folder = "people"
only = ["person"]

[[check]]
folder = "photos/dog"
without = ["person"]
"""


def write_picture(path: Path, class_id: int | None = None) -> None:
    """A photograph with a bright square, and its mask if there is a class to write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[16:32, 16:40] = 255
    cv2.imwrite(str(path), pixels)
    if class_id is not None:
        mask = path.parents[1] / "SegmentationClass" / f"{path.stem}.png"
        mask.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(mask), (pixels[:, :, 0] > 127) * np.uint8(class_id))


def write_folder(tmp_path: Path) -> Path:
    """Write the photographs, their masks and the plan."""
    for name, class_id in (("a", CAT), ("b", CAT), ("c", DOG)):
        write_picture(tmp_path / "animals" / "JPEGImages" / f"{name}.jpg", class_id)
    for name in ("a", "b"):
        write_picture(tmp_path / "people" / "JPEGImages" / f"{name}.jpg", PERSON)
    write_picture(tmp_path / "photos" / "dog" / "1.jpg")
    write_picture(tmp_path / "photos" / "anything" / "2.jpg")
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


def sources_of(plan: Plan, only: int, maps: Path | None = None) -> Sources:
    """Sources of which one photograph alone is drawn."""
    chances = np.zeros(len(plan.train))
    chances[only:] = 1
    return Sources(plan.train, chances, maps)


def write_maps(folder: Path, plan: Plan, winner: int) -> Path:
    """Maps of a teacher that is sure of one class everywhere."""
    for item in plan.train:
        maps = np.zeros((CELLS, CELLS, CHANNELS), np.int8)
        maps[..., winner] = 20 * LOGIT_STEPS
        path = folder / "maps" / f"{item.name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, maps)
    return folder / "maps"
