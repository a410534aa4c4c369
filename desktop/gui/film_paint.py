"""From grey values to the screen: sample at displayed resolution, then one look-up table.

Only what is visible is touched, so a window drag on nine megapixels costs as much as on the view's
own size. Turning and mirroring happen on the sampled picture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from desktop.gui.film_geometry import FilmGeometry
from desktop.gui.film_levels import FilmPyramid, Grey
from desktop.gui.view_state import Orientation


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


class GreyPicture:
    """A picture (Grayscale8, one pixel a value) whose memory is used again for the next frame."""

    def __init__(self, indices: npt.NDArray[np.intp]) -> None:
        """Make room.

        Args:
            indices: [h, w]; machine integers, because ``take`` is faster with them.
        """
        self._indices = indices
        height, width = indices.shape
        # Qt draws from this array: it lives as long as the image.
        self._grey = np.empty((height, width), np.uint8)
        self.image = QImage(self._grey.data, width, height, width, QImage.Format.Format_Grayscale8)

    def look_up(self, table: npt.NDArray[np.uint8]) -> None:
        """Fill the picture: uint8 ``table``, longer than the largest index."""
        np.take(table, self._indices, out=self._grey, mode="clip")
