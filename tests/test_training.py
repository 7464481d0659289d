"""What the recipe promises, where no photograph is needed to check it."""

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import training
from demo.classes import CLASS_NAMES
from demo.framing import to_pixel_values
from demo.variants import get_variant
from demo.weights import BUNDLED_FOLDER
from training.contact_sheet import draw_sheet, look
from training.loading import BatchKey, load_batches
from training.loss import dice_loss, segmentation_loss
from training.maps import CHANNELS, LOGIT_STEPS, Basis, load_basis
from training.measures import class_ious, count_pixels, describe
from training.model import build_model, load_checkpoint, save_checkpoint
from training.optimisers import build_optimisers, orthogonalise
from training.options import read_options
from training.pack import add_maps, add_photographs, choose
from training.scenes import Sources, draw_batch, find_classes, read_maps, sum_chances, to_values
from training.schedule import BATCH, SIDES, draw_side, learning_rate
from training.sources import Plan, read_mask, read_pixels, read_plan
from training.targets import Targets, build_targets, sample_cells
from training.teacher import CELLS, DEPTHS, SIDE, STRIDE
from training.trainer import Student, Trainer
from training.views import View, show_mask, show_pixels
from training.workers import Worker

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, class_id in (("a", CAT), ("b", CAT), ("c", DOG)):
        write_picture(tmp_path / "animals" / "JPEGImages" / f"{name}.jpg", class_id)
    for name in ("a", "b"):
        write_picture(tmp_path / "people" / "JPEGImages" / f"{name}.jpg", PERSON)
    write_picture(tmp_path / "photos" / "dog" / "1.jpg")
    write_picture(tmp_path / "photos" / "anything" / "2.jpg")
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


@pytest.fixture
def plan(folder: Path) -> Plan:
    return read_plan(folder / "plan.toml", folder)


def sources_of(plan: Plan, only: int, maps: Path | None = None) -> Sources:
    """Sources of which one photograph alone is drawn."""
    chances = np.zeros(len(plan.train))
    chances[only:] = 1
    return Sources(plan.train, chances, maps)


def test_a_plan_lists_its_photographs_and_what_is_known_of_them(plan: Plan) -> None:
    names = [item.name for item in plan.train]
    assert names[:4] == [f"animals/JPEGImages/{n}.jpg" for n in "abc"] + ["people/JPEGImages/a.jpg"]
    assert names[4:] == ["photos/anything/2.jpg", "photos/dog/1.jpg"]
    assert [item.source for item in plan.train] == [0, 0, 0, 1, 2, 2]
    assert plan.train[3].partial == (PERSON,)
    assert [item.shows for item in plan.train[4:]] == [(), (DOG,)]
    assert plan.checks["photos/dog"][0].mask is None


def test_a_plan_without_photographs_is_refused(folder: Path) -> None:
    (folder / "plan.toml").write_text('[[train]]\nfolder = "nothing"\n')
    with pytest.raises(ValueError, match="no photographs"):
        read_plan(folder / "plan.toml", folder)


def test_no_held_out_photograph_of_the_bundled_plan_is_trained_on(tmp_path: Path) -> None:
    held_out = {
        "person/JPEGImages": (FOLDER / "held_out.txt").read_text().split(),
        "no-people": (FOLDER / "held_out_no_people.txt").read_text().split(),
    }
    assert [len(names) for names in held_out.values()] == [118, 102]
    for below in (
        "voc21/train/JPEGImages",
        "voc21/val/JPEGImages",
        "person/unlabelled",
        "photos21",
    ):
        write_picture(tmp_path / below / "1.jpg")
    for below, names in held_out.items():
        for name in [*names[:3], "9999"]:
            write_picture(tmp_path / below / f"{name}.jpg")
    plan = read_plan(FOLDER / "voc21.toml", tmp_path)
    trained = {item.path for item in plan.train}
    checked = {item.path for items in plan.checks.values() for item in items}
    assert len(checked) == 1 + 3 + 3 and len(trained) == 5
    assert not trained & checked


def test_masks_are_moved_onto_their_photographs_for_training_only(plan: Plan) -> None:
    item = plan.train[3]
    published = read_mask(item, (48, 64), as_published=True)
    assert published[16, 16] == PERSON and published[15, 14] == 0
    moved = read_mask(item, (48, 64))
    assert moved[15, 14] == PERSON and moved[31, 39] == 0


def test_rare_classes_are_drawn_more_often_within_their_share(plan: Plan) -> None:
    classes = np.stack([find_classes(item, None) for item in plan.train])
    assert classes[0, CAT] and classes[2, DOG] and classes[3, PERSON] and classes[5, DOG]
    many = np.repeat(classes, [40, 1, 40, 1, 1, 1], axis=0)
    repeated = Plan(
        tuple(np.repeat(np.array(plan.train, object), [40, 1, 40, 1, 1, 1])), plan.shares, {}
    )
    many[40:41], many[41:81] = False, classes[0]
    many[40, DOG] = True
    chances = np.diff(sum_chances(repeated, many), prepend=0)
    assert chances[:81].sum() == pytest.approx(3 / 5)
    assert chances[40] == pytest.approx(chances[0] * (80 / 20) ** 0.5)


def test_pixels_and_mask_of_a_view_lie_upon_each_other() -> None:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[16:48, 24:72] = 255
    mask = pixels[:, :, 0] // 255
    for view in (View(0, 0, 64, 96, False), View(8, 0, 72, 96, True), View(16, -12, 48, 60, False)):
        shown = show_pixels(pixels, view, 64)[2::4, 2::4, 0] > 127
        cells = show_mask(mask, view, 16)
        assert (shown == (cells == 1))[cells != 255].all()
        assert (cells == 255).any() == (view.bottom > 64 or view.left < 0)


