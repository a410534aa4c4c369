"""What the corners of the image say of film, view and heatmap: light with a black halo."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from desktop.core.imaging.decode import Radiograph, Window
from desktop.gui.images.geometry import OPPOSITE_SIDE, side_at_left
from desktop.gui.images.view_state import Orientation
from desktop.gui.images.view_types import HeatStyle, HudText, MapLayer
from desktop.gui.style import theme
from desktop.gui.style.paint import draw_haloed, draw_text, fill_round, text_width
from desktop.gui.viewer.heatmap_layer import contour_levels
from desktop.gui.viewer.legend import RAMP_HEIGHT, draw_ramp, low_and_high

MARGIN = 16
GAP = 8
_RAMP_WIDTH = 92
_LINE = 18
translate = QCoreApplication.translate


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


def paint_caption(painter: QPainter, rect: QRectF, text: str) -> None:
    """One line on a dark plate at the lower left, where the film reaches under it."""
    font = theme.font(12)
    width = min(text_width(font, text) + 12, rect.width() - 2 * GAP)
    height = theme.dp(20)
    plate = QRectF(rect.left() + GAP, rect.bottom() - GAP - height, width, height)
    fill_round(painter, plate, theme.RADIUS_KEY, theme.colour("#000000", 0.6))
    inner = plate.adjusted(6, 0, -6, 0)
    draw_text(painter, inner, text, font, theme.current().hud1)


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


def size_text(film: Radiograph) -> str:
    """``2,408 × 2,560, 12 bit``: width first, as people say it."""
    height, width = film.values.shape
    return translate("ImageView", "{width} × {height}, {bits} bit").format(
        width=f"{width:,}", height=f"{height:,}", bits=film.bits
    )


def window_text(film: Radiograph, window: Window) -> str:
    """``W 1,480  L 920`` in the file's own units; its own windows as it states them."""
    if window.stated is not None:
        width, level = window.stated
    else:
        width = (window.high - window.low) * abs(film.slope)
        level = (window.low + window.high) / 2 * film.slope + film.intercept
    return translate("ImageView", "W {width}  L {level}").format(
        width=f"{round(width):,}", level=f"{round(level):,}"
    )


def zoom_text(zoom: float) -> str:
    """``Zoom 27 %``: device pixels per film pixel."""
    percent = zoom * 100
    shown = f"{percent:.1f}" if percent < 10 else f"{percent:,.0f}"
    return translate("ImageView", "Zoom {percent} %").format(percent=shown)


def map_text(layer: MapLayer, evident: bool, style: HeatStyle) -> str:
    """``ResNet50, Covid, 45 %`` or that there is no positive evidence."""
    if layer.kind == "difference":
        subject = translate("ImageView", "Where the models differ")
        if layer.class_name:
            subject = f"{subject}, {layer.class_name}"
    else:
        subject = ", ".join(part for part in (layer.title, layer.class_name) if part)
    if not evident:
        return translate("ImageView", "{subject}: no positive evidence").format(subject=subject)
    if style.contour:
        levels = ", ".join(str(round(100 * level)) for level in contour_levels(style.threshold))
        return translate("ImageView", "{subject}, lines at {levels} %").format(
            subject=subject, levels=levels
        )
    return translate("ImageView", "{subject}, {percent} %").format(
        subject=subject, percent=round(style.opacity * 100)
    )


def film_sides(film: Radiograph | None) -> tuple[str, str] | None:
    """Patient's sides at the film's left and upper edge as stored; None unless the file says so."""
    directions = film.facts.patient_orientation if film is not None and film.facts else ""
    row, _, column = directions.partition("\\")
    if row[:1] not in OPPOSITE_SIDE or column[:1] not in OPPOSITE_SIDE:
        return None
    return OPPOSITE_SIDE[row[0]], OPPOSITE_SIDE[column[0]]


def hud_lines(
    film: Radiograph | None,
    hud: HudText,
    window: Window,
    zoom: float,
    orientation: Orientation,
    layer: MapLayer | None,
    evident: bool,
    style: HeatStyle,
    region_text: str = "",
) -> HudLines:
    """All corners of an image view; without a film only name and position.

    Args:
        film: The film on show.
        hud: Names. window: As drawn. zoom: device pixels per film pixel.
        orientation: How it lies, for the side marker.
        layer: Heatmap on show, None where there is none or it is hidden.
        evident: Whether the map has anything to show.
        style: How it is drawn.
        region_text: What the outlined region is.
    """
    top_left = (hud.name, hud.position)
    if film is None:
        return HudLines(top_left=top_left)
    sides = hud.sides or film_sides(film)
    map_line = map_text(layer, evident, style) if layer is not None else ""
    return HudLines(
        top_left=top_left,
        top_right=(hud.view, size_text(film)),
        bottom_left=(window_text(film, window), zoom_text(zoom)),
        bottom_right=tuple(text for text in (region_text, map_line) if text),
        ramp=layer is not None and evident and not style.contour,
        side=side_at_left(sides, orientation) if sides else "",
    )
