"""The list's model: one column, a row for every case that the filter lets through.

A QAbstractTableModel and not a list model: QTableView with fixed heights repaints one row on one
``dataChanged`` where QListView lays out all of them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.gui.presenters.case_row import RowView

Index = QModelIndex | QPersistentModelIndex
Cases = Sequence[int] | npt.NDArray[np.intp]
ROW_VIEW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
CASE_ROLE = ROW_VIEW_ROLE + 1
# More rows than this at once are a new list, not a change of it.
_FEW = 20


class CaseNumbers(Sequence[int]):
    """Numbers of cases in the order of the list, read-only; nothing is copied to ask for one."""

    def __init__(self, cases: npt.NDArray[np.intp]) -> None:
        self._cases = cases

    def __len__(self) -> int:
        return len(self._cases)

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...

    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        found = self._cases[index]
        return CaseNumbers(found) if isinstance(index, slice) else int(found)

    def __iter__(self) -> Iterator[int]:
        return iter(self._cases.tolist())


class CaseListModel(QAbstractTableModel):
    """Rows of the list; a row is an index into the session's cases."""

    def __init__(self, row_view: Callable[[int], RowView]) -> None:
        """Build an empty model; ``row_view`` is asked only for rows that are painted."""
        super().__init__()
        self._row_view = row_view
        self._cases: npt.NDArray[np.intp] = np.empty(0, np.intp)
        # Row of each case, -1 where it is hidden; made when first asked for.
        self._row_of: npt.NDArray[np.intp] | None = None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._cases)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._cases):
            return None
        case = int(self._cases[index.row()])
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
        return view.spoken

    def case_at(self, row: int) -> int | None:
        """Case shown in a row, None outside the list."""
        return int(self._cases[row]) if 0 <= row < len(self._cases) else None

    def row_of(self, case: int) -> int | None:
        """Row that shows a case, None where the filter hides it."""
        if self._row_of is None:
            self._row_of = np.full(self._cases.max(initial=-1) + 1, -1, np.intp)
            self._row_of[self._cases] = np.arange(len(self._cases))
        row = int(self._row_of[case]) if 0 <= case < len(self._row_of) else -1
        return row if row >= 0 else None

    def show(self, cases: Cases) -> None:
        """Replace the rows after a change of filter or order."""
        self.beginResetModel()
        self._cases = np.array(cases, np.intp)
        self._row_of = None
        self.endResetModel()

    def append(self, cases: Cases) -> None:
        """Add rows at the end while a folder is still being listed."""
        if not len(cases):
            return
        first = len(self._cases)
        self.beginInsertRows(QModelIndex(), first, first + len(cases) - 1)
        self._cases = np.concatenate([self._cases, np.asarray(cases, np.intp)])
        self._row_of = None
        self.endInsertRows()

    @property
    def shown(self) -> Sequence[int]:
        """Cases listed, in order."""
        return CaseNumbers(self._cases)

    def remove_to(self, cases: npt.NDArray[np.intp]) -> bool:
        """Take a few rows out so that ``cases`` remain.

        Returns:
            False where that is not how to get there; then nothing has changed.
        """
        gone = len(self._cases) - len(cases)
        if not 0 < gone <= _FEW:
            return False
        stays = np.zeros(max(self._cases.max(initial=-1), cases.max(initial=-1)) + 1, np.bool_)
        stays[cases] = True
        kept = stays[self._cases]
        if not np.array_equal(self._cases[kept], cases):
            return False
        for row in np.flatnonzero(~kept)[::-1].tolist():
            self.beginRemoveRows(QModelIndex(), row, row)
            self._cases = np.delete(self._cases, row)
            self._row_of = None
            self.endRemoveRows()
        return True

    def refresh(self, cases: Sequence[int]) -> None:
        """Repaint the rows of the given cases, one range for all of them."""
        rows = [row for case in cases if (row := self.row_of(case)) is not None]
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), 0))

    def refresh_all(self) -> None:
        """Repaint every row, e.g. after the votes were hidden."""
        if len(self._cases):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._cases) - 1, 0))
