"""A film and its halvings, so that zooming out stays as fast as in.

Knows nothing of Qt: the decoding process makes the halvings, the window only samples them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
_SMALLEST_SIDE = 256


def halvings(values: Grey) -> tuple[Grey, ...]:
    """The film at a half, a quarter, ... of its size, down to 256 px on the shorter side.

    Args:
        values: uint8 or uint16 [H, W]; each halving averages 2 x 2.
    """
    found: list[Grey] = []
    last = Image.fromarray(np.ascontiguousarray(values))
    while min(last.size) // 2 >= _SMALLEST_SIDE:
        half = ((last.width + 1) // 2, (last.height + 1) // 2)
        last = last.resize(half, Image.Resampling.BOX)
        found.append(np.asarray(last))
    return tuple(found)


class FilmPyramid:
    """Resamples any part of a film from the smallest halving that has enough pixels."""

    def __init__(self, values: Grey, smaller: Sequence[Grey] | None = None) -> None:
        """Take a film.

        Args:
            values: uint8 or uint16 [H, W].
            smaller: Its `halvings`; None makes them when first needed.
        """
        if values.ndim != 2 or values.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"a film is uint8 or uint16 [H, W], not {values.dtype} {values.shape}")
        self._values = np.ascontiguousarray(values)
        self._smaller = smaller
        self._images: list[Image.Image] = [Image.fromarray(self._values)]

    def sample(self, box: tuple[float, float, float, float], width: int, height: int) -> Grey:
        """Resample ``box`` (left, top, right, bottom in film px) to [height, width], same dtype.

        Reducing averages over the area (triangle filter with its support scaled), enlarging by two
        and more is bicubic. At exactly one to one the stored values come unchanged, moved by less
        than half a pixel.
        """
        left, top = round(box[0]), round(box[1])
        whole_height, whole_width = self._values.shape
        same = abs(box[2] - box[0] - width) < 1e-6 and abs(box[3] - box[1] - height) < 1e-6
        if same and left + width <= whole_width and top + height <= whole_height:
            return self._values[top : top + height, left : left + width]
        reduction = min((box[2] - box[0]) / width, (box[3] - box[1]) / height)
        level, scale = self._level(reduction)
        part = (
            box[0] / scale,
            box[1] / scale,
            min(box[2] / scale, level.width),
            min(box[3] / scale, level.height),
        )
        kind = Image.Resampling.BILINEAR if reduction > 0.5 else Image.Resampling.BICUBIC
        return np.asarray(level.resize((width, height), kind, box=part))

    def _level(self, reduction: float) -> tuple[Image.Image, int]:
        """The smallest halving that still has at least as many pixels as are drawn."""
        wanted = max(0, int(np.floor(np.log2(max(reduction, 1e-6)))))
        if wanted and self._smaller is None:
            self._smaller = halvings(self._values)
        if wanted and len(self._images) == 1 and self._smaller:
            self._images += [Image.fromarray(half) for half in self._smaller]
        index = min(wanted, len(self._images) - 1)
        return self._images[index], 2**index
