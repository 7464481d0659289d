"""Fixtures for all tests: models that need no weights, and isolation from the Hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from demo.models.loading import load_folder
from demo.models.model import Model
from demo.models.registry import Registry
from demo.models.sources import BUNDLED_FOLDER
from demo.variants import VARIANTS, Variant
from tests.support.models import FAKE_WEIGHTS, ColourEngine

settings.register_profile("untimed", deadline=None)  # a slow machine is not a failure
settings.load_profile("untimed")


@pytest.fixture
def engine() -> ColourEngine:
    return ColourEngine()


@pytest.fixture
def registry(engine: ColourEngine) -> Registry:
    def load(variant: Variant, on_progress: object) -> Model:
        return Model(variant, engine, FAKE_WEIGHTS)

    return Registry(load)


@pytest.fixture
def model(registry: Registry) -> Model:
    """A model whose engine recognises painted colours."""
    return registry.get("xxs")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for the tests of all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session", autouse=True)
def own_cache(shared_folder: Path) -> Iterator[None]:
    """Give the tests of all processes one new cache of converted networks, not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGMENTATION_CACHE", str(shared_folder / "graphs"))
        yield


@pytest.fixture(scope="session")
def converted(shared_folder: Path, own_cache: None) -> None:
    """Convert the bundled networks once, before several processes would each do it."""
    done = shared_folder / "converted"
    with FileLock(shared_folder / "converted.lock"):
        if not done.exists():
            for key, variant in VARIANTS.items():
                load_folder(BUNDLED_FOLDER / key, variant)
            done.touch()


@pytest.fixture(autouse=True)
def no_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Cut every test off from the real Hub and from the user's cache of it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))
    for name in ("SEGMENTATION_CHECKPOINTS", "SEGMENTATION_ENGINE", "CPU_CORES"):
        monkeypatch.delenv(name, raising=False)
    yield
