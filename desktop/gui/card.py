"""A card: a bordered box on a page, with an optional heading line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.gui.labels import Line


class Card(QFrame):
    """Content goes into ``column``; the heading shows a title and, at its right, a remark."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 12, 16, 16)
        self.column.setSpacing(8)
        self.title = Line(title, "secondary", "text2")
        self.remark = Line("", "secondary", "text3", align=Qt.AlignmentFlag.AlignRight)
        self._head = QHBoxLayout()
        self._head.addWidget(self.title, 1)
        self._head.addWidget(self.remark)
        if title:
            self.column.addLayout(self._head)

    def add_to_head(self, widgets: Sequence[QWidget]) -> None:
        """Put controls at the right end of the heading; its words stay where other cards' are."""
        self.column.setContentsMargins(16, 6, 16, 16)
        self._head.addStrut(max(widget.sizeHint().height() for widget in widgets))
        for widget in widgets:
            self._head.addWidget(widget)


class FactLines(QWidget):
    """Names at the left, values at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._values: dict[str, Line] = {}

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Show (name, value) pairs; lines appear once and then only change."""
        for name, value in facts:
            if name not in self._values:
                row = QHBoxLayout()
                row.setSpacing(16)
                title = Line(name, "secondary", "text2")
                title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
                row.addWidget(title)
                line = Line("", "secondary", "text1", align=Qt.AlignmentFlag.AlignRight)
                row.addWidget(line, 1)
                self._column.addLayout(row)
                self._values[name] = line
            self._values[name].set_text(value)
            self._values[name].setAccessibleName(f"{name}: {value}")
