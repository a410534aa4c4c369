"""Grey badges of an icon and two or three words; one sentence on hover or Enter."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop.gui.presenters.badges import BadgeSpec
from desktop.gui.style import theme
from desktop.gui.style.animation import FadeIn
from desktop.gui.style.icons import paint_icon
from desktop.gui.style.paint import (
    KeyboardFocus,
    draw_text,
    fill_round,
    focus_ring,
    stroke_round,
    text_width,
)
from desktop.gui.widgets.button import PaintedButton
from desktop.gui.widgets.layout import STRETCH, row

_HEIGHT = 24
_ICON = 14
_ICON_GAP = 5
_PADDING = 8
_RING = 3
# Badges bring their own room for the ring.
_GAP = theme.GAP_S - 2 * _RING
SHOWN_AT_MOST = 2


def badge_width(spec: BadgeSpec) -> int:
    """Width of a badge with the room for its focus ring."""
    icon = theme.dp(_ICON) + _ICON_GAP if spec.icon else 0
    return ceil(text_width(theme.font(12), spec.text) + icon) + 2 * _PADDING + 2 * _RING


class Badge(KeyboardFocus, PaintedButton):
    """One badge, 24 px; hover, click, Enter or Space opens its sentence.

    Signals:
        opened(str): The sentence of this badge was opened, with its key.
    """

    opened = Signal(str)

    def __init__(self, spec: BadgeSpec) -> None:
        super().__init__(spec.text)
        self.spec = spec
        self.fade = FadeIn(self)
        self.setAccessibleDescription(spec.sentence)
        self.setCursor(Qt.CursorShape.WhatsThisCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)

    def sizeHint(self) -> QSize:
        return QSize(badge_width(self.spec), theme.dp(_HEIGHT) + 2 * _RING)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setOpacity(self.fade.opacity)
        box = QRectF(self.rect()).adjusted(_RING, _RING, -_RING, -_RING)
        fill_round(painter, box, theme.RADIUS_KEY, tokens.raised)
        edge = tokens.text3 if self.underMouse() else tokens.border
        stroke_round(painter, box, theme.RADIUS_KEY, edge)
        x = box.left() + _PADDING
        if self.spec.icon:
            side = theme.dp(_ICON)
            icon = QRectF(x, 0, side, side)
            icon.moveCenter(QPointF(icon.center().x(), box.center().y()))
            paint_icon(painter, self.spec.icon, icon, tokens.text2)
            x += side + _ICON_GAP
        text_box = QRectF(x, box.top(), box.right() - _PADDING + 1 - x, box.height())
        draw_text(painter, text_box, self.spec.text, theme.font(12), tokens.text1)
        if self.shows_focus():
            focus_ring(painter, box, theme.RADIUS_KEY)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._open()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and QToolTip.isVisible():
            QToolTip.hideText()
        else:
            super().keyPressEvent(event)

    def _open(self) -> None:
        below = self.mapToGlobal(QPoint(_RING, self.height()))
        # Rich text, so that Qt wraps a long sentence.
        sentence = escape(self.spec.sentence, quote=False).replace("\n", "<br>")
        QToolTip.showText(below, f"<p>{sentence}</p>", self)
        self.opened.emit(self.spec.key)


class BadgeRow(QWidget):
    """At most two badges in a row, fewer where they do not fit, the others behind "+1".

    Signals:
        opened(str): As in ``Badge``; ``more`` for the "+1".
    """

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._specs: tuple[BadgeSpec, ...] = ()
        self._shown: tuple[BadgeSpec, ...] = ()
        self._badges: list[Badge] = []
        self._layout = row(STRETCH, of=self, spacing=_GAP)
        self.setMinimumWidth(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setVisible(False)

    @property
    def badges(self) -> tuple[Badge, ...]:
        """The badges on show, the "+1" last."""
        return tuple(self._badges)

    def set_badges(self, badges: Sequence[BadgeSpec]) -> None:
        self._specs = tuple(badges)
        self.setVisible(bool(self._specs))
        self._fill()

    def sizeHint(self) -> QSize:
        return QSize(200, theme.dp(_HEIGHT) + 2 * _RING)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._fill()

    def _fill(self) -> None:
        shown = fitting(self._specs, self.width())
        if shown == self._shown:
            return
        before = {spec.key for spec in self._shown}
        self._shown = shown
        for badge in self._badges:
            self._layout.removeWidget(badge)
            badge.hide()
            badge.deleteLater()
        self._badges = [Badge(spec) for spec in shown]
        for index, badge in enumerate(self._badges):
            self._layout.insertWidget(index, badge)
            badge.opened.connect(self.opened)
            badge.show()
            # Only new badges fade in, not one that stays from film to film.
            if badge.spec.key not in before and self.isVisible():
                badge.fade.start()


def fitting(specs: tuple[BadgeSpec, ...], room: int) -> tuple[BadgeSpec, ...]:
    """The badges that are drawn in ``room`` px: at least one, at most two, the rest as "+n"."""
    for count in range(min(SHOWN_AT_MOST, len(specs)), 0, -1):
        shown, rest = specs[:count], specs[count:]
        if rest:
            sentences = "\n".join(f"{spec.text}. {spec.sentence}" for spec in rest)
            shown = (*shown, BadgeSpec("more", "", f"+{len(rest)}", sentences))
        taken = sum(badge_width(spec) for spec in shown) + _GAP * (len(shown) - 1)
        if taken <= room or count == 1:
            return shown
    return ()
