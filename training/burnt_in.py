"""Letters and markers burnt into the margin of a film: small, bright, sharp, and no anatomy.

A heuristic for films of about 224 pixels, for counting and for the shortcut probe. It does not
read: a lead letter, a text line, an electrode and an arrow all count as marks. Faint or very
large letters, letters over bone and letters inside the lung fields are not found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: Share of a side that is margin; lungs reach further out only on tightly cropped films.
MARGIN = 0.18
_BRIGHT = 200
_STEP = 70
_LONGEST = 0.16


@dataclass(frozen=True)
class Marks:
    """What stands in the margin.

    Attributes:
        count: Number of marks; letters that touch are one. area: Their share of the film. corner:
        Corner that holds most of their area: 0 top left, 1 top right, 2 bottom left, 3 bottom
            right, -1 without marks.
    """

    count: int
    area: float
    corner: int


def find_marks(film: npt.NDArray[np.uint8]) -> Marks:
    """Count the marks of one film.

    Args:
        film: uint8 [H, W], 0 = black.
    """
    height, width = film.shape
    rim_y, rim_x = round(height * MARGIN), round(width * MARGIN)
    bright = film >= _BRIGHT
    # Only what lies in the margin as a whole: a clavicle or an arm that runs into it is no mark.
    labels, count = ndimage.label(bright, np.ones((3, 3), int))
    if not count:
        return Marks(0, 0.0, -1)
    smallest = max(5, round(height * width * 1e-4))
    longest = _LONGEST * max(height, width)
    sizes = np.bincount(labels.ravel())
    areas = [0, 0, 0, 0]
    found = 0
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = box
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        inside = (
            rows.stop <= rim_y
            or rows.start >= height - rim_y
            or columns.stop <= rim_x
            or columns.start >= width - rim_x
        )
        touches = rows.start == 0 or columns.start == 0 or rows.stop == height
        touches = touches or columns.stop == width
        if not inside or touches or sizes[number] < smallest or max(tall, wide) > longest:
            continue
        if min(tall, wide) < 3 or not _stands_out(film, labels, number, rows, columns):
            continue
        found += 1
        lower = rows.start + rows.stop > height
        right = columns.start + columns.stop > width
        areas[2 * lower + right] += int(sizes[number])
    if not found:
        return Marks(0, 0.0, -1)
    return Marks(found, sum(areas) / film.size, int(np.argmax(areas)))


def _stands_out(
    film: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    number: int,
    rows: slice,
    columns: slice,
) -> bool:
    """The mark's edge is a cliff on nearly all sides, as ink has it and bone has not."""
    near = (
        slice(max(0, rows.start - 3), rows.stop + 3),
        slice(max(0, columns.start - 3), columns.stop + 3),
    )
    own = labels[near] == number
    ring = ndimage.binary_dilation(own, iterations=3) & ~ndimage.binary_dilation(own)
    around = film[near][ring]
    if not len(around):
        return False
    # A letter is lit flat and its surroundings are dark nearly everywhere.
    cliff = np.mean(around.astype(int) + _STEP <= int(np.median(film[near][own])))
    return bool(cliff >= 0.85)
