"""Which image a folder opens on. What the reader does first ends it: nothing moves after that."""

from __future__ import annotations

from collections.abc import Callable

from desktop.core.errors import CxrError
from desktop.core.store.review_store import SessionState
from desktop.gui.images.picture_cache import FilmLoader
from desktop.gui.session.case_list import CaseList
from desktop.gui.session.session import Session


class FirstImage:
    """The next unreviewed image from where the reader stopped.

    It is shown as soon as it is listed. Only its decoding tells whether it can be read: as long as
    no film has been on show, one that cannot is passed over.
    """

    def __init__(self, case_list: CaseList, films: FilmLoader, show: Callable[[int], None]) -> None:
        self._list = case_list
        self._films = films
        self._show_case = show
        self._session: Session | None = None
        self._shown: int | None = None
        self._resume: SessionState | None = None
        self._looking = False
        self._unreadable: list[int] = []

    def begin(self, session: Session, saved: SessionState) -> None:
        """A folder opens; ``saved`` is where its reader stopped."""
        self._session = session
        self._shown = None
        self._resume = saved
        self._looking = True
        self._unreadable = []

    def end(self) -> None:
        """The reader moved or decided, or the folder closes."""
        self._session = self._resume = None
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
        session, case = self._session, self._shown
        if not self._looking or self._resume is not None or session is None or case is None:
            return True
        outcome = self._films.outcome(case)
        if outcome is None:
            return True
        # A decided one that cannot be read was looked at before.
        if not isinstance(outcome, CxrError) or session.decision(case).state != "open":
            self._looking = False
            return True
        if case not in self._unreadable:
            self._unreadable.append(case)
        following = self._list.unreviewed_from(case)
        if following is not None and following not in self._unreadable:
            self._take(following)
            return False
        if not session.scanned:
            return False
        # None of them can be read: back to the first one.
        self._looking = False
        if case == self._unreadable[0]:
            return True
        self._show(self._unreadable[0])
        return False

    def _find(self, resume: SessionState, last: bool) -> None:
        session, listed = self._session, self._list.shown
        if session is None:
            return
        start = session.table.row(resume.current_image) if resume.current_image else None
        if resume.current_image and start is None and not last:
            if self._shown is None and listed:
                self._show(listed[0])
            return
        case = self._list.unreviewed_from(start, inclusive=True)
        if case is not None or last:
            self._resume = None
            target = case if case is not None else start
            if target is None and listed:
                target = listed[0]
            if target is not None:
                self._take(target)

    def _take(self, case: int) -> None:
        self._show(case)
        self.on_film()  # it may have been decoded ahead

    def _show(self, case: int) -> None:
        self._shown = case
        self._show_case(case)
