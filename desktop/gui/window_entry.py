"""Typing window width and level as numbers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)


class WindowEntry(QDialog):
    """Two numbers; the image follows while they change.

    Signals:
        window_entered(float, float): Width and level in stored grey values.
    """

    window_entered = Signal(float, float)

    def __init__(self, width: float, level: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Window"))
        self._before = (width, level)
        self.width_field = _number(1, 131_072, width, self.tr("Window width"))
        self.level_field = _number(-65_536, 131_072, level, self.tr("Window level"))
        self.width_field.valueChanged.connect(self._tell)
        self.level_field.valueChanged.connect(self._tell)
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
        column.addLayout(form)
        column.addWidget(buttons)

    def reject(self) -> None:
        """Cancel puts the old window back."""
        self.window_entered.emit(*self._before)
        super().reject()

    def _tell(self) -> None:
        self.window_entered.emit(self.width_field.value(), self.level_field.value())


def _number(low: float, high: float, value: float, name: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(low, high)
    field.setDecimals(0)
    field.setValue(value)
    field.setAccessibleName(name)
    field.setKeyboardTracking(False)
    return field
