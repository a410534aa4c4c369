"""Small charts drawn with QPainter, each with its numbers in words for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, fill_round, horizontal_line, text_width
from desktop.gui.style.tokens import mix

_SHORTEST_BAR = 24
_RIGHT = Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True)
class StackedLine:
    """One line of a stacked bar chart.

    Attributes:
        title: e.g. ``SCNN``.
        counts: One a class, then one for none where there is such a column.
        strong: Drawn stronger, for the consensus.
    """

    title: str
    counts: tuple[int | None, ...]
    strong: bool = False


class Chart(Restyled):
    def describe(self, name: str, figures: str) -> None:
        """Say the new figures to screen readers, then draw them."""
        self.setAccessibleName(name)
        self.setAccessibleDescription(figures)
        self.updateGeometry()
        self.update()


class StackedBars(Chart):
    """Votes by class: a bar a model, its numbers beside it."""

    _TITLE, _COLUMN, _ROW, _HEAD = 96, 76, 32, 24

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._slots: Sequence[int] = ()
        self._lines: Sequence[StackedLine] = ()
        self._title = ""

    def show_lines(
        self, title: str, names: Sequence[str], slots: Sequence[int], lines: Sequence[StackedLine]
    ) -> None:
        """Show counts; ``names`` has one more entry than ``slots`` where there is a none column."""
        self._title, self._names, self._slots, self._lines = title, names, slots, lines
        sentences = []
        for line in lines:
            pairs = zip(names, line.counts, strict=False)
            counts = (f"{name} {count}" for name, count in pairs if count is not None)
            sentences.append(f"{line.title}: {', '.join(counts)}")
        self.describe(title, "; ".join(sentences))

    def sizeHint(self) -> QSize:
        return QSize(640, theme.dp(self._HEAD + 16 + self._ROW * max(1, len(self._lines)) + 20))

    def minimumSizeHint(self) -> QSize:
        return QSize(420, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        column, row = theme.dp(self._COLUMN), theme.dp(self._ROW)
        numbers = self.width() - column * len(self._names)
        head = QRectF(0, 0, self.width(), theme.dp(16))
        draw_text(painter, head, self._title, theme.font(12), tokens.text2)
        for index, name in enumerate(self._names):
            box = QRectF(numbers + index * column, 0, column, head.height())
            draw_text(painter, box, name, theme.font(12), tokens.text2, _RIGHT)
            if index < len(self._slots):
                width = min(text_width(theme.font(12), name), column - 14)
                dot = QRectF(box.right() - width - 14, box.center().y() - 4, 8, 8)
                fill_round(painter, dot, 2, tokens.class_colour(self._slots[index]))
        y = float(theme.dp(self._HEAD))
        for line in self._lines:
            if line.strong:
                horizontal_line(painter, 0, self.width(), y + 4, tokens.line)
                y += 16
            self._paint_line(painter, line, y, row, numbers, column)
            y += row

    def _paint_line(
        self, painter: QPainter, line: StackedLine, y: float, row: int, numbers: float, column: int
    ) -> None:
        tokens = theme.current()
        title = QRectF(0, y, theme.dp(self._TITLE), row)
        draw_text(painter, title, line.title, theme.font(13, 500), tokens.text1)
        total = sum(count or 0 for count in line.counts)
        left, end = float(theme.dp(self._TITLE) + 4), numbers - theme.dp(16)
        track = QRectF(left, y + row / 2 - 4, max(0.0, end - left), 8)
        fill_round(painter, track, theme.RADIUS_BAR, tokens.track)
        x = left
        for index, count in enumerate(line.counts):
            if count:
                width = (track.width()) * count / total
                classed = index < len(self._slots)
                colour = tokens.class_colour(self._slots[index]) if classed else tokens.border
                box = QRectF(x, track.top(), max(2.0, width - 2), track.height())
                painter.fillRect(QRectF(x, track.top(), width, track.height()), tokens.panel)
                fill_round(painter, box, theme.RADIUS_BAR, colour)
                x += width
            if count is not None:
                box = QRectF(numbers + index * column, y, column, row)
                font = theme.font(13, 600 if line.strong else 400)
                draw_text(painter, box, f"{count:,}", font, tokens.text1, _RIGHT)


class ShareBars(Chart):
    """Agreement: split, words, bar, count and share."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[tuple[str, str, int, float]] = ()

    def show_lines(self, lines: Sequence[tuple[str, str, int, float]]) -> None:
        """Show (split, words, count, share 0 to 1), strongest agreement first."""
        self._lines = lines
        sentences = (f"{text}: {count}, {share:.1%}" for _, text, count, share in lines)
        self.describe(self.tr("Agreement of the models"), "; ".join(sentences))

    def sizeHint(self) -> QSize:
        return QSize(360, theme.dp(32) * max(1, len(self._lines)))

    def minimumSizeHint(self) -> QSize:
        return QSize(280, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        row, share_w, count_w = theme.dp(32), theme.dp(56), theme.dp(64)
        left = theme.dp(64 + 104)
        end = self.width() - share_w - count_w
        for index, (split, text, count, share) in enumerate(self._lines):
            y = index * row
            split_box = QRectF(0, y, theme.dp(64), row)
            draw_text(painter, split_box, split, theme.font(13, 600), tokens.text1)
            text_box = QRectF(theme.dp(64), y, theme.dp(100), row)
            draw_text(painter, text_box, text, theme.font(12), tokens.text2)
            track = QRectF(left, y + row / 2 - 3, max(0, end - left), 6)
            # A bar of a few pixels would look like dirt; the figures are enough.
            if track.width() >= theme.dp(_SHORTEST_BAR):
                fill_round(painter, track, theme.RADIUS_BAR, tokens.track)
                bar = QRectF(track.left(), track.top(), max(2.0, track.width() * share), 6)
                # Agreement is grey, dissent stands out.
                split_votes = split.count(":") > 1 or not split.endswith(" 0")
                ink = tokens.text1 if split_votes else tokens.text3
                fill_round(painter, bar, theme.RADIUS_BAR, ink)
            count_box = QRectF(end, y, count_w, row)
            draw_text(painter, count_box, f"{count:,}", theme.font(13), tokens.text1, _RIGHT)
            share_box = QRectF(self.width() - share_w, y, share_w, row)
            figure = f"{100 * share:.1f} %"
            draw_text(painter, share_box, figure, theme.font(12), tokens.text2, _RIGHT)


class RateCurve(Restyled):
    """Images a second over time."""

    def __init__(self) -> None:
        super().__init__()
        self._points: list[tuple[datetime, float]] = []
        self._text = ""
        self.setMinimumHeight(120)
        self.setAccessibleName(self.tr("Images per second"))

    def show_points(self, points: Sequence[tuple[datetime, float]]) -> None:
        """Show (time, images a second), oldest first."""
        self._points = list(points)
        self._describe()

    def set_text(self, text: str) -> None:
        """Why there is no curve, as long as there is none."""
        if text != self._text:
            self._text = text
            self._describe()

    def _describe(self) -> None:
        text = self._text
        if len(self._points) > 1:
            text = self.tr("now {rate} images/s").format(rate=round(self._points[-1][1], 1))
        self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, theme.dp(132))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bottom = self.height() - theme.dp(22)
        horizontal_line(painter, 0, self.width(), bottom, tokens.border)
        font = theme.font(12)
        if len(self._points) < 2:
            room = QRectF(0, 0, self.width(), bottom)
            draw_text(painter, room, self._text, font, tokens.text3)
            return
        rates = _smoothed([rate for _, rate in self._points])
        top = max(1.0, max(rates)) * 1.15
        mean = sum(rates) / len(rates)
        level = bottom - bottom * mean / top
        horizontal_line(painter, 0, self.width(), level, tokens.line)
        step = self.width() / max(1, len(rates) - 1)
        line = QPolygonF(
            [QPointF(i * step, bottom - bottom * rate / top) for i, rate in enumerate(rates)]
        )
        painter.setPen(QPen(QColor(tokens.accent), 1.5))
        painter.drawPolyline(line)
        below = QRectF(0, bottom + 2, self.width(), theme.dp(20))
        first, last = self._points[0][0], self._points[-1][0]
        draw_text(painter, below, f"{first:%H:%M:%S}", font, tokens.text2)
        draw_text(painter, below, f"{last:%H:%M:%S}", font, tokens.text2, _RIGHT)
        # Beside the curve it would be crossed out sooner or later.
        text = self.tr("mean {rate}").format(rate=f"{mean:.1f}")
        draw_text(painter, below, text, font, tokens.text3, Qt.AlignmentFlag.AlignHCenter)


