"""The app with an engine that needs no weights: ``python -m tests.support.fake_app``."""

import runpy

from demo.models import registry
from demo.models.checkpoint import OnProgress
from demo.models.model import Model
from demo.variants import Variant
from tests.support import ROOT
from tests.support.models import FAKE_WEIGHTS, ColourEngine


def load(variant: Variant, on_progress: OnProgress) -> Model:
    """Give a model that recognises painted colours."""
    return Model(variant, ColourEngine(), FAKE_WEIGHTS)


registry._default_registry = registry.Registry(load)
runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
