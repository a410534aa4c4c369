"""The reader's decision: class buttons with their keys, unsure, flag, comment, undo, next."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.core.cases import Decision
from desktop.gui.panel_facts import PanelFacts


class DecisionPanel(QWidget):
    """Buttons only; the store is the controller's.

    Signals:
        labelled(str): Class name of the button pressed.
        unsure_requested(): Unsure and go on.
        flag_toggled(bool): Flag wanted or not.
        comment_edited(str): Comment finished (Enter, or focus left after a change).
        undo_requested(): The undo line was pressed.
        next_unreviewed_requested(): Go on.
    """

    labelled = Signal(str)
    unsure_requested = Signal()
    flag_toggled = Signal(bool)
    comment_edited = Signal(str)
    undo_requested = Signal()
    next_unreviewed_requested = Signal()

    def __init__(
        self, panel: PanelFacts, parent: QWidget | None = None, *, stacked: bool = False
    ) -> None:
        """``stacked``: one full-width class button a line, for the compare page."""
        super().__init__(parent)

    def set_panel(self, panel: PanelFacts) -> None:
        """Another panel's classes."""

    def show_decision(self, decision: Decision | None, *, enabled: bool = True) -> None:
        """Show what stands; None = open. Disabled while no image is open."""

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Keys as now bound, by action name of the action table (``label_1``, ``unsure``, ``flag``,
        ``comment``, ``undo``, ``next_unreviewed``); native text, empty = no key."""

    def set_undo(self, words: str) -> None:
        """What undo would take back, e.g. ``00415 flagged``; empty hides the line."""

    def set_undo_visible(self, visible: bool) -> None:
        """The undo line leaves at 1280x800."""

    def set_advance_words(self, words: str) -> None:
        """Hint at the right of the title, "Saves and moves on" unless told otherwise."""

    def focus_comment(self) -> None:
        """Put the keyboard into the comment."""

    def commit_comment(self) -> None:
        """Tell a comment still being typed; call before the image changes."""
