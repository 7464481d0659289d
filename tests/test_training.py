"""What the recipe promises of its data, where no photograph is needed to check it."""

from pathlib import Path

import numpy as np
import pytest
import torch

import training
from demo.variants import get_variant
from demo.weights import BUNDLED_FOLDER
from training.composing import vary
from training.model import build_model, read_weights
from training.photographs import is_held_out_person
from training.schedule import BATCH, FROM_SCRATCH, FURTHER, Plan, draw_side, pseudo_round

LISTED = (Path(training.__file__).parent / "held_out.txt").read_text().split()


def test_the_list_of_the_held_out_is_the_rule_of_the_training() -> None:
    assert len(LISTED) == 118
    assert all(is_held_out_person(name) for name in LISTED)


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


def test_pictures_without_people_are_turned_and_recoloured_but_not_changed_otherwise() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    varied = [vary(pixels, np.random.default_rng(seed)) for seed in range(40)]
    assert len({each.tobytes() for each in varied}) > 8
    for each in varied:
        assert sorted(each.ravel().tolist()) == sorted(pixels.ravel().tolist())