def test_the_teachers_cells_lie_where_its_pixels_did() -> None:
    """The middle of cell i is pixel 16 i of 513; a mirrored view reads them from right to left."""
    places = (torch.arange(CELLS) * STRIDE + 0.5) / SIDE
    maps = places[None, None, :, None].expand(2, CELLS, CELLS, 1)
    boxes = torch.tensor([[0.0, 0.25, 1.0, 0.75], [0.0, 0.75, 1.0, 0.25]])
    seen = sample_cells(maps, boxes, 8)[:, 0, 0]
    middles = 0.25 + (torch.arange(8) + 0.5) / 16
    assert torch.allclose(seen, torch.stack([middles, middles.flip(0)]), atol=1e-5)


def write_maps(folder: Path, plan: Plan, winner: int) -> Path:
    """Maps of a teacher that is sure of one class everywhere."""
    for item in plan.train:
        maps = np.zeros((CELLS, CELLS, CHANNELS), np.int8)
        maps[..., winner] = 20 * LOGIT_STEPS
        path = folder / "maps" / f"{item.name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, maps)
    return folder / "maps"


@pytest.mark.parametrize(
    ("item", "winner", "expected"),
    [
        pytest.param(0, DOG, {0, CAT}, id="a mask of all classes keeps the teacher to its own"),
        pytest.param(3, CAT, {CAT, PERSON}, id="beside people the teacher names other things"),
        pytest.param(3, PERSON, {0, PERSON}, id="but no other people"),
        pytest.param(4, CAT, {CAT}, id="without a mask the teacher decides"),
    ],
)
def test_targets_join_masks_and_teacher(
    folder: Path, plan: Plan, item: int, winner: int, expected: set[int]
) -> None:
    maps = write_maps(folder, plan, winner)
    batch = draw_batch(sources_of(plan, item, maps), 64, 8, (1,))
    targets = build_targets(batch)
    assert torch.allclose(targets.shares.sum(dim=1), torch.ones(8, 16, 16))
    said = targets.shares.argmax(dim=1)[targets.weights > 0]
    assert set(said.tolist()) <= expected and said.max() == max(expected)


def test_without_a_teacher_photographs_without_masks_teach_nothing(plan: Plan) -> None:
    assert build_targets(draw_batch(sources_of(plan, 0), 64, 2, (1,))).weights.sum() > 0
    assert build_targets(draw_batch(sources_of(plan, 4), 64, 2, (1,))).weights.sum() == 0


def make_targets(truth: Tensor) -> Targets:
    shares = torch.nn.functional.one_hot(truth, 21).permute(0, 3, 1, 2).float()
    return Targets(shares, torch.ones(truth.shape), torch.ones(len(truth)))


def test_a_small_thing_weighs_as_much_as_a_large_one() -> None:
    truth = torch.zeros(2, 64, 64, dtype=torch.long)
    truth[0, 4:60, 4:60] = CAT
    truth[1, 30:46, 30:36] = CAT
    missed = make_targets(torch.zeros_like(truth)).shares
    large, small = (
        float(dice_loss(missed[i : i + 1], Targets(*(t[i : i + 1] for t in make_targets(truth)))))
        for i in (0, 1)
    )
    assert small > 0.5 * large


def test_the_loss_is_lowest_where_the_network_is_right() -> None:
    truth = torch.zeros(1, 16, 16, dtype=torch.long)
    truth[:, :, 8:] = CAT
    logits = torch.zeros(1, 21, 4, 4)
    losses = []
    for margin in (-6.0, 0.0, 6.0):
        logits[:, 0, :, :2] = logits[:, CAT, :, 2:] = margin
        losses.append(float(segmentation_loss(logits, make_targets(truth))))
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("processes", [0, 2], ids=["in this process", "ahead in two others"])
def test_batches_come_in_order_wherever_they_are_drawn(plan: Plan, processes: int) -> None:
    sources = Sources(plan.train, np.linspace(1 / 6, 1, 6), None)
    keys = [BatchKey(192, 2, (7, step)) for step in range(5)]
    for key, batch in zip(keys, load_batches(sources, keys, processes), strict=True):
        for ours, expected in zip(batch, draw_batch(sources, *key), strict=True):
            assert torch.equal(ours, expected)


def test_batches_are_scaled_as_the_app_scales_what_it_shows_the_network() -> None:
    pixels = np.arange(768, dtype=np.uint16).astype(np.uint8).reshape(16, 16, 3)
    batch = torch.from_numpy(pixels[None, :, :, ::-1].copy()).permute(0, 3, 1, 2)
    assert np.array_equal(to_values(batch).numpy(), to_pixel_values(pixels))


def test_the_schedule_covers_the_whole_run() -> None:
    assert SIDES[-1][0] == 1.0
    for _, shares in SIDES:
        assert sum(shares.values()) == pytest.approx(1) and set(shares) <= set(BATCH)
    assert draw_side(0.5, 1, 7) == draw_side(0.5, 1, 7)
    assert learning_rate(0.02, 1.0) == pytest.approx(1.0) and learning_rate(1.0, 1.0) < 0.01


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
    assert [kept for _, kept in sizes] == [depth.kept for depth in DEPTHS]
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
    trainer.freeze_statistics()
    trainer.save(folder / "state.pt", "some options")

    resumed = begin(7)
    assert resumed.load(folder / "state.pt") == "some options"
    assert (step(resumed), resumed.step) == (step(trainer), 5)
    for name, tensor in trainer.average.state_dict().items():
        assert torch.equal(tensor, resumed.average.state_dict()[name]), name


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
