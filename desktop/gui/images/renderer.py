"""From grey values to the screen: sample at displayed resolution, then one look-up table.

Only what is visible is touched, so a window drag on nine megapixels costs as much as on the view's
own size. Turning and mirroring happen on the sampled picture.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage, QPainter

from desktop.core.imaging.decode import Radiograph, look_up_table
from desktop.gui.images.decode_process import Prepared
from desktop.gui.images.geometry import FilmGeometry
from desktop.gui.images.pyramid import FilmPyramid, Grey
from desktop.gui.images.view_state import Orientation
from desktop.gui.images.view_types import WindowPreset
from desktop.gui.images.voi_presets import film_presets, window_of

# Linked views of one film share its halvings and its presets; an entry goes with its film.
_PYRAMIDS: WeakKeyDictionary[Radiograph, FilmPyramid] = WeakKeyDictionary()
_PRESETS: WeakKeyDictionary[Radiograph, tuple[WindowPreset, ...]] = WeakKeyDictionary()


def pyramid_of(film: Radiograph) -> FilmPyramid:
    """The one pyramid of a film."""
    found = _PYRAMIDS.get(film)
    if found is None:
        found = _PYRAMIDS[film] = FilmPyramid(film.values)
    return found


def take_prepared(film: Radiograph, prepared: Prepared) -> None:
    """Keep what the decoding process has worked out, so that nothing is counted here."""
    _PYRAMIDS[film] = FilmPyramid(film.values, prepared.halvings)
    _PRESETS[film] = film_presets(film, prepared.windows, prepared.full)


class FilmRenderer:
    """Samples when the geometry changes, applies the table when the window changes."""

    def __init__(self, film: Radiograph) -> None:
        self.film = film
        self.size = (film.values.shape[1], film.values.shape[0])
        self._levels = 256 if film.values.dtype == np.uint8 else 65536
        self._pyramid = pyramid_of(film)
        self._where: object = None
        self._look: object = None
        self._picture: GreyPicture | None = None

    @property
    def presets(self) -> tuple[WindowPreset, ...]:
        """Named windows, the default first; counted when first asked for."""
        found = _PRESETS.get(self.film)
        if found is None:
            found = _PRESETS[self.film] = film_presets(self.film)
        return found

    @property
    def full_width(self) -> float:
        """Width of the full grey range: the measure of a window drag."""
        return next(preset.width for preset in self.presets if preset.key == "full")

    def paint(
        self,
        painter: QPainter,
        placed: FilmGeometry,
        orientation: Orientation,
        window: tuple[float, float],
        inverted: bool,
        ratio: float,
    ) -> None:
        """Draw the visible part, exactly one value a device pixel.

        Args:
            placed: Where it lies, in device pixels.
            window: (width, level) in stored grey values.
            ratio: Device pixels per unit of the painter.
        """
        if placed.visible.isEmpty():
            return
        where = (placed.box, placed.visible.size().toTuple(), orientation)
        if self._picture is None or self._where != where:
            values = sample_film(self._pyramid, placed, orientation)
            self._picture, self._where = GreyPicture(values.astype(np.intp)), where
            self._look = None
        look = (window, inverted)
        if self._look != look:
            table = look_up_table(self.film, window_of(self.presets, *window))
            if len(table) < self._levels:
                # Bicubic enlargement may overshoot the film's own bits.
                table = np.pad(table, (0, self._levels - len(table)), mode="edge")
            self._picture.look_up(255 - table if inverted else table)
            self._look = look
        painter.save()
        # In device pixels, or a fractional ratio would resample the film a second time.
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawImage(placed.visible.topLeft(), self._picture.image)
        painter.restore()


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
        """Make room for ``indices`` [h, w], machine integers: ``take`` is faster with them."""
        self._indices = indices
        height, width = indices.shape
        # Qt draws from this array: it lives as long as the image.
        self._grey = np.empty((height, width), np.uint8)
        self.image = QImage(self._grey.data, width, height, width, QImage.Format.Format_Grayscale8)

    def look_up(self, table: npt.NDArray[np.uint8]) -> None:
        """Fill the picture: uint8 ``table``, longer than the largest index."""
        np.take(table, self._indices, out=self._grey, mode="clip")
