"""What the reader is told of near-duplicates: when a search ends, and when two labels differ.

How far models and reader are and what the last step was, told to status bar, menus, pages.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject

from desktop.core.errors import CxrError
from desktop.core.review.queue import pace
from desktop.core.review.queue import progress as review_progress
from desktop.core.store.review_store import AppliedStep
from desktop.gui.formatting import grouped
from desktop.gui.presenters.badges import differing_copy, label_text
from desktop.gui.session.model_run import Progress

if TYPE_CHECKING:
    from desktop.gui.mainwindow.main_window import MainWindow

translate = QCoreApplication.translate


class DuplicateHints(QObject):
    """Ties the finder to the list, the status bar and the menu."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._query = ""
        finder = window.controller.duplicates
        finder.searching.connect(self._say_progress)
        finder.found.connect(self._on_found)
        finder.failed.connect(self._say_failed)
        window.controller.run.progress_changed.connect(self._on_progress)
        window.controller.scan_finished.connect(
            lambda: self._on_progress(window.controller.run.progress)
        )
        window.controller.decisions.decided.connect(self._on_decided)
        window.shortcuts["find_duplicates"].triggered.connect(finder.search)

    def _on_progress(self, progress: Progress) -> None:
        controller = self._window.controller
        session, finder = controller.session, controller.duplicates
        if progress.state == "running":
            finder.wait()
        elif (
            session is not None
            and session.scanned
            and progress.done
            and self._window.preferences.settings.find_duplicates
        ):
            finder.search_soon()

    def _say_progress(self, done: int, total: int) -> None:
        words = self.tr("Comparing films, {done} of {total} read.")
        self._window.status.show_notice(words.format(done=grouped(done), total=grouped(total)))

    def _on_found(self, count: int, compared: int) -> None:
        window = self._window
        window.controller.list.refresh()
        window.controller.list.model.refresh_all()
        if window.controller.current is not None:
            window.controller.case_updated.emit(window.controller.current)
        if not count:
            if window.controller.duplicates.asked:
                words = self.tr("No near-duplicates among {compared} films.")
                window.status.show_notice(words.format(compared=grouped(compared)))
            return
        # Once for a folder is a hint, each time is noise: the marks in the list stay.
        if window.controller.duplicates.asked or not window.status.notice:
            words = self.tr("{count} near-duplicates found.").format(count=grouped(count))
            self._say(words, "is:duplicate")

    def _say_failed(self, problem: CxrError) -> None:
        self._window.status.show_notice(str(problem))

    def _on_decided(self, cases: list[int], applied: AppliedStep | None) -> None:
        """One image was labelled otherwise than its near-duplicate."""
        session = self._window.controller.session
        if session is None or applied is None or len(cases) != 1:
            return
        if applied.kind not in ("label", "accept", "unsure"):
            return
        table = session.table
        other = differing_copy(table, cases[0])
        if other is None:
            return
        words = self.tr("{name} is nearly the same film as {other}, which is {label}.").format(
            name=_base(table.images[cases[0]]),
            other=_base(table.images[other]),
            label=label_text(table.decision(other)),
        )
        self._say(words, "is:conflict")

    def _say(self, words: str, query: str) -> None:
        self._query = query
        self._window.status.show_notice(words, self.tr("Show them"), chosen=self._show_them)

    def _show_them(self) -> None:
        if self._query and self._window.controller.session is not None:
            self._window.show_page("review")
            self._window.case_filter.apply(self._query, "duplicate")
            self._window.status.clear_notice()


def _base(image: str) -> str:
    return image.rsplit("/", 1)[-1]


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
        controller.decisions.decided.connect(self._on_decided)
        controller.decisions.undo_changed.connect(self._on_undo_changed)
        controller.decisions.consensus_missing.connect(self._say_no_consensus)
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
