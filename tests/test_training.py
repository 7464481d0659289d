"""What the recipe promises of its data, where no photograph is needed to check it."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import training
from demo.framing import to_pixel_values
from demo.models.sources import BUNDLED_FOLDER
from demo.variants import get_variant
from training.composing import vary
from training.loading import BatchKey, load_batches
from training.loss import dice_loss
from training.model import build_model, read_weights
from training.optimisers import build_optimisers, orthogonalise
from training.options import read_options
from training.photographs import (
    BACKGROUND,
    PERSON,
    VOID,
    is_held_out_person,
    load_people,
    make_photograph,
)
from training.pseudo import guess_labels
from training.registration import edge_strengths, strongest
from training.scenes import Sources, draw_batch, draw_scene, encode_target, to_values
from training.schedule import BATCH, FROM_SCRATCH, FURTHER, Plan, draw_side, pseudo_round
from training.trainer import Trainer
from training.workers import Worker

LISTED = (Path(training.__file__).parent / "held_out.txt").read_text().split()


def test_the_list_of_the_held_out_is_the_rule_of_the_training() -> None:
    assert len(LISTED) == 118
    assert all(is_held_out_person(name) for name in LISTED)


def test_masks_are_moved_onto_their_photographs(tmp_path: Path) -> None:
    """Only those of photographs that are trained with, or held out."""
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / folder).mkdir()
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[10:30, 20:40] = 255
    mask = np.zeros((40, 60), np.uint8)
    mask[11:31, 21:41] = 15  # as they come: a pixel too far to the right and down
    for name in ("0001", "0030", "0692"):
        cv2.imwrite(str(tmp_path / "JPEGImages" / f"{name}.jpg"), pixels)
        cv2.imwrite(str(tmp_path / "SegmentationClass" / f"{name}.png"), mask)
    (trained,) = load_people(tmp_path, held_out=False)
    (held_out,) = load_people(tmp_path, held_out=True)
    (published,) = load_people(tmp_path, held_out=True, as_published=True)
    assert (trained.name, held_out.name) == ("0001", "0030")
    for photograph in (trained, held_out):
        assert ((photograph.labels == 15) == (photograph.pixels[..., 0] > 127)).all()
    assert (published.labels == mask).all()


@pytest.mark.parametrize(
    ("box", "offsets"),
    [
        pytest.param((11, 21, 31, 41), (-1, -1, -1, -1), id="right-and-down"),
        pytest.param((10, 18, 30, 38), (2, 2, 0, 0), id="left"),
        pytest.param((9, 19, 31, 41), (1, -1, 1, -1), id="too-large"),
    ],
)
def test_where_a_mask_lies_is_seen_in_its_photograph(
    box: tuple[int, int, int, int], offsets: tuple[int, ...]
) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[10:30, 20:40] = 255
    top, left, bottom, right = box
    labels = np.zeros((40, 60), np.uint8)
    labels[top:bottom, left:right] = PERSON
    strengths = edge_strengths([make_photograph("1", pixels, labels)])
    assert tuple(strongest(each) for each in strengths.values()) == offsets


def test_a_run_goes_on_with_the_options_it_was_begun_with_only() -> None:
    files = ["--people", "p", "--empty", "e", "--out", "o", "--state", "s"]
    arguments = ["--variant", "xxs", *files, "--minutes", "5"]
    begun = read_options(arguments, None)
    assert read_options([*arguments, "--check-minutes", "3"], None).recipe == begun.recipe
    for other in ("--seed 2", "--peak 1e-3", "--start-from f", "--photographs 0.7"):
        assert read_options([*arguments, *other.split()], None).recipe != begun.recipe


@pytest.mark.parametrize("plan", [FROM_SCRATCH, FURTHER], ids=["from scratch", "further"])
def test_a_plan_covers_the_whole_run(plan: Plan) -> None:
    assert plan.sides[-1][0] == 1.0
    for _, shares in plan.sides:
        assert sum(shares.values()) == pytest.approx(1)
        assert set(shares) <= set(BATCH)
    assert draw_side(plan, 0.5, 1, 7) == draw_side(plan, 0.5, 1, 7)
    assert pseudo_round(plan, 1.0) == len(plan.label_at)


def test_training_can_go_on_from_the_bundled_checkpoint() -> None:
    weights = read_weights(BUNDLED_FOLDER / "xxs")
    model = build_model(get_variant("xxs"), seed=1)
    model.load_state_dict(weights)
    assert all(p.dtype == torch.float32 for p in model.parameters())


@pytest.mark.parametrize("shape", [(16, 16), (8, 300), (300, 8)], ids=str)
def test_a_direction_is_orthogonalised(shape: tuple[int, int]) -> None:
    matrices = torch.randn((2, *shape), generator=torch.Generator().manual_seed(5))
    matrices[1] *= 100
    for matrix, direction in zip(matrices, orthogonalise(matrices), strict=True):
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        kept = left.T @ direction @ right.T
        assert ((kept.diagonal() > 0.3) & (kept.diagonal() < 1.4)).all()
        assert (kept - torch.diag(kept.diagonal())).abs().max() < 1e-3


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_weight_has_one_optimiser(name: str) -> None:
    model = build_model(get_variant("xxs"), seed=1)
    optimisers = build_optimisers(model, name)
    held = [id(p) for each in optimisers for g in each.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert len(optimisers) == (2 if name == "muon" else 1)


def test_pictures_without_people_are_turned_and_recoloured_but_not_changed_otherwise() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    varied = [vary(pixels, np.random.default_rng(seed)) for seed in range(40)]
    assert len({each.tobytes() for each in varied}) > 8
    for each in varied:
        assert sorted(each.ravel().tolist()) == sorted(pixels.ravel().tolist())


@pytest.mark.parametrize("processes", [0, 2], ids=["in this process", "ahead in two others"])
def test_batches_come_in_order_wherever_they_are_drawn(processes: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    labels = np.zeros((40, 30), np.uint8)
    labels[5:38, 8:20] = PERSON
    sources = Sources(
        [make_photograph("1", pixels, labels)],
        [],
        [make_photograph("2", pixels[::-1].copy(), np.zeros_like(labels))],
    )
    keys = [BatchKey(192, 2, (7, step)) for step in range(5)]
    for key, (batch, target) in zip(keys, load_batches(sources, keys, processes), strict=True):
        expected_batch, expected_target = draw_batch(sources, key.side, key.size, key.seed)
        assert batch.shape == (2, 3, 192, 192) and target.shape == (2, 2, 48, 48)
        assert torch.equal(batch, expected_batch) and torch.equal(target, expected_target)


def test_batches_are_scaled_as_the_app_scales_what_it_shows_the_network() -> None:
    pixels = np.arange(768, dtype=np.uint16).astype(np.uint8).reshape(16, 16, 3)
    batch = torch.from_numpy(pixels[None, :, :, ::-1].copy()).permute(0, 3, 1, 2)
    assert np.array_equal(to_values(batch).numpy(), to_pixel_values(pixels))


def test_a_share_of_one_makes_photographs_only() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    labels = np.full((40, 30), PERSON, np.uint8)
    sources = Sources([make_photograph("1", pixels, labels)], [], [], photographs=1.0)
    for seed in range(20):
        assert (draw_scene(sources, 64, np.random.default_rng(seed)).labels == PERSON).all()


def test_a_target_is_the_share_of_person_among_what_is_known() -> None:
    """Of masks and of probabilities alike; an unlikely person is no part of the figure."""
    labels = np.zeros((32, 16), np.uint8)
    labels[:8], labels[8:16], labels[16:24] = PERSON, 9, 3
    labels[:16, 2] = VOID
    share, known = encode_target(labels)
    assert known[:4, 0] == pytest.approx(0.75) and known[:, 1:] == pytest.approx(1.0)
    assert share[::2, 0] == pytest.approx(share[::2, 1])
    assert share[::2, 1] == pytest.approx([1.0, 0.6, 0.2, 0.0])
    assert make_photograph("1", np.zeros((32, 16, 3), np.uint8), labels).figure == (0, 0, 16, 16)


def test_a_small_figure_weighs_as_much_as_a_large_one() -> None:
    share = torch.zeros(2, 64, 64)
    share[0, 4:60, 4:60] = 1
    share[1, 30:46, 30:36] = 1
    missed_large, missed_small = (torch.where(share > 0.5, 8.0, -8.0) for _ in range(2))
    missed_large[0] = missed_small[1] = -8.0
    known = torch.ones_like(share)
    large, small = (float(dice_loss(m, share, known)) for m in (missed_large, missed_small))
    assert large == pytest.approx(0.5, abs=0.02)
    assert small > 0.8 * large


@pytest.mark.parametrize(
    ("margins", "label"),
    [((4.0,), PERSON), ((-4.0, -4.0), BACKGROUND), ((5.0, -4.0, -4.0), 5), ((1.0,), 11)],
    ids=["sure", "agreed", "not agreed", "not sure"],
)
def test_a_label_is_the_mean_probability_in_fifteenths(
    margins: tuple[float, ...], label: int
) -> None:
    def network(margin: float, values: torch.Tensor) -> torch.Tensor:
        logits = torch.full((len(values), 21, values.shape[2] // 16, values.shape[3] // 16), -12.0)
        logits[:, BACKGROUND] = 0.0
        logits[:, PERSON] = margin
        return logits

    networks = [partial(network, margin) for margin in margins]
    labels = guess_labels(networks, np.zeros((40, 30, 3), np.uint8), (64, 96))
    assert labels.shape == (40, 30)
    assert (labels == label).all()


def test_a_run_goes_on_from_its_state_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    alone = Worker(rank=0, count=1, device=torch.device("cpu"))
    values = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    target = torch.ones(2, 2, 16, 16)

    def step(trainer: Trainer) -> float:
        return trainer.update(values, target, 1e-3)

    trainer = Trainer(get_variant("xxs"), 1, alone, "muon")
    trainer.start_from(read_weights(BUNDLED_FOLDER / "xxs"))
    losses = [step(trainer) for _ in range(3)]
    assert losses == sorted(losses, reverse=True)
    trainer.save(tmp_path / "state.pt", "some options")

    resumed = Trainer(get_variant("xxs"), 7, alone, "muon")
    assert resumed.load(tmp_path / "state.pt") == "some options"
    assert (step(resumed), resumed.step) == (step(trainer), 4)
    for name, tensor in trainer.average.state_dict().items():
        assert torch.equal(tensor, resumed.average.state_dict()[name]), name
