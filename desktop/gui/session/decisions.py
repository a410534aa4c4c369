"""The reader's decisions: each one on the disk before anything else happens, each one undoable.

The reader's commands on the image on show or on a selection, and where to go afterwards.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
from desktop.core.store.review_store import AppliedStep, DecisionConflict, ReviewStore
from desktop.core.system.text import utc_stamp
from desktop.gui.formatting import grouped
from desktop.gui.session.bulk_decision import BULK, BulkStep
from desktop.gui.session.session import Session

if TYPE_CHECKING:
    from desktop.gui.session.controller import Controller


class ReviewActions(QObject):
    """Commands of the reader on one or many cases.

    Signals:
        decided(list[int], AppliedStep): Decisions of these cases are on the disk.
        refused(CxrError): Nothing was changed, and why.
        undo_changed(str, str): Words of what undo and redo would do; empty = nothing.
        bulk_progressed(int, int): A large step is being saved: decisions written, and all of them.
        bulk_saved(AppliedStep, bool): It is on the disk and ``decided`` was told; True where it
            was an undo or a redo.
    """

    decided = Signal(list, object)
    refused = Signal(object)
    undo_changed = Signal(str, str)
    bulk_progressed = Signal(int, int)
    bulk_saved = Signal(object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reviewer = ""
        self._session: Session | None = None
        self._store: ReviewStore | None = None
        self._home: Path | None = None
        self._walking = False
        self._bulk = BulkStep(self)
        self._bulk.progressed.connect(self.bulk_progressed)
        self._bulk.saved.connect(self._on_bulk_saved)
        self._bulk.failed.connect(self._on_bulk_failed)

    def set_session(
        self, session: Session | None, store: ReviewStore | None, home: Path | None = None
    ) -> None:
        """Work on another session; waits until a large step of the old one is on the disk."""
        self.finish()
        self._session, self._store, self._home = session, store, home
        self.tell_undo()

    def finish(self) -> None:
        """Wait until a large step is on the disk."""
        self._bulk.close()

    @property
    def busy(self) -> bool:
        """Whether a large step is still being saved; other decisions wait for it."""
        return self._bulk.busy

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
        if session is None or self.busy or session.decision(case).votes_seen:
            return None
        return self._run("reveal", [case], lambda _case, before, _stamp: reveal(before))

    def undo(self) -> AppliedStep | None:
        """Take back the latest step, also of an earlier day; None while a large one is saved."""
        return self._walk(ReviewStore.undo, ReviewStore.undo_next, self.tr("Nothing to undo."))

    def redo(self) -> AppliedStep | None:
        """Do again what undo took back; None while a large step is saved."""
        return self._walk(ReviewStore.redo, ReviewStore.redo_next, self.tr("Nothing to redo."))

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
        if self._is_refused():
            return None
        stamp = Stamp(self.reviewer, utc_stamp(datetime.datetime.now(datetime.UTC)))

        def make() -> Step:
            case_of = {session.image(case): case for case in cases}
            return make_step(
                kind,
                {image: session.decision(case) for image, case in case_of.items()},
                lambda image, before: command(case_of[image], before, stamp),
                value=value,
                sha256={image: session.table.sha256(case) for image, case in case_of.items()},
            )

        if len(cases) >= BULK:
            # Only reads of the table there: no decision is taken until this one is through.
            self._walking = False
            self._bulk.start(session, self._home, lambda its_store: its_store.apply(make()))
            return None
        try:
            return self._apply(store, make())
        except DecisionConflict as problem:
            changed = self.sync_external_changes()
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
        self,
        move: Callable[[ReviewStore], AppliedStep | None],
        peek: Callable[[ReviewStore], tuple[StepKind, str, int] | None],
        nothing: str,
    ) -> AppliedStep | None:
        session, store = self._session, self._store
        if session is None or store is None or self._is_refused():
            return None
        try:
            following = peek(store)
            if following is not None and following[2] >= BULK:
                self._walking = True
                self._bulk.start(session, self._home, move)
                return None
            applied = move(store)
        except CxrError as problem:
            self.refused.emit(problem)
            return None
        if applied is None:
            self.refused.emit(UsageError("REVIEW-00", nothing))
            return None
        self._announce(applied)
        return applied

    def _is_refused(self) -> bool:
        if self.busy:
            sentence = self.tr(
                "A step on many images is still being saved, so this was not done. Wait a moment."
            )
            self.refused.emit(UsageError("REVIEW-04", sentence))
        return self.busy

    def _on_bulk_saved(self, cases: list[int], applied: AppliedStep | None) -> None:
        if applied is not None:
            self._note_revision(applied)
            self.tell_undo()
            self.decided.emit(cases, applied)
            self.bulk_saved.emit(applied, self._walking)

    def _on_bulk_failed(self, problem: CxrError) -> None:
        if isinstance(problem, DecisionConflict):
            self.decided.emit(self.sync_external_changes(), None)
        self.refused.emit(problem)

    def _announce(self, applied: AppliedStep) -> None:
        cases = self._take_in(applied.decisions)
        self._note_revision(applied)
        if applied.kind != "reveal":  # no act of the reader: undo and redo stay as they are
            self.tell_undo()
        self.decided.emit(cases, applied)

    def _note_revision(self, applied: AppliedStep) -> None:
        session = self._session
        # With a gap before it, another window decided meanwhile: what was missed is asked for.
        if session is not None and applied.revision_before <= session.latest_revision:
            session.latest_revision = max(session.latest_revision, applied.revision)

    def _take_in(self, decisions: Mapping[str, Decision]) -> list[int]:
        session = self._session
        if session is None:
            return []
        known = {image: row for image in decisions if (row := session.table.row(image)) is not None}
        session.table.set_decisions({image: decisions[image] for image in known})
        return list(known.values())

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


class Deciding(QObject):
    """Part of the controller.

    Signals:
        consensus_missing(): Enter was pressed and there is nothing to accept.
        notice_raised(str): A sentence for the reader.
    """

    consensus_missing = Signal()
    notice_raised = Signal(str)

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        # As in the settings: stay, next, next unreviewed.
        self.advance = "next unreviewed"
        controller.actions.bulk_progressed.connect(self._on_bulk_progressed)
        controller.actions.bulk_saved.connect(self._say_count)

    def label(self, class_index: int, selection: Sequence[int] = ()) -> None:
        """Label the image on show, or a selection, with a class."""
        session = self._controller.session
        if session is None or class_index >= len(session.panel.class_names):
            return
        name = session.panel.class_names[class_index]
        self._decide(
            lambda cases: self._controller.actions.label(cases, name, self.votes_shown), selection
        )

    def accept(self, selection: Sequence[int] = ()) -> None:
        """Accept the consensus of the image on show, or of a selection."""
        session, case = self._controller.session, self._controller.current
        if session is None:
            return
        alone = len(selection) < 2
        if (
            alone
            and case is not None
            and not self._controller.hidden(case)
            and session.consensus(case) is None
        ):
            self.consensus_missing.emit()
            return
        self._decide(
            lambda cases: self._controller.actions.accept(cases, self.votes_shown), selection
        )

    def mark_unsure(self, selection: Sequence[int] = ()) -> None:
        """Looked at, cannot tell."""
        self._decide(
            lambda cases: self._controller.actions.mark_unsure(cases, self.votes_shown), selection
        )

    def toggle_flag(self, selection: Sequence[int] = ()) -> None:
        """Flag, or take the flag away where all have one."""
        cases = self._cases(selection)
        if self._controller.session is not None and cases:
            flagged = all(self._controller.session.decision(case).flagged for case in cases)
            self._controller.actions.set_flag(cases, not flagged)

    def comment(self, text: str, selection: Sequence[int] = ()) -> None:
        """Write a comment."""
        self._controller.actions.set_comment(self._cases(selection), text)

    def clear(self, selection: Sequence[int] = ()) -> None:
        """Open the image on show, or a selection, again."""
        self._controller.actions.clear(self._cases(selection))

    def undo(self) -> None:
        """Take back the latest step and show where it was."""
        self._follow(self._controller.actions.undo())

    def redo(self) -> None:
        """Do it again and show where it was."""
        self._follow(self._controller.actions.redo())

    def _cases(self, selection: Sequence[int]) -> list[int]:
        if len(selection) > 1:
            return list(selection)
        return [self._controller.current] if self._controller.current is not None else []

    def votes_shown(self, case: int) -> bool:
        """Whether the votes of a case are on the screen while it is decided."""
        return not self._controller.hidden(case)

    def _decide(
        self, command: Callable[[list[int]], AppliedStep | None], selection: Sequence[int]
    ) -> None:
        session, cases = self._controller.session, self._cases(selection)
        if session is None or not cases:
            return
        alone = len(cases) == 1
        was_open = not session.decision(cases[0]).reviewed
        was_hidden = self._controller.hidden(cases[0])
        applied = command(cases)
        if applied is None:
            return
        if not alone:
            self._say_count(applied, walked=False)
            return
        if was_hidden and session.voted(cases[0]):
            self._controller.actions.note_votes_seen(cases[0])
            self.notice_raised.emit(
                self.tr("Your label is kept. Press it again to confirm, or another one.")
            )
            return
        self._advance(cases[0], was_open)

    def _say_count(self, applied: AppliedStep, walked: bool) -> None:
        count = len(applied.decisions)
        if not count:
            words = self.tr("Nothing changed: these images are so already.")
        elif walked:
            words = self.tr("{count} images changed.")
        else:
            words = self.tr("{count} images changed. Undo takes all of it back.")
        self.notice_raised.emit(words.format(count=grouped(count)))

    def _on_bulk_progressed(self, written: int, count: int) -> None:
        self.notice_raised.emit(
            self.tr("Saving {written} of {count} decisions; other decisions wait for it.").format(
                written=grouped(written), count=grouped(count)
            )
        )

    def _advance(self, case: int, was_open: bool) -> None:
        """After an open image the next open one; after a change of mind simply the next."""
        if self.advance == "stay":
            return
        to_open = was_open and self.advance == "next unreviewed"
        if to_open:
            following = self._controller.list.unreviewed_from(case, 1)
        else:
            following = self._controller.list.neighbour(case, 1)
        if following is None or following == case:
            self.notice_raised.emit(
                self.tr("That was the last unreviewed image of this list.")
                if to_open
                else self.tr("This is the last image of the list.")
            )
            return
        self._controller.show_case(following)

    def _follow(self, applied: AppliedStep | None) -> None:
        if applied is None or self._controller.session is None or not applied.decisions:
            return
        if len(applied.decisions) > 1:
            self._say_count(applied, walked=True)
            return
        case = self._controller.session.table.row(next(iter(applied.decisions)))
        if case is not None:
            self._controller.show_case(case)
