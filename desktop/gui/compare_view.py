"""Four models side by side on one film, with linked zoom, window and cursor."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.core.cases import CaseResult
from desktop.core.pixels import Radiograph
from desktop.gui.image_view import ImageView
from desktop.gui.panel_facts import PanelFacts
from desktop.gui.view_state import ViewState
from desktop.gui.view_values import HeatStyle, HudFacts, Tool


class CompareView(QWidget):
    """Tool row and grid of image views.

    Signals:
        class_chosen(int): Class of the maps, -1 = what each model predicted.
        model_chosen(int): The reader clicked a cell.
        consensus_toggled(bool), difference_toggled(bool), linked_toggled(bool): Tools.
    """

    class_chosen = Signal(int)
    model_chosen = Signal(int)
    consensus_toggled = Signal(bool)
    difference_toggled = Signal(bool)
    linked_toggled = Signal(bool)

    def __init__(
        self, panel: PanelFacts, state: ViewState | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)

    def set_panel(self, panel: PanelFacts) -> None:
        """Rebuild for another panel."""

    def show_film(self, film: Radiograph, hud: HudFacts) -> None:
        """Show a film in every cell."""

    def show_loading(self, hud: HudFacts) -> None:
        """A film is on its way."""

    def show_failure(self, hud: HudFacts, title: str, sentence: str) -> None:
        """The film could not be read."""

    def show_result(
        self,
        result: CaseResult | None,
        *,
        blind: bool = False,
        alarms: dict[str, str] | None = None,
    ) -> None:
        """Votes and maps; ``alarms`` maps a model's name to its badge words."""

    def set_class(self, index: int) -> None:
        """Maps of this class, -1 = predicted, without telling."""

    def set_style(self, style: HeatStyle) -> None:
        """Opacity and so on of all maps."""

    def set_tool(self, tool: Tool) -> None:
        """Left button in all cells."""

    def set_bare(self, bare: bool) -> None:
        """Bare image in all cells."""

    def select(self, index: int) -> None:
        """Select a cell without telling."""

    def views(self) -> tuple[ImageView, ...]:
        """The image views in panel order."""
        return ()


class ComparePanel(QWidget):
    """Right of the grid: verdict, opacity, legend, overlap matrix and what it says.

    Signals:
        style_changed(HeatStyle): Opacity moved.
    """

    style_changed = Signal(object)

    def __init__(self, panel: PanelFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_panel(self, panel: PanelFacts) -> None:
        """Another panel."""

    def show_result(
        self, result: CaseResult | None, *, blind: bool = False, map_class: int = -1
    ) -> None:
        """Verdict, and the overlap of the maps of ``map_class`` (-1 = each model's own)."""

    def set_style(self, style: HeatStyle) -> None:
        """Show a style without telling."""
