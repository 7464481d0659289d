import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from demo.areas import class_areas
from demo.classes import CLASS_NAMES
from demo.errors import WeightsUnavailable
from demo.image import read_image
from demo.inference import segment
from demo.models import sources
from demo.models.loading import load_own
from demo.models.registry import Registry
from demo.models.sources import BUNDLED_FOLDER, find_bundled, find_local
from demo.ui.examples import EXAMPLES
from demo.variants import get_variant
from tests.support.models import ignore

XXS = get_variant("xxs")
OTHERS = [name for name in CLASS_NAMES if name not in ("background", "person")]


@pytest.mark.parametrize(
    ("key", "unknown"),
    [("xxs", {"bottle"}), ("xs", set(OTHERS)), ("s", set(OTHERS))],
    ids=["xxs", "xs", "s"],
)
def test_a_bundled_checkpoint_states_the_classes_it_knows(key: str, unknown: set[str]) -> None:
    checkpoint = find_bundled(get_variant(key))
    assert checkpoint is not None
    assert checkpoint.source.kind == "bundled"
    assert set(CLASS_NAMES) - set(checkpoint.source.class_names) == unknown
    assert checkpoint.source.accuracy is not None
    assert checkpoint.source.accuracy.is_mean == (key == "xxs")
    assert checkpoint.source.revision.startswith("sha256:")


def test_the_bundled_xxs_knows_a_cat_and_people() -> None:
    model = Registry().get("xxs")
    for example in EXAMPLES:
        result = segment(read_image(example.file), model)
        areas = {area.class_name: area.fraction for area in class_areas(result)}
        assert example.least <= areas[example.class_name] <= example.most, example.name


def test_offline_the_bundled_checkpoint_is_used_with_the_reason() -> None:
    loaded = Registry().get("xxs")
    assert loaded.weights.kind == "bundled"
    assert "HF_HUB_OFFLINE" in loaded.weights.reason


def test_the_configured_folder_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(BUNDLED_FOLDER / "xxs", tmp_path / "xxs")
    monkeypatch.setenv("SEGMENTATION_CHECKPOINTS", str(tmp_path))
    assert load_own(XXS, ignore).weights.kind == "local"
    assert find_local(get_variant("xs")) is None


def test_a_wrong_folder_is_skipped_and_the_reason_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "xxs").mkdir()
    monkeypatch.setenv("SEGMENTATION_CHECKPOINTS", str(tmp_path))
    assert (
        "SEGMENTATION_CHECKPOINTS has no model.safetensors" in Registry().get("xxs").weights.reason
    )
    monkeypatch.setenv("SEGMENTATION_CHECKPOINTS", str(tmp_path / "missing"))
    assert "SEGMENTATION_CHECKPOINTS names no folder with" in Registry().get("xxs").weights.reason


def test_without_any_weights_an_error_is_raised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "BUNDLED_FOLDER", tmp_path)
    with pytest.raises(WeightsUnavailable, match="MobileViT-S has no weights"):
        Registry().get("s")


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100_000])


def empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def with_a_list(folder: Path) -> None:
    (folder / "config.json").write_text("[1]")


def configure(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))

    return change


def change_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def without_a_tensor(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors.pop(min(tensors)))


def with_nan(folder: Path) -> None:
    name = "segmentation_head.classifier.convolution.bias"
    change_tensors(folder, lambda tensors: tensors[name].fill_(float("nan")))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "empty": empty,
    "no config": without_config,
    "config is a list": with_a_list,
    "other hidden sizes": configure(hidden_sizes=[1, 2, 3]),
    "hidden sizes are words": configure(hidden_sizes="wide"),
    "unknown activation": configure(hidden_act="magic"),
    "patch size zero": configure(patch_size=0),
    "trained classes are a number": configure(trained_classes=5),
    "a tensor is missing": without_a_tensor,
    "a weight is NaN": with_nan,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_local_checkpoint_is_skipped_and_the_reason_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(BUNDLED_FOLDER / "xxs", tmp_path / "xxs")
    damage(tmp_path / "xxs")
    monkeypatch.setenv("SEGMENTATION_CHECKPOINTS", str(tmp_path))
    loaded = Registry().get("xxs")
    assert loaded.weights.kind == "bundled"
    first = loaded.weights.reason.split("; ")[0]
    assert "xxs" in first.lower() and str(tmp_path.parent) not in first
