"""Typing window width and level as numbers."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from desktop.core.imaging.decode import Radiograph
from desktop.gui.style import theme
from desktop.gui.viewer.histogram import Histogram


class WindowEntry(QDialog):
    """Two numbers and the film's histogram; the image follows while they change.

    Signals:
        window_entered(float, float): Width and level in stored grey values.
    """

    window_entered = Signal(float, float)

    def __init__(
        self,
        width: float,
        level: float,
        parent: QWidget | None = None,
        *,
        film: Radiograph | None = None,
    ) -> None:
        """Start from a window in force; ``film`` is the one whose grey values are drawn."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Window"))
        self._before = (width, level)
        self.width_field = _number(1, 131_072, width, self.tr("Window width"))
        self.level_field = _number(-65_536, 131_072, level, self.tr("Window level"))
        self.width_field.valueChanged.connect(self._report)
        self.level_field.valueChanged.connect(self._report)
        self.histogram = Histogram()
        self.histogram.set_film(film)
        self.histogram.set_window(width, level)
        self.histogram.window_dragged.connect(self._on_dragged)
        self.histogram.setVisible(film is not None)
        form = QFormLayout()
        form.addRow(self.tr("&Width"), self.width_field)
        form.addRow(self.tr("&Level"), self.level_field)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(self.tr("In stored grey values of this film.")))
        column.addWidget(self.histogram)
        column.addLayout(form)
        column.addWidget(buttons)

    def reject(self) -> None:
        """Cancel puts the old window back."""
        self.window_entered.emit(*self._before)
        super().reject()

    def _report(self) -> None:
        width, level = self.width_field.value(), self.level_field.value()
        self.histogram.set_window(width, level)
        self.window_entered.emit(width, level)

    def _on_dragged(self, width: float, level: float) -> None:
        for field, value in ((self.width_field, width), (self.level_field, level)):
            with QSignalBlocker(field):
                field.setValue(value)
        self.window_entered.emit(width, level)


def _number(low: float, high: float, value: float, name: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.lineEdit().setTextMargins(theme.dp(6), 0, 0, 0)
    field.setRange(low, high)
    field.setDecimals(0)
    field.setValue(value)
    field.setAccessibleName(name)
    field.setKeyboardTracking(False)
    return field
