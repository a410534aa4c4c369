"""Protocol buffer messages, read and written field by field, without a schema or a parser package.

Enough for ONNX files: varints, byte strings and fixed words. Groups (deprecated) are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Bytes = bytes | memoryview


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Walk one message: (field number, varint or bytes); IndexError or ValueError if damaged."""
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("field 0")
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
        elif kind == _BYTES:
            length, position = _varint(data, position)
            if length > end - position:
                raise ValueError("field longer than its message")
            yield number, data[position : position + length]
            position += length
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
            if position > end:
                raise ValueError("field longer than its message")
        else:
            raise ValueError("unknown wire type")


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
        return _varint_bytes(number << 3 | _VARINT) + _varint_bytes(value & (2**64 - 1))
    content = value.encode() if isinstance(value, str) else value
    return heading(number, len(content)) + content


def heading(number: int, length: int) -> bytes:
    """What stands before the ``length`` bytes of a field, for content too large to be copied."""
    return _varint_bytes(number << 3 | _BYTES) + _varint_bytes(length)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("number too long")


def _varint_bytes(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
