"""Networks as ONNX files, for runtimes outside Python: the page without a server runs them."""

import io
import warnings
from dataclasses import dataclass, replace

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from demo.classes import ClassSet
from demo.errors import WeightsUnavailable
from demo.models.checkpoint import Checkpoint, NoWeights, WeightsSource
from demo.models.engines.pytorch import load_torch_engine, trace_for_export
from demo.models.loading import use_first
from demo.models.sources import BUNDLED_SOURCES, own_sources
from demo.variants import Variant

_OPSET = 17
"""The version of ONNX's operators: the first with LayerNormalization."""

_WORTH_HALVING = 256
"""Least number of values of a constant that is stored in fp16; biases stay in f32."""


@dataclass(frozen=True)
class ExportedNetwork:
    """A network as a file.

    Attributes:
        variant: which network it is.
        onnx: the content of an ONNX file; ``pixel_values`` (1, 3, h, w) float32 BGR in [0, 1],
            with h and w multiples of 32, gives ``logits`` (1, C, h/16, w/16) float32.
        weights: where the weights came from.
        classes: what it tells apart.
    """

    variant: Variant
    onnx: bytes
    weights: WeightsSource
    classes: ClassSet


def export_onnx(variant: Variant, *, in_fp16: bool) -> ExportedNetwork:
    """Export the best weights that a variant has: its own, or else the bundled ones.

    Args:
        variant: which network.
        in_fp16: store the weights in fp16, which halves the file. It still computes in f32.

    Raises:
        WeightsUnavailable: if there are no usable weights.
    """

    def export(checkpoint: Checkpoint) -> tuple[bytes, ClassSet]:
        network = _export(checkpoint, variant)
        return _store_in_fp16(network) if in_fp16 else network, checkpoint.classes

    reason = ""
    for sources in (own_sources(lambda fraction, sentence: None), BUNDLED_SOURCES):
        try:
            (content, classes), weights = use_first(sources, variant, export)
        except NoWeights as error:
            reason = reason or str(error)
        else:
            weights = replace(weights, reason=reason)
            return ExportedNetwork(variant, content, weights, classes)
    raise WeightsUnavailable(f"{variant.label} cannot be exported: {reason}. Choose other weights.")


def _export(checkpoint: Checkpoint, variant: Variant) -> bytes:
    engine = load_torch_engine(checkpoint.folder, variant, use_gpu=False)
    module, example = trace_for_export(engine)
    sizes = {"pixel_values": {2: "height", 3: "width"}, "logits": {2: "rows", 3: "columns"}}
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that tracing is deprecated
        torch.onnx.export(
            module,
            (example,),
            content,  # type: ignore[arg-type]  # only the annotation forbids a file in memory
            dynamo=False,
            opset_version=_OPSET,
            input_names=["pixel_values"],
            output_names=["logits"],
            dynamic_axes=sizes,
        )
    return content.getvalue()


def _store_in_fp16(content: bytes) -> bytes:
    """Store large constants in fp16, with a cast to f32 behind each.

    Runtimes compute such casts once, when they load the file.
    """
    network = onnx.load_from_string(content)
    graph = network.graph
    casts = []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < _WORTH_HALVING:
            continue
        name, stored = constant.name, f"{constant.name}.fp16"
        constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(network)
    return bytes(network.SerializeToString())
