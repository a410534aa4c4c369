"""What the file says of the film: view, age, sex, date; shown on request, never exported."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QPainter, QPaintEvent

from desktop.core.imaging.radiograph import DicomMetadata, Radiograph
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, horizontal_line
from desktop.gui.widgets.containers import FactLines
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import column


class DicomPanel(Restyled):
    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("DICOM facts"))
        title = ElidedLabel(self.tr("Facts of the file"), "secondary", "text2")
        self._lines = FactLines()
        note = WrappedLabel(self.tr("Stay on this screen; no export has them."), tone="text3")
        margins = (12, 12, 12, 12)
        column(title, self._lines, note, of=self, margins=margins, spacing=theme.GAP_S)

    def show_film(self, film: Radiograph | None) -> None:
        """Show what the file says; dashes where it says nothing or is not read yet."""
        self._lines.show_facts(facts_of(film))

    def paintEvent(self, _event: QPaintEvent) -> None:
        horizontal_line(QPainter(self), 0, self.width(), 0, theme.current().line)


def facts_of(film: Radiograph | None) -> list[tuple[str, str]]:
    """(name, value) of each fact, always the same names, so that nothing jumps."""
    translate = QCoreApplication.translate
    facts = (film.facts if film is not None else None) or DicomMetadata()
    size = bits = spacing = kind = ""
    if film is not None:
        height, width = film.values.shape
        size = f"{width:,} × {height:,}"
        bits = translate("DicomPanel", "{bits} bit").format(bits=film.bits)
        kind = film.source_format
        if film.spacing_mm is not None:
            spacing = f"{film.spacing_mm[0]:.3g} mm {film.spacing_kind}".strip()
    device = " ".join(filter(None, (facts.manufacturer, facts.device)))
    values = (
        (translate("DicomPanel", "View"), " ".join(filter(None, (facts.view, facts.laterality)))),
        (translate("DicomPanel", "Age"), facts.age),
        (translate("DicomPanel", "Sex"), facts.sex),
        (translate("DicomPanel", "Study date"), facts.study_date),
        (translate("DicomPanel", "Device"), device),
        (translate("DicomPanel", "Format"), ", ".join(filter(None, (kind, size, bits)))),
        (translate("DicomPanel", "Spacing"), spacing),
    )
    return [(name, value or "–") for name, value in values]
