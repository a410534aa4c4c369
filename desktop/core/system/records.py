"""Frozen dataclasses as JSON with their arrays beside it, for pipes whose other end is not trusted.

Whoever reads says which type it expects, and gets that type or a ValueError: no class is looked up
by a name that travelled, and nothing that travelled is run.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from desktop.core.system import strict_json

Record = TypeVar("Record")
Array = npt.NDArray[Any]

ReadArray = Callable[[tuple[int, ...], np.dtype[Any]], Array]
"""Gives the next array, of this shape and type."""

_MOST_DIMENSIONS = 3


def pack(record: object) -> tuple[bytes, list[Array]]:
    """A dataclass as JSON, and its arrays in the order in which ``unpack`` asks for them."""
    arrays: list[Array] = []
    return json.dumps(_plain(record, arrays), separators=(",", ":")).encode(), arrays


def unpack(kind: type[Record], text: bytes, read_array: ReadArray, most_bytes: int = 0) -> Record:
    """What ``pack`` made, checked against the annotations of ``kind``.

    Args:
        kind: A dataclass of numbers, texts, bools, None, tuples, arrays and such dataclasses.
        text: The JSON.
        read_array: Gives the arrays.
        most_bytes: Bytes that they may have together.

    Raises:
        ValueError: It is anything else; whatever ``read_array`` raises.
    """
    left = most_bytes

    def counted(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        nonlocal left
        left -= math.prod(shape) * dtype.itemsize
        if left < 0:
            raise ValueError("arrays too large")
        return read_array(shape, dtype)

    try:
        found: Record = _checked(kind, strict_json.parse(text.decode()), counted)
    except (TypeError, AttributeError, KeyError, OverflowError) as error:
        raise ValueError("not what was expected") from error
    return found


def _plain(value: object, arrays: list[Array]) -> object:
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return [_plain(getattr(value, field.name), arrays) for field in fields]
    if isinstance(value, tuple):
        return [_plain(item, arrays) for item in value]
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return [value.dtype.name, *value.shape]
    return value


def _checked(kind: Any, value: Any, read_array: ReadArray) -> Any:
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            if type(None) in inside:
                return None
            raise ValueError("nothing where something belongs")
        kinds = [one for one in inside if one is not type(None)]
        if typing.get_origin(kinds[0]) is not np.ndarray:
            (one,) = kinds
            return _checked(one, value, read_array)
        kind, origin = kinds[0], np.ndarray
        names = {_dtype_name(one) for one in kinds}
    elif origin is np.ndarray:
        names = {_dtype_name(kind)}
    if origin is np.ndarray:
        return _array(names, value, read_array)
    if origin is typing.Literal:
        if value not in inside:
            raise ValueError("none of the words that are known")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError("no list")
        if len(inside) == 2 and inside[1] is Ellipsis:
            inside = (inside[0],) * len(value)
        if len(value) != len(inside):
            raise ValueError("a list of another length")
        pairs = zip(inside, value, strict=True)
        return tuple(_checked(one, item, read_array) for one, item in pairs)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        if not isinstance(value, list) or len(value) != len(hints):
            raise ValueError("a record of another length")
        pairs = zip(hints, value, strict=True)
        record: Any = kind
        return record(*(_checked(one, item, read_array) for one, item in pairs))
    if kind is float and type(value) is int:
        return float(value)
    if kind not in (int, float, str, bool) or type(value) is not kind:
        raise ValueError("a value of another type")
    return value


def _array(names: set[str], value: Any, read_array: ReadArray) -> Array:
    name, *shape = value
    sound = name in names and 1 <= len(shape) <= _MOST_DIMENSIONS
    if not sound or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("an array of another kind")
    return read_array(tuple(shape), np.dtype(name))


def _dtype_name(kind: Any) -> str:
    """``uint8`` of ``NDArray[np.uint8]``."""
    name: str = np.dtype(typing.get_args(typing.get_args(kind)[1])[0]).name
    return name


@functools.cache
def _hints(kind: type) -> tuple[Any, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(hints[field.name] for field in dataclasses.fields(kind))
