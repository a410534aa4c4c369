"""Contour lines of a map as a painter path in film pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

from desktop.core.contours import contours


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
