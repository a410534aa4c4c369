"""The VOI part of a DICOM header: windows and look-up tables in units of ``Radiograph.values``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.imaging.dicom_codecs import Dataset
from desktop.core.imaging.dicom_metadata import text
from desktop.core.imaging.radiograph import Window

_CURVE_POINTS = 1024
_MAX_WINDOWS = 32


def own_windows(
    dataset: Dataset,
    slope: float,
    intercept: float,
    *,
    inverted: bool,
    exposed: tuple[float, float],
) -> tuple[Window, ...]:
    """A file's VOI look-up tables, then its windows, in the order of the header.

    The first is the default, as the standard leaves the choice to the reader and most viewers
    prefer a table. What is not valid, or shows nothing of this film, is left out.

    Args:
        slope: Own unit = slope * value + intercept.
        intercept: See ``slope``.
        inverted: True for MONOCHROME1: brightness falls with the own unit.
        exposed: Lowest and highest value of the film.
    """
    found: list[Window] = []
    for item in list(dataset.get("VOILUTSequence") or ())[:_MAX_WINDOWS]:
        lut = read_lut(item)
        if lut is not None and len(lut[1]) > 1:
            first, entries = lut
            white = 2 ** max(1, int(entries.max()).bit_length()) - 1
            curve = (entries / white).astype(np.float32)
            name = text(item, "LUTExplanation") or "DICOM table"
            found += _window(
                name, first, first + len(entries) - 1, curve, slope, intercept, inverted
            )
    function = text(dataset, "VOILUTFunction").upper()
    names = _texts(dataset, "WindowCenterWidthExplanation")
    pairs = zip(_numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth"), strict=False)
    for position, (centre, width) in enumerate(list(pairs)[:_MAX_WINDOWS]):
        limits = _limits(centre, width, function)
        if limits is not None:
            name = names[position] if position < len(names) else ""
            name = name or ("DICOM" if position == 0 else f"DICOM {position + 1}")
            curve_or_none = _sigmoid() if function == "SIGMOID" else None
            stated = (width, centre)
            found += _window(name, *limits, curve_or_none, slope, intercept, inverted, stated)
    low, high = exposed
    return tuple(window for window in found if window.low < high and window.high > low)


def first_lut(dataset: Dataset, sequence: str) -> tuple[int, npt.NDArray[np.uint16]] | None:
    """The first valid table of a sequence: first mapped value and entries."""
    for item in list(dataset.get(sequence) or ())[:1]:
        return read_lut(item)
    return None


def read_lut(item: Dataset) -> tuple[int, npt.NDArray[np.uint16]] | None:
    """One table (PS3.3 C.11.1): first mapped value and its entries, None where it is not valid."""
    descriptor = [int(value) for value in item.get("LUTDescriptor") or ()]
    data: Any = item.get("LUTData")
    if len(descriptor) != 3 or data is None:
        return None
    count, first, bits = descriptor[0] % 65536 or 65536, descriptor[1], descriptor[2]
    if isinstance(data, bytes):
        wide = bits > 8 or len(data) >= 2 * count
        entries = (
            np.frombuffer(data[: len(data) // 2 * 2], "<u2") if wide else np.frombuffer(data, "u1")
        )
    else:
        entries = np.asarray(data if np.ndim(data) else [data])
    if len(entries) == 0 or not 1 <= bits <= 16:
        return None
    entries = (entries.astype(np.int64) & 0xFFFF).astype(np.uint16)[:count]
    return first, entries


def _limits(centre: float, width: float, function: str) -> tuple[float, float] | None:
    """Where black ends and white begins (PS3.3 C.11.2.1.2), in the file's own unit."""
    if not (math.isfinite(centre) and math.isfinite(width)):
        return None
    if function == "SIGMOID":
        # 1 / (1 + exp(-4 (x - c) / w)) is within 0.04 % of its end two widths away.
        return (centre - 2 * width, centre + 2 * width) if width > 0 else None
    if function == "LINEAR_EXACT":
        return (centre - width / 2, centre + width / 2) if width > 0 else None
    if width < 1:
        return None
    half = max(width - 1, 1e-3) / 2  # a width of 1 is a threshold
    return centre - 0.5 - half, centre - 0.5 + half


def _sigmoid() -> npt.NDArray[np.float32]:
    position = np.linspace(-8.0, 8.0, _CURVE_POINTS)
    return np.asarray(1 / (1 + np.exp(-position)), np.float32)


def _window(
    name: str,
    low: float,
    high: float,
    curve: npt.NDArray[np.float32] | None,
    slope: float,
    intercept: float,
    inverted: bool,
    stated: tuple[float, float] | None = None,
) -> list[Window]:
    """The window in value units; an empty list where it is not one."""
    ends = sorted(((low - intercept) / slope, (high - intercept) / slope))
    if inverted and curve is not None:
        # 1 - c(1 - t), because both the values and the brightness are turned over.
        curve = np.ascontiguousarray(1 - curve[::-1])
    if not all(map(math.isfinite, ends)) or ends[0] >= ends[1]:
        return []
    return [Window(name, ends[0], ends[1], curve, stated)]


def _numbers(dataset: Dataset, word: str) -> list[float]:
    value = dataset.get(word)
    if value is None:
        return []
    try:
        return [float(item) for item in (value if np.ndim(value) else [value])]
    except (TypeError, ValueError):
        return []


def _texts(dataset: Dataset, word: str) -> list[str]:
    value = dataset.get(word)
    if value is None:
        return []
    return [str(item).strip() for item in ([value] if isinstance(value, str) else value)]
