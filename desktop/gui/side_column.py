"""The right column of the desk: sections with hairlines, of which the last is always in sight."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.gui import theme
from desktop.gui.overlay_scroll import OverlayScroll
from desktop.gui.paint import Restyled, horizontal_line

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
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        *above, last = sections
        for position, section in enumerate(above):
            if position:
                column.addWidget(_Hairline())
            column.addWidget(section)
        column.addStretch(1)
        scroll = _AsHighAsItsContent()
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll)
        layout.addWidget(_Hairline())
        layout.addWidget(last, 1)


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


class _Hairline(Restyled):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        horizontal_line(painter, 0, self.width(), 0, theme.current().line)
        painter.end()
