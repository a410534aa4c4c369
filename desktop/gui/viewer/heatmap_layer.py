"""A model's map over the film: colours or contours, in film coordinates, so that it turns along."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from desktop.core.heatmaps.colormap import alpha_table, colour_table
from desktop.core.heatmaps.contours import contours
from desktop.core.heatmaps.grad_cam import has_evidence, normalised, upsampled
from desktop.gui.images.view_types import HeatStyle, MapLayer
from desktop.gui.style import theme

_COLOUR_SIDE = 320
_LINE_SIDE = 96
LEAST_DIFFERENCE = 0.25


def fine_size(film: tuple[int, int], side: int) -> tuple[int, int]:
    """(height, width) of a grid with the film's shape and ``side`` on its longer side."""
    width, height = film
    longest = max(width, height)
    return max(2, round(side * height / longest)), max(2, round(side * width / longest))


def heat_image(
    values: npt.NDArray[np.float32],
    film: tuple[int, int],
    threshold: float,
    *,
    rescale: bool = True,
    side: int = _COLOUR_SIDE,
) -> QImage:
    """A map as a picture (ARGB32_Premultiplied) to stretch over the film; opacity comes later.

    Args:
        values: float32 [h, w], any scale; without positive evidence the picture is transparent.
        film: (width, height) of the film.
        threshold: Share of the maximum below which nothing is drawn.
        rescale: False for values that are in 0..1 already and keep their meaning.
        side: Pixels of the picture's longer side.
    """
    height, width = fine_size(film, side)
    fine = upsampled(normalised(values) if rescale else values, (height, width))
    fine *= 255
    index = np.rint(fine, out=fine).astype(np.intp)
    pixels = np.take(_premultiplied(threshold), index)
    return QImage(
        pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied
    ).copy()


@lru_cache(maxsize=8)
def _premultiplied(threshold: float) -> npt.NDArray[np.uint32]:
    """Colour of each of 256 map values as Qt's premultiplied ARGB32, uint32 [256]."""
    alpha = alpha_table(threshold, 1.0).astype(np.uint32)
    colours = (colour_table().astype(np.uint32) * alpha[:, np.newaxis] + 127) // 255
    table: npt.NDArray[np.uint32] = (
        alpha << 24 | colours[:, 0] << 16 | colours[:, 1] << 8 | colours[:, 2]
    )
    return table


