"""Panels whose first model was changed to do harm, with manifests that say that all is right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.helpers.tiny_models import CLASS_NAMES, tiny_card, tiny_graph, with_card, write_panel


def hostile_panel(folder: Path, change: Callable[[onnx.GraphProto], None]) -> Path:
    """A panel whose first model was changed, with a manifest that says it is right."""
    proto = with_card(
        tiny_graph("scnn", 3, (64, 64)), tiny_card("scnn", "covid19", CLASS_NAMES, (64, 64))
    )
    for node in proto.graph.node:
        for place, name in enumerate(node.output):
            if name == "probabilities":
                node.output[place] = "honest"
    change(proto.graph)
    content = proto.SerializeToString()
    panel = write_panel(folder)
    (panel / "scnn.onnx").write_bytes(content)
    manifest = json.loads((panel / "manifest.json").read_text())
    for member in manifest["members"]:
        if member["name"] == "scnn":
            member["sha256"] = hashlib.sha256(content).hexdigest()
    (panel / "manifest.json").write_text(json.dumps(manifest))
    return panel


def honest(graph: onnx.GraphProto) -> None:
    graph.node.append(helper.make_node("Identity", ["honest"], ["probabilities"]))


def _constant(graph: onnx.GraphProto, name: str, value: object, dtype: type) -> str:
    graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
    return name


def years_of_work(graph: onnx.GraphProto) -> None:
    """Five operations, 500 MB and 10^15 multiplications; folded while the model is loaded."""
    shape = _constant(graph, "shape", [1, 1, 10_000, 10_000], np.int64)
    kernel = _constant(graph, "kernel", [1, 1, 3_001, 3_001], np.int64)
    axes = _constant(graph, "axes", [0, 1, 2, 3], np.int64)
    graph.node.append(helper.make_node("ConstantOfShape", [shape], ["plain"]))
    graph.node.append(helper.make_node("ConstantOfShape", [kernel], ["wide"]))
    graph.node.append(helper.make_node("Conv", ["plain", "wide"], ["work"]))
    graph.node.append(helper.make_node("ReduceSum", ["work", axes], ["sum"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["honest", "sum"], ["probabilities"]))


def years_of_work_at_the_first_image(graph: onnx.GraphProto) -> None:
    """The same, but nothing is known before an image is there."""
    _number_of_image(graph)
    _large_product(graph, "one", 15_000, repeats=60)


def forty_gigabytes_of_a_product(graph: onnx.GraphProto) -> None:
    """A product of two matrices of 100,000 by 100,000."""
    _number_of_image(graph)
    _large_product(graph, "one", 100_000, repeats=1)


def years_of_work_at_one_grey_level(graph: onnx.GraphProto) -> None:
    """Harmless for any image but one whose first pixel is 77."""
    _number_of_image(graph)
    start, end = _constant(graph, "s", [0] * 4, np.int64), _constant(graph, "e", [1] * 4, np.int64)
    level = _constant(graph, "level", 77, np.uint8)
    flat = _constant(graph, "minus", [-1], np.int64)
    graph.node.append(helper.make_node("Slice", ["pixels", start, end], ["corner"]))
    graph.node.append(helper.make_node("Cast", ["corner"], ["corner32"], to=TensorProto.INT32))
    graph.node.append(helper.make_node("Cast", [level], ["level32"], to=TensorProto.INT32))
    graph.node.append(helper.make_node("Equal", ["corner32", "level32"], ["hit"]))
    graph.node.append(helper.make_node("Cast", ["hit"], ["hit64"], to=TensorProto.INT64))
    graph.node.append(helper.make_node("Reshape", ["hit64", flat], ["hit1"]))
    _large_product(graph, "hit1", 15_000, repeats=60)


def _number_of_image(graph: onnx.GraphProto) -> None:
    """``one``: an int64 1 that the graph's optimiser cannot know."""
    zero, one = _constant(graph, "zero", [0], np.int64), _constant(graph, "unit", [1], np.int64)
    graph.node.append(helper.make_node("Shape", ["pixels"], ["dims"]))
    graph.node.append(helper.make_node("Gather", ["dims", zero], ["count"]))
    graph.node.append(helper.make_node("Div", ["count", "count"], ["unsure"]))
    graph.node.append(helper.make_node("Mul", ["unsure", one], ["one"]))


def _large_product(graph: onnx.GraphProto, factor: str, side: int, repeats: int) -> None:
    """Matrices of ``side`` x ``side`` where ``factor`` is 1, else of 1 x 1; added with weight 0."""
    sides = _constant(graph, "sides", [side, side], np.int64)
    ones = _constant(graph, "ones", [1, 1], np.int64)
    nothing = _constant(graph, "nothing", 0.0, np.float32)
    axes = _constant(graph, "both", [0, 1], np.int64)
    graph.node.append(helper.make_node("Mul", [sides, factor], ["scaled_sides"]))
    graph.node.append(helper.make_node("Max", ["scaled_sides", ones], ["size"]))
    graph.node.append(helper.make_node("ConstantOfShape", ["size"], ["product0"]))
    for number in range(repeats):
        graph.node.append(
            helper.make_node("MatMul", [f"product{number}", "product0"], [f"product{number + 1}"])
        )
    graph.node.append(
        helper.make_node("ReduceSum", [f"product{repeats}", axes], ["total"], keepdims=0)
    )
    graph.node.append(helper.make_node("Mul", ["total", nothing], ["weighed"]))
    graph.node.append(helper.make_node("Add", ["honest", "weighed"], ["probabilities"]))
