"""Sentences and numbers in the status bar: near-duplicates, progress of models and reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.core.review.queue import pace
from desktop.core.review.queue import progress as review_progress
from desktop.core.store.decision_log import AppliedStep
from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.formatting import grouped
from desktop.gui.mainwindow.status_bar import StatusBar
from desktop.gui.presenters.badges import differing_copy, label_text
from desktop.gui.session.controller import Controller
from desktop.gui.session.model_run import Progress
from desktop.gui.settings.preferences import Preferences

_RECENT = 50  # decisions from which the reader's pace is taken


class DuplicateNotices(QObject):
    """Starts the search for near-duplicates and reports what it found."""

    def __init__(
        self,
        controller: Controller,
        preferences: Preferences,
        status: StatusBar,
        show_query: Callable[[str, str], None],
    ) -> None:
        """Connect to the finder.

        Args:
            controller: Has the finder, the run and the decisions.
            preferences: Whether to search without being asked.
            status: Shows the sentences.
            show_query: Shows a query on the review page in an order (query, sort).
        """
        super().__init__(status)
        self._controller = controller
        self._preferences = preferences
        self._status = status
        self._show_query = show_query
        finder = controller.duplicates
        finder.searching.connect(self._on_searching)
        finder.found.connect(self._on_found)
        finder.failed.connect(lambda problem: status.show_notice(str(problem)))
        controller.run.progress_changed.connect(self._on_progress)
        controller.scan_finished.connect(lambda: self._on_progress(controller.run.progress))
        controller.decisions.decided.connect(self._on_decided)

    def _on_progress(self, progress: Progress) -> None:
        session, finder = self._controller.session, self._controller.duplicates
        if progress.state == "running":
            finder.wait()
        elif (
            session is not None
            and session.scanned
            and progress.done
            and self._preferences.settings.find_duplicates
        ):
            finder.search_soon()

    def _on_searching(self, done: int, total: int) -> None:
        text = self.tr("Comparing films, {done} of {total} read.")
        self._status.show_notice(text.format(done=grouped(done), total=grouped(total)))

    def _on_found(self, count: int, compared: int) -> None:
        controller, asked = self._controller, self._controller.duplicates.asked
        controller.list.refresh()
        controller.list.model.refresh_all()
        if controller.current is not None:
            controller.case_updated.emit(controller.current)
        if not count:
            if asked:
                text = self.tr("No near-duplicates among {compared} films.")
                self._status.show_notice(text.format(compared=grouped(compared)))
        # Once for a folder is a hint, each time is noise: the marks in the list stay.
        elif asked or not self._status.notice:
            text = self.tr("{count} near-duplicates found.").format(count=grouped(count))
            self._offer(text, "is:duplicate")

    def _on_decided(self, cases: list[int], applied: AppliedStep | None) -> None:
        """Report an image that was labelled otherwise than its near-duplicate."""
        session = self._controller.session
        if session is None or applied is None or len(cases) != 1:
            return
        if applied.kind not in ("label", "accept", "unsure"):
            return
        table = session.table
        other = differing_copy(table, cases[0])
        if other is None:
            return
        text = self.tr("{name} is nearly the same film as {other}, which is {label}.").format(
            name=_file_name(table.images[cases[0]]),
            other=_file_name(table.images[other]),
            label=label_text(table.decision(other)),
        )
        self._offer(text, "is:conflict")

    def _offer(self, text: str, query: str) -> None:
        def show() -> None:
            if self._controller.session is not None:
                self._show_query(query, "duplicate")
                self._status.clear_notice()

        self._status.show_notice(text, self.tr("Show them"), chosen=show)


def _file_name(image: str) -> str:
    return image.rsplit("/", 1)[-1]


class ProgressNotices(QObject):
    """Shows how far models and reader are, and enables undo, redo, pause and stop."""

    def __init__(self, controller: Controller, status: StatusBar, shortcuts: Shortcuts) -> None:
        super().__init__(status)
        self._controller = controller
        self._status = status
        self._shortcuts = shortcuts
        # Times of this session's latest decisions: the reader's pace.
        self._decided_at: deque[str] = deque(maxlen=_RECENT)
        self._steps = {"undo": "", "redo": ""}
        controller.run.progress_changed.connect(self._on_progress)
        controller.decisions.decided.connect(self._on_decided)
        controller.decisions.undo_changed.connect(self._on_undo_changed)
        controller.decisions.consensus_missing.connect(self._on_consensus_missing)
        controller.session_closed.connect(self._decided_at.clear)

    def show_enabled(self) -> None:
        """Enable undo, redo, pause and stop where they would do something."""
        self._enable_undo()
        self._enable_run_actions(self._controller.run.state)

    def _enable_run_actions(self, state: str) -> None:
        pause = self._shortcuts["pause_run"]
        pause.setChecked(state == "paused")
        pause.setEnabled(state in ("running", "paused"))
        self._shortcuts["stop_run"].setEnabled(state in ("running", "paused"))

    def _on_decided(self, _cases: list[int], applied: AppliedStep | None) -> None:
        if applied is not None and applied.kind == "reveal":
            return
        if applied is not None:
            latest = list(applied.decisions.values())[-_RECENT:]
            self._decided_at.extend(item.reviewed_at for item in latest if item.reviewed)
        self._show_review()

    def _show_review(self) -> None:
        session = self._controller.session
        if session is not None and session.scanned:
            state = review_progress(session.table)
            found = pace(self._decided_at, state.total - state.reviewed)
            self._status.show_review(state.reviewed, state.total, found)

    def _on_progress(self, progress: Progress) -> None:
        session = self._controller.session
        if session is not None and session.scanned:
            self._show_review()
            self._status.show_progress(progress.done, progress.total, progress.rate, progress.state)
        self._enable_run_actions(progress.state)

    def _on_undo_changed(self, undo: str, redo: str) -> None:
        self._steps = {"undo": undo, "redo": redo}
        self._enable_undo()

    def _enable_undo(self) -> None:
        for action_id, step in self._steps.items():
            action, title = self._shortcuts[action_id], self._shortcuts.records[action_id].title
            action.setEnabled(bool(step))
            action.setText(f"{title}: {step}" if step else title)

    def _on_consensus_missing(self) -> None:
        session, case = self._controller.session, self._controller.current
        if session is None:
            return
        if case is not None and not session.has_result(case):
            text = self.tr(
                "The models have not voted on this image yet. Label it yourself or wait."
            )
        elif case is not None and session.table.flags("none_of_these")[case]:
            text = self.tr(
                "The film looks like none of the classes, so the vote is not accepted with one key."
                " Label it yourself."
            )
        else:
            text = self.tr(
                "No consensus, so Enter did nothing. Majority needs {needed} of {models}."
            ).format(needed=session.facts.majority, models=len(session.facts.models))
        self._status.show_notice(text)
