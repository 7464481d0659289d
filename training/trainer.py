"""The network while it is being trained: one step, its moving average, its state on disk."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from demo.variants import Variant
from training.attention import quicken
from training.loss import segmentation_loss
from training.model import build_model
from training.optimisers import build_optimisers
from training.photographs import PERSON
from training.schedule import average_decay
from training.workers import Worker

_LARGEST_GRADIENT = 2.0


def _floating(model: nn.Module) -> list[Tensor]:
    return [tensor for tensor in model.state_dict().values() if tensor.is_floating_point()]


class Trainer:
    """Model, moving average, optimiser and the count of steps and seconds.

    Every worker holds the same copy; gradients are averaged over workers before each update.
    """

    def __init__(self, variant: Variant, seed: int, worker: Worker, optimiser: str) -> None:
        self.worker = worker
        self.seed = seed
        self.model = build_model(variant, seed)
        nn.Module.to(self.model, worker.device).train()
        quicken(self.model)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self._statistics_are_frozen = False
        self.parameters = list(self.model.parameters())
        self.optimisers = build_optimisers(self.model, optimiser)
        self._averaged = _floating(self.average), _floating(self.model)
        self.step = 0
        self.seconds = 0.0

    def autocast(self) -> torch.autocast:
        """bfloat16 where the processor computes in it; emulated it takes 12 times as long."""
        if self.worker.device.type == "cuda":
            enabled = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            enabled = torch.cpu._is_avx512_bf16_supported()
        return torch.autocast(self.worker.device.type, torch.bfloat16, enabled=enabled)

    def update(self, values: Tensor, target: Tensor, rate: float) -> float:
        """Take one step on a batch of this worker.

        Args:
            values: (B, 3, side, side) float32 pixel values.
            target: (B, 2, side/4, side/4) float32.
            rate: learning rate.

        Returns:
            the loss, averaged over workers.
        """
        torch.manual_seed(self.seed * 1_000_003 + self.step * 31 + self.worker.rank)
        values = values.to(self.worker.device, memory_format=torch.channels_last)
        with self.autocast():
            logits = self.model(pixel_values=values).logits
        loss = segmentation_loss(logits, target.to(self.worker.device))
        loss.backward()  # type: ignore[no-untyped-call]
        mean_loss = self._share_gradients(float(loss.detach()))
        nn.utils.clip_grad_norm_(self.parameters, _LARGEST_GRADIENT)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self._update_average()
        return mean_loss

    def _share_gradients(self, loss: float) -> float:
        """Replace each gradient by its mean over workers; return the mean loss."""
        if self.worker.count == 1:
            return loss
        parts = [p.grad.flatten() for p in self.parameters if p.grad is not None]
        flat = torch.cat([*parts, torch.tensor([loss])])
        self.worker.add_up(flat).div_(self.worker.count)
        start = 0
        for p in self.parameters:
            if p.grad is not None:
                p.grad.copy_(flat[start : start + p.numel()].view_as(p))
                start += p.numel()
        return float(flat[-1])

    def _update_average(self) -> None:
        old, new = self._averaged
        with torch.no_grad():
            torch._foreach_lerp_(old, new, 1 - average_decay(self.step))

    def freeze_statistics(self) -> None:
        """Let batch-norm use the statistics of all workers' moving averages from now on."""
        if self._statistics_are_frozen:
            return
        self._statistics_are_frozen = True
        averages = dict(self.average.named_buffers())
        for name, module in self.model.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
                for part in ("running_mean", "running_var"):
                    mean = averages[f"{name}.{part}"]
                    self.worker.add_up(mean).div_(self.worker.count)
                    getattr(module, part).copy_(mean)

    def lower_person(self, by: float) -> None:
        """Take a number off the logit of person in the moving average."""
        bias = self.average.segmentation_head.classifier.convolution.bias
        with torch.no_grad():
            bias[PERSON] -= by

    def predict(self, values: Tensor) -> Tensor:
        """Logits of the moving average for (B, 3, h, w) pixel values."""
        values = values.to(self.worker.device, memory_format=torch.channels_last)
        with torch.inference_mode(), self.autocast():
            logits: Tensor = self.average(pixel_values=values).logits
        return logits

    def save(self, path: Path, recipe: str) -> None:
        """Write everything needed to go on, and what was begun with, whole or not at all."""
        state = {
            "recipe": recipe,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Begin with these weights in place of random ones."""
        self.model.load_state_dict(weights)
        self.average.load_state_dict(weights)

    def load(self, path: Path) -> str:
        """Go on from a state that `save` wrote; returns what it was begun with."""
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimiser, own in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(own)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        return str(state.get("recipe", ""))
