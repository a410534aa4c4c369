"""Records cross a pipe unchanged, and nothing else gets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.system.records import pack, unpack


@dataclass(frozen=True)
class Inner:
    name: str
    share: float


@dataclass(frozen=True)
class Outer:
    number: int
    kind: Literal["film", "thumbnail"]
    inner: Inner | None
    many: tuple[Inner, ...]
    pair: tuple[int, float] | None
    sure: bool | None
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None


def given_back(record: Outer, most: int = 1000) -> Outer:
    text, arrays = pack(record)
    left = iter(arrays)
    return unpack(Outer, text, lambda shape, dtype: next(left).astype(dtype).reshape(shape), most)


inners = st.builds(Inner, st.text(), st.floats(allow_nan=False, allow_infinity=False))
outers = st.builds(
    Outer,
    st.integers(-(10**17), 10**17),
    st.sampled_from(["film", "thumbnail"]),
    st.none() | inners,
    st.lists(inners, max_size=3).map(tuple),
    st.none() | st.tuples(st.integers(0, 9), st.just(0.5)),
    st.none() | st.booleans(),
    st.none(),
)


@given(outers)
def test_a_record_comes_back_as_it_was(record: Outer) -> None:
    assert given_back(record) == record


def test_arrays_come_back_with_their_type_and_shape() -> None:
    for kind in (np.uint8, np.uint16):
        record = Outer(1, "film", None, (), None, None, np.arange(6, dtype=kind).reshape(2, 3))
        back = given_back(record).pixels
        assert back is not None
        np.testing.assert_array_equal(back, record.pixels)
        assert back.dtype == kind
    with pytest.raises(ValueError, match="too large"):
        given_back(record, most=11)


SOUND: list[Any] = [1, "film", ["a", 0.5], [["b", 2]], [1, 2.5], True, ["uint8", 2, 2]]


def wrong(place: int, value: object) -> list[Any]:
    return [*SOUND[:place], value, *SOUND[place + 1 :]]


@pytest.mark.parametrize(
    "value",
    [
        *(wrong(0, one) for one in ("1", 1.5, True, None, [1], {})),
        *(wrong(1, one) for one in ("picture", 1, None, ["film"])),
        *(wrong(2, one) for one in ("a", ["a"], ["a", 0.5, 1], [1, 0.5], {"name": "a"})),
        *(wrong(3, one) for one in (None, "ab", [["b"]], [None], 3)),
        *(wrong(4, one) for one in ([1], [1, 2, 3], ["1", 2.5], "12")),
        *(wrong(5, one) for one in (1, "true")),
        *(wrong(6, one) for one in (
            [], "uint8", ["float32", 2, 2], ["object", 2], ["uint8"], ["uint8", -2, 2],
            ["uint8", "2"], ["uint8", 1, 1, 1, 1], ["uint8", 10**9, 10**9], [["uint8"], 2],
        )),
        SOUND[:-1], [*SOUND, 1], {}, None, 7, "film",
    ],
)  # fmt: skip
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
        unpack(Outer, json.dumps(value).encode(), _zeros, 1000)
    unpack(Outer, json.dumps(SOUND).encode(), _zeros, 1000)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_record_or_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        unpack(Outer, text, _zeros)


_zeros: Callable[[tuple[int, ...], np.dtype[Any]], npt.NDArray[Any]] = np.zeros
