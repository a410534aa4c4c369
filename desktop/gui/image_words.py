"""The words of the image area: what the corners say of film, view and heatmap."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.core.pixels import Radiograph, Window
from desktop.gui.film_geometry import side_at_left
from desktop.gui.heatmap_overlay import contour_levels
from desktop.gui.hud import HudLines
from desktop.gui.view_state import Orientation
from desktop.gui.view_values import HeatStyle, HudFacts, MapLayer

translate = QCoreApplication.translate


def size_words(film: Radiograph) -> str:
    """``2,408 × 2,560, 12 bit``: width first, as people say it."""
    height, width = film.values.shape
    return translate("ImageView", "{width} × {height}, {bits} bit").format(
        width=f"{width:,}", height=f"{height:,}", bits=film.bits
    )


def window_words(film: Radiograph, window: Window) -> str:
    """``W 1,480  L 920`` in the file's own units; its own windows as it states them."""
    if window.stated is not None:
        width, level = window.stated
    else:
        width = (window.high - window.low) * abs(film.slope)
        level = (window.low + window.high) / 2 * film.slope + film.intercept
    return translate("ImageView", "W {width}  L {level}").format(
        width=f"{round(width):,}", level=f"{round(level):,}"
    )


def zoom_words(zoom: float) -> str:
    """``Zoom 27 %``: device pixels per film pixel."""
    percent = zoom * 100
    shown = f"{percent:.1f}" if percent < 10 else f"{percent:,.0f}"
    return translate("ImageView", "Zoom {percent} %").format(percent=shown)


def map_words(layer: MapLayer, evident: bool, style: HeatStyle) -> str:
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


_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def film_sides(film: Radiograph | None) -> tuple[str, str] | None:
    """Patient's sides at the film's left and upper edge as stored; None unless the file says so."""
    directions = film.facts.patient_orientation if film is not None and film.facts else ""
    row, _, column = directions.partition("\\")
    if row[:1] not in _OPPOSITE or column[:1] not in _OPPOSITE:
        return None
    return _OPPOSITE[row[0]], _OPPOSITE[column[0]]


def hud_lines(
    film: Radiograph | None,
    hud: HudFacts,
    window: Window,
    zoom: float,
    orientation: Orientation,
    layer: MapLayer | None,
    evident: bool,
    style: HeatStyle,
    region_words: str = "",
) -> HudLines:
    """All corners of an image view; without a film only name and position.

    Args:
        film: The film on show.
        hud: Names. window: As drawn. zoom: device pixels per film pixel.
        orientation: How it lies, for the side marker.
        layer: Heatmap on show, None where there is none or it is hidden.
        evident: Whether the map has anything to show.
        style: How it is drawn.
        region_words: What the outlined region is.
    """
    top_left = (hud.name, hud.position)
    if film is None:
        return HudLines(top_left=top_left)
    sides = hud.sides or film_sides(film)
    map_line = map_words(layer, evident, style) if layer is not None else ""
    return HudLines(
        top_left=top_left,
        top_right=(hud.view, size_words(film)),
        bottom_left=(window_words(film, window), zoom_words(zoom)),
        bottom_right=tuple(text for text in (region_words, map_line) if text),
        ramp=layer is not None and evident and not style.contour,
        side=side_at_left(sides, orientation) if sides else "",
    )
