"""Loading from a stub of the Hub on loopback, and every way in which that can fail."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants, file_download

from demo.errors import WeightsUnavailable
from demo.models import hub
from demo.models.loading import load_own
from demo.models.model import Model
from demo.models.registry import Registry
from demo.variants import VARIANTS, get_variant, own_variant
from tests.support import stub_hub
from tests.support.checkpoints import save_random
from tests.support.stub_hub import StubHub

XXS = get_variant("xxs")
LAYOUTS = ("model.safetensors", "pytorch_model.bin")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One checkpoint of XXS for each layout: name of the weights file -> folder."""
    return {
        layout: save_random(XXS, tmp_path_factory.mktemp("xxs"), layout=layout)
        for layout in LAYOUTS
    }


@pytest.fixture
def stub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkpoints: dict[str, Path]
) -> Iterator[StubHub]:
    """A Hub that has XXS; the cache is empty and no checkpoint is bundled."""
    with stub_hub.serve() as stub:
        stub.repositories[XXS.checkpoint] = checkpoints["model.safetensors"]
        template = stub.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "ENDPOINT", stub.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("demo.models.sources.BUNDLED_FOLDER", tmp_path / "nothing bundled")
        monkeypatch.setattr(hub, "_silent_until", 0.0)
        monkeypatch.setenv("SEGMENTATION_ENGINE", "torch")  # it loads a checkpoint faster
        yield stub


def load(registry: Registry | None = None) -> Model:
    return (registry or Registry()).get("xxs")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_are_downloaded_once_and_then_read_from_the_cache(
    stub: StubHub,
    checkpoints: dict[str, Path],
    layout: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub.repositories[XXS.checkpoint] = checkpoints[layout]
    stub.bytes_per_s = 8_000_000
    reported: list[tuple[float, str]] = []
    loaded = Registry().get("xxs", lambda fraction, sentence: reported.append((fraction, sentence)))
    assert (loaded.weights.kind, loaded.weights.revision) == ("hub", stub.commit(XXS.checkpoint))
    assert loaded.weights.reason == ""
    downloading = [
        fraction for fraction, sentence in reported if sentence.startswith("Downloading")
    ]
    assert any(0 < fraction < 1 for fraction in downloading)
    assert downloading == sorted(downloading)

    stub.requests.clear()
    assert load().weights.revision == stub.commit(XXS.checkpoint)
    assert not stub.requests  # with the files in the cache, the Hub is not asked

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load().weights.kind == "hub"


def test_the_hub_s_conversion_service_is_not_used(
    stub: StubHub, checkpoints: dict[str, Path]
) -> None:
    """By default, transformers starts a thread that asks the Hub to convert pickled weights."""
    stub.repositories[XXS.checkpoint] = checkpoints["pytorch_model.bin"]
    load()
    assert {path.rpartition("/")[2] for _, path in stub.requests} == {
        "config.json",
        "model.safetensors",
        "pytorch_model.bin",
    }
    assert "auto_conversion" not in " ".join(t.name for t in threading.enumerate()).lower()


def point_nowhere(stub: StubHub, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write downloads to /dev/full, where the kernel refuses every write."""
    http_get = file_download.http_get

    def write_to_full_disk(url: str, temp_file: object, **options: Any) -> None:
        with Path("/dev/full").open("wb", buffering=0) as full:
            http_get(url, full, **options)

    monkeypatch.setattr(file_download, "http_get", write_to_full_disk)


def with_files(stub: StubHub, tmp_path: Path, change: Callable[[Path], None]) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(stub.repositories[XXS.checkpoint], folder)
    change(folder)
    stub.repositories[XXS.checkpoint] = folder


def cut_file(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:50_000])


def other_shape(folder: Path) -> None:
    save_random(get_variant("xs"), folder)
    shutil.copy(save_random(XXS, folder / "xxs") / "config.json", folder / "config.json")


def other_labels(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"20": "tvmonitor"', '"20": "x", "21": "y"'))


class Trap:
    """Makes a folder called `sprung` when it is unpickled."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.where,)


def malicious_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"weight": Trap(str(folder / "sprung"))}, folder / "pytorch_model.bin")


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


FAULTS = {
    "Hub down": "could not be reached",
    "DNS dead": "could not be reached",
    "silent": "could not be reached",
    "404": f"has no {XXS.checkpoint}",
    "401": "asks for a login",
    "429": "refused with status 429",
    "503": "refused with status 503",
    "crawl": "stalled or kept breaking off",
    "cut": "stalled or kept breaking off",
    "disk full": "the disk is full",
    "file cut on the Hub": "checkpoint of MobileViT-XXS is damaged",
    "other shape": "checkpoint of MobileViT-XXS",
    "other labels": "num_labels is 22, expected 21",
    "malicious pickle": "checkpoint of MobileViT-XXS is damaged",
    "no weights": "has no weights on the Hugging Face Hub",
}
CHANGES = {
    "file cut on the Hub": cut_file,
    "other shape": other_shape,
    "other labels": other_labels,
    "malicious pickle": malicious_pickle,
    "no weights": no_weights,
}


