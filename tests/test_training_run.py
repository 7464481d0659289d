"""What a run, its checkpoint, its figures and its card promise."""

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES
from demo.image import read_image
from demo.inference import segment
from demo.models.loading import load_checkpoint as load_own
from demo.models.sources import BUNDLED_FOLDER
from demo.ui.examples import EXAMPLES_FOLDER
from demo.variants import get_variant
from tests.training_folder import (
    CAT,
    DOG,
    PERSON,
    sources_of,
    write_folder,
    write_maps,
    write_picture,
)
from training.card import main as write_card_of
from training.contact_sheet import draw_sheet, look
from training.knowledge import read_maps
from training.maps import Basis, load_basis
from training.measures import class_ious, count_pixels, describe
from training.model import build_model, load_checkpoint, save_checkpoint
from training.optimisers import build_optimisers, orthogonalise
from training.options import read_options
from training.pack import add_maps, add_photographs, choose
from training.scenes import draw_batch
from training.schedule import BATCH, SIDES, draw_side, learning_rate
from training.sources import Plan, read_mask, read_pixels, read_plan
from training.teacher import CELLS, DEPTHS
from training.train import Run, prepare
from training.trainer import Student, Trainer
from training.workers import Worker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


@pytest.fixture
def plan(folder: Path) -> Plan:
    return read_plan(folder / "plan.toml", folder)


def test_a_run_goes_on_with_the_options_it_was_begun_with_only() -> None:
    files = ["--plan", "p", "--folder", "f", "--run", "r"]
    arguments = [*files, "--variant", "xxs", "--minutes", "5"]
    begun = read_options(arguments, None)
    assert read_options([*arguments, "--check-minutes", "3"], None).recipe == begun.recipe
    for other in ("--seed 2", "--peak 1e-3", "--begin f"):
        assert read_options([*arguments, *other.split()], None).recipe != begun.recipe


@pytest.mark.parametrize("shape", [(16, 16), (8, 300), (300, 8)], ids=str)
def test_a_direction_is_orthogonalised(shape: tuple[int, int]) -> None:
    matrices = torch.randn((2, *shape), generator=torch.Generator().manual_seed(5))
    matrices[1] *= 100
    for matrix, direction in zip(matrices, orthogonalise(matrices), strict=True):
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        kept = left.T @ direction @ right.T
        assert ((kept.diagonal() > 0.3) & (kept.diagonal() < 1.4)).all()
        assert (kept - torch.diag(kept.diagonal())).abs().max() < 1e-3


def make_basis() -> Basis:
    sizes = ((32, 16), (96, 32), (160, 48), (256, 64))
    assert [k for _, k in sizes] == [depth.stored for depth in DEPTHS]
    return [
        (np.zeros(c, np.float32), np.eye(c, k, dtype=np.float32), np.ones(k, np.float32))
        for c, k in sizes
    ]


def test_every_weight_has_one_optimiser() -> None:
    student = Student(build_model(get_variant("xxs"), seed=1), make_basis())
    adamw, muon = build_optimisers(student)
    held = [id(p) for each in (adamw, muon) for g in each.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in student.parameters())
    projections = {id(p) for p in student.projections.parameters()}
    assert projections <= {id(p) for g in adamw.param_groups for p in g["params"]}


def test_a_run_goes_on_from_its_state_as_if_it_had_not_stopped(folder: Path, plan: Plan) -> None:
    alone = Worker(rank=0, count=1, device=torch.device("cpu"))
    batch = draw_batch(sources_of(plan, 0, write_maps(folder, plan, CAT)), 64, 2, (1,))

    def begin(seed: int) -> Trainer:
        return Trainer(load_checkpoint(BUNDLED_FOLDER / "xxs", seed), make_basis(), alone, seed)

    def step(trainer: Trainer) -> float:
        return float(trainer.update(batch, 1e-3, 0.5)[0])

    trainer = begin(1)
    losses = [step(trainer) for _ in range(4)]
    assert losses[-1] < losses[0]
    trainer.freeze_statistics(True)
    trainer.save(folder / "state.pt", "some options")

    resumed = begin(7)
    assert resumed.load(folder / "state.pt") == "some options"
    assert (step(resumed), resumed.step) == (step(trainer), 5)
    for name, tensor in trainer.average.state_dict().items():
        assert torch.equal(tensor, resumed.average.state_dict()[name]), name

    def learns_statistics(trainer: Trainer) -> set[bool]:
        norms = (m for m in trainer.student.modules() if isinstance(m, torch.nn.BatchNorm2d))
        return {norm.training for norm in norms}

    assert learns_statistics(resumed) == {False}
    resumed.freeze_statistics(False)  # it was given more minutes
    assert learns_statistics(resumed) == {True}


