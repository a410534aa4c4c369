"""An on-off switch."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent

from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, fill_round, stroke_round, text_width
from desktop.gui.widgets.button import PaintedButton


class Switch(PaintedButton):
    """On or off, with its text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setCheckable(True)
        self.setFixedHeight(theme.dp(28))

    def sizeHint(self) -> QSize:
        width = text_width(theme.font(13, 500), self.text())
        return QSize(int(width) + theme.dp(44), theme.dp(28))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height, width = theme.dp(16), theme.dp(28)
        track = QRectF(3, (self.height() - height) / 2, width, height)
        on = self.isChecked()
        fill_round(painter, track, height / 2, tokens.accent if on else tokens.track)
        knob = height - 6
        x = track.right() - knob - 3 if on else track.left() + 3
        dot = QRectF(x, track.top() + 3, knob, knob)
        fill_round(painter, dot, knob / 2, tokens.on_accent if on else tokens.text2)
        box = QRectF(track.right() + theme.dp(8), 0, self.width(), self.height())
        draw_text(painter, box, self.text(), theme.font(13, 500), tokens.text1, elide=None)
        if self.hasFocus():
            stroke_round(painter, track.adjusted(-3, -3, 3, 3), 11, tokens.accent, 2)
