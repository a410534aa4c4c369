"""Which image a folder opens on. What the reader does first ends it: nothing moves after that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop.core.errors import CxrError
from desktop.core.store.review_store import SessionState

if TYPE_CHECKING:
    from desktop.gui.session.controller import Controller


class FirstImage:
    """Part of the controller: the next unreviewed image from where the reader stopped.

    It is shown as soon as it is listed. Only its decoding tells whether it can be read: as long as
    no film has been on show, one that cannot is passed over.
    """

    def __init__(self, controller: Controller, show: Callable[[int], None]) -> None:
        self._controller = controller
        self._show = show
        self._resume: SessionState | None = None
        self._looking = False
        self._unreadable: list[int] = []

    def begin(self, saved: SessionState) -> None:
        """A folder opens; ``saved`` is where its reader stopped."""
        self._resume = saved
        self._looking = True
        self._unreadable = []

    def end(self) -> None:
        """The reader moved or decided, or the folder closes."""
        self._resume = None
        self._looking = False

    def on_listed(self, *, last: bool) -> None:
        """More images are listed; ``last`` = these are all."""
        if self._resume is not None:
            self._find(self._resume, last)
        elif self._looking:
            self.on_film()

    def on_film(self) -> bool:
        """The film on show arrived, or the reason why there is none.

        Returns:
            False where it cannot be read and another image took its place, or soon will.
        """
        controller, case = self._controller, self._controller.current
        outcome = controller.films.outcome(case) if case is not None else None
        if not self._looking or self._resume is not None or case is None or outcome is None:
            return True
        if not isinstance(outcome, CxrError) or not self._waits(case):
            self._looking = False
            return True
        if case not in self._unreadable:
            self._unreadable.append(case)
        following = controller.list.unreviewed_from(case)
        if following is not None and following not in self._unreadable:
            self._take(following)
            return False
        if controller.session is not None and not controller.session.scanned:
            return False
        # None of them can be read: back to where it began.
        self._looking = False
        if case == self._unreadable[0]:
            return True
        self._show(self._unreadable[0])
        return False

    def _find(self, resume: SessionState, last: bool) -> None:
        controller = self._controller
        session, shown = controller.session, controller.list.shown
        if session is None:
            return
        start = session.table.row(resume.current_image) if resume.current_image else None
        if resume.current_image and start is None and not last:
            if controller.current is None and shown:
                self._show(shown[0])
            return
        case = controller.list.unreviewed_from(start, inclusive=True)
        if case is not None or last:
            self._resume = None
            target = case if case is not None else start
            if target is None and shown:
                target = shown[0]
            if target is not None:
                self._take(target)

    def _take(self, case: int) -> None:
        self._show(case)
        self.on_film()  # it may have been decoded ahead

    def _waits(self, case: int) -> bool:
        """Nobody decided on it: a decided one that cannot be read was looked at before."""
        session = self._controller.session
        return session is not None and session.decision(case).state == "open"
