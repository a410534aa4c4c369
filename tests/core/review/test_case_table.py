"""The table behind the list: cut-outs keep all of a row, marks and copies are what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.core.cases import OPEN
from desktop.core.review import decisions
from desktop.core.review.case_table import CaseTable
from tests.helpers.review_cases import CLASSES, MODELS, STAMP, case, failed

COVID = decisions.label(OPEN, "Covid", STAMP, votes_shown=True)
NORMAL = decisions.label(OPEN, "Normal", STAMP, votes_shown=True)


@pytest.fixture
def table() -> CaseTable:
    made = CaseTable(CLASSES, MODELS)
    made.set_result(case("a.png", "CCCC"))
    made.set_result(failed("b.png"))
    made.set_result(case("c.png", "CCNN"))
    made.add_images(["d.png"])
    made.set_decision("c.png", COVID)
    return made


def test_a_cut_out_keeps_hash_decision_and_refusal_of_each_row(table: CaseTable) -> None:
    part = table.only([2, 1, 3])
    assert list(part.images) == ["c.png", "b.png", "d.png"]
    assert part.decision(0) == COVID
    assert part.sha256(0) == table.sha256(2)
    assert part.refusal(1) == table.refusal(1)
    assert part.decision(2) == OPEN
    assert part.sha256(2) == ""
    assert part.column("votes")[0].tolist() == table.column("votes")[2].tolist()


def test_only_what_changed_or_went_missing_can_be_marked(table: CaseTable) -> None:
    table.mark("missing", [0, 3])
    assert table.column("missing").tolist() == [True, False, False, True]
    table.mark("missing", [0], False)
    assert table.column("missing").tolist() == [False, False, False, True]
    with pytest.raises(KeyError):
        table.mark("ood", [0])


def test_copies_are_the_other_rows_of_a_group(table: CaseTable) -> None:
    assert table.copies(0) == []
    table.set_duplicate_groups({0: 7, 2: 7})
    assert table.copies(0) == [2]
    assert table.copies(2) == [0]
    assert table.copies(1) == []


def test_a_conflict_is_told_anew_after_every_decision(table: CaseTable) -> None:
    table.set_duplicate_groups({0: 7, 2: 7})
    assert not table.conflicting().any()
    table.set_decision("a.png", NORMAL)
    assert table.conflicting().tolist() == [True, False, True, False]
    assert table.conflicting() is table.conflicting()
    table.set_decision("a.png", COVID)
    assert not table.conflicting().any()


def test_an_answer_without_a_verdict_counts_as_read_and_votes_for_nothing(
    table: CaseTable,
) -> None:
    row = table.set_result(replace(case("e.png"), predictions=(), verdict=None))
    assert table.column("votes")[row].tolist() == [-1, -1, -1, -1]
    assert table.column("consensus")[row] == -1
