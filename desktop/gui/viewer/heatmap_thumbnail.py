"""A small film with a model's map over it, cover-cropped to a square."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPixmap

from desktop.gui.style import theme
from desktop.gui.viewer.heatmap_layer import heat_image

_OPACITY = 0.75
_THRESHOLD = 0.25


def centre_square(aspect: float) -> QRectF:
    """Part of a map (shares of its width and height) that a square cover crop of the film shows.

    Args:
        aspect: Width / height of the film.
    """
    if aspect >= 1:
        return QRectF((1 - 1 / aspect) / 2, 0, 1 / aspect, 1)
    return QRectF(0, (1 - aspect) / 2, 1, aspect)


def map_thumbnail(
    film: QImage | None,
    values: npt.NDArray[np.float32] | None,
    side: int,
    ratio: float,
    aspect: float = 1.0,
) -> QPixmap:
    """Film (already a square crop) and map as a rounded pixmap of ``side`` px at ``ratio``.

    Args:
        film: Square picture of any size; None draws black below the map.
        values: Map [h, w] of the whole film, None for the bare film.
        side: Device-independent pixels.
        ratio: Device pixels per device-independent pixel.
        aspect: Width / height of the whole film.
    """
    device = max(1, round(side * ratio))
    pixmap = QPixmap(device, device)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHints(
        QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
    )
    outline = QPainterPath()
    radius = theme.RADIUS_CELL * ratio
    outline.addRoundedRect(QRectF(0, 0, device, device), radius, radius)
    painter.setClipPath(outline)
    target = QRectF(0, 0, device, device)
    painter.fillRect(target, QColor(theme.current().canvas))
    if film is not None and not film.isNull():
        painter.drawImage(target, _reduced(film, device))
    if values is not None:
        # The film is darkened, so that the map stands out.
        painter.fillRect(target, QColor(0, 0, 0, 70))
        picture = heat_image(values, (256, 256), _THRESHOLD, side=2 * device)
        part = centre_square(aspect)
        size = picture.width(), picture.height()
        source = QRectF(
            part.x() * size[0], part.y() * size[1], part.width() * size[0], part.height() * size[1]
        )
        painter.setOpacity(_OPACITY)
        painter.drawImage(target, picture, source)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _reduced(film: QImage, device: int) -> QImage:
    """Averaged down first: the painter alone would skip pixels."""
    if film.width() > 2 * device:
        return film.scaled(
            device,
            device,
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    return film
