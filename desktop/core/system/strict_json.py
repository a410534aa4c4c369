"""JSON from strangers, with one meaning only: what is read here is what any other reader would see.

Python's reader takes the last of two equal keys, numbers that are none, and integers of any length.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

_INTEGER_DIGITS = 18  # fits 64 bits; a float of more would overflow


def parse(text: str) -> Any:
    """Parse JSON.

    Raises:
        ValueError: It is no JSON, or has a key twice, a number that is not finite or has more
            than 18 digits, or values nested deeper than any of ours.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_float,
            parse_int=_integer,
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key twice")
    return values


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError("a number without end")
    return value


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _INTEGER_DIGITS:
        raise ValueError("an integer without end")
    return int(digits)
