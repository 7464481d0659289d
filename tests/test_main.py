import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from demo import __main__ as command_line
from demo.__main__ import main
from demo.classes import PALETTE
from demo.framing import FRAMINGS
from demo.models.registry import Registry
from demo.overlay import DEFAULT_OPACITY
from demo.variants import VARIANTS
from tests.support.corpus import build_corpus
from tests.support.models import ColourEngine


@pytest.fixture(autouse=True)
def fake_engine(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "default_registry", lambda: registry)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    truth = np.zeros((90, 120), np.uint8)
    truth[:, 60:] = 15
    PIL.Image.fromarray(PALETTE[truth]).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_each_photo_gives_three_files(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["segment", str(photo), "--variant", "xs", "--out", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "photo.areas.json",
        "photo.classes.png",
        "photo.overlay.png",
    ]
    record = json.loads((out / "photo.areas.json").read_text())
    assert record["variant"] == "xs" and record["image_hw"] == [90, 120]
    assert sum(area["pixels"] for area in record["areas"]) == 90 * 120
    class_map = np.asarray(PIL.Image.open(out / "photo.classes.png"))
    assert class_map[45, 20] == 0 and class_map[45, 100] == 15


def test_a_folder_gives_a_table_over_all_photos(photo: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    (folder / "inside").mkdir(parents=True)
    for name in ("a.png", "inside/b.png"):
        (folder / name).write_bytes(photo.read_bytes())
    assert main(["segment", str(folder), "--recursive", "--out", str(out)]) == 0
    lines = (out / "areas.csv").read_text().splitlines()
    assert lines[0] == "image,class_id,class_name,pixels,fraction,error"
    assert f"{folder}/inside/b.png,15,person,5400,0.500000," in lines
    assert (out / "b.overlay.png").exists()
    assert main(["segment", str(tmp_path / "out" / ".."), "--out", str(out)]) == 0


def test_a_folder_without_images_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "holds no image" in capsys.readouterr().err


def test_another_background_is_a_fourth_file(photo: Path, tmp_path: Path) -> None:
    out, blue = tmp_path / "out", tmp_path / "blue.png"
    PIL.Image.new("RGB", (5, 5), (0, 0, 255)).save(blue)
    command = ["segment", str(photo), "--out", str(out), "--plain-edges", "--background"]
    for background, left in (("transparent", (0, 0, 0, 0)), (str(blue), (0, 0, 255))):
        assert main([*command, background]) == 0
        picture = PIL.Image.open(out / "photo.background.png")
        assert picture.getpixel((10, 45)) == left
        person = picture.getpixel((100, 45))
        assert isinstance(person, tuple) and person[:3] == tuple(PALETTE[15].tolist())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--background", "plaid"], "Unknown background 'plaid'"),
        (["--background", "blurred", "--keep", "unicorn"], "Unknown class 'unicorn'"),
    ],
    ids=["background", "class"],
)
def test_an_unknown_background_is_refused_before_the_work_begins(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert main(["segment", str(photo), "--out", str(tmp_path / "out"), *options]) == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_photo_that_fails_gives_one_line_and_the_others_succeed(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no picture")
    same_name = tmp_path / "other" / "photo.png"
    same_name.parent.mkdir()
    photo.copy(same_name) if hasattr(photo, "copy") else same_name.write_bytes(photo.read_bytes())
    photos = [str(broken), "missing.jpg", str(photo), str(same_name)]
    assert main(["segment", *photos, "--out", str(tmp_path), "--json"]) == 1
    printed = capsys.readouterr()
    (record,) = json.loads(printed.out)
    assert record["photo"] == str(photo)
    lines = [line for line in printed.err.splitlines() if ": " in line and "photo/s" not in line]
    failures = [
        line for line in lines if line.strip().startswith((str(broken), "missing", str(same_name)))
    ]
    assert len(failures) == 3
    assert "Traceback" not in printed.err
    assert (tmp_path / "photo.areas.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--side", "500"], ["--opacity", "2"], ["--variant", "m"]],
    ids=lambda arguments: arguments[0],
)
def test_a_wrong_option_is_reported_once(
    photo: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main(["segment", str(photo), str(photo), *arguments])
    except SystemExit as stopped:  # argparse exits with it
        status = stopped.code
    assert status in (1, 2)
    message = capsys.readouterr().err
    assert message.count("500") + message.count("'2'") + message.count("'m'") == 1


@pytest.mark.parametrize("out", ["photo.png", "photo.png/results", "x" * 300])
def test_a_folder_that_cannot_be_made_is_refused_before_the_work(
    photo: Path, engine: ColourEngine, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    folder = photo.parent / out
    assert main(["segment", str(photo), "--out", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"--out {folder} cannot be written: ")
    assert line.endswith("Choose another folder.")
    assert engine.calls == 0


def full_disk(out: Path) -> None:
    (out / "photo.overlay.png").symlink_to("/dev/full")


def vanished_folder(out: Path) -> None:
    out.rmdir()


def name_that_is_taken(out: Path) -> None:
    (out / "photo.overlay.png").mkdir()


@pytest.mark.parametrize(
    ("spoil", "blamed", "reason", "others"),
    [
        (full_disk, "--out {out} ", "No space left on device", 0),
        (vanished_folder, "--out {out} ", "there is no such folder", 0),
        (name_that_is_taken, "{photo}: photo.overlay.png ", "Is a directory", 1),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_result_that_cannot_be_written_is_blamed_on_what_is_at_fault(
    photo: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    blamed: str,
    reason: str,
    others: int,
) -> None:
    """The folder is spoiled after it was checked; a fault of the folder ends the run."""
    out, other = photo.parent / "out", photo.with_name("other.png")
    other.write_bytes(photo.read_bytes())

    def spoil_and_load() -> Registry:
        spoil(out)
        return registry

    monkeypatch.setattr(command_line, "default_registry", spoil_and_load)
    assert main(["segment", str(photo), str(other), "--out", str(out), "--json"]) == 1
    printed = capsys.readouterr()
    (line,) = [line.strip() for line in printed.err.splitlines() if "cannot be written" in line]
    assert line.startswith(blamed.format(out=out, photo=photo)) and reason in line
    assert len(json.loads(printed.out)) == others


def test_without_a_variant_the_page_s_first_one_is_taken(
    photo: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.get("xs")
    monkeypatch.setattr(registry, "first_available", lambda on_progress: first)
    assert main(["segment", str(photo), "--out", str(photo.parent)]) == 0
    assert json.loads((photo.parent / "photo.areas.json").read_text())["variant"] == "xs"


@pytest.mark.parametrize("command", [[], ["segment"], ["evaluate"]], ids=" ".join)
def test_the_help_has_a_line_for_each_variant_and_framing(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    for variant in VARIANTS.values():
        assert any(
            variant.checkpoint in line and f"{variant.parameters:,}" in line for line in lines
        )
    for name, text in FRAMINGS.items():
        assert any(line.split() == [name, *text.split()] for line in lines)


def test_the_help_tells_ranges_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["segment", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "a multiple of 32 from 256 to 1024 (default: 512)" in text
    assert f"from 0 to 1 (default: {DEFAULT_OPACITY})" in text


def test_a_variant_is_chosen_in_any_case(photo: Path, tmp_path: Path) -> None:
    assert main(["segment", str(photo), "--variant", "XXS", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "photo.areas.json").read_text())["variant"] == "xxs"


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of odd metadata
def test_each_file_of_the_corpus_gives_results_or_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for number, content in enumerate(list(build_corpus().values())[::4]):
        files.append(tmp_path / f"{number:03}.jpg")
        files[-1].write_bytes(content)
    out = tmp_path / "out"
    assert main(["segment", *map(str, files), "--out", str(out), "--side", "256"]) == 1
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    for file in files:
        assert (out / f"{file.stem}.overlay.png").exists() or file.name in printed


@pytest.mark.parametrize("arguments", [[], ["--join", "10.0.0.1:6379"]])
def test_serving_models_without_ray_says_how_to_install_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve-models", *arguments]) == 1
    assert "scripts/install requirements-ray.txt" in capsys.readouterr().err