def _smoothed(rates: Sequence[float], span: int = 5) -> list[float]:
    """Mean over the last few seconds: micro-batches make single seconds jump."""
    return [
        sum(rates[max(0, index - span + 1) : index + 1]) / min(span, index + 1)
        for index in range(len(rates))
    ]


_GAP = 2
_CELL_HEIGHT = 28
# The strongest fill; text 1 keeps at least 4.5 on it.
_STRONGEST = 0.30


class MatrixChart(Chart):
    """Figures in [0, 1] (or shares of the largest), rows and columns named.

    Screen readers get every row as a sentence in the accessible description.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._rows: tuple[str, ...] = ()
        self._columns: tuple[str, ...] = ()
        self._cells: tuple[tuple[str, ...], ...] = ()
        self._fills: tuple[tuple[float, ...], ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_matrix(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        cells: Sequence[Sequence[str]],
        fills: Sequence[Sequence[float]],
    ) -> None:
        """Show figures.

        Args:
            rows: Name of each row. columns: of each column, short.
            cells: Text of each cell, empty = nothing is drawn.
            fills: Strength of each fill, 0 to 1.
        """
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._cells = tuple(tuple(line) for line in cells)
        self._fills = tuple(tuple(line) for line in fills)
        sentences = []
        for row, line in zip(self._rows, self._cells, strict=True):
            figures = ", ".join(
                f"{column} {text}" for column, text in zip(self._columns, line, strict=True) if text
            )
            sentences.append(f"{row}: {figures}.")
        self.describe(self.accessibleName(), " ".join(sentences))

    def sizeHint(self) -> QSize:
        height = theme.dp(20) + len(self._rows) * (theme.dp(_CELL_HEIGHT) + _GAP)
        return QSize(260, height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        if not self._rows:
            return
        font, figures = theme.font(12), theme.font(12, 500)
        names = max(text_width(font, row) for row in self._rows) + theme.GAP_M
        names = min(names, self.width() * 0.4)
        step = (self.width() - names + _GAP) / len(self._columns)
        centre = Qt.AlignmentFlag.AlignHCenter
        head, height = theme.dp(20), theme.dp(_CELL_HEIGHT)
        for index, column in enumerate(self._columns):
            box = QRectF(names + index * step, 0, step - _GAP, head)
            draw_text(painter, box, column, font, tokens.text2, centre)
        for line, row in enumerate(self._rows):
            top = head + line * (height + _GAP)
            name_box = QRectF(0, top, names - theme.GAP_XS, height)
            draw_text(painter, name_box, row, font, tokens.text1)
            for index, text in enumerate(self._cells[line]):
                if not text:
                    continue
                box = QRectF(names + index * step, top, step - _GAP, height)
                share = 0.04 + (_STRONGEST - 0.04) * min(1.0, max(0.0, self._fills[line][index]))
                fill_round(painter, box, theme.RADIUS_BAR, mix(tokens.matrix, tokens.panel, share))
                draw_text(painter, box, text, figures, tokens.text1, centre)
