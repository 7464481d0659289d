"""A model: a variant that is loaded and ready to run."""

from dataclasses import dataclass

from demo.models.checkpoint import WeightsSource
from demo.models.engines.contract import Engine
from demo.variants import Variant


@dataclass(frozen=True)
class Model:
    """An engine with a variant's network in it, and where its weights came from."""

    variant: Variant
    engine: Engine
    weights: WeightsSource
