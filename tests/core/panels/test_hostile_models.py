"""Panels made to do harm: each is refused with a code and a sentence, whatever its graph says."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from desktop.core.errors import ModelRefused
from desktop.core.inference.session import PanelSession
from desktop.core.onnx_graph.outline import MAX_NODES
from desktop.core.panels.registry import open_panel
from tests.hostile.panels import honest, hostile_panel


def two_nodes_in_a_circle(graph: onnx.GraphProto) -> None:
    graph.node.append(helper.make_node("Add", ["honest", "later"], ["probabilities"]))
    graph.node.append(helper.make_node("Identity", ["probabilities"], ["later"]))


def a_node_that_reads_itself(graph: onnx.GraphProto) -> None:
    honest(graph)
    graph.node.append(helper.make_node("Add", ["itself", "itself"], ["itself"]))


def one_output_twice(graph: onnx.GraphProto) -> None:
    honest(graph)
    honest(graph)


def ten_thousand_operations(graph: onnx.GraphProto) -> None:
    names = ["honest", *(f"step{number}" for number in range(2 * MAX_NODES)), "probabilities"]
    for source, target in itertools.pairwise(names):
        graph.node.append(helper.make_node("Relu", [source], [target]))


def branches_within_branches(graph: onnx.GraphProto) -> None:
    honest(graph)
    output = helper.make_tensor_value_info("o", TensorProto.BOOL, [])
    inner = helper.make_graph([helper.make_node("Identity", ["c"], ["o"])], "i", [], [output])
    for _ in range(13):
        node = helper.make_node("If", ["c"], ["o"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "i", [], [output])
    graph.initializer.append(numpy_helper.from_array(np.array(True), "c"))
    graph.node.append(
        helper.make_node("If", ["c"], ["unused"], then_branch=inner, else_branch=inner)
    )


def more_memory_than_there_is(graph: onnx.GraphProto) -> None:
    graph.initializer.append(numpy_helper.from_array(np.array([10**13], np.int64), "shape"))
    graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["huge"]))
    graph.node.append(helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["honest", "sum"], ["probabilities"]))


def a_negative_shape(graph: onnx.GraphProto) -> None:
    graph.initializer.append(numpy_helper.from_array(np.array([-5], np.int64), "shape"))
    graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["odd"]))
    graph.node.append(helper.make_node("ReduceSum", ["odd"], ["sum"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["honest", "sum"], ["probabilities"]))


def answers_that_are_no_numbers(graph: onnx.GraphProto) -> None:
    graph.initializer.append(numpy_helper.from_array(np.float32(np.nan), "nan"))
    graph.node.append(helper.make_node("Add", ["honest", "nan"], ["probabilities"]))


def answers_that_do_not_sum_to_one(graph: onnx.GraphProto) -> None:
    graph.initializer.append(numpy_helper.from_array(np.float32(3), "three"))
    graph.node.append(helper.make_node("Mul", ["honest", "three"], ["probabilities"]))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (two_nodes_in_a_circle, "MODEL-05"),
        (a_node_that_reads_itself, "MODEL-05"),
        (one_output_twice, "MODEL-05"),
        (ten_thousand_operations, "MODEL-05"),
        (branches_within_branches, "MODEL-05"),
        (more_memory_than_there_is, "MODEL-12"),
        (a_negative_shape, "MODEL-05"),
        (answers_that_are_no_numbers, "MODEL-10"),
        (answers_that_do_not_sum_to_one, "MODEL-10"),
    ],
)
def test_a_panel_made_to_do_harm_is_refused(
    tmp_path: Path, change: Callable[[onnx.GraphProto], None], code: str
) -> None:
    panel = hostile_panel(tmp_path, change)
    with pytest.raises(ModelRefused) as caught:
        PanelSession(open_panel(panel), "cpu", 1)
    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert "Traceback" not in str(caught.value)


def test_the_same_panel_without_the_harm_runs(tmp_path: Path) -> None:
    session = PanelSession(open_panel(hostile_panel(tmp_path, honest)), "cpu", 1)
    assert session.report.running == "cpu"


def test_a_file_that_was_put_there_after_the_panel_was_looked_at_is_checked_as_well(
    tmp_path: Path,
) -> None:
    """The bytes that run are the bytes that were checked, whoever wrote the manifest's hash."""
    panel = open_panel(hostile_panel(tmp_path, honest))
    first = panel.models[0]
    model = onnx.load(first.path)
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "scnn.onnx"
    content = model.SerializeToString()
    first.path.write_bytes(content)
    swapped = replace(first, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(ModelRefused) as caught:
        PanelSession(replace(panel, models=(swapped, *panel.models[1:])), "cpu", 1)
    assert caught.value.code == "MODEL-06"
