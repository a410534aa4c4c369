"""A labelled slider of percents: name, groove, figure. Arrow keys, wheel and clicks as usual."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider

from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, text_width
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.layout import row


class _JumpingSlider(QSlider):
    """A click on the groove goes there at once, instead of a page towards it."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(
            event.position().toPoint()
        ):
            room = max(1, self.width() - handle.width())
            position = round(event.position().x() - handle.width() / 2)
            value = QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), position, room)
            self.setValue(value)
        super().mousePressEvent(event)


class PercentSlider(Restyled):
    """A share in percent.

    Signals:
        moved(float): The reader moved it; the share in 0 to 1.
    """

    moved = Signal(float)

    def __init__(self, name: str, lowest: int = 0, highest: int = 100) -> None:
        """``name`` stands before it and is what screen readers say; limits in percent."""
        super().__init__()
        self._name = ElidedLabel(name, "secondary", "text2")
        self._figure = ElidedLabel("", "secondary", "text1", align=Qt.AlignmentFlag.AlignRight)
        self.slider = _JumpingSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(lowest, highest)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(name)
        self.slider.valueChanged.connect(self._on_value)
        row(self._name, (self.slider, 1), self._figure, of=self, spacing=theme.GAP_M)
        self.restyle()
        self._show(self.slider.value())

    def restyle(self) -> None:
        """Widths that hold the longest figure, so that the groove never moves."""
        self._figure.setFixedWidth(int(text_width(theme.font(12), "100 %") + 4))
        self._name.setFixedWidth(
            max(theme.dp(58), int(text_width(theme.font(12), self._name.text) + 2))
        )

    @property
    def share(self) -> float:
        return self.slider.value() / 100

    def set_share(self, share: float) -> None:
        """Set without a signal."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(share * 100))
        self._show(self.slider.value())

    def _on_value(self, value: int) -> None:
        self._show(value)
        self.moved.emit(value / 100)

    def _show(self, value: int) -> None:
        self._figure.set_text(self.tr("{percent} %").format(percent=value))
        self.slider.setAccessibleDescription(self._figure.text)