@pytest.mark.parametrize(("fault", "says"), FAULTS.items(), ids=FAULTS.keys())
def test_each_fault_gives_a_sentence_and_the_next_try_succeeds(
    stub: StubHub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    checkpoints: dict[str, Path],
    fault: str,
    says: str,
) -> None:
    registry = Registry()
    with monkeypatch.context() as cause:
        cause.setattr(hub, "ANSWER_S", 0.7)
        cause.setattr(hub, "SILENCE_S", 0.0)
        cause.setattr(hub, "STALL_S", 1.5)
        if fault == "Hub down":
            point_nowhere(stub, cause, "http://127.0.0.1:9")
        elif fault == "DNS dead":
            point_nowhere(stub, cause, "http://hub.invalid")
        elif fault == "disk full":
            fill_disk(cause)
        elif fault in CHANGES:
            with_files(stub, tmp_path, CHANGES[fault])
        else:
            stub.fault = fault
        with pytest.raises(WeightsUnavailable, match=says) as caught:
            load(registry)
    message = str(caught.value)
    assert message.startswith("MobileViT-XXS has no weights on this machine: ")
    assert "\n" not in message and message.endswith("or try again later.")
    assert "PyTorch" not in message and str(tmp_path) not in message
    assert registry.loaded("xxs") is None
    assert not list(tmp_path.rglob("sprung"))

    stub.fault = ""  # the cause is gone
    stub.repositories[XXS.checkpoint] = checkpoints["model.safetensors"]
    loaded = load(registry)
    assert loaded.weights.kind == "hub" and loaded.weights.revision == stub.commit(XXS.checkpoint)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("length", [0, 1000, 2_000_000])
def test_a_truncated_file_in_the_cache_is_replaced(
    stub: StubHub, checkpoints: dict[str, Path], layout: str, length: int
) -> None:
    stub.repositories[XXS.checkpoint] = checkpoints[layout]
    folder, _ = hub.download(XXS.checkpoint, lambda fraction: None)
    blob = (folder / layout).resolve()
    blob.write_bytes(blob.read_bytes()[:length])
    loaded = load()
    assert loaded.weights.kind == "hub"
    assert "damaged" in loaded.weights.reason
    assert load().weights.reason == ""


def test_a_cache_that_cannot_be_written_is_named_as_the_cause(
    stub: StubHub, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(WeightsUnavailable, match="cache on this machine cannot be written"):
        load()


def test_a_variant_that_fails_does_not_affect_the_others(stub: StubHub, tmp_path: Path) -> None:
    registry = Registry()
    with pytest.raises(WeightsUnavailable, match="MobileViT-S"):
        registry.get("s")
    assert registry.get("xxs").weights.kind == "hub"


@pytest.mark.parametrize("key", VARIANTS)
def test_every_variant_loads_under_its_name_on_the_hub(
    stub: StubHub, tmp_path: Path, key: str
) -> None:
    variant = get_variant(key)
    stub.repositories[variant.checkpoint] = save_random(variant, tmp_path / key)
    loaded = Registry().get(key)
    assert loaded.weights.name == variant.checkpoint
    assert loaded.variant is variant


def test_a_revision_is_asked_for_and_then_read_from_the_cache(
    stub: StubHub, checkpoints: dict[str, Path]
) -> None:
    stub.repositories["somebody/roads"] = checkpoints["model.safetensors"]
    variant = own_variant("Roads", "somebody/roads@v2")
    model = load_own(variant, lambda fraction, sentence: None)
    assert stub.requests and all("/somebody/roads/resolve/v2/" in p for _, p in stub.requests)
    assert model.weights.name == "somebody/roads@v2"
    assert model.weights.revision == stub.commit("somebody/roads")
    stub.fault = "503"
    assert load_own(variant, lambda fraction, sentence: None).weights == model.weights


def test_a_hub_that_does_not_answer_is_asked_once_for_all_variants(
    stub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "ANSWER_S", 0.5)
    stub.fault = "silent"
    registry = Registry()
    for key in VARIANTS:
        with pytest.raises(WeightsUnavailable, match="could not be reached"):
            registry.get(key)
    assert len(stub.requests) == 1


def test_a_refused_token_is_left_out_and_named(
    stub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    weights = load().weights
    assert weights.kind == "hub"
    assert "The Hub refused the token of HF_TOKEN" in weights.describe()
    assert "hf_expired" not in weights.describe()


def test_a_private_checkpoint_is_read_with_the_token(
    stub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.private.add(XXS.checkpoint)
    stub.tokens.add("hf_good")
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    with pytest.raises(WeightsUnavailable, match="refused the token of HF_TOKEN, and"):
        load()
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    weights = load().weights
    assert weights.kind == "hub" and not weights.note


def test_the_hub_is_asked_through_a_proxy(stub: StubHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stub is the proxy: it gets requests for a host that only the proxy knows."""
    template = "http://hub.invalid/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HTTP_PROXY", stub.address)
    assert load_in_new_client().weights.kind == "hub"
    assert all(path.startswith("http://hub.invalid/") for _, path in stub.requests)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_dead_proxy_is_told(stub: StubHub, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    template = "http://hub.invalid/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(WeightsUnavailable, match="through the proxy that the environment names"):
        load_in_new_client()


def load_in_new_client() -> Model:
    """Load with a client that reads the environment; the Hub's client reads it once."""
    huggingface_hub.close_session()
    try:
        return load()
    finally:
        huggingface_hub.close_session()
