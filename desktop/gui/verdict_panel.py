"""The verdict: what the four say together, how sure, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.core.cases import CaseResult
from desktop.gui.badge import BadgeFacts
from desktop.gui.panel_facts import PanelFacts


class VerdictPanel(QWidget):
    """Verdict, sentence, strip, mean probability and badges.

    Signals:
        badge_opened(str): Key of the badge whose sentence was opened.
    """

    badge_opened = Signal(str)

    def __init__(self, panel: PanelFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_panel(self, panel: PanelFacts) -> None:
        """Another panel; shows waiting."""

    def show_case(
        self, result: CaseResult | None, *, blind: bool = False, badges: Sequence[BadgeFacts] = ()
    ) -> None:
        """Show a result; None = waiting for the models. While ``blind`` nothing of it is shown.

        The out-of-distribution badge comes by itself; ``badges`` are the others.
        """

    def set_keys(self, accept: str, labels: Sequence[str]) -> None:
        """Words of the keys that accept and label, as now bound."""

    def say_no_consensus(self) -> None:
        """Draw attention to the rule after Enter was pressed without a consensus."""
