"""The heatmap's controls: class, opacity, threshold, colour or contour."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.gui.panel_facts import PanelFacts
from desktop.gui.view_values import HeatStyle


class HeatmapControls(QWidget):
    """Class switch "Predicted | Covid | Normal | Viral", opacity, threshold, colour or contour.

    Signals:
        class_chosen(int): Class index, -1 = what each model predicted.
        style_changed(HeatStyle): Opacity, threshold, contour or visibility.
    """

    class_chosen = Signal(int)
    style_changed = Signal(object)

    def __init__(self, panel: PanelFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_panel(self, panel: PanelFacts) -> None:
        """Another panel's classes; the choice goes back to "Predicted"."""

    def set_class(self, index: int) -> None:
        """Show a class as chosen (-1 = predicted) without telling."""

    def set_style(self, style: HeatStyle) -> None:
        """Show a style without telling."""

    def set_blind(self, blind: bool) -> None:
        """Disable everything while the votes are hidden."""

    def set_key(self, key: str) -> None:
        """Key that shows the bare image, as words, e.g. ``Space``."""
