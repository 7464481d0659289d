"""AdamW, alone or with Muon for the kernels and matrices inside the network."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

OPTIMISERS = ("muon", "adamw")

_WEIGHT_DECAY = 0.05
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


def build_optimisers(model: nn.Module, name: str) -> list[torch.optim.Optimizer]:
    """Optimisers that share the parameters of a model.

    Args:
        model: its parameters.
        name: ``adamw`` for all of them, or ``muon`` for Muon where a parameter is a matrix that
            mixes features: not for depthwise kernels, the first kernel and the classifier's.
    """
    with_muon = _mixing(model) if name == "muon" else []
    ours = {id(parameter) for parameter in with_muon}
    others = [parameter for parameter in model.parameters() if id(parameter) not in ours]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": _WEIGHT_DECAY},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    adamw = torch.optim.AdamW(groups, fused=True)
    return [adamw, Muon(with_muon, _WEIGHT_DECAY)] if with_muon else [adamw]


def _mixing(model: nn.Module) -> list[nn.Parameter]:
    return [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.ndim > 1 and parameter.shape[1] > 3 and ".classifier." not in name
    ]


def orthogonalise(matrix: Tensor) -> Tensor:
    """Bring all singular values of a matrix near 1, by five Newton-Schulz iterations.

    Source: K. Jordan and others, "Muon: An optimizer for hidden layers in neural networks", 2024.

    Args:
        matrix: (m, n).

    Returns:
        (m, n), with the same singular vectors and singular values of about 0.7 to 1.2.
    """
    a, b, c = _COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    x: Tensor = matrix if wide else matrix.T
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose direction is orthogonalised, one matrix per kernel.

    A kernel (out, in, k, k) counts as the matrix (out, in·k·k). Updates have the root mean
    square of AdamW's, so that both take the same learning rate.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        super().__init__(parameters, {"lr": 0.0, "momentum": 0.95, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update every parameter that has a gradient; a closure is not called."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        average = state.setdefault("average", torch.zeros_like(gradient))
        average.lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(average, group["momentum"]).flatten(1)
        scale = 0.2 * max(direction.shape) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.sub_(orthogonalise(direction).view_as(parameter), alpha=group["lr"] * scale)
