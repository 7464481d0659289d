"""What the recipe promises, where no photograph is needed to check it."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.framing import to_pixel_values
from tests.training_folder import (
    CAT,
    DOG,
    FOLDER,
    PERSON,
    sources_of,
    write_folder,
    write_maps,
    write_picture,
)
from training.knowledge import find_classes, sum_chances
from training.loading import BatchKey, load_batches
from training.loss import dice_loss, segmentation_loss
from training.maps import (
    CHANNELS,
    FEATURE_STEPS,
    LOGIT_STEPS,
    encode_maps,
    find_basis,
    load_basis,
    save_basis,
)
from training.scenes import Sources, draw_batch, to_values
from training.sources import Plan, read_mask, read_pixels, read_plan
from training.targets import Targets, build_targets, sample_cells
from training.teacher import CELLS, DEPTHS, SIDE, STRIDE, Teacher
from training.views import View, show_mask, show_pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


@pytest.fixture
def plan(folder: Path) -> Plan:
    return read_plan(folder / "plan.toml", folder)


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
    assert chances[40] == pytest.approx(chances[0] * (80 / 30) ** 0.7)


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


class Dreamer:
    """A teacher of correlated random features."""

    def look(self, pixels: NDArray[np.uint8], *, twice: bool) -> list[NDArray[np.float32]]:
        rng = np.random.default_rng(int(pixels.sum()) % 1000 + twice)
        mixed = [rng.normal(size=(CELLS, CELLS, 20)) @ MIX[:, :c] + 3 for c in (32, 96, 160, 256)]
        logits = np.full((CELLS, CELLS, 21), 1.5)
        return [each.astype(np.float32) for each in (logits, *mixed)]


MIX = np.random.default_rng(0).normal(size=(20, 256))


def test_maps_store_logits_and_the_main_directions_of_features(plan: Plan, tmp_path: Path) -> None:
    teacher = cast("Teacher", Dreamer())
    save_basis(find_basis(teacher, [item.path for item in plan.train]), tmp_path)
    basis = load_basis(tmp_path)
    assert [len(weights) for _, _, weights in basis] == [depth.stored for depth in DEPTHS]
    maps = encode_maps(teacher.look(read_pixels(plan.train[0].path), twice=True), basis)
    assert maps.shape == (CELLS, CELLS, CHANNELS) and maps.dtype == np.int8
    assert (maps[..., :21] == 1.5 * LOGIT_STEPS).all()
    main = maps[..., 21 : 21 + 8].astype(float) / FEATURE_STEPS
    assert main.std(axis=(0, 1)) == pytest.approx(np.ones(8), abs=0.2)
    assert np.abs(main.mean(axis=(0, 1))).max() < 0.2
