"""Fields that show the key that leads into them: search, and a one-line comment."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit

from desktop.gui.style import icons, theme
from desktop.gui.style.paint import draw_key_cap, key_cap_width

_TYPING_MS = 150


class SearchField(QLineEdit):
    """Text or a query such as ``resnet50:covid agreement<4``.

    Signals:
        query_entered(str): The text after the reader stopped typing for a moment, or pressed Enter.
        left(): Escape or Enter: the keyboard goes back to the image.
    """

    query_entered = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._cap = "/"
        self._reported = ""
        self.setAccessibleName(self.tr("Search"))
        self.setToolTip(
            self.tr(
                "Name, label or comment; or a query:\n"
                "is:flagged, -is:failed, consensus:covid, only:resnet50,\n"
                "agreement<4, entropy>0.8, p.covid>0.5, a OR b"
            )
        )
        self._timer = QTimer(self, singleShot=True, interval=_TYPING_MS, timeout=self._report)
        self.textEdited.connect(lambda _text: self._timer.start())
        theme.notifier().theme_changed.connect(self._on_theme_changed)
        self._on_theme_changed(theme.current())

    def set_cap(self, cap: str) -> None:
        self._cap = cap
        self.update()

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
        tokens, painter = theme.current(), QPainter(self)
        size = theme.dp(16)
        icons.paint_icon(
            painter,
            "search",
            QRectF(theme.dp(10), (self.height() - size) / 2, size, size),
            tokens.text2,
        )
        if self._cap and not self.text() and not self.hasFocus():
            side = theme.dp(18)
            box = QRectF(self.width() - side - theme.dp(8), (self.height() - side) / 2, side, side)
            draw_key_cap(painter, box, self._cap)

    def _report(self) -> None:
        self._timer.stop()
        if self.text() != self._reported:
            self._reported = self.text()
            self.query_entered.emit(self.text())

    def _on_theme_changed(self, _tokens: theme.Tokens) -> None:
        self.setFont(theme.font(13))
        self.setFixedHeight(theme.dp(32))
        self.setTextMargins(theme.dp(26), 0, theme.dp(4), 0)


class CommentField(QLineEdit):
    """A comment. Line breaks of a longer comment are shown as spaces and kept until it is changed.

    Signals:
        finished(str): The comment was changed and is complete: Enter, or focus left.
        left(): Enter or Escape was pressed: the keyboard may go back to the image.
    """

    finished = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
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
        """Emit a comment that was changed, once."""
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
