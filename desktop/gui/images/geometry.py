"""Where the film lies on the screen: one transform from film pixels to device pixels."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QTransform

from desktop.gui.images.view_state import MAX_ZOOM, MIN_ZOOM, Orientation


@dataclass(frozen=True)
class FilmGeometry:
    """A film in a view.

    Attributes:
        to_device: Film pixels (x right, y down, as stored) to device pixels of the view.
        zoom: Device pixels per film pixel.
        visible: Device pixels of the view that the film covers; empty where it is out of sight.
        box: The same region in film pixels as stored: left, top, right, bottom.
    """

    to_device: QTransform
    zoom: float
    visible: QRect
    box: tuple[float, float, float, float]

    def film_point(self, device: QPointF) -> QPointF:
        """Film position under a device position."""
        inverted, _ = self.to_device.inverted()
        return inverted.map(device)


def orientation_transform(orientation: Orientation) -> QTransform:
    """Stored film axes to screen axes, without scale: mirror first, then turn clockwise."""
    transform = QTransform()
    transform.rotate(90 * orientation.quarter_turns)
    if orientation.flipped:
        transform.scale(-1, 1)
    return transform


def oriented_size(width: float, height: float, orientation: Orientation) -> tuple[float, float]:
    """(width, height) of the film as it lies on the screen."""
    return (height, width) if orientation.quarter_turns % 2 else (width, height)


def fit_zoom(film: tuple[int, int], area: QRectF, orientation: Orientation) -> float:
    """Zoom at which the whole film (width, height) fits into ``area`` device pixels."""
    width, height = oriented_size(*film, orientation)
    zoom = min(area.width() / max(1.0, width), area.height() / max(1.0, height))
    return min(MAX_ZOOM, max(MIN_ZOOM / 4, zoom))


def place_film(
    film: tuple[int, int],
    view: tuple[int, int],
    area: QRectF,
    zoom: float | None,
    centre: QPointF | None,
    orientation: Orientation,
) -> FilmGeometry:
    """Place a film.

    Args:
        film: (width, height) in film pixels.
        view: (width, height) of the view in device pixels.
        area: Part of the view that a fitted film may use, device pixels.
        zoom: Device pixels per film pixel, None = fit.
        centre: Film position in the middle of the area, None = the film's middle.
        orientation: How it lies.
    """
    scale = fit_zoom(film, area, orientation) if zoom is None else zoom
    middle = centre or QPointF(film[0] / 2, film[1] / 2)
    transform = QTransform()
    transform.translate(area.center().x(), area.center().y())
    transform.scale(scale, scale)
    transform = orientation_transform(orientation) * transform
    transform = QTransform.fromTranslate(-middle.x(), -middle.y()) * transform
    outline = transform.mapRect(QRectF(0, 0, *film))
    # The film is sampled on the device's own grid: its edge snaps to whole device pixels.
    left, top = max(0, round(outline.left())), max(0, round(outline.top()))
    right = min(view[0], round(outline.right()))
    bottom = min(view[1], round(outline.bottom()))
    visible = QRect(left, top, max(0, right - left), max(0, bottom - top))
    inverted, _ = transform.inverted()
    source = inverted.mapRect(QRectF(visible)) if not visible.isEmpty() else QRectF()
    box = (
        min(max(0.0, source.left()), film[0] - 1e-3),
        min(max(0.0, source.top()), film[1] - 1e-3),
        min(float(film[0]), source.right()),
        min(float(film[1]), source.bottom()),
    )
    if visible.isEmpty() or box[2] - box[0] <= 0 or box[3] - box[1] <= 0:
        return FilmGeometry(transform, scale, QRect(), (0.0, 0.0, 0.0, 0.0))
    return FilmGeometry(transform, scale, visible, box)


def crop_to_view(
    small: tuple[int, int], film: tuple[int, int], placed: FilmGeometry, ratio: float
) -> QTransform:
    """Pixels of a thumbnail to device-independent pixels of the view.

    A thumbnail is a cover crop: it shows the middle of a film that is not square.

    Args:
        small: (width, height) of the thumbnail.
        film: (width, height) of the film.
        placed: Where the film will lie.
        ratio: Device pixels per device-independent pixel.
    """
    scale = min(film[0] / small[0], film[1] / small[1])
    left, top = (film[0] - scale * small[0]) / 2, (film[1] - scale * small[1]) / 2
    in_film = QTransform.fromScale(scale, scale) * QTransform.fromTranslate(left, top)
    return in_film * placed.to_device * QTransform.fromScale(1 / ratio, 1 / ratio)


def centre_keeping(
    geometry: FilmGeometry, area: QRectF, zoom: float, anchor: QPointF, orientation: Orientation
) -> QPointF:
    """Centre (film px) that keeps the film position under ``anchor`` (device px) when zooming."""
    fixed = geometry.film_point(anchor)
    offset = QPointF(anchor.x() - area.center().x(), anchor.y() - area.center().y()) / zoom
    back, _ = orientation_transform(orientation).inverted()
    turned = back.map(offset)
    return QPointF(fixed.x() - turned.x(), fixed.y() - turned.y())


def inside_film(centre: QPointF, film: tuple[int, int]) -> QPointF:
    """The centre kept on the film, so that a film can never be lost out of sight."""
    return QPointF(
        min(max(0.0, centre.x()), float(film[0])), min(max(0.0, centre.y()), float(film[1]))
    )


# Letters of the patient's sides (DICOM PS3.3 C.7.6.1.1.1).
OPPOSITE_SIDE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def side_at_left(sides: tuple[str, str], orientation: Orientation) -> str:
    """Patient's side at the left edge of the screen.

    Args:
        sides: (left, top) letters of the film as stored.
        orientation: How it lies now.
    """
    left, top = sides
    right, bottom = OPPOSITE_SIDE.get(left, ""), OPPOSITE_SIDE.get(top, "")
    if orientation.flipped:
        left, right = right, left
    # Clockwise: what was at the bottom comes to the left.
    return (left, bottom, right, top)[orientation.quarter_turns % 4]
