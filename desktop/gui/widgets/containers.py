"""Scroll areas whose bar lies over the content, cards, lines of facts, columns of sections."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QFrame,
    QScrollArea,
    QScrollBar,
    QSizePolicy,
    QWidget,
)

from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, horizontal_line
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.layout import STRETCH, Item, add_items, column, row


class OverlayBar(QScrollBar):
    """A vertical bar over the right edge of an area; the area's own bar stays hidden.

    Nothing moves and no gap opens when it comes.
    """

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(Qt.Orientation.Vertical, area)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Scroll"))
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        own = area.verticalScrollBar()
        own.rangeChanged.connect(self._follow_range)
        own.valueChanged.connect(self.setValue)
        self.valueChanged.connect(own.setValue)
        self._own = own
        self._follow_range(own.minimum(), own.maximum())

    def place(self, area: QWidget) -> None:
        """Lie along the right edge; called by the area when its size changes."""
        width = self.sizeHint().width()
        self.setGeometry(area.width() - width, 0, width, area.height())

    def _follow_range(self, low: int, high: int) -> None:
        self.setRange(low, high)
        self.setPageStep(self._own.pageStep())
        self.setSingleStep(self._own.singleStep())
        self.setValue(self._own.value())
        self.setVisible(high > low)


class OverlayScroll(QScrollArea):
    """The area for panels and pages; scrolls up and down only."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.bar = OverlayBar(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.bar.place(self)


class Card(QFrame):
    """A bordered box; its heading shows a title and, at the right, a remark."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.setProperty("card", True)
        self._column = column(of=self, margins=(16, 12, 16, 16), spacing=8)
        self.title = ElidedLabel(title, "secondary", "text2")
        self.remark = ElidedLabel("", "secondary", "text3", align=Qt.AlignmentFlag.AlignRight)
        self._head = row((self.title, 1), self.remark)
        if title:
            self._column.addLayout(self._head)

    def add(self, *items: Item) -> None:
        """Put items below what is there."""
        add_items(self._column, items)

    def add_to_head(self, widgets: Sequence[QWidget]) -> None:
        """Put controls at the right end of the heading; its words stay where other cards' are."""
        self._column.setContentsMargins(16, 6, 16, 16)
        self._head.addStrut(max(widget.sizeHint().height() for widget in widgets))
        for widget in widgets:
            self._head.addWidget(widget)


class FactLines(QWidget):
    """Names at the left, values at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._column = column(of=self, spacing=8)
        self._values: dict[str, ElidedLabel] = {}

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Show (name, value) pairs; lines appear once and then only change."""
        for name, value in facts:
            if name not in self._values:
                title = ElidedLabel(name, "secondary", "text2")
                title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
                line = ElidedLabel("", "secondary", "text1", align=Qt.AlignmentFlag.AlignRight)
                self._column.addLayout(row(title, (line, 1), spacing=16))
                self._values[name] = line
            self._values[name].set_text(value)
            self._values[name].setAccessibleName(f"{name}: {value}")


_LOWEST_SCROLL = 96


class SideColumn(QFrame):
    """A column of sections with hairlines between them.

    The last section, the decision, is always on the screen; where the window is low, what stands
    above it scrolls.
    """

    def __init__(self, sections: list[QWidget]) -> None:
        super().__init__()
        self.setProperty("panel", True)
        inner = QFrame()
        inner.setProperty("panel", True)
        first, *others, last = sections
        below = [part for section in others for part in (Hairline(), section)]
        column(first, *below, STRETCH, of=inner, spacing=0)
        scroll = _AsHighAsItsContent()
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column(scroll, Hairline(), (last, 1), of=self, spacing=0)


class _AsHighAsItsContent(OverlayScroll):
    """Asks for the height of what it holds, and lives with less."""

    def sizeHint(self) -> QSize:
        inner = self.widget()
        if inner is None:
            return super().sizeHint()
        layout = inner.layout()
        height = inner.sizeHint().height()
        if layout is not None and layout.hasHeightForWidth():
            height = layout.heightForWidth(max(1, self.width()))
        return QSize(inner.sizeHint().width(), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, theme.dp(_LOWEST_SCROLL))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


class Hairline(Restyled):
    """A separator from edge to edge."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        horizontal_line(QPainter(self), 0, self.width(), 0, theme.current().line)
