"""A larger variant begins with all that a smaller one has learnt."""

import pytest
import torch
from transformers import MobileViTForSemanticSegmentation

from demo.models.sources import BUNDLED_FOLDER
from demo.variants import get_variant
from training.model import build_model, load_checkpoint, read_variant
from training.widening import widen


@pytest.fixture(scope="module")
def narrow() -> MobileViTForSemanticSegmentation:
    return load_checkpoint(BUNDLED_FOLDER / "xxs", seed=1).eval()


@pytest.mark.parametrize("path", [("xs",), ("s",), ("xs", "s")], ids=" then ".join)
def test_a_widened_network_says_what_the_narrow_one_said(
    narrow: MobileViTForSemanticSegmentation, path: tuple[str, ...]
) -> None:
    noise = torch.Generator().manual_seed(2)
    measured, seen = (torch.rand(2, 3, 64, 96, generator=noise) for _ in range(2))
    model = narrow
    for key in path:
        wide = build_model(get_variant(key), seed=3).eval()
        widen(model, wide, measured)
        model = wide
    with torch.no_grad():
        expected, said = (each(pixel_values=seen).logits for each in (narrow, model))
    assert expected[:, 15].std() > 0.1
    assert (said - expected).abs().max() < 0.02


@pytest.mark.parametrize("key", ["xs", "s"])
def test_bfloat16_suffices_for_what_a_widened_network_carries(
    narrow: MobileViTForSemanticSegmentation, key: str
) -> None:
    wide = build_model(get_variant(key), seed=3).eval()
    stems = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    widen(narrow, wide, stems)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        first = [each.mobilevit.conv_stem(stems) for each in (narrow, wide)]
        expected, said = (
            each.mobilevit.encoder.layer[0](features).float()
            for each, features in zip((narrow, wide), first, strict=True)
        )
    error = (said[:, :16] - expected).square().mean() / expected.square().mean()
    assert error.sqrt() < 0.03


def test_the_new_channels_of_a_widened_network_learn(
    narrow: MobileViTForSemanticSegmentation,
) -> None:
    wide = build_model(get_variant("xs"), seed=3).train()
    seen = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    widen(narrow, wide, seen)
    optimiser = torch.optim.AdamW(wide.parameters(), lr=1e-3)
    for _ in range(3):
        optimiser.zero_grad()
        wide(pixel_values=seen).logits[:, 15].square().mean().backward()
        optimiser.step()
    for name, parameter in wide.named_parameters():
        if parameter.ndim == 4 and name.startswith("mobilevit."):
            assert parameter.grad is not None
            assert (parameter.grad.flatten(1).norm(dim=1) > 0).all(), name


def test_a_checkpoint_tells_its_variant() -> None:
    assert read_variant(BUNDLED_FOLDER / "xxs") is get_variant("xxs")
