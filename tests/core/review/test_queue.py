"""The order of work: next unreviewed, safety sample, progress and pace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.cases import OPEN
from desktop.core.review import decisions
from desktop.core.review.case_table import CaseTable, SafetyRule
from desktop.core.review.queue import (
    next_unreviewed,
    pace,
    progress,
    safety_sample,
    waits_for_review,
)
from tests.helpers.review_cases import CLASSES, MODELS, STAMP, case, failed


def normals(count: int, letters: str = "NNNN", certainty: float = 0.95) -> CaseTable:
    table = CaseTable(CLASSES, MODELS)
    for number in range(count):
        table.set_result(case(f"{number}.png", letters, certainty=certainty))
    return table


@pytest.mark.parametrize(
    ("current", "backward", "expected"),
    [(2, False, 0), (0, False, 4), (4, False, 2), (3, False, 2), (None, False, 2), (99, False, 2),
     (2, True, 4), (0, True, 2), (1, True, 0), (None, True, 4)],
)  # fmt: skip
def test_next_unreviewed_follows_the_shown_order_and_goes_round(
    current: int | None, backward: bool, expected: int
) -> None:
    order = np.array([3, 2, 1, 0, 4])
    waiting = np.array([True, False, True, False, True])
    if current == 1 and backward:
        expected = 2
    assert next_unreviewed(order, waiting, current, backward=backward) == expected


def test_where_nothing_else_waits_there_is_no_next() -> None:
    order = np.array([0, 1])
    assert next_unreviewed(order, np.array([True, False]), 0) is None
    assert next_unreviewed(order, np.array([False, False]), 1) is None
    assert next_unreviewed(np.array([], np.intp), np.array([True]), None) is None


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 29), st.booleans())
def test_pressing_next_visits_every_waiting_image_once(
    waits: list[bool], start: int, backward: bool
) -> None:
    waiting = np.array(waits)
    order = np.random.default_rng(0).permutation(len(waits))
    current: int | None = start % len(waits)
    visited = set()
    for _ in range(int(waiting.sum())):
        following = next_unreviewed(order, waiting, current, backward=backward)
        if following is None:
            break
        visited.add(following)
        current = following
    assert visited | {start % len(waits)} >= set(np.flatnonzero(waiting).tolist())


def test_failed_images_do_not_wait_for_review() -> None:
    table = normals(2)
    table.set_result(failed("broken.png"))
    table.set_decision("0.png", decisions.label(OPEN, "Normal", STAMP, votes_shown=True))
    assert waits_for_review(table).tolist() == [False, True, False]


def sampled(table: CaseTable, share: float, seed: str = "") -> list[int]:
    table.safety_rule = SafetyRule(share, 0.9, seed)
    return safety_sample(table).tolist()


def test_the_safety_sample_takes_about_its_share_and_always_the_same() -> None:
    table = normals(1000)
    sample = sampled(table, 0.05)
    assert 25 <= len(sample) <= 80
    assert sampled(normals(1000), 0.05) == sample
    assert sampled(table, 0.05, seed="another reader") != sample
    assert sampled(table, 0.05) == sample
    assert len(sampled(table, 1.0)) == 1000
    assert sampled(table, 0.0) == []
    assert len(safety_sample(normals(10))) == 0


def test_the_sample_of_a_running_batch_only_grows() -> None:
    table = normals(200)
    before = sampled(table, 0.1)
    for number in range(200, 800):
        table.set_result(case(f"{number}.png", "NNNN", certainty=0.95))
    after = sampled(table, 0.1)
    assert [row for row in after if row < 200] == before
    assert len(after) > len(before)


@pytest.mark.parametrize(
    "table",
    [normals(50, "NNNC"), normals(50, "NNN-"), normals(50, "CCCC"), normals(50, certainty=0.7)],
)
def test_only_unanimous_confident_normals_are_sampled(table: CaseTable) -> None:
    assert sampled(table, 1.0) == []


def test_a_panel_without_a_normal_class_has_no_sample() -> None:
    table = CaseTable(("Cat", "Dog"), ("one",))
    table.add_images(["a"])
    assert sampled(table, 1.0) == []


def test_progress_counts_what_can_be_reviewed() -> None:
    table = normals(4)
    table.set_result(failed("broken.png"))
    table.set_decision("0.png", decisions.label(OPEN, "Normal", STAMP, votes_shown=True))
    table.set_decision("1.png", decisions.mark_unsure(OPEN, STAMP, votes_shown=True))
    table.set_decision("2.png", decisions.set_flag(OPEN, True, STAMP))
    table.set_decision("broken.png", decisions.set_flag(OPEN, True, STAMP))
    state = progress(table)
    assert (state.total, state.labelled, state.unsure, state.failed) == (4, 1, 1, 1)
    assert (state.reviewed, state.flagged) == (2, 2)


def test_pace_leaves_out_breaks_and_bulk_actions() -> None:
    times = [f"2026-11-23T09:00:{second:02}Z" for second in range(0, 50, 10)]
    times += ["2026-11-23T11:00:00Z", "2026-11-23T11:00:10Z", "2026-11-23T11:00:10Z", ""]
    found = pace(times, waiting=36)
    assert found is not None
    assert found.images_per_hour == pytest.approx(360)
    assert found.seconds_left == pytest.approx(360)


def test_two_decisions_are_no_pace() -> None:
    assert pace(["2026-11-23T09:00:00Z", "2026-11-23T09:00:10Z"], waiting=5) is None
    assert pace([], waiting=5) is None
