"""Contour lines of a map by marching squares (Lorensen and Cline 1987, in two dimensions)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Line = npt.NDArray[np.float64]

_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
# Corners above the level (top left 8, top right 4, bottom right 2, bottom left 1) -> crossed sides.
_SEGMENTS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((_LEFT, _BOTTOM),),
    2: ((_BOTTOM, _RIGHT),),
    3: ((_LEFT, _RIGHT),),
    4: ((_TOP, _RIGHT),),
    6: ((_TOP, _BOTTOM),),
    7: ((_LEFT, _TOP),),
    8: ((_LEFT, _TOP),),
    9: ((_TOP, _BOTTOM),),
    11: ((_TOP, _RIGHT),),
    12: ((_LEFT, _RIGHT),),
    13: ((_BOTTOM, _RIGHT),),
    14: ((_LEFT, _BOTTOM),),
}
_APART = {5: ((_LEFT, _BOTTOM), (_TOP, _RIGHT)), 10: ((_LEFT, _TOP), (_BOTTOM, _RIGHT))}
_JOINED = {5: ((_LEFT, _TOP), (_BOTTOM, _RIGHT)), 10: ((_LEFT, _BOTTOM), (_TOP, _RIGHT))}


def contours(values: npt.NDArray[np.float32], level: float = 0.5) -> tuple[Line, ...]:
    """Closed lines around the areas above ``level``.

    Saddles are decided by the mean of their four corners. Areas that touch the edge are closed
    along it.

    Args:
        values: [h, w], e.g. an enlarged map or a consensus map.
        level: Value to follow.

    Returns:
        Lines float64 [n, 2] of (x, y) as shares of width and height in 0..1, first point = last.
    """
    height, width = values.shape
    grid = np.full((height + 2, width + 2), min(float(values.min(initial=0.0)), level) - 1.0)
    grid[1:-1, 1:-1] = values
    above = grid > level
    case = above[:-1, :-1] * 8 + above[:-1, 1:] * 4 + above[1:, 1:] * 2 + above[1:, :-1] * 1
    neighbours: dict[tuple[int, int, int], list[tuple[int, int, int]]] = {}
    for row, column in zip(*np.nonzero((case > 0) & (case < 15)), strict=True):
        r, c = int(row), int(column)
        kind = int(case[r, c])
        segments = _SEGMENTS.get(kind)
        if segments is None:
            high = grid[r : r + 2, c : c + 2].mean() > level
            segments = (_JOINED if high else _APART)[kind]
        for first, second in segments:
            a, b = _edge(r, c, first), _edge(r, c, second)
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    scale = np.array([width, height], np.float64)
    lines = []
    for loop in _loops(neighbours):
        points = np.array([_crossing(grid, edge, level) for edge in loop])
        # Minus the padding, plus half a pixel: a value belongs to the middle of its pixel.
        lines.append(np.clip((points - 0.5) / scale, 0.0, 1.0))
    return tuple(lines)


def _edge(row: int, column: int, side: int) -> tuple[int, int, int]:
    """Name of a cell's side, the same from both cells: (row, column, 0 = along x, 1 = along y)."""
    if side == _TOP:
        return row, column, 0
    if side == _BOTTOM:
        return row + 1, column, 0
    return (row, column, 1) if side == _LEFT else (row, column + 1, 1)


def _loops(
    neighbours: dict[tuple[int, int, int], list[tuple[int, int, int]]],
) -> list[list[tuple[int, int, int]]]:
    """Chain sides into closed loops; each side has exactly two neighbours in a padded grid."""
    loops = []
    waiting = dict.fromkeys(neighbours)
    while waiting:
        start = next(iter(waiting))
        loop = [start]
        del waiting[start]
        current = start
        while True:
            following = next((edge for edge in neighbours[current] if edge in waiting), None)
            if following is None:
                break
            loop.append(following)
            del waiting[following]
            current = following
        loops.append([*loop, start])
    return loops


def _crossing(
    grid: npt.NDArray[np.float64], edge: tuple[int, int, int], level: float
) -> tuple[float, float]:
    row, column, along_y = edge
    first = grid[row, column]
    second = grid[row + along_y, column + 1 - along_y]
    share = (level - first) / (second - first)
    return (column, row + share) if along_y else (column + share, row)
