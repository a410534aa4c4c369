"""One line for a comment, with the key that leads to it; told once, when it is finished."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.gui import theme
from desktop.gui.paint import draw_key_cap, key_cap_width


class CommentField(QLineEdit):
    """A comment. Line breaks of a longer comment are shown as spaces and kept until it is changed.

    Signals:
        finished(str): The comment was changed and is complete: Enter, or focus left.
        left(): Enter or Escape was pressed: the keyboard may go back to the image.
    """

    finished = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = ""
        self._stored = ""
        self.setMaxLength(10_000)
        self.setPlaceholderText(self.tr("Comment"))
        self.setAccessibleName(self.tr("Comment"))
        theme.notifier().theme_changed.connect(self._restyle)
        self._restyle()

    def set_comment(self, comment: str) -> None:
        """Show what is stored; what is being typed is replaced."""
        self._stored = comment
        shown = " ".join(comment.splitlines())
        if shown != self.text():
            self.setText(shown)
            self.setCursorPosition(0)
        self.setModified(False)

    def set_key(self, key: str) -> None:
        """Key on the cap, empty = none."""
        self._key = key
        self._restyle()

    def commit(self) -> None:
        """Tell a comment that was changed, once."""
        if self.isModified():
            self.setModified(False)
            self._stored = self.text().strip()
            self.finished.emit(self._stored)

    def sizeHint(self) -> QSize:
        return QSize(200, theme.dp(32))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._key and not self.hasFocus():
            height = theme.dp(18)
            width = key_cap_width(self._key, theme.font(11, 500))
            top = (self.height() - height) / 2
            cap = QRectF(self.width() - width - 8, top, width, height)
            draw_key_cap(QPainter(self), cap, self._key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.commit()
            self.left.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.set_comment(self._stored)
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.commit()

    def _restyle(self, _tokens: object = None) -> None:
        self.setFixedHeight(theme.dp(32))
        right = key_cap_width(self._key, theme.font(11, 500)) + 8 if self._key else 0
        self.setTextMargins(0, 0, round(right), 0)
        self.updateGeometry()
        self.update()
