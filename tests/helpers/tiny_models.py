"""Real ONNX panels, written in milliseconds: the contract of the shipped models, much smaller.

Each model averages the image into a few numbers, multiplies them with random weights (seeded by its
name) and softmaxes. Their answers depend on the image and differ between models, which is all that
the tests of everything around a model need.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from desktop.core.panels.contract import (
    CARD_METADATA_KEY,
    INPUT_PIXELS,
    LUNGS_CARD_METADATA_KEY,
    MANIFEST_NAME,
    OUTPUT_CAMS,
    OUTPUT_MASK,
    OUTPUT_NONE_OF_THESE,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
    ModelCard,
    PanelManifest,
    PanelMember,
)
from desktop.core.panels.lungs_card import LungsCard

CLASS_NAMES = ("Covid", "Normal", "Viral Pneumonia")
MODEL_NAMES = ("scnn", "ccnn", "daccnn", "resnet50")
TITLES = {"scnn": "SCNN", "ccnn": "CCNN", "daccnn": "DACCNN", "resnet50": "ResNet50"}
GRID = 8  # the maps are GRID x GRID


def write_panel(
    folder: Path,
    *,
    name: str = "covid19",
    class_names: Sequence[str] = CLASS_NAMES,
    models: Sequence[str] = MODEL_NAMES,
    size: tuple[int, int] = (64, 64),
    sizes: Mapping[str, tuple[int, int]] | None = None,
    favours: Mapping[str, int] | None = None,
    nan_below: Mapping[str, float] | None = None,
    maps: bool = True,
    ood_limit: float = 1.5,
    none_limit: float | None = None,
    lungs: bool = False,
) -> Path:
    """Write a panel folder and return it.

    Args:
        folder: Parent; the panel's folder in it is called ``name``.
        name: Panel name.
        class_names: Vocabulary.
        models: Member names.
        size: Input size of every member.
        sizes: Other input sizes, by model.
        favours: Class index that a model always votes for, by model.
        nan_below: Mean grey value (0 to 255) below which a model's probabilities are NaN, by model.
        maps: With ``cams``.
        ood_limit: Goes into the manifest.
        none_limit: Goes into the manifest; the models' score is then how dark the film is, 0 to 1.
        lungs: With ``lungs.onnx``: what is darker than half is lung.
    """
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    members = []
    for model in models:
        graph = tiny_graph(
            model,
            len(class_names),
            (sizes or {}).get(model, size),
            favour=(favours or {}).get(model),
            nan_below=(nan_below or {}).get(model),
            maps=maps,
            none_of_these=none_limit is not None,
        )
        proto = with_card(
            graph, tiny_card(model, name, class_names, (sizes or {}).get(model, size))
        )
        content = proto.SerializeToString()
        (target / f"{model}.onnx").write_bytes(content)
        members.append(PanelMember(model, f"{model}.onnx", hashlib.sha256(content).hexdigest()))
    manifest = PanelManifest(
        name=name,
        title=f"Tiny {name}",
        class_names=tuple(class_names),
        members=tuple(members),
        ood_limit=ood_limit,
        version="2026.11.1",
        none_limit=none_limit,
    )
    if lungs:
        content = tiny_lungs().SerializeToString()
        (target / "lungs.onnx").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        manifest = replace(manifest, lungs=PanelMember("lungs", "lungs.onnx", sha256))
    (target / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    return target


def tiny_lungs(size: tuple[int, int] = (32, 32)) -> onnx.ModelProto:
    """``lungs.onnx``: the darker a position, the more it is lung."""
    height, width = size
    node, value = helper.make_node, helper.make_tensor_value_info
    constants = {
        "per_grey": np.float32(1 / 255),
        "one": np.float32(1.0),
        "shape": np.array([0, height, width], np.int64),
    }
    graph = helper.make_graph(
        [
            node("Cast", [INPUT_PIXELS], ["float"], to=TensorProto.FLOAT),
            node("Mul", ["float", "per_grey"], ["scaled"]),
            node("Sub", ["one", "scaled"], ["dark"]),
            node("Reshape", ["dark", "shape"], [OUTPUT_MASK]),
        ],
        "lungs",
        [value(INPUT_PIXELS, TensorProto.UINT8, ["N", height, width, 1])],
        [value(OUTPUT_MASK, TensorProto.FLOAT, ["N", height, width])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    proto = with_card(graph, None)
    entry = proto.metadata_props.add()
    entry.key = LUNGS_CARD_METADATA_KEY
    entry.value = LungsCard(
        version="2026.11.1",
        input_size=size,
        threshold=0.5,
        smallest_share=0.06,
        training_data_sha256="0" * 64,
        commit="",
        created="2026-11-23",
    ).to_json()
    return proto


def tiny_card(
    model: str, panel: str, class_names: Sequence[str], size: tuple[int, int]
) -> ModelCard:
    """A valid card."""
    return ModelCard(
        name=model,
        title=TITLES.get(model, model),
        panel=panel,
        class_names=tuple(class_names),
        input_size=size,
        version="2026.11.1",
        temperature=1.0,
        operating_points=dict.fromkeys(class_names, 0.5),
        training_data_sha256="0" * 64,
        commit="",
        created="2026-11-23",
    )


def with_card(graph: onnx.GraphProto, card: ModelCard | None) -> onnx.ModelProto:
    """A model file around a graph, with its card in the metadata."""
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if card is not None:
        entry = proto.metadata_props.add()
        entry.key, entry.value = CARD_METADATA_KEY, card.to_json()
    return proto


def tiny_graph(
    model: str,
    classes: int,
    size: tuple[int, int],
    *,
    favour: int | None = None,
    nan_below: float | None = None,
    maps: bool = True,
    none_of_these: bool = False,
) -> onnx.GraphProto:
    """pixels -> GRID x GRID grey levels -> dense -> softmax, with a map and a distance."""
    height, width = size
    random = np.random.default_rng(zlib.crc32(model.encode()))
    weights = random.normal(0, 1.0, (GRID * GRID, classes)).astype(np.float32)
    bias = np.zeros(classes, np.float32)
    if favour is not None:
        bias[favour] = 20.0
    constants = {
        "weights": weights,
        "bias": bias,
        "per_grey": np.float32(1 / 255),
        "half": np.float32(0.5),
        "four": np.float32(4.0),
        "one": np.float32(1.0),
        "flat": np.array([0, -1], np.int64),
        "map_weights": np.abs(weights.T.reshape(1, classes, GRID, GRID)),
        "limit": np.float32((nan_below or 0) / 255),
        "nan": np.float32(np.nan),
    }
    node = helper.make_node
    nodes = [
        node("Cast", [INPUT_PIXELS], ["float"], to=TensorProto.FLOAT),
        node("Mul", ["float", "per_grey"], ["scaled"]),
        node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        node(
            "AveragePool",
            ["planes"],
            ["grid"],
            kernel_shape=[height // GRID, width // GRID],
            strides=[height // GRID, width // GRID],
        ),
        node("Reshape", ["grid", "flat"], ["features"]),
        node("Sub", ["features", "half"], ["centred"]),
        node("Mul", ["centred", "four"], ["stretched"]),
        node("Gemm", ["stretched", "weights", "bias"], ["logits"]),
        node("Softmax", ["logits"], ["sound"], axis=1),
        node("ReduceMean", ["features"], ["mean_grey"], axes=[1], keepdims=1),
        node("ReduceMean", ["features"], [OUTPUT_OOD_SCORE], axes=[1], keepdims=0),
    ]
    if nan_below is None:
        nodes.append(node("Identity", ["sound"], [OUTPUT_PROBABILITIES]))
    else:
        nodes += [
            node("Less", ["mean_grey", "limit"], ["dark"]),
            node("Where", ["dark", "nan", "sound"], [OUTPUT_PROBABILITIES]),
        ]
    value = helper.make_tensor_value_info
    outputs = [
        value(OUTPUT_PROBABILITIES, TensorProto.FLOAT, ["N", classes]),
        value(OUTPUT_OOD_SCORE, TensorProto.FLOAT, ["N"]),
    ]
    if maps:
        nodes.append(node("Mul", ["grid", "map_weights"], [OUTPUT_CAMS]))
        outputs.append(value(OUTPUT_CAMS, TensorProto.FLOAT, ["N", classes, GRID, GRID]))
    if none_of_these:
        nodes += [
            node("Sub", ["one", OUTPUT_OOD_SCORE], [OUTPUT_NONE_OF_THESE]),
        ]
        outputs.append(value(OUTPUT_NONE_OF_THESE, TensorProto.FLOAT, ["N"]))
    used = {name for item in nodes for name in item.input}
    return helper.make_graph(
        nodes,
        model,
        [value(INPUT_PIXELS, TensorProto.UINT8, ["N", height, width, 1])],
        outputs,
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items() if k in used],
    )
