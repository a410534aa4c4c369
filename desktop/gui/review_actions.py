"""The reader's decisions: each one on the disk before anything else happens, each one undoable."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal

from desktop.core.cases import Decision
from desktop.core.decisions import (
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
    utc_stamp,
)
from desktop.core.errors import CxrError, UsageError
from desktop.core.review_store import AppliedStep, DecisionConflict, ReviewStore
from desktop.gui.session import Session


class ReviewActions(QObject):
    """Commands of the reader on one or many cases.

    Signals:
        decided(list[int], AppliedStep): Decisions of these cases are on the disk.
        refused(CxrError): Nothing was changed, and why.
        undo_changed(str, str): Words of what undo and redo would do; empty = nothing.
    """

    decided = Signal(list, object)
    refused = Signal(object)
    undo_changed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reviewer = ""
        self._session: Session | None = None
        self._store: ReviewStore | None = None

    def set_session(self, session: Session | None, store: ReviewStore | None) -> None:
        """Work on another session."""
        self._session, self._store = session, store
        self.tell_undo()

    def label(
        self, cases: Sequence[int], class_name: str, votes_shown: Callable[[int], bool]
    ) -> AppliedStep | None:
        """Give the reader's label; ``votes_shown`` says whether a case's votes are on screen."""
        return self._run(
            "label",
            cases,
            lambda case, before, stamp: label(
                before, class_name, stamp, votes_shown=votes_shown(case)
            ),
            class_name,
        )

    def accept(
        self, cases: Sequence[int], votes_shown: Callable[[int], bool]
    ) -> AppliedStep | None:
        """Take over the consensus of each case; those without one are passed over."""
        session = self._session
        if session is None:
            return None
        names = {session.consensus(case) for case in cases}
        value = names.pop() if len(names) == 1 else None
        return self._run(
            "accept",
            cases,
            lambda case, before, stamp: accept_consensus(
                before, session.consensus(case), stamp, votes_shown=votes_shown(case)
            ),
            value or "",
        )

    def mark_unsure(
        self, cases: Sequence[int], votes_shown: Callable[[int], bool]
    ) -> AppliedStep | None:
        """Looked at, cannot tell."""
        return self._run(
            "unsure",
            cases,
            lambda case, before, stamp: mark_unsure(before, stamp, votes_shown=votes_shown(case)),
        )

    def set_flag(self, cases: Sequence[int], flagged: bool) -> AppliedStep | None:
        """Mark for a second look, or take the mark away."""
        return self._run(
            "flag" if flagged else "unflag",
            cases,
            lambda _case, before, stamp: set_flag(before, flagged, stamp),
        )

    def set_comment(self, cases: Sequence[int], text: str) -> AppliedStep | None:
        """Write the comment."""
        return self._run(
            "comment", cases, lambda _case, before, stamp: set_comment(before, text, stamp)
        )

    def clear(self, cases: Sequence[int]) -> AppliedStep | None:
        """Open the cases again."""
        return self._run("clear", cases, lambda _case, before, stamp: clear(before, stamp))

    def note_votes_seen(self, case: int) -> AppliedStep | None:
        """Note that the votes have been on the screen; no act of the reader, so not undoable."""
        session = self._session
        if session is None or session.decision(case).votes_seen:
            return None
        return self._run("reveal", [case], lambda _case, before, _stamp: reveal(before))

    def undo(self) -> AppliedStep | None:
        """Take back the latest step, also of an earlier day."""
        return self._walk(lambda store: store.undo(), self.tr("Nothing to undo."))

    def redo(self) -> AppliedStep | None:
        """Do again what undo took back."""
        return self._walk(lambda store: store.redo(), self.tr("Nothing to redo."))

    def take_others_changes(self) -> list[int]:
        """Read what another window on the same folder has decided; gives the changed cases."""
        session, store = self._session, self._store
        if session is None or store is None:
            return []
        try:
            revision, decisions = store.changes_since(session.latest_revision)
        except CxrError as problem:
            self.refused.emit(problem)
            return []
        session.latest_revision = revision
        return self._take_in(decisions)

    def _run(
        self,
        kind: StepKind,
        cases: Sequence[int],
        command: Callable[[int, Decision, Stamp], Decision],
        value: str = "",
    ) -> AppliedStep | None:
        session, store = self._session, self._store
        if session is None or store is None or not cases:
            return None
        stamp = Stamp(self.reviewer, utc_stamp(datetime.datetime.now(datetime.UTC)))
        case_of = {session.image(case): case for case in cases}
        try:
            step = make_step(
                kind,
                {image: session.decision(case) for image, case in case_of.items()},
                lambda image, before: command(case_of[image], before, stamp),
                value=value,
                sha256={image: session.table.sha256(case) for image, case in case_of.items()},
            )
            return self._apply(store, step)
        except DecisionConflict as problem:
            changed = self.take_others_changes()
            self.refused.emit(problem)
            self.decided.emit(changed, None)
        except UsageError as problem:
            self.refused.emit(problem)
        except CxrError as problem:
            self.refused.emit(problem)
        return None

    def _apply(self, store: ReviewStore, step: Step) -> AppliedStep:
        if not step.changes:
            # The same key twice: nothing to store, but the reader means to go on.
            return AppliedStep(step.kind, step.value, {})
        applied = store.apply(step)
        self._announce(applied)
        return applied

    def _walk(
        self, move: Callable[[ReviewStore], AppliedStep | None], nothing: str
    ) -> AppliedStep | None:
        if self._store is None:
            return None
        try:
            applied = move(self._store)
        except CxrError as problem:
            self.refused.emit(problem)
            return None
        if applied is None:
            self.refused.emit(UsageError("REVIEW-00", nothing))
            return None
        self._announce(applied)
        return applied

    def _announce(self, applied: AppliedStep) -> None:
        cases = self._take_in(applied.decisions)
        session = self._session
        # With a gap before it, another window decided meanwhile: what was missed is asked for.
        if session is not None and applied.revision_before <= session.latest_revision:
            session.latest_revision = max(session.latest_revision, applied.revision)
        self.tell_undo()
        self.decided.emit(cases, applied)

    def _take_in(self, decisions: Mapping[str, Decision]) -> list[int]:
        session = self._session
        if session is None:
            return []
        cases = []
        for image, decision in decisions.items():
            if session.table.row(image) is not None:
                cases.append(session.table.set_decision(image, decision))
        return cases

    def tell_undo(self) -> None:
        """Say again what undo and redo would do."""
        store = self._store
        if store is None:
            self.undo_changed.emit("", "")
            return
        try:
            undo, redo = store.undo_next(), store.redo_next()
        except CxrError:
            undo = redo = None
        self.undo_changed.emit(
            self.step_words(*undo) if undo else "", self.step_words(*redo) if redo else ""
        )

    def step_words(self, kind: StepKind, value: str, count: int) -> str:
        """What a step did, for the undo line: ``Covid``, ``flag, 12 images``."""
        words = {
            "label": self.tr("label {value}"),
            "accept": self.tr("accepted {value}"),
            "unsure": self.tr("unsure"),
            "flag": self.tr("flag"),
            "unflag": self.tr("flag taken away"),
            "comment": self.tr("comment"),
            "clear": self.tr("decision taken back"),
        }.get(kind, kind)
        words = words.format(value=value).strip()
        return (
            self.tr("{step}, {count} images").format(step=words, count=count)
            if count > 1
            else words
        )
