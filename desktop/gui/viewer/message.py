"""What is shown instead of the image: the reason of a failure, or the film on its way."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QTransform

from desktop.gui.style import theme

LOADING_LINE_S = 0.15
_TEXT_WIDTH = 420


def paint_message(painter: QPainter, rect: QRectF, title: str, sentence: str) -> None:
    """Title and sentence in the middle of ``rect``, wrapped; the sentence may be empty."""
    tokens = theme.DARK  # the image area is black in both themes
    heading, body = theme.font(15, 500), theme.font(13)
    width = min(theme.dp(_TEXT_WIDTH), rect.width() - 32)
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    room = QRectF(0, 0, width, 2000)
    title_box = QFontMetricsF(heading).boundingRect(room, int(flags), title)
    text_box = QFontMetricsF(body).boundingRect(room, int(flags), sentence)
    height = title_box.height() + theme.GAP_S + text_box.height()
    left, top = rect.center().x() - width / 2, rect.center().y() - height / 2
    painter.setFont(heading)
    painter.setPen(QColor(tokens.text1))
    painter.drawText(QRectF(left, top, width, title_box.height() + 1), int(flags), title)
    painter.setFont(body)
    painter.setPen(QColor(tokens.text2))
    top += title_box.height() + theme.GAP_S
    painter.drawText(QRectF(left, top, width, text_box.height() + 1), int(flags), sentence)


def loading_progress(waited: float) -> float | None:
    """Length of the loading line in [0, 1] after so many seconds; None before it appears.

    Nobody knows how long a decode takes: the line slows down but never stands still.
    """
    return 1 - math.exp(-waited / 1.5) if waited >= LOADING_LINE_S else None


def paint_loading(
    painter: QPainter,
    rect: QRectF,
    thumbnail: QImage | None,
    to_view: QTransform | None,
    progress: float | None,
) -> None:
    """The stretched thumbnail and a 2 px line at the lower edge.

    Args:
        thumbnail: Small picture of the film, None where there is none yet.
        to_view: Thumbnail pixels to the painter's coordinates.
        progress: Length of the line, 0 to 1; None draws none.
    """
    if thumbnail is not None and to_view is not None:
        painter.save()
        painter.setClipRect(rect)
        painter.setTransform(to_view, True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(0.6)
        painter.drawImage(0, 0, thumbnail)
        painter.restore()
    if progress is not None:
        line = QRectF(rect.left(), rect.bottom() - 2, rect.width() * progress, 2)
        painter.fillRect(line, QColor(theme.DARK.accent))
