"""The outline reader against real models, random damage and hand-made worst cases."""

from __future__ import annotations

import contextlib

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from desktop.core.errors import ModelRefused
from desktop.core.onnx_graph.outline import (
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_NODES,
    read_outline,
)
from desktop.core.onnx_graph.schema import LONGEST_TEXT
from tests.helpers.tiny_models import CLASS_NAMES, tiny_card, tiny_graph, with_card
from tests.hostile.onnx_files import varint

SOUND = with_card(
    tiny_graph("scnn", 3, (64, 64)), tiny_card("scnn", "covid19", CLASS_NAMES, (64, 64))
).SerializeToString()


def code_of(content: bytes) -> str:
    with pytest.raises(ModelRefused) as caught:
        read_outline(content)
    return caught.value.code


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def test_the_outline_says_what_the_onnx_library_says() -> None:
    outline = read_outline(SOUND)
    model = onnx.load_from_string(SOUND)
    assert [item.name for item in outline.inputs] == ["pixels"]
    assert outline.inputs[0].element_type == TensorProto.UINT8
    assert outline.inputs[0].shape == (None, 64, 64, 1)
    assert {item.name: item.shape for item in outline.outputs} == {
        "probabilities": (None, 3),
        "ood_score": (None,),
        "cams": (None, 3, 8, 8),
    }
    assert outline.node_count == len(model.graph.node)
    assert outline.metadata == {item.key: item.value for item in model.metadata_props}


def test_weights_listed_among_the_inputs_are_no_inputs() -> None:
    model = onnx.load_from_string(SOUND)
    weights = model.graph.initializer[0]
    model.graph.input.append(
        helper.make_tensor_value_info(weights.name, weights.data_type, list(weights.dims))
    )
    assert [item.name for item in read_outline(model.SerializeToString()).inputs] == ["pixels"]


def test_an_output_without_a_shape_has_none() -> None:
    model = onnx.load_from_string(SOUND)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert read_outline(model.SerializeToString()).outputs[0].shape is None


def test_numbers_of_every_wire_type_are_skipped() -> None:
    model = onnx.load_from_string(SOUND)
    tensor = model.graph.initializer.add()
    tensor.CopyFrom(numpy_helper.from_array(np.zeros(3), "doubles"))
    node = model.graph.node[1]
    node.attribute.append(helper.make_attribute("f", 1.5))
    node.attribute.append(helper.make_attribute("i", -1))
    node.attribute.append(helper.make_attribute("t", numpy_helper.from_array(np.zeros(2), "t")))
    assert read_outline(model.SerializeToString()).node_count == len(model.graph.node)


def test_sparse_weights_in_other_files_are_noticed() -> None:
    model = onnx.load_from_string(SOUND)
    sparse = model.graph.sparse_initializer.add()
    sparse.values.name = "w"
    sparse.values.data_location = TensorProto.EXTERNAL
    assert code_of(model.SerializeToString()) == "MODEL-06"
    model = onnx.load_from_string(SOUND)
    attribute = model.graph.node[0].attribute.add()
    attribute.name, attribute.type = "sparse", onnx.AttributeProto.SPARSE_TENSOR
    attribute.sparse_tensor.values.data_location = TensorProto.EXTERNAL
    assert code_of(model.SerializeToString()) == "MODEL-06"


def test_graphs_nested_without_end_are_refused_without_recursing_without_end() -> None:
    graph = b""
    for _ in range(MAX_DEPTH * 40):
        graph = message(1, message(5, message(6, graph)))
    assert code_of(message(7, graph)) == "MODEL-05"


def test_a_file_of_nothing_but_parts_is_refused_before_all_are_read() -> None:
    for many in (message(13, b"") * MAX_FIELDS, message(1, message(5, b"") * MAX_FIELDS)):
        with pytest.raises(ModelRefused, match="more than 500,000 parts") as caught:
            read_outline(message(7, many))
        assert caught.value.code == "MODEL-05"


def test_names_and_metadata_without_end_are_refused() -> None:
    name, card = message(8, b"n" * (LONGEST_TEXT + 1)), message(2, b" " * (LONGEST_TEXT + 1))
    assert code_of(message(7, message(5, name))) == "MODEL-05"
    assert code_of(message(7, b"") + message(14, message(1, b"card") + card)) == "MODEL-05"


def test_more_operations_than_any_network_here_has_are_refused() -> None:
    assert code_of(message(7, message(1, b"") * (MAX_NODES + 1))) == "MODEL-05"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        message(8, b""),
        message(7, b"") * 2,
        b"\x00",
        b"\x3b",
        b"\x3a\x05abc",
        b"\xff" * 30,
        varint(7 << 3 | 5) + b"ab",
        varint(7 << 3) + b"\x01",
        message(7, varint(1 << 3) + b"\x01"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes) -> None:
    assert code_of(content) == "MODEL-05"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_harmless_but_never_a_crash(data: st.DataObject) -> None:
    content = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    with contextlib.suppress(ModelRefused):  # anything else is a crash
        read_outline(bytes(content))
