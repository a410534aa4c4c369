"""The exported graph: ``pixels`` in, probabilities, maps and score out; Keras to ONNX bytes."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper

from desktop.core.panels.contract import (
    CARD_METADATA_KEY,
    INPUT_PIXELS,
    OUTPUT_CAMS,
    OUTPUT_NONE_OF_THESE,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
    ModelCard,
)
from training.export.graph_passes import optimise
from training.metrics.calibration import Calibration
from training.models.grad_cam import grad_cams, inference_outputs
from training.models.layers import FEATURES, HIDDEN, LOGITS, front
from training.ood.score import OodHead

OPSET = 17
_SMALLEST_HALF_TENSOR = 512


@dataclass(frozen=True)
class ServedModel:
    """Everything that goes into one file.

    Attributes:
        body: Keras network with a fixed image size; its kernels already rounded to 16 bits.
        input_size: (height, width) of ``pixels``.
        reduce: Averaging factor of the front.
        calibration: From logits to probabilities.
        ood: From features and image to the score.
        none: Whether the body has one logit more than there are classes, for films that are none
            of them.
    """

    body: Any
    input_size: tuple[int, int]
    reduce: int
    calibration: Calibration
    ood: OodHead
    none: bool = False

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the file gives."""
        names = (OUTPUT_PROBABILITIES, OUTPUT_CAMS, OUTPUT_OOD_SCORE)
        return (*names, OUTPUT_NONE_OF_THESE) if self.none else names

    def outputs(self, pixels: Any) -> dict[str, Any]:
        """The contract's outputs as TensorFlow tensors, from ``pixels`` uint8 [N, H, W, 1]."""
        grey = front(pixels, self.reduce)
        values = inference_outputs(self.body)(grey, training=False)
        shift = np.array(self.calibration.shift, np.float32)
        classes = len(shift)
        scaled = values[LOGITS][:, :classes] / np.float32(self.calibration.temperature) + shift
        found = {
            OUTPUT_PROBABILITIES: tf.nn.softmax(scaled),
            OUTPUT_CAMS: grad_cams(self.body, values[FEATURES], values.get(HIDDEN), classes),
            OUTPUT_OOD_SCORE: self.ood.score(values[FEATURES], grey),
        }
        if self.none:
            found[OUTPUT_NONE_OF_THESE] = tf.nn.softmax(values[LOGITS])[:, classes]
        return found


def to_onnx(served: ServedModel) -> bytes:
    """Convert with tf2onnx, rename the outputs, store kernels in 16 bits, leave dead work out."""
    return convert(served.outputs, served.input_size, served.output_names)


def convert(
    outputs: Callable[[Any], dict[str, Any]], input_size: tuple[int, int], names: Sequence[str]
) -> bytes:
    """A function of ``pixels`` as an ONNX file whose outputs have the keys as names.

    Args:
        outputs: ``pixels`` uint8 [N, H, W, 1] -> tensors by name.
        input_size: (height, width).
        names: The keys.
    """
    import tf2onnx

    signature = [tf.TensorSpec((None, *input_size, 1), tf.uint8, name=INPUT_PIXELS)]
    function = tf.function(outputs, input_signature=signature)
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    # from_function orders a dict's outputs by key and names them Identity, Identity_1, ...
    _rename_outputs(model, sorted(names))
    model.graph.name = "cxr-quorum"
    model.producer_name, model.producer_version = "cxr-quorum", ""
    _store_halves(model)
    optimise(model)
    _number_names(model)
    onnx.checker.check_model(model)
    result: bytes = model.SerializeToString()
    return result


def _rename_outputs(model: Any, names: list[str]) -> None:
    new_names = {output.name: name for output, name in zip(model.graph.output, names, strict=True)}
    for output in model.graph.output:
        output.name = new_names[output.name]
    for node in model.graph.node:
        node.output[:] = [new_names.get(name, name) for name in node.output]
        node.input[:] = [new_names.get(name, name) for name in node.input]


def _store_halves(model: Any) -> None:
    """Store float tensors that 16 bits hold exactly so, with a Cast that ORT folds at load."""
    casts = []
    for initialiser in model.graph.initializer:
        if initialiser.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initialiser)
        if values.size < _SMALLEST_HALF_TENSOR:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = initialiser.name
        initialiser.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _number_names(model: Any) -> None:
    """Call tensors and nodes by their place: names of the converter mean nothing and vary."""
    kept = {*(item.name for item in model.graph.input), *(o.name for o in model.graph.output), ""}
    used = [name for node in model.graph.node for name in [*node.input, *node.output]]
    names = {name: f"t{index}" for index, name in enumerate(dict.fromkeys(used))}
    names |= {name: name for name in kept}
    order = {name: index for index, name in enumerate(names)}
    tensors = sorted(model.graph.initializer, key=lambda tensor: order.get(tensor.name, -1))
    copies = []
    for tensor in tensors:
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.name = names[tensor.name]
        copies.append(copy)
    del model.graph.initializer[:]
    model.graph.initializer.extend(copies)
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}{index}"
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    del model.graph.value_info[:]
    for tensor in [*model.graph.input, *model.graph.output]:
        tensor.type.tensor_type.shape.dim[0].dim_param = "N"
    del model.metadata_props[:]
    model.doc_string = ""


def with_card(content: bytes, card: ModelCard) -> bytes:
    """The same model with its card in the metadata."""
    model = onnx.load_from_string(content)
    kept = [entry for entry in model.metadata_props if entry.key != CARD_METADATA_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD_METADATA_KEY, card.to_json()
    result: bytes = model.SerializeToString()
    return result
