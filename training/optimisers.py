"""Muon for the kernels and matrices inside the network, AdamW for the rest."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_WEIGHT_DECAY = 0.05
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


def build_optimisers(model: nn.Module) -> list[torch.optim.Optimizer]:
    """AdamW and Muon, which share the parameters of a model.

    Muon has those that are matrices which mix features: not depthwise kernels, nor the first
    kernel, nor the classifier's.
    """
    with_muon = _mixing(model)
    ours = {id(parameter) for parameter in with_muon}
    others = [parameter for parameter in model.parameters() if id(parameter) not in ours]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": _WEIGHT_DECAY},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [torch.optim.AdamW(groups, fused=True), Muon(with_muon, _WEIGHT_DECAY)]


def _mixing(model: nn.Module) -> list[nn.Parameter]:
    return [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.ndim > 1
        and parameter.shape[1] > 3
        and ".classifier." not in name
        and not name.startswith("projections.")
    ]


def orthogonalise(matrices: Tensor) -> Tensor:
    """Bring all singular values of some matrices near 1, by five Newton-Schulz iterations.

    Source: K. Jordan and others, "Muon: An optimizer for hidden layers in neural networks", 2024.

    Args:
        matrices: (count, m, n).

    Returns:
        (count, m, n), with the same singular vectors and singular values of about 0.7 to 1.2.
    """
    a, b, c = _COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x: Tensor = matrices if wide else matrices.mT
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.mT


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
            alike: dict[tuple[int, int], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    rows = parameter.shape[0]
                    alike.setdefault((rows, parameter.numel() // rows), []).append(parameter)
            for shape, parameters in alike.items():
                self._update(parameters, 0.2 * max(shape) ** 0.5 * group["lr"], group)

    def _update(self, parameters: list[Tensor], rate: float, group: dict[str, Any]) -> None:
        """Update parameters whose matrices have one shape: a GPU would wait for small ones."""
        directions = torch.stack([self._direction(p, group["momentum"]) for p in parameters])
        for parameter, step in zip(parameters, orthogonalise(directions), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.sub_(step.reshape(parameter.shape), alpha=rate)

    def _direction(self, parameter: Tensor, momentum: float) -> Tensor:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if "average" not in state:
            state["average"] = torch.zeros_like(gradient)
        average: Tensor = state["average"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(average, momentum).flatten(1)
