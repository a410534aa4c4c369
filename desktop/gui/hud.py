"""Words at the corners of the image, readable on any film: light with a black halo."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from desktop.gui import theme
from desktop.gui.legend import RAMP_HEIGHT, draw_ramp, low_and_high
from desktop.gui.paint import draw_haloed, draw_text, fill_round, text_width

MARGIN = 16
GAP = 8
_RAMP_WIDTH = 92
_LINE = 18


@dataclass(frozen=True)
class HudLines:
    """What stands in each corner, first line first; empty lines are left out.

    Attributes:
        top_left: Name, position. top_right: view, size and depth.
        bottom_left: Window, zoom. bottom_right: map, class, opacity.
        ramp: Draw the legend below ``bottom_right``.
        side: Patient's side at the left edge of the screen, empty where unknown.
    """

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()
    ramp: bool = False
    side: str = ""


def corner_height() -> int:
    """Height that the words of a corner need, with their margin: two lines."""
    return MARGIN // 2 + 2 * theme.dp(_LINE) + MARGIN // 2


def corner_width(lines: HudLines) -> float:
    """Width of the widest corner with its margins."""
    font = theme.font(12)
    texts = [
        text
        for corner in (lines.top_left, lines.top_right, lines.bottom_left, lines.bottom_right)
        for text in corner
    ]
    widest = max((text_width(font, text) for text in texts), default=0.0)
    if lines.ramp:
        low, high = low_and_high()
        ramp = theme.dp(_RAMP_WIDTH) + 16 + text_width(font, low) + text_width(font, high)
        widest = max(widest, ramp)
    return widest + 2 * MARGIN


def paint_hud(painter: QPainter, rect: QRectF, lines: HudLines) -> None:
    """Draw the words 16 px from the corners of ``rect`` (device-independent px)."""
    tokens, font = theme.current(), theme.font(12)
    metrics = QFontMetricsF(font)
    step, inset = theme.dp(_LINE), MARGIN * 0.75
    left, right = rect.left() + MARGIN, rect.right() - MARGIN
    half = max(40.0, (rect.width() - 3 * MARGIN) / 2)

    def draw(texts: tuple[str, ...], top: bool, at_left: bool, reserve: int = 0) -> None:
        shown = [text for text in texts if text]
        for index, text in enumerate(shown):
            fitted = metrics.elidedText(text, _elide(at_left and top), half)
            width = metrics.horizontalAdvance(fitted)
            x = left if at_left else right - width
            if top:
                y = rect.top() + inset + step * index + step / 2
            else:
                y = rect.bottom() - inset - step * (len(shown) - 1 - index + reserve) - step / 2
            y += (metrics.ascent() - metrics.descent()) / 2
            first = index == 0
            colour = tokens.hud1 if first else tokens.hud2
            draw_haloed(painter, QPointF(x, y), fitted, font, colour)

    draw(lines.top_left, True, True)
    draw(lines.top_right, True, False)
    draw(lines.bottom_left, False, True)
    draw(lines.bottom_right, False, False, reserve=1 if lines.ramp else 0)
    if lines.ramp:
        _paint_ramp(painter, right, rect.bottom() - inset - step / 2, metrics)
    if lines.side:
        marker = theme.font(20, 600)
        height = QFontMetricsF(marker)
        y = rect.center().y() + (height.ascent() - height.descent()) / 2
        draw_haloed(painter, QPointF(left, y), lines.side, marker, tokens.hud1)


def paint_caption(painter: QPainter, rect: QRectF, words: str) -> None:
    """One line on a dark plate at the lower left, where the film reaches under it."""
    font = theme.font(12)
    width = min(text_width(font, words) + 12, rect.width() - 2 * GAP)
    height = theme.dp(20)
    plate = QRectF(rect.left() + GAP, rect.bottom() - GAP - height, width, height)
    fill_round(painter, plate, theme.RADIUS_KEY, theme.colour("#000000", 0.6))
    inner = plate.adjusted(6, 0, -6, 0)
    draw_text(painter, inner, words, font, theme.current().hud1)


def _paint_ramp(painter: QPainter, right: float, middle: float, metrics: QFontMetricsF) -> None:
    tokens, font = theme.current(), theme.font(12)
    low, high = low_and_high()
    baseline = middle + (metrics.ascent() - metrics.descent()) / 2
    x = right - metrics.horizontalAdvance(high)
    draw_haloed(painter, QPointF(x, baseline), high, font, tokens.hud2)
    width = theme.dp(_RAMP_WIDTH)
    x -= 8 + width
    box = QRectF(x, middle - RAMP_HEIGHT / 2, width, RAMP_HEIGHT)
    painter.fillRect(box.adjusted(-1, -1, 1, 1), theme.colour("#000000", 0.8))
    draw_ramp(painter, box)
    x -= 8 + metrics.horizontalAdvance(low)
    draw_haloed(painter, QPointF(x, baseline), low, font, tokens.hud2)


def _elide(middle: bool) -> Qt.TextElideMode:
    return Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
