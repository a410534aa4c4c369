"""What a page or the list says where it has nothing to show, and the way on from there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop.gui.style import theme
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import STRETCH, column, row


class Placeholder(QWidget):
    """A few centred lines and one button.

    Signals:
        chosen(): The button was pressed.
    """

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        self._title = ElidedLabel("", "verdict", align=centre)
        self._lines = [ElidedLabel("", "body", "text2", align=centre) for _ in range(3)]
        self.button = Button("", kind="primary", height=36)
        self.button.clicked.connect(self.chosen)
        button_row = row(STRETCH, self.button, STRETCH)
        parts = (self._title, theme.GAP_XS, *self._lines, theme.GAP_L, button_row)
        column((None, 2), *parts, (None, 3), of=self, spacing=theme.GAP_XS)

    def show_text(self, title: str, lines: Sequence[str], button: str = "") -> None:
        """Show a title, up to three lines, and a button where there is a next step."""
        self._title.set_text(title)
        for position, line in enumerate(self._lines):
            line.set_text(lines[position] if position < len(lines) else "")
            line.setVisible(position < len(lines))
        self.button.setText(button)
        self.button.setVisible(bool(button))


class ListPlaceholder(QWidget):
    """Lies over the empty rows: why there is none, and a link that shows all images.

    Signals:
        all_asked(): Show all images.
    """

    all_asked = Signal()

    def __init__(self, rows: QWidget) -> None:
        super().__init__(rows)
        self._text = WrappedLabel("", "secondary", "text2")
        self._all = Button(self.tr("Show all images"), kind="link")
        self._all.clicked.connect(self.all_asked)
        column(
            self._text,
            (self._all, 0, Qt.AlignmentFlag.AlignLeft),
            STRETCH,
            of=self,
            margins=(theme.GAP_M, theme.GAP_L, theme.GAP_M, 0),
            spacing=theme.GAP_S,
        )
        self.hide()

    @property
    def text(self) -> str:
        """Why nothing is listed, empty while something is."""
        return self._text.text() if self.isVisibleTo(self.parentWidget()) else ""

    def show_text(self, text: str, *, filtered: bool) -> None:
        """Show a sentence, empty for none; ``filtered``: there are images, but not in this list."""
        self._text.setText(text)
        self._all.setVisible(filtered)
        self.setVisible(bool(text))
        if text:
            self.place()

    def place(self) -> None:
        """Lie at the top of the rows; called when their size changes."""
        room = self.parentWidget().size()
        self.setGeometry(0, 0, room.width(), min(room.height(), theme.dp(160)))
