"""SegmentedControl switch, 28 px: one of a few, with the accent underline."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip

from desktop.gui.style import theme
from desktop.gui.style.paint import (
    KeyboardFocus,
    Restyled,
    draw_text,
    fill_round,
    focus_ring,
    stroke_round,
    text_width,
    vertical_line,
)

_HEIGHT = 28
_DOT = 8
# Room for the focus ring, which lies outside the control.
RING = 3


class SegmentedControl(KeyboardFocus, Restyled):
    """One choice out of two to six; arrow keys move, each segment may carry a class colour dot.

    Signals:
        chosen(int): The reader took another segment.
    """

    chosen = Signal(int)

    def __init__(self, name: str) -> None:
        """``name`` is what screen readers say first, e.g. "Heatmap class"."""
        super().__init__()
        self._titles: tuple[str, ...] = ()
        self._slots: tuple[int | None, ...] = ()
        self._tips: tuple[str, ...] = ()
        self._index = 0
        self._hovered = -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_segments(
        self, titles: Sequence[str], slots: Sequence[int | None] = (), tips: Sequence[str] = ()
    ) -> None:
        """Set the segments; ``slots`` gives each a class colour dot or None."""
        self._titles = tuple(titles)
        self._slots = tuple(slots) or (None,) * len(self._titles)
        self._tips = tuple(tips)
        self._index = min(self._index, max(0, len(self._titles) - 1))
        self._describe()
        self.updateGeometry()
        self.update()

    @property
    def index(self) -> int:
        return self._index

    @property
    def count(self) -> int:
        return len(self._titles)

    def set_index(self, index: int) -> None:
        """Choose without a signal."""
        if index != self._index and 0 <= index < len(self._titles):
            self._index = index
            self._describe()
            self.update()

    def segment_rect(self, index: int) -> QRectF:
        """Where a segment lies, in widget px."""
        box = self._box()
        left = box.left() + sum(self._widths()[:index])
        return QRectF(left, box.top(), self._widths()[index], box.height())

    def sizeHint(self) -> QSize:
        wanted = sum(self._wanted(index, self._padding()) for index in range(len(self._titles)))
        return QSize(round(wanted) + 2 * RING, theme.dp(_HEIGHT) + 2 * RING)

    def minimumSizeHint(self) -> QSize:
        least = sum(self._wanted(index, 6) for index in range(len(self._titles)))
        return QSize(round(least) + 2 * RING, theme.dp(_HEIGHT) + 2 * RING)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        box, radius = self._box(), theme.RADIUS_CONTROL
        fill_round(painter, box, radius, tokens.panel if tokens.name == "dark" else tokens.control)
        outline = QPainterPath()
        outline.addRoundedRect(box, radius, radius)
        painter.save()
        painter.setClipPath(outline)
        for index in range(len(self._titles)):
            self._paint_fill(painter, index)
        painter.restore()
        for index in range(1, len(self._titles)):
            if index not in (self._index, self._index + 1):
                x = self.segment_rect(index).left()
                vertical_line(painter, x, box.top() + 1, box.bottom() - 1, tokens.border)
        stroke_round(painter, box, radius, tokens.border)
        if self._titles:
            # After the border, or it would cover half of the line.
            high, chosen = theme.dp(2), self.segment_rect(self._index)
            line = QRectF(chosen.left(), box.bottom() - high, chosen.width(), high)
            painter.setClipPath(outline)
            painter.fillRect(line, theme.colour(tokens.accent))
            painter.setClipping(False)
        for index in range(len(self._titles)):
            self._paint_title(painter, index)
        if self.shows_focus():
            focus_ring(painter, box, radius)

    def _paint_fill(self, painter: QPainter, index: int) -> None:
        tokens, rect = theme.current(), self.segment_rect(index)
        if index == self._index:
            painter.fillRect(rect, theme.colour(tokens.accent, 0.14))
        elif index == self._hovered and self.isEnabled():
            painter.fillRect(rect, theme.colour(tokens.raised))

    def _paint_title(self, painter: QPainter, index: int) -> None:
        tokens, rect = theme.current(), self.segment_rect(index)
        chosen = index == self._index
        font = theme.font(12, 500 if chosen else 400)
        colour = tokens.text1 if chosen or index == self._hovered else tokens.text2
        slot = self._slots[index]
        width = min(text_width(font, self._titles[index]), rect.width() - 8)
        content = width + (theme.dp(_DOT + 6) if slot is not None else 0)
        if content > rect.width() - 4:
            width -= content - (rect.width() - 4)
            content = rect.width() - 4
        x = rect.center().x() - content / 2
        if slot is not None:
            dot = QRectF(0, 0, theme.dp(_DOT), theme.dp(_DOT))
            dot.moveCenter(QPointF(x + theme.dp(_DOT) / 2, rect.center().y()))
            fill_round(painter, dot, theme.RADIUS_BAR, tokens.class_colour(slot))
            x += theme.dp(_DOT + 6)
        box = QRectF(x, rect.top(), width + 1, rect.height())
        draw_text(painter, box, self._titles[index], font, colour)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(self._at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hovered = self._at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.setToolTip(self._tips[hovered] if 0 <= hovered < len(self._tips) else "")
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        QToolTip.hideText()
        self.update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Down: 1,
        }.get(Qt.Key(event.key()))
        if step is not None:
            self._focus_seen = True
            self._choose(min(max(0, self._index + step), len(self._titles) - 1))
        elif event.key() == Qt.Key.Key_Home:
            self._choose(0)
        elif event.key() == Qt.Key.Key_End:
            self._choose(len(self._titles) - 1)
        else:
            super().keyPressEvent(event)

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._titles) and index != self._index:
            self.set_index(index)
            self.chosen.emit(index)

    def _at(self, point: QPointF) -> int:
        for index in range(len(self._titles)):
            if self.segment_rect(index).contains(point):
                return index
        return -1

    def _describe(self) -> None:
        if self._titles:
            choice, count = self._titles[self._index], len(self._titles)
            text = self.tr("{choice}, {number} of {count}")
            self.setAccessibleDescription(
                text.format(choice=choice, number=self._index + 1, count=count)
            )

    def _box(self) -> QRectF:
        return QRectF(self.rect()).adjusted(RING, RING, -RING, -RING)

    @staticmethod
    def _padding() -> int:
        return theme.dp(12)

    def _wanted(self, index: int, padding: float) -> float:
        dot = theme.dp(_DOT + 6) if self._slots[index] is not None else 0
        return text_width(theme.font(12, 500), self._titles[index]) + dot + 2 * padding

    def _widths(self) -> list[float]:
        """Equal widths where the words allow it, else each as wide as its words need."""
        count, room = len(self._titles), self._box().width()
        if not count:
            return []
        wanted = [self._wanted(index, 6) for index in range(count)]
        if max(wanted) <= room / count:
            return [room / count] * count
        spare = (room - sum(wanted)) / count
        return [max(8.0, width + spare) for width in wanted]
