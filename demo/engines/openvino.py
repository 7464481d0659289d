"""The fast engine on CPUs: the checkpoint's graph, converted once and run by OpenVINO in f32."""

import errno
import hashlib
import importlib.metadata
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import openvino
import openvino.preprocess
from numpy.typing import NDArray

from demo.checkpoint import read_files
from demo.cpus import usable_cpus
from demo.fair_lock import FairLock
from demo.framing import DEFAULT_SIDE
from demo.settings import cache_folder
from demo.variants import Variant

logger = logging.getLogger(__name__)

_GRAPH_FILES = ("graph.xml", "graph.bin")
_CHECKSUM_FILE = "graph.sha256"
_VERSIONS = ("openvino", "torch", "transformers")
_SIZES_KEPT = 4
"""Sizes of input that stay compiled, the latest used; one takes some 50 to 100 MB."""

_LAYOUT = "1"
"""Changes when this file converts differently, so that older graphs are not used."""


class OpenVinoEngine:
    """The graph, compiled for each size of input in use; threads take turns as they come.

    Compiled for one size it is some 8 % faster than for any size, and it takes a quarter of a
    second to compile.

    Attributes:
        graph: as converted, for inputs of any size.
    """

    name = "openvino"

    def __init__(self, graph: openvino.Model) -> None:
        self.graph = graph
        self._turn = FairLock()
        self._compile = lru_cache(_SIZES_KEPT)(self._compile_for)

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see `demo.engines.Engine`."""
        rows_first = np.ascontiguousarray(pixel_values.transpose(0, 2, 3, 1))  # (1, h, w, 3)
        with self._turn:
            request = self._compile(pixel_values.shape[2], pixel_values.shape[3])
            logits: NDArray[np.float32] = request.infer({0: rows_first}, share_inputs=True)[0]
        return logits

    def _compile_for(self, height: int, width: int) -> openvino.InferRequest:
        graph = self.graph.clone()
        graph.reshape([1, 3, height, width])
        preprocessing = openvino.preprocess.PrePostProcessor(graph)
        preprocessing.input().tensor().set_layout(openvino.Layout("NHWC"))
        preprocessing.input().model().set_layout(openvino.Layout("NCHW"))
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": usable_cpus(),
        }
        compiled = openvino.Core().compile_model(preprocessing.build(), "CPU", settings)
        return compiled.create_infer_request()


def load_openvino_engine(
    folder: Path, variant: Variant, on_progress: Callable[[float, str], None]
) -> OpenVinoEngine:
    """Compile a checkpoint's graph, converting it first if this machine has not done so.

    Args:
        folder: a checkpoint in transformers' layout.
        variant: the architecture that it must have.

    Raises:
        WeightsUnavailable: if the checkpoint is damaged or belongs to another architecture.
    """
    kept = cache_folder() / f"{variant.key}-{_content_key(folder)}"
    graph = _read_kept(kept)
    if graph is None:
        on_progress(1.0, f"Preparing {variant.label} for this machine, the first time only")
        graph = _convert(folder, variant)
        _keep(graph, kept)
    engine = OpenVinoEngine(graph)
    engine(np.zeros((1, 3, DEFAULT_SIDE, DEFAULT_SIDE), np.float32))
    return engine


def _content_key(folder: Path) -> str:
    """Names the weights, the config and everything that the conversion depends on."""
    digest = hashlib.sha256(_LAYOUT.encode())
    for package in _VERSIONS:
        digest.update(f"{package} {importlib.metadata.version(package)};".encode())
    for content in read_files(folder):
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]


def _convert(folder: Path, variant: Variant) -> openvino.Model:
    # imported here: a kept graph needs neither PyTorch nor transformers
    from demo.engines.pytorch import load_torch_engine, trace_for_export  # noqa: PLC0415

    module, example = trace_for_export(load_torch_engine(folder, variant, use_gpu=False))
    any_size = openvino.PartialShape([1, 3, -1, -1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated, and says so at length
        return openvino.convert_model(module, example_input=example, input=[any_size])


def _read_kept(kept: Path) -> openvino.Model | None:
    """The graph that was kept, or None if there is none or it is damaged."""
    try:
        if not kept.is_dir():
            return None
        if (kept / _CHECKSUM_FILE).read_text() == _checksum(kept):
            core = openvino.Core()
            # a file that is mapped, and shrinks under the process, would end it
            core.set_property({"ENABLE_MMAP": False})
            return core.read_model(kept / _GRAPH_FILES[0])
        logger.warning("The kept graph %s is damaged and is made anew.", kept.name)
    except (OSError, RuntimeError, ValueError) as error:
        logger.warning("The kept graph %s cannot be read and is made anew: %s", kept.name, error)
    shutil.rmtree(kept, ignore_errors=True)
    return None


def _checksum(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in _GRAPH_FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _keep(graph: openvino.Model, kept: Path) -> None:
    """Write the graph beside its place and move it there whole; the first of several wins."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="new-") as beside:
            made = Path(beside) / kept.name
            made.mkdir()
            openvino.save_model(graph, made / _GRAPH_FILES[0], compress_to_fp16=False)
            (made / _CHECKSUM_FILE).write_text(_checksum(made))
            made.rename(kept)
    except (OSError, RuntimeError) as error:
        if getattr(error, "errno", None) != errno.ENOTEMPTY:  # another was first
            logger.warning("The converted graph cannot be kept in %s: %s", kept.parent, error)
