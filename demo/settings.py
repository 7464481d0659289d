"""The environment variables of this app, read in one place; Gradio and the Hub have their own."""

import os
import re
from pathlib import Path

from demo.errors import InvalidOption

ENGINES = ("auto", "torch", "openvino", "ray")
_ADDRESS = re.compile(r"http://[\w.-]+:(\d{1,4}|[1-5]\d{4})")
PRECISIONS = ("auto", "f32", "bf16")


def local_checkpoints() -> Path | None:
    """SEGMENTATION_CHECKPOINTS: folder with checkpoints in ``xxs``, ``xs`` and ``s``, or None."""
    value = os.environ.get("SEGMENTATION_CHECKPOINTS", "").strip()
    return Path(value).expanduser() if value else None


def own_models() -> list[tuple[str, str]]:
    """SEGMENTATION_MODELS: models with classes of their own, one line ``NAME = WHERE`` each.

    Returns:
        The name, and the folder or the repository on the Hub, maybe with ``@REVISION``, of each.

    Raises:
        InvalidOption: if a line is no such line.
    """
    models = []
    for line in os.environ.get("SEGMENTATION_MODELS", "").splitlines():
        name, equals, where = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not (name and equals and where):
            raise InvalidOption(
                f"SEGMENTATION_MODELS has the line {line.strip()!r}. Expected NAME = FOLDER, or "
                "NAME = OWNER/REPOSITORY, or NAME = OWNER/REPOSITORY@REVISION."
            )
        models.append((name, where))
    return models


def engine_choice() -> str:
    """SEGMENTATION_ENGINE: one of `ENGINES`; ``auto`` if it is not set.

    Raises:
        InvalidOption: if it is anything else.
    """
    value = os.environ.get("SEGMENTATION_ENGINE", "").strip() or "auto"
    if value not in ENGINES:
        raise InvalidOption(
            f"Unknown SEGMENTATION_ENGINE {value!r}. Choose auto, torch, openvino or ray."
        )
    return value


def runs_elsewhere() -> bool:
    """Tell whether SEGMENTATION_ENGINE leaves the networks to other machines."""
    return os.environ.get("SEGMENTATION_ENGINE", "").strip() == "ray"


def ray_addresses() -> tuple[str, ...]:
    """SEGMENTATION_RAY_ADDRESS: where replicas are asked, such as ``http://10.0.0.2:7870``.

    Several are separated by commas.

    Raises:
        InvalidOption: if one is no such address, or there is none.
    """
    value = os.environ.get("SEGMENTATION_RAY_ADDRESS", "http://127.0.0.1:7870")
    addresses = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    if not addresses or not all(map(_ADDRESS.fullmatch, addresses)):
        raise InvalidOption(
            f"SEGMENTATION_RAY_ADDRESS is {value!r}. Expected http://HOST:PORT, or several "
            "with commas between them."
        )
    return addresses


def ray_may_be_away() -> bool:
    """SEGMENTATION_RAY_FALLBACK: compute here while no replica is free; off by default."""
    return _is_on("SEGMENTATION_RAY_FALLBACK")


def precision_choice() -> str:
    """SEGMENTATION_PRECISION: one of `PRECISIONS`; ``auto`` if it is not set.

    Raises:
        InvalidOption: if it is anything else.
    """
    value = os.environ.get("SEGMENTATION_PRECISION", "").strip() or "auto"
    if value not in PRECISIONS:
        raise InvalidOption(f"Unknown SEGMENTATION_PRECISION {value!r}. Choose auto, f32 or bf16.")
    return value


def cache_folder() -> Path:
    """SEGMENTATION_CACHE: folder for converted networks; in the user's cache by default."""
    value = os.environ.get("SEGMENTATION_CACHE", "").strip()
    if value:
        return Path(value).expanduser()
    home = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(home) if home else Path.home() / ".cache") / "mobilevit-segmentation"


def promised_cpus() -> int | None:
    """CPU_CORES, which Spaces sets: CPUs that the machine's owner promises, or None."""
    value = os.environ.get("CPU_CORES", "").strip()
    return int(value) if value.isdigit() and int(value) > 0 else None


def fetches_addresses() -> bool:
    """SEGMENTATION_FETCH: whether the API may be given the address of an image; off by default."""
    return _is_on("SEGMENTATION_FETCH")


def shows_metrics() -> bool:
    """SEGMENTATION_METRICS: whether /metrics answers; off by default."""
    return _is_on("SEGMENTATION_METRICS")


def serves_mcp() -> bool:
    """SEGMENTATION_MCP: whether the API is offered to MCP clients, too; off by default."""
    return _is_on("SEGMENTATION_MCP")


def trusted_proxies() -> int:
    """SEGMENTATION_PROXIES: number of proxies that name the client; 1 on Spaces, else 0."""
    value = os.environ.get("SEGMENTATION_PROXIES", "").strip()
    if value.isdigit():
        return int(value)
    return 1 if os.environ.get("SPACE_ID") else 0


def asked_port() -> int | None:
    """GRADIO_SERVER_PORT: the port to serve on, or None to take the first that is free."""
    value = os.environ.get("GRADIO_SERVER_PORT")
    return int(value) if value else None


def stored_bytes() -> int:
    """SEGMENTATION_KEEP_MB: most that uploads and results may take on disk; 1000 by default."""
    value = os.environ.get("SEGMENTATION_KEEP_MB", "").strip()
    return (int(value) if value.isdigit() else 1000) * 1_000_000


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on")
