import shutil
from pathlib import Path

import pytest

from demo import weights
from demo.errors import WeightsUnavailable
from demo.registry import load_variant
from demo.variants import get_variant
from demo.weights import BUNDLED_FOLDER, find_bundled, find_local
from tests.test_registry import ignore

XXS = get_variant("xxs")


def test_bundled_checkpoint_says_what_it_knows() -> None:
    checkpoint = find_bundled(XXS, ignore)
    assert checkpoint is not None
    assert checkpoint.source.kind == "bundled"
    assert checkpoint.source.class_names == ("background", "person")
    assert checkpoint.source.revision.startswith("sha256:")


def test_offline_the_bundled_checkpoint_is_used_and_the_reason_told() -> None:
    loaded = load_variant(XXS, ignore)
    assert loaded.weights.kind == "bundled"
    assert "HF_HUB_OFFLINE" in loaded.weights.reason


def test_configured_folder_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(BUNDLED_FOLDER / "xxs", tmp_path / "xxs")
    monkeypatch.setenv("SEGMENTATION_CHECKPOINTS", str(tmp_path))
    assert load_variant(XXS, ignore).weights.kind == "local"
    assert find_local(get_variant("xs"), ignore) is None


def test_no_weights_at_all_is_an_error_never_random_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "BUNDLED_FOLDER", tmp_path)
    with pytest.raises(WeightsUnavailable, match="MobileViT-S has no weights"):
        load_variant(get_variant("s"), ignore)


@pytest.mark.parametrize(
    "damage", ["cut", "empty", "config", "other variant", "no config", "missing tensor"]
)
def test_damaged_local_checkpoint_is_passed_over_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "xxs"
    shutil.copytree(BUNDLED_FOLDER / "xxs", folder)
    file, config = folder / "model.safetensors", folder / "config.json"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100_000])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "config":
        config.write_text("{not json")
    elif damage == "no config":
        config.unlink()
    elif damage == "other variant":
        config.write_text(config.read_text().replace("96", "120"))
    else:
        from safetensors.torch import load_file, save_file

        tensors = load_file(file)
        del tensors[sorted(tensors)[0]]
        save_file(tensors, file, metadata={"format": "pt"})
    monkeypatch.setenv("SEGMENTATION_CHECKPOINTS", str(tmp_path))
    loaded = load_variant(XXS, ignore)
    assert loaded.weights.kind == "bundled"
    assert "checkpoint of MobileViT-XXS" in loaded.weights.reason or "xxs" in loaded.weights.reason
