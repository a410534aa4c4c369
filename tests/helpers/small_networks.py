"""A small residual network that keeps the contract, with everything that quantisation meets.

Weights in 16 bits behind a Cast, batch normalisation as Mul and Add, a padded pool, two residual
sums, and heads that read the last feature map. Random, but always the same.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from desktop.core.panels.contract import (
    INPUT_PIXELS,
    MANIFEST_NAME,
    OUTPUT_CAMS,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
    PanelManifest,
    PanelMember,
)
from tests.helpers.tiny_models import CLASS_NAMES, MODEL_NAMES, tiny_card, with_card

SIDE = 64
CHANNELS = 16


def residual_network(
    model: str = "resnet50", seed: int = 0, *, dead_channel: bool = False
) -> bytes:
    """A model file of about 20 kB: uint8 [N, 64, 64, 1] in, three classes out."""
    random = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def node(op: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(name: str, values: object) -> str:
        weights[name] = np.asarray(values)
        return name

    def block(source: str, inside: int, name: str, *, relu: bool = True) -> str:
        kernel = random.normal(0, (9 * inside) ** -0.5 * 1.4, (CHANNELS, inside, 3, 3))
        factor = random.uniform(0.5, 1.5, (1, CHANNELS, 1, 1))
        shift = random.normal(0, 0.3, (1, CHANNELS, 1, 1))
        if dead_channel:
            kernel[0] *= 1e-7
            shift[0, 0] = 3.0
        half = constant(f"{name}_half", kernel.astype(np.float16))
        node("Cast", [half], f"{name}_w", to=TensorProto.FLOAT)
        bias = constant(f"{name}_b", random.normal(0, 0.1, CHANNELS).astype(np.float32))
        out = node("Conv", [source, f"{name}_w", bias], f"{name}_conv", pads=[1, 1, 1, 1])
        out = node("Mul", [out, constant(f"{name}_f", factor.astype(np.float32))], f"{name}_mul")
        out = node("Add", [out, constant(f"{name}_s", shift.astype(np.float32))], f"{name}_norm")
        return node("Relu", [out], f"{name}_relu") if relu else out

    node("Cast", [INPUT_PIXELS], "float", to=TensorProto.FLOAT)
    node("Transpose", ["float"], "planes", perm=[0, 3, 1, 2])
    node("AveragePool", ["planes"], "small", kernel_shape=[2, 2], strides=[2, 2])
    node("ReduceMean", ["small"], "mean", axes=[1, 2, 3], keepdims=1)
    node("Sub", ["small", "mean"], "centred")
    node("Mul", ["centred", constant("grey", np.float32(1 / 60))], "image")
    stem = block("image", 1, "stem")
    node("Pad", [stem, constant("around", np.array([0, 0, 1, 1, 0, 0, 1, 1]))], "padded")
    pool = node("MaxPool", ["padded"], "pool", kernel_shape=[3, 3], strides=[2, 2])
    first = block(block(pool, CHANNELS, "a1"), CHANNELS, "a2", relu=False)
    joined = node("Relu", [node("Add", [pool, first], "sum1")], "joined")
    second = block(block(joined, CHANNELS, "b1"), CHANNELS, "b2", relu=False)
    features = node("Relu", [node("Add", [joined, second], "sum2")], "features")
    node("ReduceMean", [features], "pooled", axes=[2, 3], keepdims=0)
    head = random.normal(0, 0.25, (CHANNELS, len(CLASS_NAMES))).astype(np.float32)
    node("MatMul", ["pooled", constant("head", head)], "logits")
    node("Softmax", ["logits"], OUTPUT_PROBABILITIES, axis=1)
    node("ReduceMean", ["pooled"], OUTPUT_OOD_SCORE, axes=[1], keepdims=0)
    maps = constant("maps", head.T.reshape(len(CLASS_NAMES), CHANNELS, 1, 1).copy())
    node("Relu", [node("Conv", [features, maps], "weighted")], OUTPUT_CAMS)

    value = helper.make_tensor_value_info
    classes = len(CLASS_NAMES)
    graph = helper.make_graph(
        nodes,
        model,
        [value(INPUT_PIXELS, TensorProto.UINT8, ["N", SIDE, SIDE, 1])],
        [
            value(OUTPUT_PROBABILITIES, TensorProto.FLOAT, ["N", classes]),
            value(OUTPUT_OOD_SCORE, TensorProto.FLOAT, ["N"]),
            value(OUTPUT_CAMS, TensorProto.FLOAT, ["N", classes, None, None]),
        ],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    card = tiny_card(model, "covid19", CLASS_NAMES, (SIDE, SIDE))
    content: bytes = with_card(graph, card).SerializeToString()
    return content


def write_residual_panel(folder: Path) -> Path:
    """A panel of four of them; returns its folder."""
    target = folder / "covid19"
    target.mkdir(parents=True)
    members = []
    for seed, name in enumerate(MODEL_NAMES):
        content = residual_network(name, seed)
        (target / f"{name}.onnx").write_bytes(content)
        members.append(PanelMember(name, f"{name}.onnx", hashlib.sha256(content).hexdigest()))
    manifest = PanelManifest("covid19", "Small", CLASS_NAMES, tuple(members), 9.0, "2026.11.1")
    (target / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    return target
