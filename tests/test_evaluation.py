import json
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, jaccard_score

from demo import __main__ as command_line
from demo import evaluation as evaluation_module
from demo import inference
from demo.__main__ import main
from demo.classes import CLASS_NAMES, NOT_SEEN, PALETTE
from demo.errors import InvalidOption
from demo.evaluation import Evaluation, Tally, start_evaluation
from demo.models.registry import Registry
from demo.voc import find_split
from tests.support.models import ColourEngine

PERSON, CAT = 15, 8


@given(st.data())
def test_the_figures_equal_those_of_scikit_learn(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(2, 20), st.integers(2, 20)))
    truth = data.draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 3, 15, 20, 255])))
    predicted = data.draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 3, 7, 15, 20])))
    tally = Tally("whole")
    tally.add(truth[:1], predicted[:1], 0.1)
    tally.add(truth[1:], predicted[1:], 0.1)
    scored = truth != 255
    if not scored.any():
        assert tally.miou == 0
        return
    y_true, y_pred = truth[scored], predicted[scored]
    classes = np.unique(y_true)
    expected = jaccard_score(y_true, y_pred, labels=classes, average=None, zero_division=0)
    assert list(tally.iou) == [CLASS_NAMES[i] for i in classes]
    assert list(tally.iou.values()) == pytest.approx(expected, abs=1e-6)
    assert tally.miou == pytest.approx(expected.mean(), abs=1e-6)
    assert tally.pixel_accuracy == pytest.approx(accuracy_score(y_true, y_pred), abs=1e-6)


def test_pixels_not_seen_are_counted_but_not_scored() -> None:
    tally = Tally("crop")
    truth = np.full((4, 4), PERSON, np.uint8)
    predicted = np.full((4, 4), NOT_SEEN, np.uint8)
    predicted[:, 1:] = PERSON
    tally.add(truth, predicted, 1.0)
    assert (tally.miou, tally.seen, tally.not_seen) == (1.0, 0.75, 4)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """A VOC folder of five painted images that the colour engine segments correctly."""
    folder = tmp_path / "voc"
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    for index in range(5):
        truth = np.zeros((96, 128 + 32 * index), np.uint8)
        truth[:, 64:] = PERSON if index % 2 else CAT
        PIL.Image.fromarray(PALETTE[truth]).save(
            folder / "JPEGImages" / f"{index}.jpg", quality=95, subsampling=0
        )
        truth[:, 60:68] = 255
        PIL.Image.fromarray(truth).save(folder / "SegmentationClass" / f"{index}.png")
    (folder / "ImageSets" / "Segmentation" / "val.txt").write_text("0\n1\n2\n3\n")
    return folder


@pytest.fixture(autouse=True)
def fake_engine(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "default_registry", lambda: registry)


