"""The list's model: which case stands in which row, through every change of the list."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex

from desktop.gui.presenters.case_row import RowView
from desktop.gui.session.case_list_model import CaseListModel


@pytest.fixture
def model() -> CaseListModel:
    def view(case: int) -> RowView:
        return RowView(str(case), "", "", (), "waiting", "open", False, str(case))

    made = CaseListModel(view)
    made.show([5, 3, 9, 0])
    return made


def consistent(model: CaseListModel) -> bool:
    """Whether row and case find each other everywhere."""
    return all(model.row_of(case) == row for row, case in enumerate(model.shown))


def test_a_hidden_case_has_no_row(model: CaseListModel) -> None:
    assert consistent(model)
    assert model.row_of(4) is None
    assert model.row_of(10) is None
    assert model.case_at(4) is None
    assert model.case_at(-1) is None


def test_rows_at_the_end_are_found(model: CaseListModel) -> None:
    assert model.row_of(9) == 2
    model.append([12, 1])
    assert list(model.shown) == [5, 3, 9, 0, 12, 1]
    assert consistent(model)


def test_a_few_rows_leave_without_a_new_list(model: CaseListModel) -> None:
    removed: list[tuple[int, int]] = []
    resets: list[int] = []
    model.rowsRemoved.connect(lambda _parent, first, last: removed.append((first, last)))
    model.modelReset.connect(lambda: resets.append(1))
    assert model.row_of(0) == 3
    assert model.remove_to(np.array([5, 9]))
    assert list(model.shown) == [5, 9]
    assert removed == [(3, 3), (1, 1)]
    assert not resets
    assert consistent(model)


def test_another_order_is_another_list(model: CaseListModel) -> None:
    assert not model.remove_to(np.array([9, 5]))
    assert list(model.shown) == [5, 3, 9, 0]


def test_what_is_listed_reads_like_a_sequence(model: CaseListModel) -> None:
    assert len(model.shown) == model.rowCount(QModelIndex()) == 4
    assert (model.shown[0], model.shown[-1]) == (5, 0)
    assert list(model.shown[1:3]) == [3, 9]
    assert 9 in model.shown