class HeatPainter:
    """Draws one map with one style; pictures and paths are made once and kept."""

    def __init__(self) -> None:
        self._layer: MapLayer | None = None
        self._film = (1, 1)
        self._image: tuple[float, QImage] | None = None
        self._frame: tuple[object, QImage] | None = None
        self._paths: tuple[float, list[tuple[QPainterPath, QColor]]] | None = None
        self._region: QPainterPath | None = None

    @property
    def layer(self) -> MapLayer | None:
        return self._layer

    def set_layer(self, layer: MapLayer | None, film: tuple[int, int]) -> None:
        """Take a map for a film of (width, height)."""
        self._layer, self._film = layer, film
        self._image = self._frame = self._paths = None

    def set_region(
        self, region: npt.NDArray[np.bool_] | npt.NDArray[np.float32] | None, film: tuple[int, int]
    ) -> None:
        """Outline a region: a mask, or a map whose half is the outline."""
        self._region = None
        if region is not None and np.any(region):
            self._region = contour_path(np.asarray(region, np.float32), 0.5, film)

    @property
    def has_region(self) -> bool:
        return self._region is not None

    def evident(self) -> bool:
        """Whether the map has anything to show."""
        if self._layer is None or not has_evidence(self._layer.values):
            return False
        # A difference is drawn on the maps' own scale: a small one is none.
        return self._layer.kind == "map" or float(self._layer.values.max()) >= LEAST_DIFFERENCE

    def paint(
        self,
        painter: QPainter,
        to_view: QTransform,
        style: HeatStyle,
        visible: QRect,
        ratio: float,
    ) -> None:
        """Draw map and region.

        Args:
            to_view: Film pixels to the painter's coordinates.
            visible: Part of the view that the film covers, device pixels.
            ratio: Device pixels per unit of the painter.
        """
        if visible.isEmpty():
            return
        if self._layer is not None and style.visible and self.evident():
            if style.contour:
                for path, colour in self._contours(style.threshold):
                    stroke_contour(painter, to_view.map(path), colour)
            else:
                self._paint_colours(painter, to_view, style, visible, ratio)
        if self._region is not None and style.visible:
            stroke_contour(painter, to_view.map(self._region), QColor("#FFFFFF"), dashed=True)

    def _paint_colours(
        self,
        painter: QPainter,
        to_view: QTransform,
        style: HeatStyle,
        visible: QRect,
        ratio: float,
    ) -> None:
        assert self._layer is not None
        if self._image is None or self._image[0] != style.threshold:
            image = heat_image(
                self._layer.values,
                self._film,
                style.threshold,
                rescale=self._layer.kind == "map",
            )
            self._image = style.threshold, image
        where = (to_view, visible, ratio, style.threshold)
        if self._frame is None or self._frame[0] != where:
            # Stretched once for a position of the film: a window drag then only lays it on top.
            frame = QImage(visible.size(), QImage.Format.Format_ARGB32_Premultiplied)
            frame.fill(Qt.GlobalColor.transparent)
            brush = QPainter(frame)
            brush.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            brush.translate(-visible.left(), -visible.top())
            brush.scale(ratio, ratio)
            brush.setTransform(to_view, True)
            brush.drawImage(QRectF(0, 0, *self._film), self._image[1])
            brush.end()
            self._frame = where, frame
        painter.save()
        painter.setOpacity(style.opacity)
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawImage(visible.topLeft(), self._frame[1])
        painter.restore()

    def _contours(self, threshold: float) -> list[tuple[QPainterPath, QColor]]:
        assert self._layer is not None
        if self._paths is None or self._paths[0] != threshold:
            values = self._layer.values
            shares = normalised(values) if self._layer.kind == "map" else values
            fine = upsampled(shares, fine_size(self._film, _LINE_SIDE))
            lines = []
            for level in contour_levels(threshold):
                colour = colour_table()[min(255, round(255 * (0.35 + 0.6 * level)))]
                lines.append(
                    (contour_path(fine, level, self._film), QColor(*(int(part) for part in colour)))
                )
            self._paths = threshold, lines
        return self._paths[1]


def contour_levels(threshold: float) -> tuple[float, ...]:
    """Levels drawn in contour mode: the threshold, then half and three quarters where above it."""
    lowest = max(0.05, threshold)
    return (lowest, *(level for level in (0.5, 0.75) if level > lowest + 0.1))


def stroke_contour(
    painter: QPainter, path: QPainterPath, colour: QColor, dashed: bool = False
) -> None:
    """A line that stays readable on black and on white: 4 px black at 55 % under 1.7 px."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    under = QPen(theme.colour("#000000", 0.55), 4.0)
    under.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    over = QPen(colour, 1.7)
    over.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashed:
        over.setDashPattern([3.2, 2.2])
        over.setCapStyle(Qt.PenCapStyle.FlatCap)
    for pen in (under, over):
        painter.setPen(pen)
        painter.drawPath(path)


def draw_crosshair(painter: QPainter, point: QPointF) -> None:
    """The linked cursor: an open cross with a halo."""
    for colour, width in ((theme.colour("#000000", 0.6), 3.0), (theme.colour("#FFFFFF", 0.9), 1.0)):
        painter.setPen(QPen(colour, width))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(
                QPointF(point.x() + 4 * dx, point.y() + 4 * dy),
                QPointF(point.x() + 12 * dx, point.y() + 12 * dy),
            )


def contour_path(
    values: npt.NDArray[np.float32], level: float, film: tuple[int, int]
) -> QPainterPath:
    """Closed lines around the areas above ``level``.

    Args:
        values: [h, w], covers the whole film.
        level: Value to follow.
        film: (width, height) of the film in pixels.
    """
    path = QPainterPath()
    for line in contours(values, level):
        points = (line * film).tolist()
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    return path
