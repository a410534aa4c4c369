"""Buttons painted from the theme's tokens; the one of bars and pages: icon, text, key cap."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.gui.style import icons, theme

Kind = Literal["plain", "page", "tool", "boxed", "primary", "link"]
_ICON = 16


class PaintedButton(QAbstractButton):
    """Base of painted buttons: repainted under the mouse and by a new theme, pressed by Return."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.notifier().theme_changed.connect(self._on_theme_changed)

    def setText(self, text: str) -> None:
        """Show another text; screen readers say it too."""
        super().setText(text)
        self.setAccessibleName(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self, _tokens: theme.Tokens) -> None:
        self.updateGeometry()
        self.update()


class Button(PaintedButton):
    """A button that may follow a QAction, so that menu entry, key and button are one command.

    Kinds: ``plain`` text that lights up under the mouse; ``page`` filled while checked; ``tool``
    filled with an accent underline while checked; ``boxed`` with a border; ``primary`` in the
    accent, one a screen; ``link`` in the accent without a box.
    """

    def __init__(
        self,
        text: str = "",
        icon: str = "",
        *,
        kind: Kind = "plain",
        height: int = 28,
        parent: QWidget | None = None,
    ) -> None:
        """Build a button.

        Args:
            text: May be empty where the icon speaks; then give a tool tip.
            icon: Icon name, empty for none.
            kind: Look, see the class.
            height: Height in px at 100 % text.
        """
        super().__init__(text, parent)
        self._icon_name = icon
        self._kind = kind
        self._cap = ""
        self._height = height
        self._action: QAction | None = None
        self._text_hidden = False
        self._elides = False
        self._menu_arrow = False
        self._arrow_icon = "chevron-down"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def follow(self, action: QAction, text: str | None = None, *, tip: str = "") -> None:
        """Be the button of ``action``: trigger it and mirror its state.

        Args:
            text: Instead of the action's own; empty string for an icon alone.
            tip: Tool tip, the action's text if empty.
        """
        self._action = action
        name = action.text().replace("&", "").removesuffix("…")
        if text is not None:
            self.setText(text)
        self.setAccessibleName(name)
        self.setToolTip(tip or name)
        self.setCheckable(action.isCheckable())
        self.clicked.connect(lambda: action.trigger())
        action.changed.connect(self._mirror)
        self._mirror()

    def set_text_hidden(self, hidden: bool) -> None:
        """Leave only the icon, for narrow windows; tip and screen reader keep the text."""
        if hidden != self._text_hidden:
            self._text_hidden = hidden
            self.updateGeometry()
            self.update()

    def set_elides(self) -> None:
        """Give way where there is no room: the text is cut, icon and key cap stay."""
        self._elides = True
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_cap(self, cap: str) -> None:
        if cap != self._cap:
            self._cap = cap
            self.updateGeometry()
            self.update()

    def set_icon_name(self, name: str) -> None:
        if name != self._icon_name:
            self._icon_name = name
            self.update()

    def set_menu_arrow(self, shown: bool, icon: str = "chevron-down") -> None:
        """Show a small arrow after the text: a menu opens, or (another ``icon``) it leads on."""
        self._arrow_icon = icon
        self._menu_arrow = shown
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        width = 2 * self._padding() + self._content_width()
        height = theme.dp(self._height)
        return QSize(max(width, height), height)

    def minimumSizeHint(self) -> QSize:
        least = self.sizeHint()
        if self._elides:
            least.setWidth(min(least.width(), least.width() - self._text_width() + theme.dp(24)))
        return least

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        fill = self._fill(tokens)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._kind == "boxed":
            painter.setPen(QPen(theme.colour(tokens.border), 1))
        if fill:
            painter.setBrush(theme.colour(fill))
        if fill or self._kind == "boxed":
            painter.drawRoundedRect(box, theme.RADIUS_CONTROL, theme.RADIUS_CONTROL)
        if self._kind == "tool" and self.isChecked():
            painter.setBrush(theme.colour(tokens.accent))
            painter.drawRoundedRect(QRectF(2, self.height() - 2, self.width() - 4, 2), 1, 1)
        self._paint_content(painter, tokens)
        if self.hasFocus():
            painter.setOpacity(1)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.colour(tokens.accent), 2))
            ring = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(ring, theme.RADIUS_CONTROL, theme.RADIUS_CONTROL)
            if self._kind == "primary":
                painter.setPen(QPen(theme.colour(tokens.bg), 1))
                painter.drawRoundedRect(
                    ring.adjusted(1.5, 1.5, -1.5, -1.5), theme.RADIUS_KEY, theme.RADIUS_KEY
                )

    def _fill(self, tokens: theme.Tokens) -> str:
        hover = self.underMouse() and self.isEnabled()
        if self._kind == "primary":
            if self.isDown():
                return tokens.accent_pressed
            return tokens.accent_hover if hover else tokens.accent
        if self._kind == "boxed":
            if self.isDown():
                return tokens.control_pressed
            return tokens.control_hover if hover else tokens.control
        if self._kind == "link":
            return ""
        if self.isChecked() and self._kind in ("page", "tool"):
            return tokens.control if self._kind == "tool" else tokens.raised
        if hover or self.isDown():
            return tokens.raised
        return ""

    def _ink(self, tokens: theme.Tokens) -> str:
        if self._kind == "primary":
            return tokens.on_accent
        if self._kind == "link":
            return tokens.accent
        strong = self.isChecked() or self._kind == "boxed" or self.underMouse()
        return tokens.text1 if strong else tokens.text2

    def _paint_content(self, painter: QPainter, tokens: theme.Tokens) -> None:
        ink = self._ink(tokens)
        missing = max(0, 2 * self._padding() + self._content_width() - self.width())
        x = (self.width() - self._content_width() + (missing if self._elides else 0)) // 2
        if self._icon_name:
            size = theme.dp(_ICON)
            box = QRectF(x, (self.height() - size) // 2, size, size)
            icons.paint_icon(painter, self._icon_name, box, ink)
            x += size + (theme.dp(theme.GAP_S) if self._shown_text() else 0)
        if text := self._shown_text():
            font, width = self._font(), self._text_width()
            painter.setFont(font)
            painter.setPen(theme.colour(ink))
            if self._elides and missing:
                width -= missing
                text = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRect(x, 0, width + 2, self.height()), flags, text)
            x += width
        if self._menu_arrow:
            size = theme.dp(12)
            x += theme.dp(theme.GAP_XS)
            box = QRectF(x, (self.height() - size) // 2, size, size)
            icons.paint_icon(painter, self._arrow_icon, box, ink)
            x += size
        if self._cap:
            self._paint_cap(painter, tokens, ink, x + theme.dp(theme.GAP_S))

    def _paint_cap(self, painter: QPainter, tokens: theme.Tokens, ink: str, x: int) -> None:
        font = theme.font(11, 500)
        width = self._cap_width()
        height = theme.dp(18)
        box = QRectF(x + 0.5, (self.height() - height) / 2 + 0.5, width - 1, height - 1)
        edge = ink if self._kind == "primary" else tokens.border
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour(edge, 0.6 if self._kind == "primary" else 1.0), 1))
        painter.drawRoundedRect(box, theme.RADIUS_KEY, theme.RADIUS_KEY)
        painter.setFont(font)
        painter.setPen(theme.colour(ink if self._kind == "primary" else tokens.text2))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._cap)

    def _shown_text(self) -> str:
        return "" if self._text_hidden and self._icon_name else self.text()

    def _text_width(self) -> int:
        return QFontMetrics(self._font()).horizontalAdvance(self._shown_text())

    def _font(self) -> QFont:
        return theme.font(12 if self._kind in ("plain", "tool", "link") else 13, 500)

    def _padding(self) -> int:
        if self._kind == "link":
            return 2
        if not self._shown_text():
            return theme.dp(6)
        return theme.dp(12 if self._kind in ("boxed", "primary", "page") else 8)

    def _cap_width(self) -> int:
        text = QFontMetrics(theme.font(11, 500)).horizontalAdvance(self._cap)
        return max(theme.dp(18), text + theme.dp(10))

    def _content_width(self) -> int:
        width = 0
        if self._icon_name:
            width += theme.dp(_ICON)
        if self._shown_text():
            width += self._text_width()
            width += theme.dp(theme.GAP_S) if self._icon_name else 0
        if self._menu_arrow:
            width += theme.dp(12) + theme.dp(theme.GAP_XS)
        if self._cap:
            width += theme.dp(theme.GAP_S) + self._cap_width()
        return width

    def _mirror(self) -> None:
        if self._action is None:
            return
        self.setEnabled(self._action.isEnabled())
        self.setChecked(self._action.isChecked())
        self.update()
