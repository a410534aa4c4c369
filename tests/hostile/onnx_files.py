"""Model files made to mean one thing to the check and another to whoever runs them.

A sound model is taken apart into the parts of its wire format. Something is changed in it, or put
into it that the check must find, and it is written again: plainly, or disguised as protocol buffer
parsers allow it (long numbers, bits above the 32 of a tag or of an enumeration, wrong order, two
values where one counts, other types). Everything comes from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from google.protobuf.descriptor import Descriptor
from onnx import TensorProto, helper, numpy_helper

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass
class Part:
    """One field of a message, and how to write it.

    Attributes:
        number: Field number.
        wire: Wire type.
        value: A varint; bytes; or the parts of a message.
        high: Added to the tag above its 32 bits.
        long_tag: Bytes more than the tag needs.
        long_value: Bytes more than the number, or the length, needs.
    """

    number: int
    wire: int
    value: int | bytes | list[Part]
    high: int = 0
    long_tag: int = 0
    long_value: int = 0

    def written(self) -> bytes:
        tag = varint((self.number << 3 | self.wire) + (self.high << 32), self.long_tag)
        if isinstance(self.value, int):
            return tag + varint(self.value, self.long_value)
        content = self.value if isinstance(self.value, bytes) else written(self.value)
        return (
            tag + (varint(len(content), self.long_value) if self.wire == BYTES else b"") + content
        )


@dataclass
class Message:
    """A message on the way through a file: its parts and what they are."""

    parts: list[Part]
    kind: Descriptor
    inner: list[Message] = field(default_factory=list)


def varint(number: int, longer: int = 0) -> bytes:
    """A number, with ``longer`` empty bytes at its end."""
    found = []
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    if longer:
        found[-1] |= 0x80
        found += [0x80] * (longer - 1) + [0]
    return bytes(found)


def written(parts: list[Part]) -> bytes:
    return b"".join(part.written() for part in parts)


def taken_apart(content: bytes, kind: Descriptor = onnx.ModelProto.DESCRIPTOR) -> list[Part]:
    """The parts of a sound message, messages in it taken apart as well."""
    parts: list[Part] = []
    position = 0
    while position < len(content):
        key, position = _read(content, position)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, position = _read(content, position)
            parts.append(Part(number, wire, value))
            continue
        length = {FIXED32: 4, FIXED64: 8}.get(wire)
        if length is None:
            length, position = _read(content, position)
        data = content[position : position + length]
        position += length
        inner = kind.fields_by_number[number].message_type
        parts.append(Part(number, wire, taken_apart(data, inner) if inner else data))
    return parts


def _read(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def messages(parts: list[Part], kind: Descriptor) -> Iterator[Message]:
    """A message and all that are in it."""
    yield Message(parts, kind)
    for part in parts:
        if isinstance(part.value, list):
            inner = kind.fields_by_number[part.number].message_type
            yield from messages(part.value, inner)


def rich_model() -> onnx.ModelProto:
    """A small model with a part of every kind that a file may have."""
    info = helper.make_tensor_value_info
    inner = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["o"])], "inner", [], [info("o", 1, [4])]
    )
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.float32([1.0]), "s"),
        numpy_helper.from_array(np.int64([2]), "s_at"),
        [4],
    )
    every = helper.make_node("Relu", ["x"], ["y"], name="every", f=0.5, i=-3, s=b"\xff\x00")
    for name, value in (
        ("fs", [0.5, -1.0]),
        ("is", [1, -1, 2**40]),
        ("ss", [b"a", b""]),
        ("t", numpy_helper.from_array(np.arange(4.0), "t")),
        ("g", inner),
        ("sp", sparse),
        ("tp", helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, ["n", 2]))),
    ):
        every.attribute.append(helper.make_attribute(name, value))
    weights = [
        numpy_helper.from_array(np.arange(4, dtype=np.float32), "w"),
        helper.make_tensor("i32", TensorProto.INT32, [3], [1, -1, 5]),
        helper.make_tensor("f32", TensorProto.FLOAT, [2], [1.0, 2.0]),
        helper.make_tensor("text", TensorProto.STRING, [1], [b"text"]),
    ]
    graph = helper.make_graph(
        [every, helper.make_node("Add", ["y", "w"], ["z"], domain="ai.onnx", doc_string="a")],
        "rich",
        [info("x", TensorProto.UINT8, ["N", 4]), info("w", 1, [4])],
        [info("z", 1, None)],
        weights,
        value_info=[info("y", 1, [4, None])],
        sparse_initializer=[sparse],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="rich"
    )
    helper.set_model_props(model, {"card": "{}", "empty": ""})
    return model


def mutated(seed: int, base: bytes) -> bytes:
    """A model file with one or two changes; every second one holds something to be found."""
    chance = random.Random(seed)
    root = taken_apart(base)
    for _ in range(chance.randint(1, 2)):
        where = list(messages(root, onnx.ModelProto.DESCRIPTOR))
        change = chance.choice(_HARM) if chance.random() < 0.5 else chance.choice(_CHANGES)
        change(chance, where)
    content = bytearray(written(root))
    if chance.random() < 0.08:
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    if chance.random() < 0.03:
        del content[chance.randrange(len(content)) :]
    return bytes(content)


Change = Callable[[random.Random, list[Message]], None]


def disguise(chance: random.Random, part: Part) -> None:
    """Write a part as a parser may accept it and the check must not be fooled by."""
    kind = chance.randrange(12)
    if kind == 0:
        part.high = chance.choice([1, 2, 4, 7])
    elif kind == 1:
        part.long_tag = chance.randint(1, 4)
    elif kind == 2:
        part.long_value = chance.randint(1, 4)
    elif kind == 3 and isinstance(part.value, int):
        part.value += chance.choice([1, 3, 2**31]) << 32
    elif kind == 4:
        part.high, part.long_tag = 1, 1
    elif kind == 5 and isinstance(part.value, int):
        part.wire, part.value = FIXED64, part.value.to_bytes(8, "little")


def _put(chance: random.Random, parts: list[Part], part: Part) -> None:
    """Put a part where it belongs, at the end, or anywhere."""
    disguise(chance, part)
    kind = chance.random()
    if kind < 0.5:
        place = sum(other.number <= part.number for other in parts)
    else:
        place = len(parts) if kind < 0.75 else chance.randint(0, len(parts))
    parts.insert(place, part)


def _some(chance: random.Random, where: list[Message], *names: str) -> Message | None:
    return _choice(chance, [message for message in where if message.kind.name in names])


def _choice(chance: random.Random, items: list[Any]) -> Any:
    return chance.choice(items) if items else None


def _entry(key: bytes, value: bytes) -> list[Part]:
    return [Part(1, BYTES, key), Part(2, BYTES, value)]


def external_data(chance: random.Random, where: list[Message]) -> None:
    tensor = _some(chance, where, "TensorProto")
    if tensor is not None:
        location = Part(13, BYTES, _entry(b"location", b"weights.bin"))
        if chance.random() < 0.7:
            _put(chance, tensor.parts, location)
        if chance.random() < 0.7:
            _put(chance, tensor.parts, Part(14, VARINT, 1))


def loop(chance: random.Random, where: list[Message]) -> None:
    node = _some(chance, where, "NodeProto")
    if node is not None:
        operator = chance.choice([b"Loop", b"Scan", b"SequenceMap", b"EPContext"])
        if chance.random() < 0.5:
            node.parts[:] = [part for part in node.parts if part.number != 4]
        _put(chance, node.parts, Part(4, BYTES, operator))


def foreign_operator(chance: random.Random, where: list[Message]) -> None:
    message = _some(chance, where, "NodeProto", "OperatorSetIdProto")
    if message is not None:
        number = 7 if message.kind.name == "NodeProto" else 1
        if chance.random() < 0.5:
            message.parts[:] = [part for part in message.parts if part.number != number]
        _put(chance, message.parts, Part(number, BYTES, b"evil.domain"))


def own_functions(chance: random.Random, where: list[Message]) -> None:
    kind = chance.choice([20, 25])
    inside = [] if chance.random() < 0.5 else [Part(1, BYTES, b"" if kind == 20 else b"f")]
    _put(chance, where[0].parts, Part(kind, BYTES, inside))


def second_graph(chance: random.Random, where: list[Message]) -> None:
    """Parsers merge two messages where one counts."""
    loop_node = Part(1, BYTES, [Part(2, BYTES, b"q"), Part(4, BYTES, b"Loop")])
    _put(chance, where[0].parts, Part(7, BYTES, [loop_node]))


def hidden_branch(chance: random.Random, where: list[Message]) -> None:
    """A graph in an attribute that says it is a number."""
    attribute = _some(chance, where, "AttributeProto")
    if attribute is not None:
        node = Part(1, BYTES, [Part(4, BYTES, b"Scan")])
        _put(chance, attribute.parts, Part(chance.choice([6, 11]), BYTES, [node]))


def other_encoding(chance: random.Random, where: list[Message]) -> None:
    parts = chance.choice(where).parts
    if parts:
        disguise(chance, chance.choice(parts))


def twice(chance: random.Random, where: list[Message]) -> None:
    parts = chance.choice(where).parts
    if parts:
        parts.insert(chance.randint(0, len(parts)), chance.choice(parts))


def other_order(chance: random.Random, where: list[Message]) -> None:
    chance.shuffle(chance.choice(where).parts)


def left_out(chance: random.Random, where: list[Message]) -> None:
    parts = chance.choice(where).parts
    if parts:
        parts.remove(chance.choice(parts))


def other_number(chance: random.Random, where: list[Message]) -> None:
    parts = [part for part in chance.choice(where).parts if not isinstance(part.value, list)]
    if parts:
        chance.choice(parts).number = chance.randint(1, 30)


def other_value(chance: random.Random, where: list[Message]) -> None:
    parts = [part for part in chance.choice(where).parts if isinstance(part.value, int)]
    if parts:
        part = chance.choice(parts)
        part.value = chance.choice([0, 1, 7, 2**31, 2**32 + 1, 2**63, 2**64 - 1, 2**64 - 2**31])


def other_text(chance: random.Random, where: list[Message]) -> None:
    parts = [part for part in chance.choice(where).parts if isinstance(part.value, bytes)]
    if parts:
        part = chance.choice(parts)
        if part.wire == BYTES:
            part.value = chance.choice([b"", b"\xff\xfe", b"ORTM", b"evil", part.value + b"\x00"])


def unknown_part(chance: random.Random, where: list[Message]) -> None:
    number, wire = chance.randint(1, 40), chance.choice([VARINT, BYTES, FIXED32, FIXED64])
    value = {VARINT: 1, BYTES: b"ab", FIXED32: b"\x00" * 4, FIXED64: b"\x00" * 8}[wire]
    _put(chance, chance.choice(where).parts, Part(number, wire, value))


_HARM: list[Change] = [
    external_data,
    external_data,
    loop,
    foreign_operator,
    own_functions,
    second_graph,
    hidden_branch,
]
_CHANGES: list[Change] = [
    other_encoding,
    twice,
    other_order,
    left_out,
    left_out,
    left_out,
    other_number,
    other_value,
    other_value,
    other_text,
    other_text,
    unknown_part,
]
