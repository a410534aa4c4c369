"""Charts of the scorecard: intervals, matrices and calibration, drawn from the tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isnan

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF

from desktop.core.review.agreement import Estimate, ReliabilityBin, wilson
from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, fill_round, vertical_line
from desktop.gui.style.tokens import mix
from desktop.gui.widgets.charts import Chart

_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter


@dataclass(frozen=True)
class IntervalLine:
    """One line of the accuracy chart.

    Attributes:
        title: e.g. ``ResNet50``.
        estimate: Share with its interval.
        own: The reader's own, which wears the accent and a square.
    """

    title: str
    estimate: Estimate
    own: bool = False


class Intervals(Chart):
    """Accuracy with 95 % intervals, and the numbers."""

    _TITLE, _ACCURACY, _INTERVAL, _IMAGES, _ROW, _HEAD = 96, 72, 120, 64, 32, 44

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[IntervalLine] = ()

    def show_lines(self, lines: Sequence[IntervalLine]) -> None:
        """Show these, in order."""
        self._lines = lines
        sentences = (
            f"{line.title} {share_text(line.estimate.value)} ({share_text(line.estimate.low)} – "
            f"{share_text(line.estimate.high)}), {line.estimate.n}"
            for line in lines
        )
        self.describe(self.tr("Accuracy with 95 % interval"), "; ".join(sentences))

    def sizeHint(self) -> QSize:
        return QSize(640, theme.dp(self._HEAD + self._ROW * max(1, len(self._lines)) + 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(480, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        images = self.width() - theme.dp(self._IMAGES)
        interval = images - theme.dp(self._INTERVAL)
        number = interval - theme.dp(self._ACCURACY)
        left, right = float(theme.dp(self._TITLE)), number - theme.dp(16.0)
        head = theme.dp(self._HEAD)
        for x, width, text in (
            (number, self._ACCURACY, self.tr("Accuracy")),
            (interval, self._INTERVAL, self.tr("Interval")),
            (images, self._IMAGES, self.tr("Images")),
        ):
            box = QRectF(x, theme.dp(20), theme.dp(width), theme.dp(20))
            draw_text(painter, box, text, theme.font(12), tokens.text2, _RIGHT)
        known = [line.estimate for line in self._lines if not isnan(line.estimate.low)]
        low, high, step = share_axis(
            min((item.low for item in known), default=0.0),
            max((item.high for item in known), default=1.0),
        )

        def x_of(value: float) -> float:
            return left + (value - low) / (high - low) * (right - left)

        for tick in np.arange(low, high + step / 2, step):
            x = x_of(float(tick))
            vertical_line(painter, x, head - 4, self.height(), tokens.line)
            box = QRectF(x - 30, theme.dp(20), 60, theme.dp(20))
            draw_text(painter, box, f"{tick:.2f}", theme.font(12), tokens.text3, _CENTRE)
        y = float(head)
        for line in self._lines:
            self._paint_line(painter, line, y, x_of, (number, interval, images))
            y += theme.dp(self._ROW)

    def _paint_line(
        self,
        painter: QPainter,
        line: IntervalLine,
        y: float,
        x_of: Callable[[float], float],
        columns: tuple[float, float, float],
    ) -> None:
        tokens = theme.current()
        row = theme.dp(self._ROW)
        number, interval, images = columns
        title = QRectF(0, y, theme.dp(self._TITLE), row)
        draw_text(painter, title, line.title, theme.font(13, 500), tokens.text1)
        estimate = line.estimate
        if estimate.n and not isnan(estimate.value):
            middle = y + row / 2
            x1, x2, x = x_of(estimate.low), x_of(estimate.high), x_of(estimate.value)
            painter.setPen(QPen(QColor(tokens.text2), 1.5))
            painter.drawLine(QPointF(x1, middle), QPointF(x2, middle))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent if line.own else tokens.text1))
            if line.own:
                painter.drawRect(QRectF(x - 4, middle - 4, 8, 8))
            else:
                painter.drawEllipse(QPointF(x, middle), 4.5, 4.5)
            text = f"{share_text(estimate.low)} – {share_text(estimate.high)}"
            box = QRectF(interval, y, theme.dp(self._INTERVAL), row)
            draw_text(painter, box, text, theme.font(12), tokens.text2, _RIGHT)
        box = QRectF(number, y, theme.dp(self._ACCURACY), row)
        text = share_text(estimate.value)
        draw_text(painter, box, text, theme.font(13, 600), tokens.text1, _RIGHT)
        box = QRectF(images, y, theme.dp(self._IMAGES), row)
        draw_text(painter, box, f"{estimate.n:,}", theme.font(12), tokens.text2, _RIGHT)


class KappaMatrix(Chart):
    """Cohen's kappa of each pair, the reader first."""

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._values: npt.NDArray[np.float64] = np.zeros((0, 0))

    def show_matrix(self, names: Sequence[str], values: npt.NDArray[np.float64]) -> None:
        """Show ``values`` [n, n] under ``names`` [n]."""
        self._names, self._values = names, values
        pairs = [
            f"{names[i]} {names[j]} {_kappa(float(values[i, j]))}"
            for i in range(len(names))
            for j in range(i)
        ]
        self.describe(self.tr("Kappa of each pair"), ", ".join(pairs))

    def sizeHint(self) -> QSize:
        return QSize(400, theme.dp(24 + 38 * max(2, len(self._names))))

    def minimumSizeHint(self) -> QSize:
        return QSize(300, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        count = len(self._names)
        if count:
            title, head, row = theme.dp(72), theme.dp(24), theme.dp(38)
            cell = (self.width() - title) / count
            for i, name in enumerate(self._names):
                box = QRectF(title + i * cell + 2, 0, cell - 4, head)
                draw_text(painter, box, name, theme.font(12), tokens.text2, _CENTRE)
                side = QRectF(0, head + i * row, title, row)
                ink = tokens.text1 if i == 0 else tokens.text2
                draw_text(painter, side, name, theme.font(12, 600 if i == 0 else 400), ink)
                for j in range(count):
                    if i != j:
                        spot = QRectF(title + j * cell + 1, head + i * row + 1, cell - 2, row - 2)
                        _paint_cell(painter, spot, float(self._values[i, j]))


class ConfusionMatrix(Chart):
    """Counts and row shares, with recall at the right and precision below."""

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._slots: Sequence[int] = ()
        self._matrix: npt.NDArray[np.int64] = np.zeros((0, 0), np.int64)

    def show_matrix(
        self, names: Sequence[str], slots: Sequence[int], matrix: npt.NDArray[np.int64]
    ) -> None:
        """Show counts [K, K], rows = the reader, columns = the model."""
        self._names, self._slots, self._matrix = names, slots, matrix
        cells = [
            f"{names[i]} → {names[j]}: {matrix[i, j]}"
            for i in range(len(names))
            for j in range(len(names))
        ]
        self.describe(self.tr("Confusion matrix, rows: you"), ", ".join(cells))

    def sizeHint(self) -> QSize:
        return QSize(640, theme.dp(60 + 40 * max(3, len(self._names))))

    def minimumSizeHint(self) -> QSize:
        # The same height: the page is laid out by one or the other as its texts change.
        return QSize(300, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        count = len(self._names)
        if not count:
            return
        title, head, foot, last = theme.dp(92), theme.dp(26), theme.dp(30), theme.dp(64)
        cell = (self.width() - title - last) / count
        row = (self.height() - head - foot) / count
        totals, columns = self._matrix.sum(axis=1), self._matrix.sum(axis=0)
        for i, name in enumerate(self._names):
            colour = tokens.class_colour(self._slots[i])
            top = QRectF(title + i * cell, 0, cell, head)
            draw_text(painter, top, name, theme.font(12), tokens.text2, _CENTRE)
            fill_round(painter, QRectF(0, head + i * row + row / 2 - 4, 8, 8), 2, colour)
            side = QRectF(16, head + i * row, title - 20, row)
            draw_text(painter, side, name, theme.font(12), tokens.text1)
            for j in range(count):
                share = float(self._matrix[i, j] / totals[i]) if totals[i] else float("nan")
                box = QRectF(title + j * cell + 2, head + i * row + 2, cell - 4, row - 4)
                _paint_count(painter, box, int(self._matrix[i, j]), share)
            recall = float(self._matrix[i, i] / totals[i]) if totals[i] else float("nan")
            end = QRectF(self.width() - last, head + i * row, last, row)
            draw_text(painter, end, _kappa(recall), theme.font(13), tokens.text1, _RIGHT)
            precision = float(self._matrix[i, i] / columns[i]) if columns[i] else float("nan")
            below = QRectF(title + i * cell, self.height() - foot, cell, foot)
            draw_text(painter, below, _kappa(precision), theme.font(13), tokens.text1, _CENTRE)
        box = QRectF(self.width() - last, 0, last, head)
        draw_text(painter, box, self.tr("Recall"), theme.font(12), tokens.text2, _RIGHT)
        box = QRectF(0, self.height() - foot, title, foot)
        draw_text(painter, box, self.tr("Precision"), theme.font(12), tokens.text2)


class CalibrationChart(Chart):
    """Stated probability against how often it was right, with 95 % intervals."""

    def __init__(self) -> None:
        super().__init__()
        self._bins: Sequence[ReliabilityBin] = ()
        self.setMinimumSize(200, 180)

    def show_bins(self, bins: Sequence[ReliabilityBin]) -> None:
        """Show the bins that hold any case."""
        self._bins = [item for item in bins if item.count]
        figures = (f"{item.confidence:.2f}: {item.accuracy:.2f}" for item in self._bins)
        self.describe(self.tr("Calibration"), ", ".join(figures))

    def sizeHint(self) -> QSize:
        return QSize(260, 180)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        margin_left, margin_bottom, room = theme.dp(36), theme.dp(24), theme.dp(8)
        side = min(self.width() - margin_left - 12, self.height() - margin_bottom - 12)
        frame = QRectF(margin_left, 8, side, side)
        # Points at 0 and 1 stay clear of the ends of the lines.
        plot = frame.adjusted(room, room, -room, -room)

        def point_of(x: float, y: float) -> QPointF:
            return QPointF(plot.left() + x * plot.width(), plot.bottom() - y * plot.height())

        painter.setPen(QPen(QColor(tokens.line), 1))
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
            spot = point_of(tick, tick)
            painter.drawLine(QPointF(spot.x(), frame.top()), QPointF(spot.x(), frame.bottom()))
            painter.drawLine(QPointF(frame.left(), spot.y()), QPointF(frame.right(), spot.y()))
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
            spot = point_of(tick, 0)
            below = QRectF(spot.x() - 20, frame.bottom() + 4, 40, 16)
            draw_text(painter, below, f"{tick:g}", theme.font(11), tokens.text2, _CENTRE)
            beside = QRectF(0, point_of(0, tick).y() - 8, margin_left - 8, 16)
            draw_text(painter, beside, f"{tick:g}", theme.font(11), tokens.text2, _RIGHT)
        dashed = QPen(QColor(tokens.text3), 1, Qt.PenStyle.DashLine)
        painter.setPen(dashed)
        painter.drawLine(point_of(0, 0), point_of(1, 1))
        points = [point_of(item.confidence, item.accuracy) for item in self._bins]
        for item, point in zip(self._bins, points, strict=True):
            interval = wilson(round(item.accuracy * item.count), item.count)
            painter.setPen(QPen(QColor(tokens.text3), 1.5))
            painter.drawLine(
                QPointF(point.x(), point_of(0, interval.low).y()),
                QPointF(point.x(), point_of(0, interval.high).y()),
            )
        painter.setPen(QPen(QColor(tokens.accent), 1.5))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.text1))
        for point in points:
            painter.drawEllipse(point, 3.5, 3.5)


