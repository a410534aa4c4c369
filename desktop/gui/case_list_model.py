"""The list's model: one column, a row for every case that the filter lets through.

A QAbstractTableModel and not a list model: QTableView with fixed heights repaints one row on one
``dataChanged`` where QListView lays out all of them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
ROW_VIEW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
CASE_ROLE = ROW_VIEW_ROLE + 1
# More rows than this at once are a new list, not a change of it.
_FEW = 20

RowState = Literal["waiting", "voted", "failed", "blind"]
RowStatus = Literal["open", "decided", "unsure", "flagged", "failed"]
RowCopies = Literal["", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class RowView:
    """What one row shows.

    Attributes:
        name: Path relative to the opened folder.
        line: Second line, e.g. ``Normal 3 of 4``.
        short_line: The same for a narrow list, e.g. ``Viral 3 of 4``.
        votes: Class index of each model, None where it gave no answer; empty before any result.
        state: How the vote strip is drawn.
        status: The mark at the end of the row.
        decided: True where the reader has decided, which lets the name step back.
        copies: Whether nearly the same film is in the folder, and was decided otherwise.
        words: Everything above in words, for a screen reader.
    """

    name: str
    line: str
    short_line: str
    votes: tuple[int | None, ...]
    state: RowState
    status: RowStatus
    decided: bool
    words: str
    copies: RowCopies = ""


class CaseListModel(QAbstractTableModel):
    """Rows of the list; a row is an index into the session's cases."""

    def __init__(self, row_view: Callable[[int], RowView]) -> None:
        """Build an empty model.

        Args:
            row_view: Gives the values of a case; asked only for rows that are painted.
        """
        super().__init__()
        self._row_view = row_view
        self._shown: list[int] = []
        self._row_of: dict[int, int] | None = None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        case = self._shown[index.row()]
        if role == CASE_ROLE:
            return case
        if role not in (
            ROW_VIEW_ROLE,
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return None
        view = self._row_view(case)
        if role == ROW_VIEW_ROLE:
            return view
        if role == Qt.ItemDataRole.DisplayRole:
            return view.name
        return view.words

    def case_at(self, row: int) -> int | None:
        """Case shown in a row, None outside the list."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def row_of(self, case: int) -> int | None:
        """Row that shows a case, None where the filter hides it."""
        if self._row_of is None:
            self._row_of = {shown: row for row, shown in enumerate(self._shown)}
        return self._row_of.get(case)

    def show(self, cases: Sequence[int]) -> None:
        """Replace the rows after a change of filter or order."""
        self.beginResetModel()
        self._shown = list(cases)
        self._row_of = None
        self.endResetModel()

    def append(self, cases: Sequence[int]) -> None:
        """Add rows at the end while a folder is still being listed."""
        if not cases:
            return
        first = len(self._shown)
        self.beginInsertRows(QModelIndex(), first, first + len(cases) - 1)
        self._shown.extend(cases)
        if self._row_of is not None:
            self._row_of.update({case: first + offset for offset, case in enumerate(cases)})
        self.endInsertRows()

    @property
    def shown(self) -> Sequence[int]:
        """Cases listed, in order; not to be changed."""
        return self._shown

    def remove_to(self, cases: npt.NDArray[np.intp]) -> bool:
        """Take a few rows out so that ``cases`` remain.

        Returns:
            False where that is not how to get there; then nothing has changed.
        """
        gone = len(self._shown) - len(cases)
        if not 0 < gone <= _FEW:
            return False
        listed = np.asarray(self._shown, np.intp)
        kept = np.isin(listed, cases)
        if not np.array_equal(listed[kept], cases):
            return False
        for row in np.flatnonzero(~kept)[::-1].tolist():
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._shown[row]
            self.endRemoveRows()
        self._row_of = None
        return True

    def refresh(self, cases: Sequence[int]) -> None:
        """Repaint the rows of the given cases, one range for all of them."""
        rows = [row for case in cases if (row := self.row_of(case)) is not None]
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), 0))

    def refresh_all(self) -> None:
        """Repaint every row, e.g. after the votes were hidden."""
        if self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._shown) - 1, 0))
