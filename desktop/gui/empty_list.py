"""What the list says where it shows no image, and the way out of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.gui import theme
from desktop.gui.flat_button import FlatButton
from desktop.gui.labels import Paragraph


class EmptyList(QWidget):
    """Lies over the empty rows: why there is none, and a link that shows all images.

    Signals:
        all_asked(): Show all images.
    """

    all_asked = Signal()

    def __init__(self, rows: QWidget) -> None:
        super().__init__(rows)
        self._words = Paragraph("", "secondary", "text2")
        self._all = FlatButton(self.tr("Show all images"), kind="link")
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
