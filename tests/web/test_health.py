"""The answers of /healthz and /metrics."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.errors import WeightsUnavailable
from demo.inference import segment
from demo.models.checkpoint import NoWeights
from demo.models.model import Model
from demo.models.registry import Registry
from demo.variants import Variant
from demo.web.health import health_routes
from tests.support.models import ColourEngine


def open_health(registry: Registry, files: Path, is_closing: bool = False) -> TestClient:
    routes = health_routes(registry, lambda: files, lambda: is_closing)
    return TestClient(Starlette(routes=routes))


def fail(variant: Variant, on_progress: Any) -> Model:
    raise NoWeights("the Hub is asleep")


def test_healthz_is_ready_once_a_variant_is_loaded(registry: Registry, tmp_path: Path) -> None:
    client = open_health(registry, tmp_path)
    before = client.get("/healthz")
    assert before.status_code == 503 and before.json()["reason"] == "not started"
    registry.get("xs")
    after = client.get("/healthz")
    assert after.status_code == 200
    assert after.json() == {"ready": True, "variants": {"xs": "loaded"}}


def test_healthz_gives_the_reason_why_no_variant_is_loaded(tmp_path: Path) -> None:
    registry = Registry(fail, fail)
    with pytest.raises(WeightsUnavailable):
        registry.get("s")
    answer = open_health(registry, tmp_path).get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == (
        "s: not loaded: MobileViT-S has no weights on this machine: the Hub is asleep; the Hub is "
        "asleep. Choose another variant, or try again later."
    )


def nearly_full(path: Path) -> Any:
    return SimpleNamespace(free=1)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda m: m.setattr(shutil, "disk_usage", nearly_full), "the disk is nearly full"),
        (lambda m: m.setattr("os.access", lambda *_: False), "cannot be written"),
    ],
    ids=["disk", "permission"],
)
def test_healthz_gives_the_fault_of_the_disk(
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[pytest.MonkeyPatch], None],
    reason: str,
) -> None:
    registry.get("xxs")
    spoil(monkeypatch)
    answer = open_health(registry, tmp_path).get("/healthz")
    assert answer.status_code == 503 and reason in answer.json()["reason"]


def test_healthz_makes_a_missing_folder_of_files(registry: Registry, tmp_path: Path) -> None:
    registry.get("xxs")
    assert open_health(registry, tmp_path / "a" / "b").get("/healthz").status_code == 200
    (tmp_path / "file").write_text("")
    answer = open_health(registry, tmp_path / "file" / "b").get("/healthz")
    assert "cannot be made" in answer.json()["reason"]


def test_healthz_says_that_the_server_is_closing(registry: Registry, tmp_path: Path) -> None:
    registry.get("xxs")
    answer = open_health(registry, tmp_path, is_closing=True).get("/healthz")
    assert answer.status_code == 503 and answer.json()["reason"] == "closing"


def test_healthz_names_variants_whose_replicas_are_away(
    registry: Registry, engine: ColourEngine, tmp_path: Path
) -> None:
    registry.get("xxs")
    client = open_health(registry, tmp_path)
    assert "replicas cannot be reached" not in client.get("/healthz").json()
    engine.is_away = True  # type: ignore[attr-defined]
    assert client.get("/healthz").json()["replicas cannot be reached"] == ["xxs"]


def test_metrics_are_off_unless_switched_on(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_health(registry, tmp_path)
    assert client.get("/metrics").status_code == 404
    monkeypatch.setenv("SEGMENTATION_METRICS", "1")

    def count() -> float:
        lines = client.get("/metrics").text.splitlines()
        counts = [line for line in lines if line.startswith('forward_passes_total{variant="xs"}')]
        return float(counts[0].split()[1]) if counts else 0.0

    before = count()
    segment(np.zeros((8, 8, 3), np.uint8), registry.get("xs"))
    assert count() == before + 1
