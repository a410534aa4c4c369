"""How far models and reader are and what the last step was, told to status bar, menus, pages."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.core.review_queue import pace
from desktop.core.review_queue import progress as review_progress
from desktop.core.review_store import AppliedStep
from desktop.gui.run_control import Progress

if TYPE_CHECKING:
    from desktop.gui.main_window import MainWindow

# Decisions from which the pace is taken.
_RECENT = 50


class ProgressWords(QObject):
    """Follows the run and the decisions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        # Times of this session's latest decisions: the reader's pace.
        self._decided_at: deque[str] = deque(maxlen=_RECENT)
        controller = window.controller
        controller.run.progress_changed.connect(self._on_progress)
        controller.actions.decided.connect(self._on_decided)
        controller.actions.undo_changed.connect(self._on_undo_changed)
        controller.decide.consensus_missing.connect(self._say_no_consensus)
        controller.session_closed.connect(self._decided_at.clear)

    def _on_decided(self, _cases: list[int], applied: AppliedStep | None) -> None:
        if applied is not None and applied.kind == "reveal":
            return
        if applied is not None:
            latest = list(applied.decisions.values())[-_RECENT:]
            self._decided_at.extend(item.reviewed_at for item in latest if item.reviewed)
        self._show_review()

    def _show_review(self) -> None:
        session = self._window.controller.session
        if session is not None and session.scanned:
            state = review_progress(session.table)
            found = pace(self._decided_at, state.total - state.reviewed)
            self._window.status.show_review(state.reviewed, state.total, found)

    def _on_progress(self, progress: Progress) -> None:
        window = self._window
        session = window.controller.session
        if session is not None and session.scanned:
            self._show_review()
            window.status.show_progress(
                progress.done, progress.total, progress.rate, progress.state
            )
        pause = window.shortcuts["pause_run"]
        pause.blockSignals(True)
        pause.setChecked(progress.state == "paused")
        pause.blockSignals(False)
        pause.setEnabled(progress.state in ("running", "paused"))
        window.shortcuts["stop_run"].setEnabled(progress.state in ("running", "paused"))
        if window.page == "batch":
            window.batch.show_session(session, progress)

    def _on_undo_changed(self, undo: str, redo: str) -> None:
        window = self._window
        for name, words, plain in (
            ("undo", undo, self.tr("&Undo")),
            ("redo", redo, self.tr("&Redo")),
        ):
            action = window.shortcuts[name]
            action.setEnabled(bool(words))
            action.setText(f"{plain}: {words}" if words else plain)

    def _say_no_consensus(self) -> None:
        window, session = self._window, self._window.controller.session
        if session is None:
            return
        case = window.controller.current
        if case is not None and not session.has_result(case):
            words = self.tr(
                "The models have not voted on this image yet. Label it yourself or wait."
            )
        else:
            words = self.tr(
                "No consensus, so Enter did nothing. Majority needs {needed} of {models}."
            ).format(needed=session.facts.majority, models=len(session.facts.models))
        window.status.show_notice(words)
