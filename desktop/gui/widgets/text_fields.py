"""Fields that show the key that leads into them: search, and a one-line comment."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit

from desktop.gui.style import icons, theme
from desktop.gui.style.paint import draw_key_cap, key_cap_width

_TYPING_MS = 150


class KeyField(QLineEdit):
    """A field with the key that leads into it on a cap at its right end.

    Signals:
        left(): Enter or Escape was pressed: the keyboard may go back to the image.
    """

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._key = ""
        theme.notifier().theme_changed.connect(self._restyle)
        self._restyle()

    def set_key(self, key: str) -> None:
        """Key on the cap, empty = none."""
        self._key = key
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._shows_key():
            width, height = key_cap_width(self._key, theme.font(11, 500)), theme.dp(18)
            top = (self.height() - height) / 2
            cap = QRectF(self.width() - width - 8, top, width, height)
            draw_key_cap(QPainter(self), cap, self._key)

    def _shows_key(self) -> bool:
        return bool(self._key) and not self.hasFocus()

    def _restyle(self, _tokens: object = None) -> None:
        self.setFixedHeight(theme.dp(32))
        self.updateGeometry()
        self.update()


class SearchField(KeyField):
    """Text or a query such as ``resnet50:covid agreement<4``.

    Signals:
        query_entered(str): The text after the reader stopped typing for a moment, or pressed Enter.
    """

    query_entered = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Search"))
        self._reported = ""
        self.setToolTip(
            self.tr(
                "Name, label or comment; or a query:\n"
                "is:flagged, -is:failed, consensus:covid, only:resnet50,\n"
                "agreement<4, entropy>0.8, p.covid>0.5, a OR b"
            )
        )
        self._timer = QTimer(self, singleShot=True, interval=_TYPING_MS, timeout=self._report)
        self.textEdited.connect(lambda _text: self._timer.start())

    def set_query(self, text: str) -> None:
        """Show a query without a signal."""
        self._reported = text
        if text != self.text():
            self.setText(text)

    def set_narrow(self, narrow: bool) -> None:
        """A shorter hint for a narrow list."""
        self.setPlaceholderText(
            self.tr("Search") if narrow else self.tr("Search name, label or comment")
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
                self._report()
            else:
                self.left.emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self._report()
            self.left.emit()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._timer.isActive():
            self._report()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        size = theme.dp(16)
        box = QRectF(theme.dp(10), (self.height() - size) / 2, size, size)
        icons.paint_icon(QPainter(self), "search", box, theme.current().text2)

    def _shows_key(self) -> bool:
        return super()._shows_key() and not self.text()

    def _report(self) -> None:
        self._timer.stop()
        if self.text() != self._reported:
            self._reported = self.text()
            self.query_entered.emit(self.text())

    def _restyle(self, tokens: object = None) -> None:
        super()._restyle(tokens)
        self.setFont(theme.font(13))
        self.setTextMargins(theme.dp(26), 0, theme.dp(4), 0)


class CommentField(KeyField):
    """A comment. Line breaks of a longer comment are shown as spaces and kept until it is changed.

    Signals:
        finished(str): The comment was changed and is complete: Enter, or focus left.
    """

    finished = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Comment"))
        self._stored = ""
        self.setMaxLength(10_000)
        self.setPlaceholderText(self.tr("Comment"))

    def set_comment(self, comment: str) -> None:
        """Show what is stored; what is being typed is replaced."""
        self._stored = comment
        shown = " ".join(comment.splitlines())
        if shown != self.text():
            self.setText(shown)
            self.setCursorPosition(0)
        self.setModified(False)

    def set_key(self, key: str) -> None:
        """Key on the cap; the text leaves room for it."""
        super().set_key(key)
        self._restyle()

    def commit(self) -> None:
        """Emit a comment that was changed, once."""
        if self.isModified():
            self.setModified(False)
            self._stored = self.text().strip()
            self.finished.emit(self._stored)

    def sizeHint(self) -> QSize:
        return QSize(200, theme.dp(32))

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

    def _restyle(self, tokens: object = None) -> None:
        super()._restyle(tokens)
        right = key_cap_width(self._key, theme.font(11, 500)) + 8 if self._key else 0
        self.setTextMargins(0, 0, round(right), 0)
