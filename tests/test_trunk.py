"""The second half of a network learns alone, on features of the first half."""

import pytest
import torch

from demo.variants import get_variant
from demo.weights import BUNDLED_FOLDER
from training.model import build_model, read_weights
from training.trainer import Trainer
from training.trunk import Replay, count_fresh, logits_of_features, trunk_features
from training.workers import Worker

ALONE = Worker(rank=0, count=1, device=torch.device("cpu"))


def test_the_two_halves_are_the_network() -> None:
    model = build_model(get_variant("xxs"), seed=1)
    model.load_state_dict(read_weights(BUNDLED_FOLDER / "xxs"))
    model.eval()
    values = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = model(pixel_values=values).logits
        halves = logits_of_features(model, trunk_features(model, values))
    assert torch.equal(halves, expected)


def test_a_step_changes_the_second_half_only() -> None:
    trainer = Trainer(get_variant("xxs"), 1, ALONE, "muon", trunk_is_frozen=True)
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    values = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    trainer.update(trainer.features(values), torch.ones(2, 2, 16, 16), 1e-3)
    changed = {
        name
        for name, tensor in trainer.model.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    trunk = ("mobilevit.conv_stem.", *(f"mobilevit.encoder.layer.{i}." for i in range(3)))
    assert changed and not any(name.startswith(trunk) for name in changed)
    kernels = {name for name in before if name.endswith("convolution.weight")}
    assert {name for name in kernels if not name.startswith(trunk)} <= changed


def test_scenes_come_again_with_their_own_targets() -> None:
    replay = Replay()
    seen: list[float] = []
    for step in range(12):
        number = float(step)
        features = torch.full((1, 4, 8, 8), number)
        target = torch.full((1, 2, 16, 16), number)
        features, target = replay.mix(features, target, size=3, seed=(step,))
        assert len(features) == len(target) == min(step + 1, 3)
        assert torch.equal(features.mean((1, 2, 3)), target.mean((1, 2, 3)))
        values = target.mean((1, 2, 3)).tolist()
        assert number in values and len(set(values)) == len(values)
        seen += values
    assert len(set(seen)) == 12
    other_side, _ = replay.mix(torch.zeros(1, 4, 4, 4), torch.zeros(1, 2, 8, 8), 3, (99,))
    assert len(other_side) == 1


@pytest.mark.parametrize("size", [1, 4, 8])
def test_three_scenes_in_ten_are_new(size: int) -> None:
    assert count_fresh(size, 0, (1,)) == size
    later = [count_fresh(size, 1000, (1, step)) for step in range(2000)]
    assert sum(later) / len(later) == pytest.approx(0.3 * size, rel=0.1)
