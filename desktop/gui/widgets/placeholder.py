"""What a page says where it has nothing to show yet: what will be here, and how to get there.

What the list says where it shows no image, and the way out of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.gui.style import theme
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel


class Placeholder(QWidget):
    """A few centred lines and one button.

    Signals:
        chosen(): The button was pressed.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        centre = Qt.AlignmentFlag.AlignHCenter
        self._title = ElidedLabel("", "verdict", align=centre)
        self._lines = [ElidedLabel("", "body", "text2", align=centre) for _ in range(3)]
        self.button = Button("", kind="primary", height=36)
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


class ListPlaceholder(QWidget):
    """Lies over the empty rows: why there is none, and a link that shows all images.

    Signals:
        all_asked(): Show all images.
    """

    all_asked = Signal()

    def __init__(self, rows: QWidget) -> None:
        super().__init__(rows)
        self._words = WrappedLabel("", "secondary", "text2")
        self._all = Button(self.tr("Show all images"), kind="link")
        self._all.clicked.connect(self.all_asked)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP_M, theme.GAP_L, theme.GAP_M, 0)
        column.setSpacing(theme.GAP_S)
        column.addWidget(self._words)
        column.addWidget(self._all, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.hide()

    @property
    def words(self) -> str:
        """Why nothing is listed, empty while something is."""
        return self._words.text() if self.isVisibleTo(self.parentWidget()) else ""

    def say(self, words: str, *, filtered: bool) -> None:
        """Show a sentence, empty for none; ``filtered``: there are images, but not in this list."""
        self._words.setText(words)
        self._all.setVisible(filtered)
        self.setVisible(bool(words))
        if words:
            self.place()

    def place(self) -> None:
        """Lie at the top of the rows; called when their size changes."""
        room = self.parentWidget().size()
        self.setGeometry(0, 0, room.width(), min(room.height(), theme.dp(160)))
