"""Which cases the list shows and in which order; counts of the tabs; where next is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.errors import UsageError
from desktop.core.review.query import Rows, matches, select_text, vocabulary_of
from desktop.core.review.query_parser import parse_query
from desktop.core.review.query_terms import needs_votes
from desktop.core.review.queue import waits_for_review
from desktop.gui.presenters.case_row import RowView, row_view
from desktop.gui.session.case_list_model import CaseListModel
from desktop.gui.session.session import Session

_REFRESH_MS = 400
# More rows than this are repainted as all of them: only those on the screen cost anything.
_MANY = 1000


class CaseList(QObject):
    """Filter and order over the session's table.

    Signals:
        shown_changed(): Other rows are listed, or in another order.
        counts_changed(dict[str, int | None]): Images in each tab.
        query_refused(UsageError): The query or order cannot be used; the list stays as it was.
    """

    shown_changed = Signal()
    counts_changed = Signal(dict)
    query_refused = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = CaseListModel(self._row_view)
        self.blind = False
        self.query = ""
        self.sort = ""
        self._session: Session | None = None
        self._rows: Rows = np.empty(0, np.intp)
        self._timer = QTimer(self, singleShot=True, interval=_REFRESH_MS, timeout=self.refresh)

    def set_session(self, session: Session | None, query: str = "", sort: str = "") -> None:
        self._session = session
        self.query, self.sort = query, sort
        self._rows = np.empty(0, np.intp)
        self.model.show([])
        self.refresh()

    @property
    def shown(self) -> Sequence[int]:
        """Cases listed, in order; not to be changed."""
        return self.model.shown

    def set_query(self, query: str, sort: str | None = None) -> bool:
        """Filter and order anew; False where the query cannot be used: nothing has changed."""
        before = self.query, self.sort
        self.query = query
        if sort is not None:
            self.sort = sort
        if self.refresh():
            return True
        self.query, self.sort = before
        return False

    def set_blind(self, blind: bool) -> None:
        """Hide the votes: a filter or order that tells them is taken away."""
        self.blind = blind
        if blind and self._session is not None:
            for query, sort in ((self.query, self.sort), (self.query, ""), ("", "")):
                try:
                    select_text(self._session.table, query, sort, blind=True)
                except UsageError:
                    continue
                self.query, self.sort = query, sort
                break
        self.refresh()
        self.model.refresh_all()

    def refresh(self) -> bool:
        """Filter again now; rows that stay keep their place on the screen."""
        self._timer.stop()
        session = self._session
        if session is None:
            self._set_rows(np.empty(0, np.intp))
            self.counts_changed.emit(dict.fromkeys(TAB_QUERIES, 0))
            return True
        try:
            rows = select_text(session.table, self.query, self.sort, blind=self.blind)
        except UsageError as problem:
            self.query_refused.emit(problem)
            return False
        self._set_rows(rows)
        self.counts_changed.emit(self.counts())
        return True

    def add(self, cases: Sequence[int]) -> None:
        """List newly found cases; without filter and order they simply join at the end."""
        if self.query or self.sort:
            self.refresh_soon()
            return
        # Numbers rise, so what is listed already lies below.
        last = int(self._rows[-1]) if len(self._rows) else -1
        fresh = [case for case in cases if case > last]
        self._rows = np.concatenate([self._rows, np.asarray(fresh, np.intp)])
        self.model.append(fresh)
        self.shown_changed.emit()
        self.refresh_soon()

    def refresh_soon(self) -> None:
        """Filter again within half a second, once for many answers."""
        if not self._timer.isActive():
            self._timer.start()

    def on_cases_changed(self, cases: Sequence[int]) -> None:
        """Repaint the rows of these cases, and filter again soon."""
        if len(cases) > _MANY:
            self.model.refresh_all()
        else:
            self.model.refresh(cases)
        self.refresh_soon()

    def counts(self) -> dict[str, int | None]:
        """Images in each tab; None where the number would reveal the votes."""
        session = self._session
        if session is None:
            return dict.fromkeys(TAB_QUERIES, 0)
        found: dict[str, int | None] = {}
        for tab, query in TAB_QUERIES.items():
            try:
                parsed = parse_query(query, vocabulary_of(session.table))
                if self.blind and needs_votes(parsed):
                    found[tab] = None
                else:
                    matching = matches(session.table, parsed, blind=self.blind)
                    found[tab] = int(np.count_nonzero(matching))
            except UsageError:
                found[tab] = None
        return found

    def position(self, case: int | None) -> int | None:
        """Index of a case in the list, None where it is not listed."""
        return None if case is None else self.model.row_of(case)

    def neighbour(self, case: int | None, step: int) -> int | None:
        """The listed case ``step`` rows on; None beyond the ends."""
        if not len(self._rows):
            return None
        index = self.position(case)
        if index is None:
            index = self._index_of_hidden(case) - (1 if step > 0 else 0)
        index += step
        return int(self._rows[index]) if 0 <= index < len(self._rows) else None

    def unreviewed_from(
        self, case: int | None, step: int = 1, *, inclusive: bool = False
    ) -> int | None:
        """Next listed case without a decision, going round the end; failed ones are passed over."""
        session = self._session
        if session is None or not len(self._rows):
            return None
        count = len(self._rows)
        index = self.position(case)
        if index is None:
            index = self._index_of_hidden(case)
            inclusive = True
        waiting = waits_for_review(session.table)[self._rows]
        order = (index + step * np.arange(0 if inclusive else 1, count + 1)) % count
        hits = np.flatnonzero(waiting[order])
        return int(self._rows[order[hits[0]]]) if len(hits) else None

    def _index_of_hidden(self, case: int | None) -> int:
        """Where a case that the filter hides would stand in folder order."""
        if case is None:
            return 0
        return int(np.searchsorted(self._rows, case)) if not self.sort else 0

    def _set_rows(self, rows: Rows) -> None:
        old = self._rows
        if np.array_equal(rows, old):
            return
        self._rows = rows
        if len(rows) > len(old) and np.array_equal(rows[: len(old)], old):
            self.model.append(rows[len(old) :])
        elif not self.model.remove_to(rows):
            self.model.show(rows)
        self.shown_changed.emit()

    def _row_view(self, case: int) -> RowView:
        session = self._session
        assert session is not None, "rows are painted only while a session is open"
        blind = self.blind and not session.decision(case).votes_seen
        return row_view(session.table, case, session.facts, blind=blind)


# Tab -> query in the search box's language.
TAB_QUERIES: dict[str, str] = {
    "all": "",
    "unreviewed": "is:open -is:failed",
    "disagree": "is:split",
    "flagged": "is:flagged",
    "failed": "is:failed",
}
