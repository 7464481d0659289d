"""Begin a larger variant with all that a smaller one has learnt.

Net2Net (Chen, Goodfellow and Shlens 2016, https://arxiv.org/abs/1511.05641): the trained weights
fill the first rows and columns of the larger ones; the new channels start with weights of their own
and are not listened to at first, so that the wide network says what the narrow one said.

Two places need more than that. Layer norm sees all channels of a transformer: its mean is taken out
of whatever writes to them (it ignores a mean anyway), and the new channels are silent, so that only
the variance changes, by a known factor. XXS adds the input of its first block to the output, the
others cannot, because their output has more channels: there the input is carried through the block
by pairs of channels of its own, x and -x, so small that SiLU halves them: silu(x) - silu(-x) = x.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu
from transformers import MobileViTForSemanticSegmentation
from transformers.models.mobilevit.modeling_mobilevit import MobileViTConvLayer

_HEADS = 4
_SMALL = 1 / 16

_WRITERS = (".conv_1x1.", ".output.dense.")
"""What writes to the channels of a transformer; the other names there read them."""
_READERS = (".attention.attention.", ".intermediate.dense.", ".conv_projection.")


@torch.no_grad()
def widen(
    narrow: MobileViTForSemanticSegmentation,
    wide: MobileViTForSemanticSegmentation,
    pixel_values: Tensor,
) -> None:
    """Let a wide network, freshly initialised, compute what a narrow one computes.

    Args:
        narrow: trained; left in evaluation mode, else not modified.
        wide: no layer smaller; overwritten.
        pixel_values: (B, 3, h, w) float32, a few scenes to measure the statistics of the input of
            the first block on.
    """
    weights, target = narrow.state_dict(), wide.state_dict()
    for name, tensor in target.items():
        if tensor.is_floating_point():
            source = weights[name].float()
            _fill(name, tensor, _centre(source) if _writes(name) else source)
    if narrow.config.neck_hidden_sizes[1] != wide.config.neck_hidden_sizes[1]:
        _carry_input(narrow.eval(), wide, pixel_values)


def _writes(name: str) -> bool:
    return ".encoder." in name and any(part in name for part in _WRITERS)


def _reads(name: str) -> bool:
    return any(part in name for part in _READERS)


def _centre(weight: Tensor) -> Tensor:
    """Take the mean over output channels out of a layer whose outputs a layer norm will read."""
    return weight - weight.mean(dim=0, keepdim=True)


def _fill(name: str, wide: Tensor, narrow: Tensor) -> None:
    """Write a narrow parameter into a wide one of the same name."""
    rows = _places(narrow.shape[0], wide.shape[0], name, "rows")
    if _writes(name) or ".attention.key." in name:
        wide.zero_()
    if narrow.ndim == 1:
        if ".normalization.weight" in name:
            wide.fill_(narrow.square().mean().sqrt())  # no louder than the old channels
        wide[rows] = narrow * _scale(name, narrow.shape[0], wide.shape[0])
        return
    columns = _places(narrow.shape[1], wide.shape[1], name, "columns")
    if not _reads(name):
        wide[rows] = 0
    part = wide[rows]
    part[:, columns] = narrow * _scale(name, narrow.shape[0], wide.shape[0])
    wide[rows] = part


def _places(narrow: int, wide: int, name: str, axis: str) -> Tensor:
    """Where the narrow channels lie among the wide ones: first, or first in each group."""
    groups = 1
    if (".attention.attention." in name and axis == "rows") or (
        ".attention.output.dense." in name and axis == "columns"
    ):
        groups = _HEADS
    elif ".fusion.convolution." in name and axis == "columns":
        groups = 2  # what came in, then what the transformer made of it
    starts = torch.arange(groups)[:, None] * (wide // groups)
    return (starts + torch.arange(narrow // groups)).flatten()


def _scale(name: str, narrow: int, wide: int) -> float:
    """Undo what the number of channels does to attention and to layer norm."""
    if ".attention.query." in name:
        return math.sqrt(wide / narrow)
    if "layernorm" in name and name.endswith("weight"):
        return math.sqrt(narrow / wide)
    return 1.0


def _carry_input(
    narrow: MobileViTForSemanticSegmentation,
    wide: MobileViTForSemanticSegmentation,
    pixel_values: Tensor,
) -> None:
    """Add the first block's input to its output where the wide block does not do so itself."""
    before = narrow.mobilevit.conv_stem(pixel_values)
    old, new = narrow.mobilevit.encoder.layer[0].layer[0], wide.mobilevit.encoder.layer[0].layer[0]
    count, first = before.shape[1], old.expand_1x1.convolution.out_channels
    carriers = torch.arange(first, first + 2 * count)
    pair = torch.cat([torch.eye(count), -torch.eye(count)])
    small = torch.cat([before, -before], dim=1)
    _carry(new.expand_1x1, carriers, pair, small, _SMALL)
    _carry(new.conv_3x3, carriers, torch.ones(2 * count, 1), silu(_SMALL * small), 2.0)
    bottleneck, kept = old.reduce_1x1.normalization, torch.arange(count)
    gain = bottleneck.weight / (bottleneck.running_var + bottleneck.eps).sqrt()
    kernel = new.reduce_1x1.convolution.weight
    kernel[kept[:, None], torch.arange(first)] *= gain[:, None, None, None]
    kernel[kept[:, None], carriers, 0, 0] = pair.T / _SMALL
    mean, variance = _statistics(old(before))
    offset = gain * bottleneck.running_mean - bottleneck.bias
    _normalise(new.reduce_1x1.normalization, kept, (mean + offset, variance), 1.0, offset)


def _carry(
    layer: MobileViTConvLayer, at: Tensor, taps: Tensor, outputs: Tensor, factor: float
) -> None:
    """Let some channels of a layer give out a multiple of what they take in.

    Args:
        layer: a convolution and its batch norm.
        at: the channels.
        taps: (channels, inputs), for the middle of the kernel.
        outputs: (B, channels, h, w) of the convolution, to measure.
        factor: of the batch norm.
    """
    kernel: Tensor = layer.convolution.weight
    middle = kernel.shape[-1] // 2
    kernel[at] = 0
    kernel[at, : taps.shape[1], middle, middle] = taps
    _normalise(layer.normalization, at, _statistics(outputs), factor)


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel of (B, C, h, w), both (C,)."""
    variance, mean = torch.var_mean(features, dim=(0, 2, 3))
    return mean, variance


def _normalise(
    norm: nn.BatchNorm2d,
    at: Tensor,
    statistics: tuple[Tensor, Tensor],
    factor: float,
    offset: Tensor | float = 0.0,
) -> None:
    """Let a batch norm only multiply some channels, after an offset was taken off."""
    assert norm.running_mean is not None and norm.running_var is not None
    mean, variance = statistics
    norm.running_mean[at], norm.running_var[at] = mean, variance
    norm.weight[at] = factor * (variance + norm.eps).sqrt()
    norm.bias[at] = factor * (mean - offset)
