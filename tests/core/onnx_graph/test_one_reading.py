"""What the check lets through, the ``onnx`` package reads in the same way, and finds no harm in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from desktop.core.errors import ModelRefused
from desktop.core.inference.session import make_session, session_options
from desktop.core.onnx_graph import schema
from desktop.core.onnx_graph.outline import BUILT_IN_DOMAINS, ENDLESS_OPERATORS, read_outline
from desktop.core.panels.registry import open_panel
from tests.helpers.small_networks import residual_network
from tests.hostile.onnx_files import Part, mutated, rich_model, taken_apart, varint, written

RICH = rich_model().SerializeToString()
BASES = (RICH, RICH, residual_network())
FAST, SLOW = range(600), range(600, 10_600)


def test_a_model_with_every_kind_of_part_is_let_through() -> None:
    assert harm_in(RICH) == []
    outline = read_outline(RICH)
    assert [item.name for item in outline.inputs] == ["x"]
    assert outline.node_count == 3
    assert outline.metadata == {"card": "{}", "empty": ""}


@pytest.mark.parametrize("panel", ["covid19", "pneumonia"])
def test_the_shipped_models_are_written_as_onnx_writes_them(panel: str) -> None:
    for model in open_panel(panel).models:
        content = model.path.read_bytes()
        read_outline(content)
        assert onnx.load_from_string(content).SerializeToString() == content


def test_changed_models_have_one_reading() -> None:
    refused, harmful = compared(FAST)
    # The seeds are worth something: models with harm in them, and some that are let through.
    assert harmful > len(FAST) // 5
    assert len(FAST) // 2 < refused < len(FAST) * 9 // 10


@pytest.mark.slow
def test_ten_thousand_changed_models_have_one_reading() -> None:
    refused, harmful = compared(SLOW)
    assert harmful > len(SLOW) // 5
    assert len(SLOW) // 2 < refused < len(SLOW) * 9 // 10


def compared(seeds: range) -> tuple[int, int]:
    """How many were refused, and how many ``onnx`` saw harm in."""
    refused = harmful = 0
    for seed in seeds:
        content = mutated(seed, BASES[seed % len(BASES)])
        harm = harm_in(content)
        harmful += bool(harm)
        try:
            outline = read_outline(content)
        except ModelRefused:
            refused += 1
            continue
        assert harm == [], f"seed {seed}: {harm}"
        assert_same_reading(content, outline, seed)
    return refused, harmful


def harm_in(content: bytes) -> list[str]:
    """What ``onnx`` sees in a file that must not be run; also a file that it cannot read."""
    try:
        model = onnx.load_from_string(content)
    except DecodeError:
        return ["cannot be read"]
    found = []
    for message in all_messages(model):
        if isinstance(message, onnx.TensorProto):
            if message.external_data or message.data_location == onnx.TensorProto.EXTERNAL:
                found.append("external data")
        elif isinstance(message, onnx.NodeProto):
            if _text(message, "op_type") in ENDLESS_OPERATORS | {"EPContext"}:
                found.append("a loop")
            if _text(message, "domain") not in BUILT_IN_DOMAINS:
                found.append("a foreign operator")
        elif isinstance(message, onnx.OperatorSetIdProto):
            if _text(message, "domain") not in BUILT_IN_DOMAINS:
                found.append("a foreign operator set")
        elif isinstance(message, onnx.FunctionProto | onnx.TrainingInfoProto):
            found.append("functions of its own")
    return found


def _text(message: Any, name: str) -> str:
    try:
        return str(getattr(message, name))
    except UnicodeDecodeError:
        return "no text"


def all_messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in value if field.is_repeated else (value,):
                yield from all_messages(item)


def assert_same_reading(content: bytes, outline: Any, seed: int) -> None:
    model = onnx.load_from_string(content)
    messages = list(all_messages(model))
    for message in messages:
        assert not len(UnknownFieldSet(message)), seed
    assert outline.node_count == sum(isinstance(item, onnx.NodeProto) for item in messages), seed
    weights = {item.name for item in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in weights]
    for mine, theirs in ((outline.inputs, inputs), (outline.outputs, model.graph.output)):
        assert [item.name for item in mine] == [item.name for item in theirs], seed
        for one, other in zip(mine, theirs, strict=True):
            tensor = other.type.tensor_type
            assert one.element_type % 2**32 == tensor.elem_type % 2**32, seed
            stated = tensor.HasField("shape")
            shape = tuple(
                d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim
            )
            assert _signed(one.shape) == (shape if stated else None), seed
    metadata = {item.key: item.value for item in model.metadata_props}
    assert outline.metadata == metadata, seed
    assert model.SerializeToString() == content, seed


def _signed(shape: tuple[int | None, ...] | None) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    return tuple(n - 2**64 if n is not None and n >= 2**63 else n for n in shape)


def test_what_is_known_of_a_message_is_what_onnx_knows() -> None:
    """And what onnx knows more is left out on purpose."""
    kinds = {
        FieldDescriptor.TYPE_INT64: "int64",
        FieldDescriptor.TYPE_INT32: "int32",
        FieldDescriptor.TYPE_FLOAT: "float",
        FieldDescriptor.TYPE_STRING: "string",
        FieldDescriptor.TYPE_BYTES: "bytes",
        FieldDescriptor.TYPE_ENUM: "enum",
    }
    lists = {
        FieldDescriptor.TYPE_FLOAT: "words",
        FieldDescriptor.TYPE_DOUBLE: "doubles",
        FieldDescriptor.TYPE_INT64: "int64s",
        FieldDescriptor.TYPE_INT32: "int32s",
        FieldDescriptor.TYPE_UINT64: "int64s",
    }
    left_out: set[tuple[str, int]] = set()
    pairs, seen = [("Model", onnx.ModelProto.DESCRIPTOR)], set()
    while pairs:
        name, message = pairs.pop()
        if (name, message.full_name) in seen or name in ("Training", "Function"):
            continue
        seen.add((name, message.full_name))
        known = schema.FIELDS[name]
        assert set(known) <= set(message.fields_by_number), name
        for number, stated in message.fields_by_number.items():
            if number not in known:
                left_out.add((name, number))
                continue
            mine = known[number]
            packed = stated.GetOptions().packed
            assert mine.repeated == (stated.is_repeated and not packed), (name, number)
            if stated.message_type is not None:
                pairs.append((mine.kind, stated.message_type))
            else:
                assert mine.kind == (lists if packed else kinds)[stated.type], (name, number)
            if stated.enum_type is not None:
                values = {value.number for value in stated.enum_type.values}
                assert values == set(range(mine.highest + 1)), (name, number)
        groups = [{field.number for field in group.fields} for group in message.oneofs]
        assert [set(known) & group for group in groups] == (
            [set(schema._ONE_OF[name])] if name in schema._ONE_OF else []
        )
    assert {name for name, _ in seen} == set(schema.FIELDS) - {"Training", "Function"}
    # Devices, the segment of a tensor, opaque types.
    assert left_out == {("Model", 26), ("Node", 10), ("Tensor", 3), ("Type", 7)}


def refusal(content: bytes) -> str:
    with pytest.raises(ModelRefused) as caught:
        read_outline(content)
    assert caught.value.code == "MODEL-05"
    return str(caught.value)


def test_a_tag_with_more_than_32_bits_is_refused() -> None:
    """ONNX Runtime cuts EA 80 80 80 10 to field 13, external data; others skip it."""
    model = onnx.load_from_string(RICH)
    weights = model.graph.initializer[0]
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "w"
    root = taken_apart(model.SerializeToString())
    found = next(part for part in _inside(root, 7, 5) if part.number == 13)
    found.high = 1
    hidden = written(root)
    assert b"\xea\x80\x80\x80\x10" in hidden
    assert "more than 32 bits" in refusal(hidden)


def test_an_enumeration_with_more_than_32_bits_is_refused() -> None:
    """2^32 + 1 is cut to 1, which means external data."""
    root = taken_apart(RICH)
    _inside(root, 7, 5).append(Part(14, 0, 2**32 + 1))
    assert "unknown value" in refusal(written(root))


def test_a_second_graph_which_parsers_merge_is_refused() -> None:
    assert "twice" in refusal(RICH + b"\x3a\x00")


def test_a_model_that_is_also_a_file_of_another_format_is_refused_and_would_not_be_guessed() -> (
    None
):
    """With these four bytes in this place ONNX Runtime reads a FlatBuffer, unless it is told."""
    model = onnx.load_from_string(RICH)
    model.producer_name = "ORTM"
    content = model.SerializeToString()
    assert content[4:8] == b"ORTM"
    assert "another format" in refusal(content)
    small = residual_network()
    model = onnx.load_from_string(small)
    model.producer_name = "ORTM"
    with pytest.raises(Exception, match="verification"):
        make_session(model.SerializeToString(), None, ["CPUExecutionProvider"])
    assert make_session(model.SerializeToString(), session_options(1, 1), ["CPUExecutionProvider"])


def test_a_number_is_written_in_its_shortest_form() -> None:
    assert "shortest" in refusal(b"\x08" + varint(8, 1) + RICH[2:])


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**31 - 1, -1, -(2**31), 2**28, 2**21 - 1])
@pytest.mark.parametrize("field", ["int32_data", "int64_data", "uint64_data"])
def test_lists_of_whole_numbers_have_one_reading_as_well(field: str, value: int) -> None:
    model = onnx.load_from_string(RICH)
    tensor = model.graph.initializer[0]
    getattr(tensor, field).extend([5, value % 2**64 if field == "uint64_data" else value, 3])
    content = model.SerializeToString()
    read_outline(content)
    root = taken_apart(content)
    numbers = {"int32_data": 5, "int64_data": 7, "uint64_data": 11}
    part = next(p for p in _inside(root, 7, 5) if p.number == numbers[field])
    assert isinstance(part.value, bytes)
    for wrong in (b"\x80\x00", b"\x85", b"\xff" * 9 + b"\x02", b"\xff" * 10 + b"\x01"):
        part.value = part.value[:1] + wrong
        refusal(written(root))
    part.value = b"\xff\xff\xff\xff\x0f"  # 2^32 - 1, which an int32 cuts to -1
    if field == "int32_data":
        assert "too long" in refusal(written(root))
    part.value = b"\x01" * (schema.LONGEST_LIST + 1)
    assert "more than 4 MB" in refusal(written(root))


def test_a_compiled_model_in_another_file_is_external_data() -> None:
    model = onnx.load_from_string(RICH)
    model.graph.node.add(op_type="EPContext", domain="com.microsoft", output=["q"])
    with pytest.raises(ModelRefused) as caught:
        read_outline(model.SerializeToString())
    assert caught.value.code == "MODEL-06"


def _inside(parts: list[Part], *numbers: int) -> list[Part]:
    """The parts of the first message at the end of a way of field numbers."""
    for number in numbers:
        value = next(part for part in parts if part.number == number).value
        assert isinstance(value, list)
        parts = value
    return parts
