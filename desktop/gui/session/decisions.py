"""The reader's decisions: each one is on the disk before anything else happens, and can be undone.

A key press comes in as a command, a pure function of `desktop.core.review.decisions` says what
the decision becomes, the store writes it, and signals report what happened and where to go next.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from desktop.core.cases import Decision
from desktop.core.errors import CxrError, UsageError
from desktop.core.review.decisions import (
    Stamp,
    Step,
    StepKind,
    accept_consensus,
    clear,
    label,
    make_step,
    mark_unsure,
    reveal,
    set_comment,
    set_flag,
)
from desktop.core.store.decision_log import AppliedStep, DecisionConflict
from desktop.core.store.review_store import ReviewStore
from desktop.core.system.text import utc_stamp
from desktop.gui.formatting import grouped
from desktop.gui.session.bulk_decision import BULK, BulkStep
from desktop.gui.session.case_list import CaseList
from desktop.gui.session.session import Session

# Case, its decision so far, who and when -> its decision afterwards.
_Change = Callable[[int, Decision, Stamp], Decision]


class DecisionController(QObject):
    """Commands of the reader on the image on show, or on a selection of two or more.

    Attributes:
        reviewer: Name written beside each decision.
        advance: What follows a decision, as in the settings: stay, next, next unreviewed.

    Signals:
        decided(list[int], AppliedStep | None): Decisions of these cases are on the disk; None
            where another window decided.
        advance_requested(int): The case to show next.
        refused(CxrError): Nothing was changed, and why.
        undo_changed(str, str): What undo and redo would do; empty = nothing.
        consensus_missing(): The consensus was accepted where there is none, or where the panel says
            that the film shows none of its classes.
        notice_raised(str): A sentence for the reader.
    """

    decided = Signal(list, object)
    advance_requested = Signal(int)
    refused = Signal(object)
    undo_changed = Signal(str, str)
    consensus_missing = Signal()
    notice_raised = Signal(str)

    def __init__(
        self,
        case_list: CaseList,
        current: Callable[[], int | None],
        votes_hidden: Callable[[int], bool],
        parent: QObject | None = None,
    ) -> None:
        """Wait for a session.

        Args:
            case_list: Says which image follows.
            current: The case on show.
            votes_hidden: Whether the votes of a case are kept from the reader until the label.
        """
        super().__init__(parent)
        self.reviewer = ""
        self.advance = "next unreviewed"
        self._list = case_list
        self._current = current
        self._votes_hidden = votes_hidden
        self._session: Session | None = None
        self._store: ReviewStore | None = None
        self._bulk_is_undo = False
        self._bulk = BulkStep(self)
        self._bulk.progressed.connect(self._on_bulk_progressed)
        self._bulk.saved.connect(self._on_bulk_saved)
        self._bulk.failed.connect(self._on_failed)

    def set_session(self, session: Session | None, store: ReviewStore | None) -> None:
        """Work on another session; waits until a large step of the old one is on the disk."""
        self.finish()
        self._session, self._store = session, store
        self.report_undo()

    def finish(self) -> None:
        """Wait until a large step is on the disk."""
        self._bulk.close()

    @property
    def busy(self) -> bool:
        """Whether a large step is still being saved; other decisions wait for it."""
        return self._bulk.busy

    # commands --------------------------------------------------------------------------------
    def label(self, class_index: int, selection: Sequence[int] = ()) -> None:
        session = self._session
        if session is None or class_index >= len(session.panel.class_names):
            return
        name = session.panel.class_names[class_index]
        self._decide(
            "label",
            selection,
            lambda case, before, stamp: label(
                before, name, stamp, votes_shown=not self._votes_hidden(case)
            ),
            name,
        )

    def accept(self, selection: Sequence[int] = ()) -> None:
        """Take over the consensus of each case.

        Cases without one, and films that show none of the classes, are passed over.
        """
        session, cases = self._session, self._cases(selection)
        if session is None or not cases:
            return
        names = {session.acceptable(case) for case in cases}
        if len(cases) == 1 and names == {None} and not self._votes_hidden(cases[0]):
            self.consensus_missing.emit()
            return
        self._decide(
            "accept",
            selection,
            lambda case, before, stamp: accept_consensus(
                before, session.acceptable(case), stamp, votes_shown=not self._votes_hidden(case)
            ),
            (names.pop() or "") if len(names) == 1 else "",
        )

    def mark_unsure(self, selection: Sequence[int] = ()) -> None:
        """Looked at, cannot tell."""
        self._decide(
            "unsure",
            selection,
            lambda case, before, stamp: mark_unsure(
                before, stamp, votes_shown=not self._votes_hidden(case)
            ),
        )

    def toggle_flag(self, selection: Sequence[int] = ()) -> None:
        """Mark for a second look, or take the mark away where all have one."""
        session, cases = self._session, self._cases(selection)
        if session is None:
            return
        flagged = not all(session.decision(case).flagged for case in cases)
        self._save(
            "flag" if flagged else "unflag",
            cases,
            lambda _case, before, stamp: set_flag(before, flagged, stamp),
        )

    def comment(self, text: str, selection: Sequence[int] = ()) -> None:
        self._save(
            "comment",
            self._cases(selection),
            lambda _case, before, stamp: set_comment(before, text, stamp),
        )

    def clear(self, selection: Sequence[int] = ()) -> None:
        """Open the cases again."""
        self._save(
            "clear", self._cases(selection), lambda _case, before, stamp: clear(before, stamp)
        )

    def note_votes_seen(self, case: int) -> None:
        """Note that the votes have been on the screen; no act of the reader, so not undoable."""
        session = self._session
        if session is not None and not self.busy and not session.decision(case).votes_seen:
            self._save("reveal", [case], lambda _case, before, _stamp: reveal(before))

    def undo(self) -> None:
        """Take back the latest step, also of an earlier day, and show where it was."""
        self._walk(ReviewStore.undo, ReviewStore.undo_next, self.tr("Nothing to undo."))

    def redo(self) -> None:
        """Do again what undo took back, and show where it was."""
        self._walk(ReviewStore.redo, ReviewStore.redo_next, self.tr("Nothing to redo."))

    def sync_external_changes(self) -> list[int]:
        """Read what another window on the same folder has decided; gives the changed cases."""
        session, store = self._session, self._store
        if session is None or store is None or self.busy:
            return []
        try:
            revision, decisions = store.changes_since(session.latest_revision)
        except CxrError as problem:
            self.refused.emit(problem)
            return []
        session.latest_revision = revision
        return session.take_decisions(decisions)

    def report_undo(self) -> None:
        """Emit again what undo and redo would do."""
        undo = redo = None
        if self._store is not None:
            try:
                undo, redo = self._store.undo_next(), self._store.redo_next()
            except CxrError:
                undo = redo = None
        self.undo_changed.emit(
            self._step_text(*undo) if undo else "", self._step_text(*redo) if redo else ""
        )

    # inside ----------------------------------------------------------------------------------
    def _cases(self, selection: Sequence[int]) -> list[int]:
        if len(selection) > 1:
            return list(selection)
        current = self._current()
        return [current] if current is not None else []

    def _decide(
        self, kind: StepKind, selection: Sequence[int], change: _Change, value: str = ""
    ) -> None:
        """Save, then go on to the next image, or reveal the votes of this one."""
        session, cases = self._session, self._cases(selection)
        if session is None or not cases:
            return
        case = cases[0]
        was_open = not session.decision(case).reviewed
        was_hidden = self._votes_hidden(case)
        applied = self._save(kind, cases, change, value)
        if applied is None:
            return
        if len(cases) > 1:
            self._report_count(applied, undone=False)
        elif was_hidden and session.voted(case):
            self.note_votes_seen(case)
            self.notice_raised.emit(
                self.tr("Your label is kept. Press it again to confirm, or another one.")
            )
        else:
            self._advance(case, was_open)

    def _save(
        self, kind: StepKind, cases: Sequence[int], change: _Change, value: str = ""
    ) -> AppliedStep | None:
        """Write one step; None where it was refused or is saved in the background."""
        session, store = self._session, self._store
        if session is None or store is None or not cases or self._is_refused():
            return None
        stamp = Stamp(self.reviewer, utc_stamp(datetime.datetime.now(datetime.UTC)))

        def make() -> Step:
            case_of = {session.image(case): case for case in cases}
            return make_step(
                kind,
                {image: session.decision(case) for image, case in case_of.items()},
                lambda image, before: change(case_of[image], before, stamp),
                value=value,
                sha256={image: session.table.sha256(case) for image, case in case_of.items()},
            )

        if len(cases) >= BULK:
            # Only reads of the table there: no decision is taken until this one is through.
            self._bulk_is_undo = False
            self._bulk.start(session, lambda its_store: its_store.apply(make()))
            return None
        try:
            step = make()
            if not step.changes:
                # The same key twice: nothing to store, but the reader means to go on.
                return AppliedStep(step.kind, step.value, {})
            applied = store.apply(step)
        except CxrError as problem:
            self._on_failed(problem)
            return None
        self._announce(session.take_decisions(applied.decisions), applied)
        return applied

    def _walk(
        self,
        move: Callable[[ReviewStore], AppliedStep | None],
        peek: Callable[[ReviewStore], tuple[StepKind, str, int] | None],
        nothing: str,
    ) -> None:
        session, store = self._session, self._store
        if session is None or store is None or self._is_refused():
            return
        try:
            following = peek(store)
            if following is not None and following[2] >= BULK:
                self._bulk_is_undo = True
                self._bulk.start(session, move)
                return
            applied = move(store)
        except CxrError as problem:
            self.refused.emit(problem)
            return
        if applied is None:
            self.refused.emit(UsageError("REVIEW-00", nothing))
            return
        cases = session.take_decisions(applied.decisions)
        self._announce(cases, applied)
        if len(applied.decisions) > 1:
            self._report_count(applied, undone=True)
        elif cases:
            self.advance_requested.emit(cases[0])

    def _is_refused(self) -> bool:
        if self.busy:
            sentence = self.tr(
                "A step on many images is still being saved, so this was not done. Wait a moment."
            )
            self.refused.emit(UsageError("REVIEW-04", sentence))
        return self.busy

    def _advance(self, case: int, was_open: bool) -> None:
        """After an open image the next open one; after a change of mind simply the next."""
        if self.advance == "stay":
            return
        to_open = was_open and self.advance == "next unreviewed"
        following = self._list.unreviewed_from(case) if to_open else self._list.neighbour(case, 1)
        if following is not None and following != case:
            self.advance_requested.emit(following)
        elif to_open:
            self.notice_raised.emit(self.tr("That was the last unreviewed image of this list."))
        else:
            self.notice_raised.emit(self.tr("This is the last image of the list."))

    def _announce(self, cases: list[int], applied: AppliedStep) -> None:
        session = self._session
        # With a gap before it, another window decided meanwhile: what was missed is asked for.
        if session is not None and applied.revision_before <= session.latest_revision:
            session.latest_revision = max(session.latest_revision, applied.revision)
        if applied.kind != "reveal":  # no act of the reader: undo and redo stay as they are
            self.report_undo()
        self.decided.emit(cases, applied)

    def _on_bulk_progressed(self, written: int, count: int) -> None:
        self.notice_raised.emit(
            self.tr("Saving {written} of {count} decisions; other decisions wait for it.").format(
                written=grouped(written), count=grouped(count)
            )
        )

    def _on_bulk_saved(self, cases: list[int], applied: AppliedStep | None) -> None:
        if applied is not None:
            self._announce(cases, applied)
            self._report_count(applied, undone=self._bulk_is_undo)

    def _on_failed(self, problem: CxrError) -> None:
        if isinstance(problem, DecisionConflict):
            self.decided.emit(self.sync_external_changes(), None)
        self.refused.emit(problem)

    def _report_count(self, applied: AppliedStep, *, undone: bool) -> None:
        count = len(applied.decisions)
        if not count:
            text = self.tr("Nothing changed: these images are so already.")
        elif undone:
            text = self.tr("{count} images changed.")
        else:
            text = self.tr("{count} images changed. Undo takes all of it back.")
        self.notice_raised.emit(text.format(count=grouped(count)))

    def _step_text(self, kind: StepKind, value: str, count: int) -> str:
        """What a step did, for the undo line: ``label Covid``, ``flag, 12 images``."""
        text = {
            "label": self.tr("label {value}"),
            "accept": self.tr("accepted {value}"),
            "unsure": self.tr("unsure"),
            "flag": self.tr("flag"),
            "unflag": self.tr("flag taken away"),
            "comment": self.tr("comment"),
            "clear": self.tr("decision taken back"),
        }.get(kind, kind)
        text = text.format(value=value).strip()
        if count > 1:
            return self.tr("{step}, {count} images").format(step=text, count=count)
        return text
