"""Estimates with their intervals on one axis, and the figures as a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.core.agreement import Estimate
from desktop.gui import theme
from desktop.gui.paint import Restyled, draw_text, horizontal_line, vertical_line

_ROW = 32
_HEAD = 36
_NAME, _VALUE, _INTERVAL, _COUNT = 120, 72, 120, 64


@dataclass(frozen=True)
class IntervalRow:
    """One line.

    Attributes:
        title: e.g. ``ResNet50``.
        estimate: Value and interval in [0, 1]; NaN where there is nothing to estimate from.
        reader: Drawn as a square in the accent: the reader's own line.
    """

    title: str
    estimate: Estimate
    reader: bool = False


def axis_ticks(lows: Sequence[float], room: int = 5) -> list[float]:
    """Ticks from a round figure below the lowest end up to 1, at most ``room`` of them."""
    lowest = min((low for low in lows if isfinite(low)), default=0.0)
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5):
        first = max(0.0, floor((lowest - 0.3 * step) / step) * step)
        count = round((1 - first) / step) + 1
        if count <= room + 1:
            return [round(first + step * place, 4) for place in range(count)]
    return [0.0, 0.5, 1.0]


class IntervalChart(Restyled):
    """Dots with intervals; better is to the right."""

    def __init__(self, name: str, value_name: str, parent: QWidget | None = None) -> None:
        """``name`` is for screen readers, ``value_name`` heads the figures, e.g. "Accuracy"."""
        super().__init__(parent)
        self._value_name = value_name
        self._rows: tuple[IntervalRow, ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_rows(self, rows: Sequence[IntervalRow]) -> None:
        """Show lines in the given order."""
        self._rows = tuple(rows)
        sentences = []
        for row in self._rows:
            value, interval, count = _words(row.estimate)
            sentences.append(
                self.tr("{title}: {value}, 95 % interval {interval}, {count} images.").format(
                    title=row.title, value=value, interval=interval, count=count
                )
            )
        self.setAccessibleDescription(" ".join(sentences))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(640, theme.dp(_HEAD) + len(self._rows) * theme.dp(_ROW))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.dp(460), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        if not self._rows:
            return
        table = theme.dp(_VALUE + _INTERVAL + _COUNT)
        left, right = theme.dp(_NAME), self.width() - table - theme.GAP_XL
        head, row_height = theme.dp(_HEAD), theme.dp(_ROW)
        ticks = axis_ticks([row.estimate.low for row in self._rows])
        span = max(1e-9, ticks[-1] - ticks[0])

        def place(value: float) -> float:
            return left + (value - ticks[0]) / span * (right - left)

        small = theme.font(11)
        for tick in ticks:
            box = QRectF(place(tick) - 24, 0, 48, theme.dp(16))
            digits = 2 if span <= 0.5 else 1
            text = f"{tick:.{digits}f}"
            draw_text(painter, box, text, small, tokens.text2, Qt.AlignmentFlag.AlignHCenter)
            vertical_line(painter, place(tick), theme.dp(18), self.height(), tokens.line)
        self._paint_heads(painter)
        for line, row in enumerate(self._rows):
            top = head + line * row_height
            self._paint_row(painter, row, top, row_height, place)

    def _paint_heads(self, painter: QPainter) -> None:
        tokens, font = theme.current(), theme.font(11)
        right = Qt.AlignmentFlag.AlignRight
        x = float(self.width())
        for width, words in (
            (_COUNT, self.tr("Images")),
            (_INTERVAL, self.tr("Interval")),
            (_VALUE, self._value_name),
        ):
            box = QRectF(x - theme.dp(width), 0, theme.dp(width), theme.dp(16))
            draw_text(painter, box, words, font, tokens.text2, right)
            x -= theme.dp(width)

    def _paint_row(
        self, painter: QPainter, row: IntervalRow, top: float, height: int, place: object
    ) -> None:
        tokens = theme.current()
        estimate, middle = row.estimate, top + height / 2
        name_box = QRectF(0, top, theme.dp(_NAME) - theme.GAP_S, height)
        draw_text(painter, name_box, row.title, theme.font(13, 500), tokens.text1)
        if isfinite(estimate.value):
            low, high = place(estimate.low), place(estimate.high)  # type: ignore[operator]
            horizontal_line(painter, low, high, middle - 1, tokens.text3)
            horizontal_line(painter, low, high, middle, tokens.text3)
            dot = QPointF(place(estimate.value), middle)  # type: ignore[operator]
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(tokens.panel), 2))
            painter.setBrush(QColor(tokens.accent if row.reader else tokens.text1))
            if row.reader:
                painter.drawRect(QRectF(dot.x() - 5, dot.y() - 5, 10, 10))
            else:
                painter.drawEllipse(dot, 6, 6)
        value, interval, count = _words(estimate)
        x = float(self.width())
        right = Qt.AlignmentFlag.AlignRight
        for width, words, font, ink in (
            (_COUNT, count, theme.font(12), tokens.text2),
            (_INTERVAL, interval, theme.font(12), tokens.text2),
            (_VALUE, value, theme.font(13, 600), tokens.text1),
        ):
            box = QRectF(x - theme.dp(width), top, theme.dp(width), height)
            draw_text(painter, box, words, font, ink, right)
            x -= theme.dp(width)


def _words(estimate: Estimate) -> tuple[str, str, str]:
    """Value, interval and count; a dash where there is nothing."""
    if not isfinite(estimate.value):
        return "–", "–", f"{estimate.n:,}"
    return (
        f"{estimate.value:.3f}",
        f"{estimate.low:.3f} – {estimate.high:.3f}",
        f"{estimate.n:,}",
    )
