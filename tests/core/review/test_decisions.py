"""What a reader can do to a decision, and what the commands refuse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.cases import OPEN, Decision
from desktop.core.errors import UsageError
from desktop.core.review import decisions
from desktop.core.review.decisions import Change, Stamp, Step, make_step
from tests.helpers.review_cases import STAMP

LATER = Stamp("B", "2026-11-23T10:00:00Z")


def label(before: Decision, name: str = "Covid", *, shown: bool = True) -> Decision:
    return decisions.label(before, name, STAMP, votes_shown=shown)


@pytest.mark.parametrize(
    "values",
    [
        {"label": "Covid"},
        {"state": "labelled"},
        {"state": "labelled", "label": ""},
        {"state": "unsure", "label": "Covid", "label_source": "own"},
        {"state": "labelled", "label": "Covid"},
        {"label_source": "own"},
        {"state": "seen"},
        {"blind_label": ""},
        {"reviewed_at": "yesterday"},
        {"reviewed_at": "2026-11-23T09:30:00+01:00"},
        {"revision": -1},
    ],
)
def test_a_decision_that_contradicts_itself_cannot_exist(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Decision(**values)  # type: ignore[arg-type]


def test_a_label_names_reader_time_and_source() -> None:
    after = label(OPEN)
    assert (after.label, after.state, after.label_source) == ("Covid", "labelled", "own")
    assert (after.reviewer, after.reviewed_at) == (STAMP.reviewer, STAMP.at)
    assert after.votes_seen
    assert after.blind_label is None


def test_a_label_given_before_the_votes_are_shown_is_also_the_blind_label() -> None:
    blind = label(OPEN, shown=False)
    assert blind.blind_label == "Covid"
    assert not blind.votes_seen
    corrected = label(blind, "Normal", shown=False)
    assert corrected.blind_label == "Normal"


def test_the_blind_label_stays_when_the_votes_have_been_seen() -> None:
    seen = decisions.reveal(label(OPEN, shown=False))
    flipped = label(seen, "Normal")
    assert (flipped.label, flipped.blind_label) == ("Normal", "Covid")
    assert flipped.flipped
    assert not seen.flipped


def test_hiding_the_votes_again_does_not_make_a_reading_blind() -> None:
    seen = decisions.reveal(OPEN)
    assert label(seen, shown=False).blind_label is None


def test_accepting_takes_the_consensus_and_says_so() -> None:
    after = decisions.accept_consensus(OPEN, "Normal", STAMP, votes_shown=True)
    assert (after.label, after.label_source, after.votes_seen) == ("Normal", "consensus", True)


@pytest.mark.parametrize(("shown", "code"), [(True, "REVIEW-01"), (False, "REVIEW-02")])
def test_accepting_without_a_consensus_or_blind_is_refused(shown: bool, code: str) -> None:
    consensus = None if shown else "Covid"
    with pytest.raises(UsageError) as refused:
        decisions.accept_consensus(OPEN, consensus, STAMP, votes_shown=shown)
    assert refused.value.code == code


def test_unsure_takes_the_label_back_and_keeps_flag_and_comment() -> None:
    before = decisions.set_comment(decisions.set_flag(label(OPEN), True, STAMP), "odd", STAMP)
    after = decisions.mark_unsure(before, LATER, votes_shown=True)
    assert (after.label, after.state, after.flagged, after.comment) == (None, "unsure", True, "odd")
    assert after.reviewer == "B"


def test_clearing_opens_the_image_and_keeps_what_was_seen() -> None:
    seen = decisions.reveal(label(OPEN, shown=False))
    cleared = decisions.clear(seen, LATER)
    assert (cleared.state, cleared.label) == ("open", None)
    assert (cleared.votes_seen, cleared.blind_label) == (True, "Covid")
    blind = decisions.clear(label(OPEN, shown=False), LATER)
    assert blind.blind_label is None


def test_a_comment_that_no_export_could_hold_is_cleaned_and_a_huge_one_refused() -> None:
    assert decisions.set_comment(OPEN, "  a\nb\x00 \ud83d ", STAMP).comment == "a\nb ?"
    with pytest.raises(UsageError) as refused:
        decisions.set_comment(OPEN, "x" * 10_001, STAMP)
    assert refused.value.code == "REVIEW-03"


def test_a_step_holds_only_images_that_change() -> None:
    done = label(OPEN)
    step = make_step(
        "label", {"a": done, "b": OPEN}, lambda _, before: label(before), sha256={"b": "ab"}
    )
    assert [change.image for change in step.changes] == ["b"]
    assert step.changes[0].sha256 == "ab"
    assert make_step("label", {"a": done}, lambda _, before: label(before)).changes == ()


def test_a_bulk_accept_passes_over_images_without_a_consensus() -> None:
    consensus = {"a": "Covid", "b": None}
    step = make_step(
        "accept",
        dict.fromkeys(consensus, OPEN),
        lambda image, before: decisions.accept_consensus(
            before, consensus[image], STAMP, votes_shown=True
        ),
    )
    assert [change.image for change in step.changes] == ["a"]


def test_a_single_accept_without_a_consensus_says_why() -> None:
    with pytest.raises(UsageError):
        make_step(
            "accept",
            {"a": OPEN},
            lambda _, before: decisions.accept_consensus(before, None, STAMP, votes_shown=True),
        )


def test_a_step_cannot_change_an_image_twice() -> None:
    change = Change("a", OPEN, label(OPEN))
    with pytest.raises(ValueError, match="once"):
        Step("label", "Covid", (change, change))


def test_noting_that_votes_were_seen_is_no_act_of_the_reader() -> None:
    step = make_step("reveal", {"a": OPEN}, lambda _, before: decisions.reveal(before))
    assert not step.undoable
    assert step.changes[0].after.reviewed_at == ""


COMMANDS = st.sampled_from(["label", "blind", "accept", "unsure", "clear", "flag", "reveal"])


@settings(deadline=None)
@given(st.lists(COMMANDS, max_size=12))
def test_no_order_of_commands_makes_a_blind_label_after_the_votes_were_seen(
    commands: list[str],
) -> None:
    current, blind_when_seen = OPEN, None
    for command in commands:
        was_seen = current.votes_seen
        match command:
            case "label":
                current = label(current, "Covid")
            case "blind":
                current = label(current, "Normal", shown=False)
            case "accept":
                current = decisions.accept_consensus(current, "Covid", STAMP, votes_shown=True)
            case "unsure":
                current = decisions.mark_unsure(current, STAMP, votes_shown=False)
            case "clear":
                current = decisions.clear(current, STAMP)
            case "flag":
                current = decisions.set_flag(current, not current.flagged, STAMP)
            case "reveal":
                current = decisions.reveal(current)
        assert current.votes_seen or not was_seen
        if was_seen:
            assert current.blind_label == blind_when_seen
        blind_when_seen = current.blind_label


def test_saying_again_what_is_so_already_changes_nothing_not_even_the_reader() -> None:
    flagged = decisions.set_flag(label(OPEN), True, STAMP)
    assert decisions.set_flag(flagged, True, LATER) is flagged
    spoken = decisions.set_comment(flagged, "left lung", STAMP)
    assert decisions.set_comment(spoken, "  left lung ", LATER) is spoken
    assert decisions.set_flag(spoken, False, LATER).reviewer == LATER.reviewer
