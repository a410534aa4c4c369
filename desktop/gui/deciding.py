"""The reader's commands on the image on show or on a selection, and where to go afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.core.review_store import AppliedStep
from desktop.gui.status_bar import grouped

if TYPE_CHECKING:
    from desktop.gui.controller import Controller


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
