"""One model's answer: map thumbnail, name, label, calibrated bars with the operating point."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.core.cases import Prediction
from desktop.gui.panel_facts import PanelFacts

RowState = Literal["voted", "waiting", "running", "hidden", "failed"]


class ModelRow(QAbstractButton):
    """A selectable row; the selected model's map is on the film.

    Signals:
        chosen(int): Row (model index) was clicked or taken with Enter.
        retry_requested(int): "Try again" of a failed model.
    """

    chosen = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, panel: PanelFacts, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_prediction(self, prediction: Prediction, *, map_class: int = -1) -> None:
        """Show an answer; ``map_class`` -1 = the predicted one."""

    def set_state(self, state: RowState, sentence: str = "") -> None:
        """Show a state without an answer; ``sentence`` is the reason of ``failed``."""

    def set_thumbnail(self, film: QImage | None) -> None:
        """The film, small (any size), under the map."""

    def set_alarm(self, sentence: str) -> None:
        """Mark the name with the shortcut alarm; empty takes it away."""

    def set_compact(self, compact: bool) -> None:
        """64 px with vote and runner-up only, for 1280x800."""

    def set_selected(self, selected: bool) -> None:
        """Show as the model whose map is on the film."""


class ModelRows(QWidget):
    """All rows of a panel; arrow keys move between them.

    Signals:
        model_chosen(int): Index of the model whose map is wanted.
        retry_requested(int): As in ``ModelRow``.
    """

    model_chosen = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, panel: PanelFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_panel(self, panel: PanelFacts) -> None:
        """Rebuild for another panel."""

    def row(self, index: int) -> ModelRow:
        """The row of a model."""
        raise NotImplementedError

    def show_predictions(
        self,
        predictions: tuple[Prediction, ...] | None,
        *,
        blind: bool = False,
        map_class: int = -1,
        running: bool = False,
        failed: dict[str, str] | None = None,
    ) -> None:
        """Fill all rows; None = waiting. ``failed`` maps a model's name to its sentence."""

    def set_thumbnail(self, film: QImage | None) -> None:
        """The film under the maps."""

    def set_compact(self, compact: bool) -> None:
        """As in ``ModelRow``."""

    def select(self, index: int) -> None:
        """Select without telling."""