def test_classes_that_are_left_out_never_win_and_can_be_learnt_again(tmp_path: Path) -> None:
    model = build_model(get_variant("xxs"), seed=1)
    save_checkpoint(model, tmp_path, [name for name in CLASS_NAMES if name != "cat"])
    classifier = load_checkpoint(tmp_path, 2).segmentation_head.classifier.convolution
    assert classifier.bias is not None and classifier.bias[CAT] == 0
    assert classifier.weight[CAT].std() > 0
    from safetensors.torch import load_file

    saved = load_file(tmp_path / "model.safetensors")
    assert saved["segmentation_head.classifier.convolution.bias"][CAT] == -12
    assert not saved["segmentation_head.classifier.convolution.weight"][CAT].any()


def says(class_id: int) -> NDArray[np.uint8]:
    said = np.zeros((48, 64), np.uint8)
    said[16:32, 16:28] = class_id
    return said


def test_figures_count_what_the_masks_know(plan: Plan) -> None:
    def half_right(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        return says(PERSON)

    people, nobody = plan.checks["people"], plan.checks["photos/dog"]
    counts = count_pixels(half_right, people, 512)
    assert class_ious(counts)["person"] == pytest.approx(0.5)
    assert describe(counts, people) == "person 0.5000"
    assert describe(count_pixels(half_right, nobody, 512), nobody).endswith("6.25%")

    animals = plan.checks["animals"]
    examples = look(lambda pixels, side: says(CAT), animals, 512)
    assert class_ious(count_pixels(lambda pixels, side: says(CAT), animals, 512))["dog"] == 0
    assert draw_sheet(examples).shape == (140, 960, 3)


def test_a_pack_is_read_by_the_same_plan(folder: Path, plan: Plan, tmp_path: Path) -> None:
    maps = write_maps(folder, plan, DOG)
    checks = [item for items in plan.checks.values() for item in items]
    items = choose(plan.train, 9)
    with tarfile.open(tmp_path / "pack.tar.xz", "w:xz") as archive:
        add_photographs(archive, items + checks, 32, 60)
        add_maps(archive, items, maps)
    with tarfile.open(tmp_path / "pack.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    packed = read_plan(folder / "plan.toml", tmp_path / "pack")
    assert [item.name for item in packed.train] == [item.name for item in plan.train]
    assert read_pixels(packed.train[0].path).shape == (24, 32, 3)
    assert read_mask(packed.train[0], (24, 32))[12, 12] == CAT
    said = read_maps(tmp_path / "pack-maps", packed.train[0])
    assert said.shape == (CELLS, CELLS, 21) and (said.argmax(axis=2) == DOG).all()
    assert load_basis(tmp_path / "pack-maps") == []


def test_photographs_without_masks_are_chosen_evenly(plan: Plan) -> None:
    assert [item.name for item in choose(plan.train, 1)][4:] == ["photos/anything/2.jpg"]


def test_a_card_leaves_out_what_is_never_right(folder: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(BUNDLED_FOLDER / "xxs", checkpoint)
    write_card_of(
        ["--plan", f"{folder}/plan.toml", "--folder", str(folder), "--checkpoint", str(checkpoint)]
    )
    config = json.loads((checkpoint / "config.json").read_text())
    known = config["trained_classes"]
    assert "cat" not in known and "dog" not in known and "person" in known
    card = (checkpoint / "README.md").read_text()
    assert "never right: cat, dog" in card and "| background |" in card
    mean = float(card.partition("| mean | ")[2].partition(" ")[0])
    assert config["measured"]["miou"] == pytest.approx(100 * mean, abs=0.1)
    assert read_pixels(checkpoint / "contact-sheet.jpg").ndim == 3


def test_the_schedule_covers_the_whole_run() -> None:
    assert SIDES[-1][0] == 1.0
    for _, shares in SIDES:
        assert sum(shares.values()) == pytest.approx(1) and set(shares) <= set(BATCH)
    assert draw_side(0.5, 1, 7) == draw_side(0.5, 1, 7)
    assert learning_rate(0.02, 1.0) == pytest.approx(1.0) and learning_rate(1.0, 1.0) < 0.01


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(BATCH, 64, 2)
    monkeypatch.setattr("training.train.draw_side", lambda *_: 64)
    monkeypatch.setattr("training.train._CHECK_SIDE", 256)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two would wait for each other where the machine is busy
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("small_steps")
def test_an_interrupted_run_ends_with_the_same_checkpoint(folder: Path) -> None:
    alone = Worker(rank=0, count=1, device=torch.device("cpu"))

    def begin(name: str) -> Run:
        files = ["--plan", f"{folder}/plan.toml", "--folder", str(folder)]
        start = ["--begin", str(BUNDLED_FOLDER / "xxs"), "--variant", "xxs", "--steps", "5"]
        options = read_options([*files, *start, "--run", str(folder / name)], None)
        prepare(options)
        return Run(alone, options)

    begin("whole").train()
    interrupted = begin("parts")
    batches = interrupted.batches()
    for _ in range(4):
        interrupted.take_step(batches)
    interrupted.save()
    interrupted.take_step(batches)  # lost
    begin("parts").train()
    ends = [(folder / name / "checkpoint" / "model.safetensors") for name in ("whole", "parts")]
    assert ends[0].read_bytes() == ends[1].read_bytes()
    assert "mIoU" in (folder / "parts" / "log.txt").read_text()


@pytest.mark.usefixtures("small_steps")
def test_a_run_with_other_classes_gives_a_checkpoint_that_the_app_loads(tmp_path: Path) -> None:
    names = ["background", "forklift", "person"]
    for name, class_id in (("a", 1), ("b", 2)):
        write_picture(tmp_path / "warehouse" / "JPEGImages" / f"{name}.jpg", class_id)
    table = 'folder = "warehouse"\n'
    (tmp_path / "plan.toml").write_text(
        f"classes = {json.dumps(names)}\n[[train]]\n{table}[[check]]\n{table}"
    )
    files = ["--plan", f"{tmp_path}/plan.toml", "--folder", str(tmp_path)]
    start = ["--begin", str(BUNDLED_FOLDER / "xxs"), "--variant", "xxs", "--steps", "1"]
    options = read_options([*files, *start, "--run", str(tmp_path / "run")], None)
    prepare(options)
    Run(Worker(rank=0, count=1, device=torch.device("cpu")), options).train()
    assert "forklift" in (tmp_path / "run" / "log.txt").read_text()
    model = load_own(tmp_path / "run" / "checkpoint")
    assert list(model.classes.names) == names and model.weights.describe().endswith("folder.")
    # One small step leaves a person, whom the bundled checkpoint knows, where it was.
    result = segment(read_image(EXAMPLES_FOLDER / "astronaut.jpg"), model)
    assert (result.class_map == names.index("person")).mean() > 0.2


def test_the_teacher_serves_its_own_classes_only(folder: Path) -> None:
    plan = folder / "plan.toml"
    plan.write_text('classes = ["background", "cat", "dog", "person"]\n' + plan.read_text())
    files = ["--plan", str(plan), "--folder", str(folder), "--run", str(folder / "run")]
    options = read_options(
        [*files, "--variant", "xxs", "--steps", "1", "--maps", str(folder / "maps")], None
    )
    with pytest.raises(ValueError, match="The teacher knows VOC's classes only"):
        prepare(options)
