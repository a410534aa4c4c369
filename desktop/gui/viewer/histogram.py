"""The film's grey values and the window over them; its edges can be dragged."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from desktop.core.imaging.decode import Radiograph, value_range
from desktop.gui.style import theme
from desktop.gui.style.paint import KeyboardFocus, Restyled, fill_round, focus_ring

_BARS = 128
_SAMPLES = 400_000
_GRIP_PX = 8.0
_RING = 3
Grip = Literal["low", "high", "middle"]


def bar_heights(film: Radiograph) -> npt.NDArray[np.float64]:
    """Heights in [0, 1] of ``_BARS`` equal intervals over the film's range, on a root scale.

    The root keeps rare values visible beside the black margins of a film.
    """
    step = max(1, int(np.sqrt(film.values.size / _SAMPLES)))
    samples = film.values[::step, ::step].ravel()
    if film.padded:
        samples = samples[samples > 0]
    counts, _ = np.histogram(samples, bins=_BARS, range=value_range(film))
    heights = np.sqrt(counts.astype(np.float64))
    highest = heights.max(initial=0.0)
    return heights / highest if highest else heights


class Histogram(KeyboardFocus, Restyled):
    """Drag an edge of the window, or the window as a whole; arrow keys do the same.

    Left and right move the level, up and down the width.

    Signals:
        window_dragged(float, float): Width and level in stored grey values.
    """

    window_dragged = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._heights: npt.NDArray[np.float64] = np.zeros(_BARS)
        self._range = (0.0, 255.0)
        self._window = (255.0, 127.5)
        self._grip: tuple[Grip, float, tuple[float, float]] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Grey values and window"))

    def set_film(self, film: Radiograph | None) -> None:
        """Count a film; None empties the chart."""
        self._heights = np.zeros(_BARS) if film is None else bar_heights(film)
        self._range = (0.0, 255.0) if film is None else value_range(film)
        self.update()

    def set_window(self, width: float, level: float) -> None:
        """Show a window without a signal."""
        self._window = (max(1.0, width), level)
        self.setAccessibleDescription(
            self.tr("Width {width}, level {level}").format(width=round(width), level=round(level))
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, theme.dp(96))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        plot = self._plot()
        fill_round(painter, plot, theme.RADIUS_KEY, tokens.raised)
        low, high = self._edges()
        step = plot.width() / len(self._heights)
        for index, height in enumerate(self._heights):
            x = plot.left() + index * step
            middle = self._value(x + step / 2)
            inside = low <= middle <= high
            ink = tokens.text2 if inside else tokens.border
            tall = max(1.0, height * (plot.height() - 8)) if height else 0.0
            bar = QRectF(x, plot.bottom() - tall, step + 0.5, tall)
            painter.fillRect(bar, QColor(ink))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(plot)
        pen = QPen(QColor(tokens.accent), 1.5)
        painter.setPen(pen)
        left, right = QPointF(self._x(low), plot.bottom()), QPointF(self._x(high), plot.top())
        painter.drawLine(left, right)
        for x in (left.x(), right.x()):
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setClipping(False)
        if self.shows_focus():
            focus_ring(painter, plot, theme.RADIUS_KEY)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = self._grip_at(event.position().x()), event.position().x(), self._edges()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._grip is None:
            edge = self._grip_at(x) != "middle"
            shape = Qt.CursorShape.SplitHCursor if edge else Qt.CursorShape.OpenHandCursor
            self.setCursor(shape)
            return
        grip, start, (low, high) = self._grip
        moved = self._value(x) - self._value(start)
        if grip != "high":
            low += moved
        if grip != "low":
            high += moved
        if grip == "low":
            low = min(low, high - 1)
        elif grip == "high":
            high = max(high, low + 1)
        self._report(high - low, (low + high) / 2)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grip = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        unit = max(1.0, (self._range[1] - self._range[0]) / 100)
        width, level = self._window
        change = {
            Qt.Key.Key_Left: (0, -unit),
            Qt.Key.Key_Right: (0, unit),
            Qt.Key.Key_Up: (unit, 0),
            Qt.Key.Key_Down: (-unit, 0),
        }.get(Qt.Key(event.key()))
        if change is None:
            super().keyPressEvent(event)
            return
        self._report(max(1.0, width + change[0]), level + change[1])

    def _report(self, width: float, level: float) -> None:
        self.set_window(width, level)
        self.window_dragged.emit(width, level)

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_RING, _RING, -_RING, -_RING)

    def _edges(self) -> tuple[float, float]:
        width, level = self._window
        return level - width / 2, level + width / 2

    def _x(self, value: float) -> float:
        plot, (low, high) = self._plot(), self._range
        return plot.left() + (value - low) / (high - low) * plot.width()

    def _value(self, x: float) -> float:
        plot, (low, high) = self._plot(), self._range
        return low + (x - plot.left()) / max(1.0, plot.width()) * (high - low)

    def _grip_at(self, x: float) -> Grip:
        low, high = (self._x(edge) for edge in self._edges())
        # A window wider than the film has its edges outside: they are gripped at the border.
        plot = self._plot()
        low, high = max(low, plot.left()), min(high, plot.right())
        if abs(x - low) <= _GRIP_PX and abs(x - low) <= abs(x - high):
            return "low"
        return "high" if abs(x - high) <= _GRIP_PX else "middle"
