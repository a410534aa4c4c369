"""The 36 px decision button: key cap or icon, text, and a mark when it is the reader's choice."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from desktop.gui.style import theme
from desktop.gui.style.icons import paint_icon
from desktop.gui.style.paint import (
    KeyboardFocus,
    draw_key_cap,
    draw_text,
    fill_round,
    focus_ring,
    key_cap_width,
    stroke_round,
    text_width,
)
from desktop.gui.style.tokens import mix
from desktop.gui.widgets.button import PaintedButton

_HEIGHT = 36
_RING = 3
_ICON = 16
_TICK = 14


class DecisionButton(KeyboardFocus, PaintedButton):
    """A decision. With a class slot the key cap comes first, in the class colour; with an icon the
    cap stands at the end, in grey. Checked = this is what the reader chose: accent edge and tick.
    """

    def __init__(
        self,
        text: str,
        *,
        slot: int | None = None,
        icon: str = "",
        checked_icon: str = "",
        short: str = "",
    ) -> None:
        """Build a button.

        Args:
            text: What it does.
            slot: Class colour, None for none.
            icon: Icon name where there is no slot. checked_icon: the same while checked.
            short: Text for a narrow button.
        """
        super().__init__(text)
        self._short = short or text
        self._slot, self._icon, self._checked_icon = slot, icon, checked_icon or icon
        self._key = ""
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggled.connect(lambda _on: self._describe())
        self._describe()

    @property
    def key(self) -> str:
        return self._key

    def set_key(self, key: str) -> None:
        """Another key, empty = none."""
        if key != self._key:
            self._key = key
            self._describe()
            self.updateGeometry()
            self.update()

    def nextCheckState(self) -> None:
        """A press is a wish: the state follows what the controller then shows."""

    def sizeHint(self) -> QSize:
        lead = self._lead_width()
        tail = 0.0 if self._slot is not None or not self._key else self._cap_width() + theme.GAP_S
        width = 8 + lead + 8 + text_width(theme.font(13, 500), self.text()) + tail + 12
        return QSize(round(width) + 2 * _RING, theme.dp(_HEIGHT) + 2 * _RING)

    def minimumSizeHint(self) -> QSize:
        width = 8 + self._lead_width() + 8 + text_width(theme.font(13, 500), self._short) + 8
        return QSize(round(width) + 2 * _RING, theme.dp(_HEIGHT) + 2 * _RING)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        box = self._box()
        fill, edge = self._surface()
        fill_round(painter, box, theme.RADIUS_CONTROL, fill)
        stroke_round(painter, box, theme.RADIUS_CONTROL, edge)
        left, right = self._text_span(box)
        if self._slot is not None:
            if self._key:
                cap = self._cap_rect(box.left() + 8, box)
                tint = tokens.class_tint(self._slot)
                draw_key_cap(painter, cap, self._key, tokens.class_colour(self._slot), tint)
            else:
                self._paint_dot(painter, box.left() + 8, box)
            side = theme.dp(_TICK)
            if self.isChecked() and right + side < box.right() - 9:
                tick = QRectF(right + 2, box.center().y() - side / 2, side, side)
                paint_icon(painter, "check", tick, tokens.accent)
        else:
            side = theme.dp(_ICON)
            icon = QRectF(box.left() + 9, box.center().y() - side / 2, side, side)
            name = self._checked_icon if self.isChecked() else self._icon
            paint_icon(painter, name, icon, tokens.accent if self.isChecked() else tokens.text1)
            if self._key:
                cap = self._cap_rect(box.right() - 8 - self._cap_width(), box)
                draw_key_cap(painter, cap, self._key)
        text_box = QRectF(left, box.top(), right - left, box.height())
        draw_text(painter, text_box, self._fitting(right - left), theme.font(13, 500), tokens.text1)
        if self.shows_focus():
            focus_ring(painter, box, theme.RADIUS_CONTROL)

    def shown_text(self) -> str:
        """The text as painted at this width."""
        left, right = self._text_span(self._box())
        metrics = QFontMetricsF(theme.font(13, 500))
        text = self._fitting(right - left)
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, right - left)

    def _box(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_RING, _RING, -_RING, -_RING)

    def _fitting(self, room: float) -> str:
        font = theme.font(13, 500)
        return self.text() if text_width(font, self.text()) <= room else self._short

    def _text_span(self, box: QRectF) -> tuple[float, float]:
        """Left and right end of the room for the text."""
        left, right = box.left() + 8 + self._lead_width() + 8, box.right() - 10
        if self._slot is None:
            tail = self._cap_width() + 4 if self._key else 0
            return left + 1, right - tail
        if self.isChecked() and self._has_room_for_tick(right - left):
            return left, right - theme.dp(_TICK) - 2
        return left, right

    def _has_room_for_tick(self, room: float) -> bool:
        """In a narrow button the accent edge alone tells the choice, rather than cut text."""
        width = text_width(theme.font(13, 500), self._short)
        return width <= room - theme.dp(_TICK) - 2

    def _surface(self) -> tuple[str, str]:
        """Fill and edge."""
        tokens = theme.current()
        if self.isChecked():
            return mix(tokens.accent, tokens.control, 0.14), tokens.accent
        if self.isDown():
            return tokens.control_pressed, tokens.border
        if self.underMouse() and self.isEnabled():
            return tokens.control_hover, tokens.border
        return tokens.control, tokens.border

    def _paint_dot(self, painter: QPainter, left: float, box: QRectF) -> None:
        tokens = theme.current()
        assert self._slot is not None
        side = theme.dp(18)
        dot = QRectF(left, box.center().y() - side / 2, side, side)
        fill_round(painter, dot, theme.RADIUS_KEY, tokens.class_tint(self._slot))
        stroke_round(painter, dot, theme.RADIUS_KEY, tokens.class_colour(self._slot))

    def _cap_width(self) -> float:
        return key_cap_width(self._key, theme.font(11, 500))

    def _cap_rect(self, left: float, box: QRectF) -> QRectF:
        height = theme.dp(18)
        return QRectF(left, box.center().y() - height / 2, self._cap_width(), height)

    def _lead_width(self) -> float:
        if self._slot is None:
            return theme.dp(_ICON)
        return self._cap_width() if self._key else theme.dp(18)

    def _describe(self) -> None:
        parts = []
        if self.isChecked():
            parts.append(self.tr("Your choice"))
        if self._key:
            parts.append(self.tr("Key {key}").format(key=self._key))
        self.setAccessibleDescription(", ".join(parts))
        self.setToolTip(f"{self.text()} ({self._key})" if self._key else self.text())
