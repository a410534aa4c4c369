"""Reliability: how often a model is right when it says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.core.agreement import ReliabilityBin, wilson
from desktop.gui import theme
from desktop.gui.paint import Restyled, draw_text, horizontal_line, vertical_line

_LEFT, _BOTTOM, _TOP, _RIGHT = 36, 28, 10, 10
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


class CalibrationChart(Restyled):
    """Accuracy over stated confidence, with 95 % intervals; the diagonal is perfect."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bins: tuple[ReliabilityBin, ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_bins(self, bins: Sequence[ReliabilityBin]) -> None:
        """Show bins; empty ones are left out."""
        self._bins = tuple(item for item in bins if item.count)
        self.setAccessibleDescription(
            " ".join(
                self.tr("Confidence {confidence}: right in {accuracy} of {count}.").format(
                    confidence=f"{item.confidence:.2f}",
                    accuracy=f"{item.accuracy:.2f}",
                    count=item.count,
                )
                for item in self._bins
            )
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.dp(280), theme.dp(280))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.dp(180), theme.dp(180))

    def plot_rect(self) -> QRectF:
        """The square of the plot, in widget px."""
        room = QRectF(self.rect()).adjusted(theme.dp(_LEFT), _TOP, -_RIGHT, -theme.dp(_BOTTOM))
        side = min(room.width(), room.height())
        return QRectF(room.left(), room.top(), side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        plot, font = self.plot_rect(), theme.font(11)

        def place(x: float, y: float) -> QPointF:
            return QPointF(plot.left() + x * plot.width(), plot.bottom() - y * plot.height())

        for tick in _TICKS:
            horizontal_line(painter, plot.left(), plot.right(), place(0, tick).y(), tokens.line)
            vertical_line(painter, place(tick, 0).x(), plot.top(), plot.bottom(), tokens.line)
            words = f"{tick:g}"
            left = QRectF(0, place(0, tick).y() - 8, plot.left() - 8, 16)
            draw_text(painter, left, words, font, tokens.text2, Qt.AlignmentFlag.AlignRight)
            below = QRectF(place(tick, 0).x() - 20, plot.bottom() + 6, 40, 16)
            draw_text(painter, below, words, font, tokens.text2, Qt.AlignmentFlag.AlignHCenter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(tokens.text3), 1)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(place(0, 0), place(1, 1))
        if not self._bins:
            return
        points = [place(item.confidence, item.accuracy) for item in self._bins]
        for item, point in zip(self._bins, points, strict=True):
            interval = wilson(round(item.accuracy * item.count), item.count)
            painter.setPen(QPen(QColor(tokens.text3), 2))
            painter.drawLine(
                QPointF(point.x(), place(0, interval.low).y()),
                QPointF(point.x(), place(0, interval.high).y()),
            )
        painter.setPen(QPen(QColor(tokens.text2), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(QPen(QColor(tokens.panel), 1.5))
        painter.setBrush(QColor(tokens.text1))
        for point in points:
            painter.drawEllipse(point, 4.5, 4.5)
