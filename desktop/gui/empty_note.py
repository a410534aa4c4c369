"""What a page says where it has nothing to show yet: what will be here, and how to get there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.gui import theme
from desktop.gui.flat_button import FlatButton
from desktop.gui.labels import Line


class EmptyNote(QWidget):
    """A few centred lines and one button.

    Signals:
        chosen(): The button was pressed.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        centre = Qt.AlignmentFlag.AlignHCenter
        self._title = Line("", "verdict", align=centre)
        self._lines = [Line("", "body", "text2", align=centre) for _ in range(3)]
        self.button = FlatButton("", kind="primary", height=36)
        self.button.clicked.connect(self.chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_XS)
        column.addStretch(2)
        column.addWidget(self._title)
        column.addSpacing(theme.GAP_XS)
        for line in self._lines:
            column.addWidget(line)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.button)
        row.addStretch(1)
        column.addSpacing(theme.GAP_L)
        column.addLayout(row)
        column.addStretch(3)

    def show_words(self, title: str, lines: Sequence[str], button: str = "") -> None:
        """Show a title, up to three lines, and a button where there is a next step."""
        self._title.set_text(title)
        for position, line in enumerate(self._lines):
            line.set_text(lines[position] if position < len(lines) else "")
            line.setVisible(position < len(lines))
        self.button.set_words(button)
        self.button.setVisible(bool(button))
