"""Text in the roles of the type scale: one line that elides, or a paragraph that wraps."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy

from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, text_width

Role = Literal["page", "verdict", "name", "body", "figure", "secondary", "small"]
Tone = Literal["text1", "text2", "text3", "accent"]

# Size, line height, weight.
_ROLES: dict[str, tuple[int, int, int]] = {
    "page": (24, 32, 600),
    "verdict": (20, 28, 600),
    "name": (13, 20, 500),
    "body": (13, 20, 400),
    "figure": (13, 20, 600),
    "secondary": (12, 16, 400),
    "small": (11, 14, 500),
}


class ElidedLabel(Restyled):
    """One line of text, elided where it does not fit; the whole text is in the tip then."""

    def __init__(
        self,
        text: str = "",
        role: Role = "body",
        tone: Tone = "text1",
        *,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        super().__init__()
        self._text = ""
        self._role: Role = role
        self._tone: Tone = tone
        self._align = align
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    @property
    def text(self) -> str:
        return self._text

    @property
    def role(self) -> Role:
        """Place in the type scale."""
        return self._role

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    def set_tone(self, tone: Tone) -> None:
        """Show in another tone of grey, or the accent."""
        self._tone = tone
        self.update()

    def sizeHint(self) -> QSize:
        size, height, weight = _ROLES[self._role]
        width = text_width(theme.font(size, weight), self._text)
        return QSize(int(width + 2), theme.dp(height))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), theme.dp(24)), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        size, _, weight = _ROLES[self._role]
        font = theme.font(size, weight)
        cut = text_width(font, self._text) > self.width() + 0.5
        tip = self._text if cut else ""
        if tip != self.toolTip():
            self.setToolTip(tip)
        painter = QPainter(self)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        colour = getattr(theme.current(), self._tone)
        draw_text(painter, QRectF(self.rect()), self._text, font, colour, self._align)


class WrappedLabel(QLabel):
    """Text that wraps; selectable with the mouse where ``selectable``."""

    def __init__(
        self,
        text: str = "",
        role: Role = "secondary",
        tone: Tone = "text2",
        *,
        selectable: bool = False,
    ) -> None:
        super().__init__(text)
        self._role, self._tone = role, tone
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        if selectable:
            self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.notifier().theme_changed.connect(self._restyle)
        self._restyle()

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self._restyle()

    def _restyle(self, _tokens: object = None) -> None:
        size, _, weight = _ROLES[self._role]
        self.setFont(theme.font(size, weight))
        palette = QPalette(self.palette())
        colour = QColor(getattr(theme.current(), self._tone))
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        self.setPalette(palette)
