"""The fast engine on CPUs: OpenVINO runs the checkpoint's graph, which is converted once."""

import errno
import functools
import hashlib
import importlib.metadata
import logging
import shutil
import tempfile
import threading
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import openvino
import openvino.preprocess
from numpy.typing import NDArray

from demo.cpus import has_all_cpus, usable_cpus
from demo.models.checkpoint import Checkpoint, OnProgress
from demo.models.engines.fair_lock import FairLock
from demo.settings import cache_folder
from demo.variants import Variant

logger = logging.getLogger(__name__)

_GRAPH_FILES = ("graph.xml", "graph.bin")
_CHECKSUM_FILE = "graph.sha256"
_VERSIONS = ("openvino", "torch", "transformers")
_COMPILED_SIZES = 4
"""How many sizes of input stay compiled, the latest used; one takes some 50 to 100 MB."""

_LAYOUT = "1"
"""A number to raise when this file converts differently, so that older graphs are not used."""


class OpenVinoEngine:
    """The graph, compiled for each size of input in use; threads take turns as they come.

    A graph that is compiled for one size is some 8 % faster than one for any size. Compiling
    takes a quarter of a second.

    Attributes:
        graph: as converted, for inputs of any size.
        precision: ``f32``, or ``bf16`` on a processor that computes in it.
    """

    def __init__(self, graph: openvino.Model, precision: str = "f32") -> None:
        self.graph = graph
        self.precision = precision
        self._turn = FairLock()
        self._compile = lru_cache(_COMPILED_SIZES)(self.compile_for)

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see `demo.models.engines.contract.Engine`."""
        rows_first = np.ascontiguousarray(pixel_values.transpose(0, 2, 3, 1))  # (1, h, w, 3)
        with self._turn:
            request = self._compile(pixel_values.shape[2], pixel_values.shape[3])
            logits: NDArray[np.float32] = request.infer({0: rows_first}, share_inputs=True)[0]
        return logits

    def compile_for(self, height: int, width: int, **settings: object) -> openvino.InferRequest:
        """Compile the graph for (1, height, width, 3) float32, with more of OpenVINO's settings."""
        graph = self.graph.clone()
        graph.reshape([1, 3, height, width])
        preprocessing = openvino.preprocess.PrePostProcessor(graph)
        preprocessing.input().tensor().set_layout(openvino.Layout("NHWC"))
        preprocessing.input().model().set_layout(openvino.Layout("NCHW"))
        settings = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": usable_cpus(),
            # OpenVINO would bind the threads of every process to the same first CPUs.
            "ENABLE_CPU_PINNING": has_all_cpus(),
            **settings,
        }
        compiled = openvino.Core().compile_model(preprocessing.build(), "CPU", settings)
        return compiled.create_infer_request()


_converting = threading.Lock()
"""PyTorch can trace only one network at a time in a process."""


def load_openvino_engine(
    checkpoint: Checkpoint, variant: Variant, on_progress: OnProgress
) -> OpenVinoEngine:
    """Read a checkpoint's graph, converting it first if this machine has not done so.

    Raises:
        NoWeights: if the checkpoint is damaged or belongs to another architecture.
    """
    saved = cache_folder() / f"{variant.key}-{_graph_key(checkpoint)}"
    graph = _read_graph(saved)
    if graph is None:
        on_progress(1.0, f"Preparing {variant.label} for this machine, the first time only")
        with _converting:
            graph = _convert(checkpoint.folder, variant)
        _save_graph(graph, saved)
    return OpenVinoEngine(graph)


def _graph_key(checkpoint: Checkpoint) -> str:
    """Hash the checkpoint and everything else that the conversion depends on."""
    digest = hashlib.sha256(_LAYOUT.encode())
    for package in _VERSIONS:
        digest.update(f"{package} {importlib.metadata.version(package)};".encode())
    digest.update(checkpoint.sha256.encode())
    return digest.hexdigest()[:32]


def _convert(folder: Path, variant: Variant) -> openvino.Model:
    # Import PyTorch and transformers only here: a saved graph needs neither.
    from demo.models.engines.pytorch import load_torch_engine, trace_for_export  # noqa: PLC0415

    module, example = trace_for_export(load_torch_engine(folder, variant, use_gpu=False))
    any_size = openvino.PartialShape([1, 3, -1, -1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that tracing is deprecated
        return openvino.convert_model(module, example_input=example, input=[any_size])


def _read_graph(saved: Path) -> openvino.Model | None:
    """Read a saved graph; None if there is none or it is damaged."""
    try:
        if not saved.is_dir():
            return None
        if (saved / _CHECKSUM_FILE).read_text() == _checksum(saved):
            core = openvino.Core()
            # A mapped file that shrinks would end the process.
            core.set_property({"ENABLE_MMAP": False})
            return core.read_model(saved / _GRAPH_FILES[0])
        logger.warning("The saved graph %s is damaged and is made again.", saved.name)
    except (OSError, RuntimeError, ValueError) as error:
        logger.warning("The saved graph %s cannot be read and is made again: %s", saved.name, error)
    shutil.rmtree(saved, ignore_errors=True)
    return None


def _checksum(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in _GRAPH_FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _save_graph(graph: openvino.Model, saved: Path) -> None:
    """Write the graph beside its place and move it there whole; the first of several wins."""
    try:
        saved.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=saved.parent, prefix="new-") as beside:
            made = Path(beside) / saved.name
            made.mkdir()
            openvino.save_model(graph, made / _GRAPH_FILES[0], compress_to_fp16=False)
            (made / _CHECKSUM_FILE).write_text(_checksum(made))
            made.rename(saved)
    except (OSError, RuntimeError) as error:
        if getattr(error, "errno", None) != errno.ENOTEMPTY:  # another process was first
            _say_not_saved(saved.parent, str(error))


@functools.cache  # once for all variants
def _say_not_saved(folder: Path, reason: str) -> None:
    logger.warning("The converted graph cannot be saved in %s: %s", folder, reason)
