"""The heatmap's legend: low, the colour ramp, high."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from desktop.core.heatmaps.colormap import colour_table
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, ratio_of, snapped, text_width

RAMP_HEIGHT = 6


@lru_cache(maxsize=1)
def ramp_image() -> QImage:
    """The heat colours, opaque, 256 x 1."""
    table = np.ascontiguousarray(colour_table()[:, :3])
    return QImage(table.tobytes(), 256, 1, 256 * 3, QImage.Format.Format_RGB888).copy()


def low_and_high() -> tuple[str, str]:
    """The two words of the ramp."""
    return (
        QCoreApplication.translate("Legend", "low"),
        QCoreApplication.translate("Legend", "high"),
    )


def draw_ramp(painter: QPainter, rect: QRectF) -> None:
    """Draw the ramp into ``rect``, on whole device pixels."""
    painter.drawImage(snapped(rect, ratio_of(painter)), ramp_image())


class Legend(Restyled):
    """The ramp with its words, as wide as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Heat colours, from low to high"))

    def sizeHint(self) -> QSize:
        return QSize(160, theme.dp(16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens, font = theme.current(), theme.font(12)
        low, high = low_and_high()
        left, right = text_width(font, low), text_width(font, high)
        draw_text(painter, QRectF(0, 0, left + 1, self.height()), low, font, tokens.text2)
        high_box = QRectF(self.width() - right - 1, 0, right + 1, self.height())
        draw_text(painter, high_box, high, font, tokens.text2)
        ramp = QRectF(left + 8, 0, self.width() - left - right - 16, RAMP_HEIGHT)
        ramp.moveCenter(QPointF(ramp.center().x(), self.height() / 2))
        draw_ramp(painter, ramp)