def share_axis(lowest: float, highest: float) -> tuple[float, float, float]:
    """Ends and step of an axis for shares from ``lowest`` to ``highest``.

    The ends are whole steps, a quarter of one or more away from the data unless they are 0 or 1.
    """
    span = highest - lowest
    step = 0.05 if span <= 0.2 else 0.1 if span <= 0.45 else 0.25
    low = max(0.0, floor(lowest / step - 0.25) * step)
    high = min(1.0, ceil(highest / step + 0.25) * step)
    return low, high, step


def _fill_cell(painter: QPainter, box: QRectF, value: float) -> None:
    """A cell as strong as its value in [0, 1]; NaN is as weak as 0."""
    tokens = theme.current()
    share = 0.0 if isnan(value) else min(1.0, max(0.0, value))
    ink = mix(tokens.matrix, tokens.panel, 0.04 + 0.26 * share)
    fill_round(painter, box, theme.RADIUS_BAR, ink)


def _paint_cell(painter: QPainter, box: QRectF, value: float) -> None:
    _fill_cell(painter, box, value)
    draw_text(painter, box, _kappa(value), theme.font(12), theme.current().text1, _CENTRE)


def _paint_count(painter: QPainter, box: QRectF, count: int, share: float) -> None:
    tokens = theme.current()
    _fill_cell(painter, box, share)
    line = theme.dp(18)
    upper = QRectF(box.left(), box.center().y() - line, box.width(), line)
    lower = QRectF(box.left(), box.center().y(), box.width(), line)
    draw_text(painter, upper, f"{count:,}", theme.font(14, 600), tokens.text1, _CENTRE)
    text = "–" if isnan(share) else f"{100 * share:.0f} %"
    draw_text(painter, lower, text, theme.font(12), tokens.text1, _CENTRE)


def share_text(value: float) -> str:
    """A share with three digits, a dash where there is none."""
    return "–" if isnan(value) else f"{value:.3f}"


def _kappa(value: float) -> str:
    return "–" if isnan(value) else f"{value:.2f}"
