"""Which fields an ONNX message may have, so that this app and ONNX Runtime read the same file.

A protocol buffer parser skips what it does not know, cuts numbers to their type's width and takes
the last of two values, and each parser knows something else. Whoever checks a file with one and
runs it with another checks a different file. So a file is refused unless it is written as the
``onnx`` package itself would write it: known fields only, each with its type and in ascending
order, once where only one value counts, numbers in their shortest form. Reading such a file and
writing it again gives the same bytes; a test holds the two together.

Source: ``onnx-ml.proto`` (proto2), ONNX 1.23, IR version 3 to 13. Left out, and therefore refused:
configurations of devices, opaque types and segments of tensors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from desktop.core.onnx_graph.protobuf import BYTES, FIXED32, VARINT, NotCanonicalError, parts

LONGEST_TEXT = 1 << 20
"""Bytes of a string: names are short, and a card has some kilobytes."""

LONGEST_LIST = 4 << 20
"""Bytes of a list of whole numbers: shapes are short, and weights are stored as raw bytes."""

# Number, kind, and * where it may be there more than once. A kind with a capital is a message, one
# in brackets (lowest, highest) an enumeration; a plural is a list of numbers written as one string.
_MESSAGES = {
    "Model": "1 int64, 2 string, 3 string, 4 string, 5 int64, 6 string, 7 Graph, 8 OperatorSet*, "
    "14 Entry*, 20 Training*, 25 Function*",
    "OperatorSet": "1 string, 2 int64",
    "Entry": "1 string, 2 string",
    "Graph": "1 Node*, 2 string, 5 Tensor*, 10 string, 11 ValueInfo*, 12 ValueInfo*, "
    "13 ValueInfo*, 14 Annotation*, 15 SparseTensor*, 16 Entry*",
    "Annotation": "1 string, 2 Entry*",
    "Node": "1 string*, 2 string*, 3 string, 4 string, 5 Attribute*, 6 string, 7 string, "
    "8 string, 9 Entry*",
    "Attribute": "1 string, 2 float, 3 int64, 4 bytes, 5 Tensor, 6 Graph, 7 float*, 8 int64*, "
    "9 bytes*, 10 Tensor*, 11 Graph*, 13 string, 14 Type, 15 Type*, 20 [0-14], 21 string, "
    "22 SparseTensor, 23 SparseTensor*",
    "Tensor": "1 int64*, 2 int32, 4 words, 5 int32s, 6 bytes*, 7 int64s, 8 string, 9 bytes, "
    "10 doubles, 11 int64s, 12 string, 13 Entry*, 14 [0-1], 16 Entry*",
    "SparseTensor": "1 Tensor, 2 Tensor, 3 int64*",
    "ValueInfo": "1 string, 2 Type, 3 string, 4 Entry*",
    "Type": "1 TensorType, 4 Sequence, 5 Map, 6 string, 8 TensorType, 9 Sequence",
    "TensorType": "1 int32, 2 Shape",
    "Sequence": "1 Type",
    "Map": "1 int32, 2 Type",
    "Shape": "1 Dimension*",
    "Dimension": "1 int64, 2 string, 3 string",
    "Training": "",
    "Function": "",
}
# Of these a message has one at most: the last one would count.
_ONE_OF = {"Type": frozenset({1, 4, 5, 8, 9}), "Dimension": frozenset({1, 2})}
_SIZES = {"words": 4, "doubles": 8}
# Whole numbers in their shortest form; without backtracking, so that length costs time only.
_SHORT = rb"[\x00-\x7f]|[\x80-\xff]{1,%d}[\x01-\x7f]|"
LISTS = {
    "int32s": re.compile(
        rb"(?:" + _SHORT % 3 + rb"[\x80-\xff]{4}(?:[\x01-\x07]|[\xf8-\xff]\xff{4}\x01))*+"
    ),
    "int64s": re.compile(rb"(?:" + _SHORT % 8 + rb"[\x80-\xff]{9}\x01)*+"),
}
_WIRES = {"int64": VARINT, "int32": VARINT, "float": FIXED32}


@dataclass(frozen=True)
class Field:
    """What is known of a field.

    Attributes:
        kind: ``int32``, ``int64``, ``float``, ``string``, ``bytes``, ``enum``, ``words``,
            ``doubles``, ``int32s``, ``int64s``, or the name of a message.
        wire: Wire type that it is written with.
        repeated: May be there more than once.
        highest: Largest value of an enumeration.
    """

    kind: str
    wire: int
    repeated: bool
    highest: int = 0

    @property
    def is_message(self) -> bool:
        """Holds a message that has fields of its own."""
        return self.kind[0].isupper()


def _field(kind: str) -> Field:
    repeated, kind = kind.endswith("*"), kind.removesuffix("*")
    if kind.startswith("["):
        return Field("enum", VARINT, repeated, int(kind[1:-1].split("-")[1]))
    return Field(kind, _WIRES.get(kind, BYTES), repeated)


def _fields(text: str) -> Mapping[int, Field]:
    rows = (row.split() for row in text.split(", ") if row)
    return MappingProxyType({int(number): _field(kind) for number, kind in rows})


FIELDS: Mapping[str, Mapping[int, Field]] = {
    message: _fields(text) for message, text in _MESSAGES.items()
}


def checked(data: memoryview, message: str) -> Iterator[tuple[int, Field, int | memoryview]]:
    """Walk one message: number, what is known of it, value.

    Args:
        data: The message.
        message: Its name in ``FIELDS``; the messages in it are not looked at.

    Raises:
        NotCanonicalError: It is not written as the ``onnx`` package would write it.
        ValueError: It is damaged.
        IndexError: The same.
    """
    known, one_of, last, chosen = FIELDS[message], _ONE_OF.get(message, frozenset()), 0, 0
    for number, wire, value in parts(data):
        field = known.get(number)
        if field is None:
            raise NotCanonicalError(f"it has a part {number} of {message} that is not known here")
        if wire != field.wire:
            raise NotCanonicalError(f"part {number} of {message} has another type")
        if number < last or (number == last and not field.repeated):
            raise NotCanonicalError(f"part {number} of {message} is there twice or out of order")
        if number in one_of:
            if chosen:
                raise NotCanonicalError(
                    f"parts {chosen} and {number} of {message} exclude each other"
                )
            chosen = number
        _check_value(number, field, value, message)
        last = number
        yield number, field, value


def _check_value(number: int, field: Field, value: int | memoryview, message: str) -> None:
    if isinstance(value, int):
        # A negative number is written with 64 bits.
        if field.kind == "int32" and 2**31 <= value < 2**64 - 2**31:
            raise NotCanonicalError(f"part {number} of {message} has more than 32 bits")
        if field.kind == "enum" and value > field.highest:
            raise NotCanonicalError(f"part {number} of {message} has an unknown value")
    elif field.kind == "string":
        if len(value) > LONGEST_TEXT:
            raise NotCanonicalError(f"part {number} of {message} is a text of more than 1 MB")
        str(value, "utf-8")
    elif field.kind in _SIZES or field.kind in LISTS:
        if not len(value):
            raise NotCanonicalError(f"part {number} of {message} is an empty list")
        if len(value) % _SIZES.get(field.kind, 1):
            raise ValueError("a list that ends early")
        if field.kind in LISTS and len(value) > LONGEST_LIST:
            raise NotCanonicalError(f"part {number} of {message} is a list of more than 4 MB")
        if field.kind in LISTS and not LISTS[field.kind].fullmatch(value):
            raise NotCanonicalError(f"a number of part {number} of {message} is too long")
