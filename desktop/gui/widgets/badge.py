"""Quiet badges: grey, icon and two or three words; one sentence on hover or Enter."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QToolTip, QWidget

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

_HEIGHT = 24
_ICON = 14
_ICON_GAP = 5
_PADDING = 8
_RING = 3
# Badges bring their own room for the ring.
_GAP = theme.GAP_S - 2 * _RING
SHOWN_AT_MOST = 2


def badge_width(facts: BadgeSpec) -> int:
    """Width of a badge with the room for its focus ring."""
    icon = theme.dp(_ICON) + _ICON_GAP if facts.icon else 0
    return ceil(text_width(theme.font(12), facts.words) + icon) + 2 * _PADDING + 2 * _RING


class Badge(KeyboardFocus, QAbstractButton):
    """One badge, 24 px; hover, click, Enter or Space opens its sentence.

    Signals:
        opened(str): The sentence of this badge was opened, with its key.
    """

    opened = Signal(str)

    def __init__(self, facts: BadgeSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = facts
        self.fade = FadeIn(self)
        self.setText(facts.words)
        self.setAccessibleName(facts.words)
        self.setAccessibleDescription(facts.sentence)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.WhatsThisCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)
        theme.notifier().theme_changed.connect(self._on_theme_changed)

    @property
    def facts(self) -> BadgeSpec:
        """What it says."""
        return self._facts

    def sizeHint(self) -> QSize:
        return QSize(badge_width(self._facts), theme.dp(_HEIGHT) + 2 * _RING)

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
        if self._facts.icon:
            side = theme.dp(_ICON)
            icon = QRectF(x, 0, side, side)
            icon.moveCenter(QPointF(icon.center().x(), box.center().y()))
            paint_icon(painter, self._facts.icon, icon, tokens.text2)
            x += side + _ICON_GAP
        words = QRectF(x, box.top(), box.right() - _PADDING + 1 - x, box.height())
        draw_text(painter, words, self._facts.words, theme.font(12), tokens.text1)
        if self.shows_focus():
            focus_ring(painter, box, theme.RADIUS_KEY)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._open()
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()
        self.update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._open()
        elif event.key() == Qt.Key.Key_Escape and QToolTip.isVisible():
            QToolTip.hideText()
        else:
            super().keyPressEvent(event)

    def _open(self) -> None:
        below = self.mapToGlobal(QPoint(_RING, self.height()))
        # Rich text, so that Qt wraps a long sentence.
        QToolTip.showText(below, f"<p>{_escaped(self._facts.sentence)}</p>", self)
        self.opened.emit(self._facts.key)

    def _on_theme_changed(self, _tokens: object) -> None:
        self.updateGeometry()
        self.update()


class BadgeRow(QWidget):
    """At most two badges in a row, fewer where they do not fit, the others behind "+1".

    Signals:
        opened(str): As in ``Badge``; ``more`` for the "+1".
    """

    opened = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: tuple[BadgeSpec, ...] = ()
        self._shown: tuple[BadgeSpec, ...] = ()
        self._badges: list[Badge] = []
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(_GAP)
        self._layout.addStretch(1)
        self.setMinimumWidth(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setVisible(False)

    @property
    def badges(self) -> tuple[Badge, ...]:
        """The badges on show, the "+1" last."""
        return tuple(self._badges)

    def set_badges(self, badges: Sequence[BadgeSpec]) -> None:
        """Show these, most important first."""
        self._facts = tuple(badges)
        self.setVisible(bool(self._facts))
        self._fill()

    def sizeHint(self) -> QSize:
        return QSize(200, theme.dp(_HEIGHT) + 2 * _RING)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._fill()

    def _fill(self) -> None:
        shown = fitting(self._facts, self.width())
        if shown == self._shown:
            return
        before = {fact.key for fact in self._shown}
        self._shown = shown
        for badge in self._badges:
            self._layout.removeWidget(badge)
            badge.hide()
            badge.deleteLater()
        self._badges = [Badge(fact, self) for fact in shown]
        for index, badge in enumerate(self._badges):
            self._layout.insertWidget(index, badge)
            badge.opened.connect(self.opened)
            badge.show()
            # Only what is new comes up: a badge that stays from film to film stands still.
            if badge.facts.key not in before and self.isVisible():
                badge.fade.start()


def fitting(facts: tuple[BadgeSpec, ...], room: int) -> tuple[BadgeSpec, ...]:
    """The badges that are drawn in ``room`` px: at least one, at most two, the rest as "+n"."""
    for count in range(min(SHOWN_AT_MOST, len(facts)), 0, -1):
        shown = facts[:count]
        rest = facts[count:]
        if rest:
            sentences = "\n".join(f"{fact.words}. {fact.sentence}" for fact in rest)
            shown = (*shown, BadgeSpec("more", "", f"+{len(rest)}", sentences))
        taken = sum(badge_width(fact) for fact in shown) + _GAP * (len(shown) - 1)
        if taken <= room or count == 1:
            return shown
    return ()


def _escaped(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("\n", "<br>")
