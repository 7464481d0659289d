"""Models with classes of their own: from a folder, in every file, and beside the variants."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from demo import variants
from demo.__main__ import main
from demo.errors import InvalidOption, WeightsUnavailable
from demo.exports import build_files
from demo.image import read_image
from demo.inference import segment
from demo.models.loading import load_checkpoint
from demo.models.model import Model
from demo.models.registry import Registry
from demo.settings import own_models
from tests.support.browser import ASTRONAUT
from tests.support.checkpoints import OWN_COLOURS, OWN_NAMES, save_own

WORKER = 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_own(tmp_path_factory.mktemp("own") / "warehouse")


@pytest.fixture(scope="module")
def own(folder: Path) -> Model:
    return load_checkpoint(folder)


def test_names_and_colours_follow_the_checkpoint_into_every_file(own: Model) -> None:
    image = read_image(ASTRONAUT)
    result = segment(image, own)
    assert result.logits.shape[0] == len(OWN_NAMES)
    files = build_files(image, result, "astronaut.jpg")
    assert "class-worker.png" in files
    picture = PIL.Image.open(io.BytesIO(files["classes.png"]))
    assert (picture.getpalette() or [])[3:6] == OWN_COLOURS[WORKER]
    table = list(csv.DictReader(io.StringIO(files["areas.csv"].decode())))
    assert {row["class_name"] for row in table} == {"background", "worker"}
    coco = json.loads(files["coco.json"])
    assert [each["name"] for each in coco["categories"]] == ["worker", "forklift"]
    assert files["labelmap.txt"].decode().splitlines()[2] == "worker:255,120,0::"
    assert files["yolo/labels/astronaut.txt"].startswith(b"0 ")
    assert b"  1: forklift" in files["yolo/data.yaml"]
    overlay = np.asarray(PIL.Image.open(io.BytesIO(files["overlay.png"]))).astype(int)
    is_worker = result.class_map == WORKER
    wanted = 0.4 * image + 0.6 * np.array(OWN_COLOURS[WORKER])
    assert np.abs(overlay - wanted)[is_worker].max() <= 1


def test_the_command_line_takes_its_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--checkpoint", str(folder), "--out", str(tmp_path), "--json"]
    assert (
        main(["segment", str(ASTRONAUT), *options, "--background", "blurred", "--keep", "worker"])
        == 0
    )
    printed = capsys.readouterr()
    assert "worker" in printed.out and "know" not in printed.err
    voc = tmp_path / "voc"
    for part in ("JPEGImages", "SegmentationClass"):
        (voc / part).mkdir(parents=True)
    PIL.Image.open(ASTRONAUT).save(voc / "JPEGImages" / "a.jpg")
    ids = np.asarray(PIL.Image.open(tmp_path / "astronaut.classes.png"))
    PIL.Image.fromarray(ids).save(voc / "SegmentationClass" / "a.png")
    assert main(["evaluate", "--voc", str(voc), "--checkpoint", str(folder)]) == 0
    printed = capsys.readouterr()
    assert "worker" in printed.out and "person" not in printed.out


@pytest.fixture
def configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SEGMENTATION_MODELS", f"Our warehouse = {folder}\n\n")
    variants.offered_variants.cache_clear()
    yield
    variants.offered_variants.cache_clear()


@pytest.mark.usefixtures("configured")
def test_it_stands_beside_the_published_variants() -> None:
    assert list(variants.offered_variants()) == ["xxs", "xs", "s", "our-warehouse"]
    model = Registry().get("our-warehouse")
    assert model.classes.names == OWN_NAMES and model.variant.label == "Our warehouse"
    assert model.weights.kind == "local" and not model.weights.accuracy
    with pytest.raises(InvalidOption, match="Choose xxs, xs, s or our-warehouse"):
        Registry().get("m")


@pytest.mark.parametrize("line", ["warehouse", "= folder", "name ="])
def test_a_line_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setenv("SEGMENTATION_MODELS", line)
    with pytest.raises(InvalidOption, match="Expected NAME = FOLDER"):
        own_models()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "two of its classes have the same name"),
        ({"id2label": {"0": "a", "2": "b"}}, "its ids do not count from 0"),
        ({"palette": [[0, 0, 300]]}, "is no colour"),
    ],
    ids=["same-names", "gap", "colour"],
)
def test_a_config_that_makes_no_sense_is_refused_in_a_sentence(
    folder: Path, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    with pytest.raises(WeightsUnavailable, match=says):
        load_checkpoint(tmp_path)