def test_each_framing_gets_a_row_of_figures(
    voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    arguments = ["--voc", str(voc), "--variant", "xs", "--json", str(file)]
    framings = ["--framing", "whole", "--framing", "aspect", "--framing", "crop"]
    assert main(["evaluate", *arguments, *framings]) == 0
    rows = json.loads(file.read_text())
    assert [row["framing"] for row in rows] == ["whole", "aspect", "crop"]
    for row in rows:
        assert row["images"] == 4 and row["images_per_s"] > 0 and row["failed"] == []
        assert set(row["iou"]) == {"background", "cat", "person"}
        assert row["miou"] > 0.97 and row["pixel_accuracy"] > 0.97
    assert [row["seen"] < 1 for row in rows] == [False, False, True]
    printed = capsys.readouterr().out
    assert "mIoU" in printed and "aspect" in printed
    assert not file.with_name("figures.json.partial").exists()


def test_the_figures_note_the_variant_that_was_taken_without_a_choice(
    voc: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.get("xs")
    monkeypatch.setattr(registry, "first_available", lambda on_progress: first)
    monkeypatch.setattr(command_line, "SAVE_EVERY_S", -1.0)
    keys: list[object] = []
    monkeypatch.setattr(Evaluation, "save", lambda self, path: keys.append(self.key["variant"]))
    file = tmp_path / "figures.json"
    assert main(["evaluate", "--voc", str(voc), "--json", str(file)]) == 0
    assert [row["variant"] for row in json.loads(file.read_text())] == ["xs"]
    assert set(keys) == {"xs"}


def test_figures_that_cannot_be_written_are_blamed_on_the_option(
    voc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--voc", str(voc), "--json", "/dev/full"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("--json /dev/full cannot be written: No space left on device.")


def test_a_split_names_its_photographs(voc: Path) -> None:
    assert find_split(voc, "val").ids == ("0", "1", "2", "3")
    assert find_split(voc, "val", limit=2).ids == ("0", "1")
    with pytest.raises(InvalidOption, match=r"no split 'vall'\. Choose one of val"):
        find_split(voc, "vall")
    shutil.rmtree(voc / "ImageSets")
    assert find_split(voc, "val").ids == ("0", "1", "2", "3", "4")
    for mistyped in ("lists/val", "vall.txt"):
        with pytest.raises(InvalidOption, match="There is no list"):
            find_split(voc, mistyped)


def test_a_partial_evaluation_of_another_folder_is_not_resumed(voc: Path, tmp_path: Path) -> None:
    shutil.copytree(voc, tmp_path / "other")
    file = tmp_path / "figures.json"
    started = start_evaluation(find_split(tmp_path / "other", "val"), "s", ["whole"], 512, "r")
    started.done = 3
    started.save(file)
    again = start_evaluation(find_split(voc, "val"), "s", ["whole"], 512, "r")
    assert not again.resume(file)
    for damaged in ("[]", json.dumps({"key": again.key, "tallies": [{}]})):
        file.write_text(damaged)
        assert not again.resume(file)
    assert again.done == 0 and len(again.tallies) == 1


def test_a_split_may_be_a_file(voc: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("3 1")
    assert find_split(voc, str(tmp_path / "mine.txt")).ids == ("3", "1")
    (tmp_path / "mine.txt").write_bytes(b"\xff\xfe3")
    with pytest.raises(InvalidOption, match="is no list"):
        find_split(voc, str(tmp_path / "mine.txt"))


def test_a_file_that_cannot_be_written_is_refused_before_the_evaluation(
    voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for target in (tmp_path, tmp_path / "file" / "figures.json", tmp_path / ("a" * 300)):
        assert main(["evaluate", "--voc", str(voc), "--json", str(target)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"--json {target} ")


def test_an_empty_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidOption, match="Nothing to evaluate"):
        find_split(tmp_path, "val")
    assert main(["evaluate", "--voc", str(tmp_path)]) == 1
    assert "Nothing to evaluate" in capsys.readouterr().err


def test_unreadable_images_are_named_and_counted(
    voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (voc / "JPEGImages" / "1.jpg").write_bytes(b"damaged")
    PIL.Image.new("L", (5, 5)).save(voc / "SegmentationClass" / "2.png")
    PIL.Image.new("L", (128 + 96, 96), 99).save(voc / "SegmentationClass" / "3.png")
    file = tmp_path / "figures.json"
    assert main(["evaluate", "--voc", str(voc), "--json", str(file)]) == 1
    (row,) = json.loads(file.read_text())
    assert row["images"] == 1 and row["failed"] == ["1", "2", "3"]
    printed = capsys.readouterr()
    assert "3 not evaluated: 1, 2, 3" in printed.out
    for photo_id in row["failed"]:
        assert f"{photo_id}: The " in printed.err


def test_an_interrupted_evaluation_is_resumed(
    voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: ColourEngine
) -> None:
    undisturbed, interrupted = tmp_path / "a.json", tmp_path / "b.json"
    assert main(["evaluate", "--voc", str(voc), "--json", str(undisturbed)]) == 0
    calls = engine.calls
    monkeypatch.setattr(command_line, "SAVE_EVERY_S", -1.0)
    seen: list[object] = []

    def segment_until_interrupted(*arguments: object, **options: object) -> object:
        seen.append(arguments)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return inference.segment(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as interruption:
        interruption.setattr(evaluation_module, "segment", segment_until_interrupted)
        assert main(["evaluate", "--voc", str(voc), "--json", str(interrupted)]) == 130
    assert main(["evaluate", "--voc", str(voc), "--json", str(interrupted)]) == 0
    assert engine.calls == 2 * calls  # no photograph was segmented twice
    first, second = (json.loads(file.read_text()) for file in (undisturbed, interrupted))
    for rows in (first, second):
        del rows[0]["images_per_s"]
    assert first == second
