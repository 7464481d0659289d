"""The network while it is being trained: one step, its moving average, its state on disk."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MobileViTForSemanticSegmentation

from training.attention import quicken
from training.loss import feature_loss, segmentation_loss
from training.maps import Basis
from training.optimisers import build_optimisers
from training.scenes import Batch, to_values
from training.schedule import average_decay, feature_weight
from training.targets import build_targets, sample_features
from training.workers import Worker

_LARGEST_GRADIENT = 2.0


class Student(nn.Module):
    """A network whose features are projected onto those of a teacher.

    Attributes:
        model: transformers' own module.
        projections: a 1×1 convolution for each depth of the teacher, which no checkpoint keeps.
    """

    def __init__(self, model: MobileViTForSemanticSegmentation, basis: Basis) -> None:
        super().__init__()
        self.model = model
        self.projections = nn.ModuleList()
        self._seen: list[Tensor] = []
        stages = model.mobilevit.encoder.layer
        depths = (stages[2], stages[3], stages[4], model.segmentation_head.aspp)
        with torch.no_grad():
            for stage in depths[: len(basis)]:
                stage.register_forward_hook(self._note)
            model.eval()(pixel_values=torch.zeros(1, 3, 64, 64))
        for seen, (_, directions, _) in zip(self._seen, basis, strict=True):
            self.projections.append(nn.Conv2d(seen.shape[1], directions.shape[1], 1))

    def _note(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._seen.append(output)

    def forward(self, values: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, h, w) pixel values -> logits and projected features, all of stride 16."""
        self._seen.clear()
        logits: Tensor = self.model(pixel_values=values).logits
        size = (logits.shape[2], logits.shape[3])
        projected = [
            layer(nn.functional.adaptive_avg_pool2d(seen, size))
            for layer, seen in zip(self.projections, self._seen, strict=True)
        ]
        return logits, projected


class Trainer:
    """Student, moving average, optimisers and the count of steps and seconds.

    Every worker holds the same copy; gradients are averaged over workers before each update.
    """

    def __init__(
        self, model: MobileViTForSemanticSegmentation, basis: Basis, worker: Worker, seed: int
    ) -> None:
        self.worker = worker
        quicken(model)
        self.average = copy.deepcopy(model).to(worker.device).eval().requires_grad_(False)
        torch.manual_seed(seed)
        self.student = Student(model, basis).to(worker.device).train()
        self._weights = [torch.from_numpy(part).to(worker.device) for _, _, part in basis]
        self._statistics_are_frozen = False
        self.parameters = list(self.student.parameters())
        self.optimisers = build_optimisers(self.student)
        self._averaged = _floating(self.average), _floating(self.student.model)
        self.step, self.seconds = 0, 0.0

    def autocast(self) -> torch.autocast:
        """bfloat16 where the processor computes in it; emulated it takes 12 times as long."""
        if self.worker.device.type == "cuda":
            enabled = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            enabled = torch.cpu._is_avx512_bf16_supported()
        return torch.autocast(self.worker.device.type, torch.bfloat16, enabled=enabled)

    def update(self, batch: Batch, rate: float, progress: float) -> Tensor:
        """Take one step on a batch of this worker.

        Returns:
            (2,) float32: the loss of the classes and that of the features, means over workers.
        """
        batch = Batch(*(each.to(self.worker.device, non_blocking=True) for each in batch))
        losses = self._losses(batch)
        total = losses[0] + feature_weight(progress) * losses[1]
        total.backward()  # type: ignore[no-untyped-call]
        mean_losses = self._share_gradients(losses.detach())
        nn.utils.clip_grad_norm_(self.parameters, _LARGEST_GRADIENT)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        with torch.no_grad():
            torch._foreach_lerp_(*self._averaged, 1 - average_decay(self.step))
        return mean_losses

    def _losses(self, batch: Batch) -> Tensor:
        values = to_values(batch.pixels).contiguous(memory_format=torch.channels_last)
        with self.autocast():
            logits, projected = self.student(values)
        losses = [
            segmentation_loss(logits, build_targets(batch)),
            logits.new_zeros((), dtype=torch.float32),
        ]
        if projected:
            expected = sample_features(batch, logits.shape[2])
            losses[1] = feature_loss(projected, expected, self._weights)
        return torch.stack(losses)

    def _share_gradients(self, losses: Tensor) -> Tensor:
        """Replace each gradient and running statistic by its mean over workers.

        Returns:
            the mean losses.
        """
        if self.worker.count == 1:
            return losses
        ours = [p.grad for p in self.parameters if p.grad is not None]
        ours += [b for b in self.student.buffers() if b.is_floating_point()] + [losses]
        flat = torch.cat([each.flatten() for each in ours])
        self.worker.add_up(flat).div_(self.worker.count)
        means = torch.split(flat, [each.numel() for each in ours])
        for each, mean in zip(ours, means, strict=True):
            each.copy_(mean.view_as(each))
        return losses

    def freeze_statistics(self, frozen: bool) -> None:
        """Let batch-norm use the moving average's running statistics, or a batch's own again.

        A run that is given more minutes than it had goes back to a time when they were not frozen.
        """
        if frozen == self._statistics_are_frozen:
            return
        if frozen:
            averages = dict(self.average.named_buffers())
            for name, buffer in self.student.model.named_buffers():
                buffer.copy_(averages[name])
        self._set_statistics(frozen)

    def _set_statistics(self, frozen: bool) -> None:
        self._statistics_are_frozen = frozen
        for module in self.student.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train(not frozen)

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
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "frozen": self._statistics_are_frozen,
            "step": self.step,
            "seconds": self.seconds,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def load(self, path: Path) -> str:
        """Go on from a state that `save` wrote; returns what it was begun with."""
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        for optimiser, own in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(own)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self._set_statistics(bool(state["frozen"]))
        return str(state["recipe"])


def _floating(model: nn.Module) -> list[Tensor]:
    return [tensor for tensor in model.state_dict().values() if tensor.is_floating_point()]
