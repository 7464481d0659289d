"""A model: a variant that is loaded and ready to run."""

import dataclasses
from dataclasses import dataclass

from demo.classes import VOC, ClassSet
from demo.models.checkpoint import WeightsSource
from demo.models.engines.contract import Engine
from demo.variants import Variant


@dataclass(frozen=True)
class Model:
    """A variant's network in an engine, and where its weights came from.

    Attributes:
        variant: which network it is.
        engine: runs it; in f32 unless the machine's owner has asked for bf16.
        weights: where they came from.
        bf16_engine: runs it in bf16; None where the processor does not compute in that.
        classes: what it tells apart.
    """

    variant: Variant
    engine: Engine
    weights: WeightsSource
    bf16_engine: Engine | None = None
    classes: ClassSet = VOC

    @property
    def fast(self) -> "Model":
        """The same model for live view and video files: in bf16 where it can be had."""
        return dataclasses.replace(self, engine=self.bf16_engine or self.engine)
