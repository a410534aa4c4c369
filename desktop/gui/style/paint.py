"""Drawing on the grid: hairlines, rounded boxes, key caps, focus rings and text with a halo.

Everything is placed on whole device pixels, so that lines stay one pixel wide at 125 and 150 %.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.gui.style import theme

_HALO = tuple((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)


def ratio_of(painter: QPainter) -> float:
    """Device pixels per device-independent pixel of what is painted on."""
    device = painter.device()
    return device.devicePixelRatioF() if device is not None else 1.0


def snapped(rect: QRectF | QRect, ratio: float) -> QRectF:
    """The rectangle with its edges moved to the nearest device pixels."""
    source = QRectF(rect)
    left, top = round(source.left() * ratio), round(source.top() * ratio)
    right, bottom = round(source.right() * ratio), round(source.bottom() * ratio)
    return QRectF(left / ratio, top / ratio, (right - left) / ratio, (bottom - top) / ratio)


def hairline_width(ratio: float) -> float:
    """Width of a 1 px line: a whole number of device pixels, at least one."""
    return max(1, int(ratio)) / ratio


def fill_round(
    painter: QPainter, rect: QRectF | QRect, radius: float, fill: str | QColor | None
) -> None:
    if fill is None:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(snapped(rect, ratio_of(painter)), radius, radius)


def stroke_round(
    painter: QPainter,
    rect: QRectF | QRect,
    radius: float,
    colour: str | QColor,
    width: float = 1.0,
    dashed: bool = False,
) -> None:
    """Draw the edge of a rounded box inside its rectangle, on whole device pixels."""
    ratio = ratio_of(painter)
    line = max(1, int(width * ratio)) / ratio
    box = snapped(rect, ratio).adjusted(line / 2, line / 2, -line / 2, -line / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(colour), line)
    if dashed:
        pen.setDashPattern([2.5, 2.0])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = max(0.0, radius - line / 2)
    painter.drawRoundedRect(box, inner, inner)


def horizontal_line(painter: QPainter, left: float, right: float, y: float, colour: str) -> None:
    """A separator one device pixel (or its whole multiple) high with its top at ``y``."""
    ratio = ratio_of(painter)
    rect = snapped(QRectF(left, y, right - left, 0), ratio)
    rect.setHeight(hairline_width(ratio))
    painter.fillRect(rect, QColor(colour))


def vertical_line(painter: QPainter, x: float, top: float, bottom: float, colour: str) -> None:
    """The same, upright, with its left edge at ``x``."""
    ratio = ratio_of(painter)
    rect = snapped(QRectF(x, top, 0, bottom - top), ratio)
    rect.setWidth(hairline_width(ratio))
    painter.fillRect(rect, QColor(colour))


def focus_ring(painter: QPainter, rect: QRectF | QRect, radius: float) -> None:
    """The 2 px accent ring, 1 px off ``rect``; leave 3 px around the control for it."""
    outer = QRectF(rect).adjusted(-3, -3, 3, 3)
    stroke_round(painter, outer, radius + 3, theme.current().accent, 2.0)


def draw_text(
    painter: QPainter,
    rect: QRectF | QRect,
    text: str,
    font: QFont,
    colour: str | QColor,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    elide: Qt.TextElideMode | None = Qt.TextElideMode.ElideRight,
) -> None:
    """One line, vertically centred, elided where it does not fit."""
    box = QRectF(rect)
    if elide is not None:
        metrics = QFontMetricsF(font)
        if metrics.horizontalAdvance(text) > box.width() + 0.5:
            text = metrics.elidedText(text, elide, box.width())
    painter.setFont(font)
    painter.setPen(QColor(colour))
    flags = align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
    painter.drawText(box, flags, text)


def draw_haloed(painter: QPainter, baseline: QPointF, text: str, font: QFont, colour: str) -> None:
    """Text on the image: black at the eight neighbours, then light, readable on any film."""
    painter.setFont(font)
    painter.setPen(theme.colour("#000000", 0.9))
    for dx, dy in _HALO:
        painter.drawText(QPointF(baseline.x() + dx, baseline.y() + dy), text)
    painter.setPen(QColor(colour))
    painter.drawText(baseline, text)


def text_width(font: QFont, text: str) -> float:
    """Advance of one line in device-independent pixels."""
    return QFontMetricsF(font).horizontalAdvance(text)


def key_cap_width(text: str, font: QFont) -> float:
    """Width of a key cap: square for one character, padded for words."""
    return max(theme.dp(18), text_width(font, text) + theme.dp(10))


def draw_key_cap(
    painter: QPainter,
    rect: QRectF | QRect,
    text: str,
    colour: str | None = None,
    fill: str | None = None,
) -> None:
    """A key as it stands on the keyboard: 4 px box with the key's name.

    Args:
        colour: Class colour of edge and name; None draws a grey cap.
        fill: Opaque fill, None for none.
    """
    tokens = theme.current()
    fill_round(painter, rect, theme.RADIUS_KEY, fill)
    stroke_round(painter, rect, theme.RADIUS_KEY, colour or tokens.border)
    ink = colour or tokens.text2
    centre = Qt.AlignmentFlag.AlignHCenter
    draw_text(painter, rect, text, theme.font(11, 500), ink, centre, elide=None)


class KeyboardFocus:
    """Mixin before a widget: tells whether the focus came from the keyboard, and should be seen.

    A ring after each mouse click would be noise; without one after Tab nobody finds the way.
    """

    _focus_seen = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._focus_seen = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        super().focusInEvent(event)  # type: ignore[misc]

    def shows_focus(self) -> bool:
        return self._focus_seen and self.hasFocus()  # type: ignore[attr-defined]


class Restyled(QWidget):
    """A widget that re-reads the tokens: ``restyle`` runs once now and after each theme change.

    Subclasses set fixed heights, fonts and the like in ``restyle`` and paint from
    ``theme.current()``; sizes in it go through ``theme.dp``.
    """

    def __init__(self) -> None:
        super().__init__()
        theme.notifier().theme_changed.connect(self._on_theme_changed)

    def _on_theme_changed(self, _tokens: object) -> None:
        self.restyle()
        self.updateGeometry()
        self.update()

    def restyle(self) -> None:
        """Apply sizes and fonts of the theme in force; the base does nothing."""
