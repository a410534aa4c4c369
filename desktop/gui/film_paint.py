"""From grey values to the screen: sample at displayed resolution, then one look-up table.

Only what is visible is touched, so a window drag on nine megapixels costs as much as on the view's
own size. Turning and mirroring happen on the sampled picture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from PySide6.QtGui import QImage

from desktop.gui.film_geometry import FilmGeometry
from desktop.gui.view_state import Orientation

Grey = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
_SMALLEST_LEVEL = 256


class FilmPyramid:
    """A film and its halvings, made when first needed, so that zooming out stays as fast as in."""

    def __init__(self, values: Grey) -> None:
        """``values``: uint8 or uint16 [H, W]."""
        if values.ndim != 2 or values.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"a film is uint8 or uint16 [H, W], not {values.dtype} {values.shape}")
        self._levels = [Image.fromarray(np.ascontiguousarray(values))]

    def sample(self, box: tuple[float, float, float, float], width: int, height: int) -> Grey:
        """Resample ``box`` (left, top, right, bottom in film px) to [height, width], same dtype.

        Reducing averages over the area (triangle filter with its support scaled), enlarging by two
        and more is bicubic. At exactly one to one the stored values come unchanged, moved by less
        than half a pixel.
        """
        left, top = round(box[0]), round(box[1])
        whole = self._levels[0]
        same = abs(box[2] - box[0] - width) < 1e-6 and abs(box[3] - box[1] - height) < 1e-6
        if same and left + width <= whole.width and top + height <= whole.height:
            return np.asarray(whole)[top : top + height, left : left + width]
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
        # The first picture of a film is drawn once from the original: halving costs as much.
        while len(self._levels) <= wanted:
            last = self._levels[-1]
            if min(last.size) // 2 < _SMALLEST_LEVEL:
                break
            half = ((last.width + 1) // 2, (last.height + 1) // 2)
            self._levels.append(last.resize(half, Image.Resampling.BOX))
        index = min(wanted, len(self._levels) - 1)
        return self._levels[index], 2**index


def oriented(values: npt.NDArray[np.generic], orientation: Orientation) -> npt.NDArray[np.generic]:
    """Mirror and turn a sampled picture [h, w, ...] as the film lies."""
    picture = values[:, ::-1] if orientation.flipped else values
    return np.rot90(picture, -orientation.quarter_turns)


def sample_film(pyramid: FilmPyramid, geometry: FilmGeometry, orientation: Orientation) -> Grey:
    """Grey values [h, w] of the visible part, exactly one a device pixel, as the film lies."""
    width, height = geometry.visible.width(), geometry.visible.height()
    if orientation.quarter_turns % 2:
        width, height = height, width
    values = pyramid.sample(geometry.box, width, height)
    return np.ascontiguousarray(oriented(values, orientation))


def grey_image(indices: npt.NDArray[np.intp], table: npt.NDArray[np.uint8]) -> QImage:
    """Apply a table and hand the picture to Qt (Grayscale8, one pixel a value).

    Args:
        indices: [h, w]; machine integers, because ``take`` is four times as fast with them.
        table: uint8, longer than the largest index.
    """
    grey = np.take(table, indices)
    height, width = grey.shape
    # copy() because Qt would otherwise point into memory that numpy frees.
    return QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
