"""Protocol buffer messages, read and written field by field, without a schema or a parser package.

Enough for ONNX files: varints, byte strings and fixed words. Groups (deprecated) are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}

Bytes = bytes | memoryview


class NotCanonicalError(ValueError):
    """Two parsers could read different things; the text says where, for a sentence."""


def parts(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Walk one message: field number, wire type, and a varint or bytes.

    Raises:
        NotCanonicalError: A number is not in its shortest form, or a tag has more than 32 bits.
        ValueError: Damaged.
        IndexError: The same: it ends early.
    """
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if key >= 2**32:
            raise NotCanonicalError("a tag has more than 32 bits")
        if number == 0:
            raise ValueError("field 0")
        value: int | memoryview
        if wire == VARINT:
            value, position = _varint(data, position)
        elif wire == BYTES or wire in _SIZES:
            if wire == BYTES:
                length, position = _varint(data, position)
            else:
                length = _SIZES[wire]
            if length > end - position:
                raise ValueError("field longer than its message")
            value = data[position : position + length]
            position += length
        else:
            raise ValueError("unknown wire type")
        yield number, wire, value


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The same without wire types, for messages that were checked before."""
    for number, _, value in parts(data):
        yield number, value


def message(value: int | Bytes) -> memoryview:
    """The bytes of a field that must hold some; ValueError where it is a number."""
    if isinstance(value, int):
        raise ValueError("a message was expected")
    return memoryview(value)


def text(value: int | Bytes) -> str:
    """A field as text; what is not UTF-8 is replaced."""
    return str(message(value), "utf-8", "replace")


def numbers(value: int | memoryview) -> list[int]:
    """A repeated int64 field, one number or packed."""
    if isinstance(value, int):
        return [_signed(value)]
    found, position = [], 0
    while position < len(value):
        number, position = _varint(value, position)
        found.append(_signed(number))
    return found


def written(number: int, value: int | str | Bytes) -> bytes:
    """One field: a varint for a number, else bytes with their length."""
    if isinstance(value, int):
        return _varint_bytes(number << 3 | VARINT) + _varint_bytes(value & (2**64 - 1))
    content = value.encode() if isinstance(value, str) else value
    return heading(number, len(content)) + content


def heading(number: int, length: int) -> bytes:
    """What stands before the ``length`` bytes of a field, for content too large to be copied."""
    return _varint_bytes(number << 3 | BYTES) + _varint_bytes(length)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    byte = data[position]
    position += 1
    if byte < 0x80:
        return byte, position
    value, shift = byte & 0x7F, 7
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise ValueError("number too long")
    if byte == 0 or value >= 2**64:
        raise NotCanonicalError("a number is not written in its shortest form")
    return value, position


def _varint_bytes(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
