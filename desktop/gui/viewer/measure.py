"""Distances on the film: arithmetic, words and drawing."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QTransform

from desktop.gui.images.view_types import Measurement
from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, fill_round

_TICK = 5.0


def measurement(
    start: QPointF,
    end: QPointF,
    spacing: tuple[float, float] | None,
    kind: str = "",
) -> Measurement:
    """Distance of two film positions.

    Args:
        start: Film pixels. end: the same.
        spacing: (row, column) spacing in mm: distance between rows, then between columns (DICOM
            PS3.3 10.7.1.3); None where unknown.
        kind: Where the spacing holds, as in ``Radiograph.spacing_kind``.
    """
    across, down = end.x() - start.x(), end.y() - start.y()
    millimetres = None
    if spacing is not None:
        millimetres = hypot(across * spacing[1], down * spacing[0])
    return Measurement(
        (start.x(), start.y()),
        (end.x(), end.y()),
        hypot(across, down),
        millimetres,
        kind == "at the detector" and millimetres is not None,
    )


def measurement_text(measured: Measurement) -> str:
    """``84.2 mm``, ``84.2 mm at the detector`` or ``612 px``."""
    translate = QCoreApplication.translate
    if measured.millimetres is None:
        return translate("Measure", "{pixels} px").format(pixels=f"{measured.pixels:,.0f}")
    text = translate("Measure", "{length} mm").format(length=f"{measured.millimetres:,.1f}")
    if measured.at_detector:
        return translate("Measure", "{length} at the detector").format(length=text)
    return text


def paint_measurements(
    painter: QPainter, measurements: Sequence[Measurement], to_view: QTransform
) -> None:
    """Draw distances; ``to_view`` maps film pixels to the painter's device-independent pixels."""
    tokens, font = theme.current(), theme.font(12, 500)
    metrics = QFontMetricsF(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # The dark theme's accent in both themes: the image area is black in both.
    ink = QColor(theme.DARK.accent)
    for measured in measurements:
        start, end = to_view.map(QPointF(*measured.start)), to_view.map(QPointF(*measured.end))
        line = QLineF(start, end)
        marks = [line, *_ticks(line)]
        for colour, width in ((theme.colour("#000000", 0.65), 4.0), (ink, 1.5)):
            pen = QPen(colour, width)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawLines(marks)
        text = measurement_text(measured)
        anchor = end if end.x() >= start.x() else start
        width, height = metrics.horizontalAdvance(text) + 12, metrics.height() + 4
        x = anchor.x() + 8
        if x + width > painter.window().width() - 8:
            x = anchor.x() - 8 - width
        plate = QRectF(x, anchor.y() - height / 2, width, height)
        # A plate, because a halo alone is hard to read on a bright lung-free area.
        fill_round(painter, plate, theme.RADIUS_KEY, theme.colour("#000000", 0.7))
        draw_text(painter, plate, text, font, tokens.hud1, Qt.AlignmentFlag.AlignHCenter)


def _ticks(line: QLineF) -> list[QLineF]:
    """Short strokes across both ends."""
    if line.length() < 1:
        return []
    normal = line.normalVector().unitVector()
    dx, dy = normal.dx() * _TICK, normal.dy() * _TICK
    return [
        QLineF(point.x() - dx, point.y() - dy, point.x() + dx, point.y() + dy)
        for point in (line.p1(), line.p2())
    ]
