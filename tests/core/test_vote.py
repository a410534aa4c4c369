"""The majority rule and its words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.cases import Prediction, Verdict
from desktop.core.vote import (
    consensus_text,
    majority_needed,
    rule_text,
    short_names,
    verdict,
    verdict_sentence,
    vote_counts,
)

MEMBERS = ("scnn", "ccnn", "daccnn", "resnet50")
CLASSES = ("Covid", "Normal", "Viral Pneumonia")


def votes(text: str, scores: tuple[float | None, ...] = (None,) * 4) -> Verdict:
    """A verdict from letters in panel order: C, N, V, or - for no answer."""
    predictions = []
    for name, letter, score in zip(MEMBERS, text, scores, strict=True):
        if letter != "-":
            row = [0.1, 0.1, 0.1]
            row["CNV".index(letter)] = 0.8
            predictions.append(Prediction(name, tuple(row), score))
    return verdict(predictions, MEMBERS, 3, 1.0)


@pytest.mark.parametrize(
    ("text", "consensus", "agreement"),
    [
        ("CCCC", 0, 4),
        ("CCCN", 0, 3),
        ("NCCC", 0, 3),
        ("CCNN", None, 2),
        ("CCNV", None, 2),
        ("CNVV", None, 2),
        ("VVV-", 2, 3),
        ("VV--", None, 2),
        ("VVN-", None, 2),
        ("----", None, 0),
    ],
)
def test_a_consensus_needs_more_than_half_of_all_members(
    text: str, consensus: int | None, agreement: int
) -> None:
    result = votes(text)
    assert result.consensus == consensus
    assert result.agreement == agreement


@pytest.mark.parametrize(("members", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (8, 5)])
def test_majority_is_strict(members: int, needed: int) -> None:
    assert majority_needed(members) == needed
    assert f"{needed} of {members}" in rule_text(members)


def test_votes_stand_in_panel_order_whatever_the_order_of_answers() -> None:
    shuffled = [Prediction("resnet50", (0.9, 0.1, 0.0)), Prediction("scnn", (0.0, 0.1, 0.9))]
    assert verdict(shuffled, MEMBERS, 3, 1.0).votes == (2, None, None, 0)


def test_mean_and_entropy_are_those_of_the_models_that_answered() -> None:
    result = verdict(
        [Prediction("scnn", (1.0, 0.0)), Prediction("ccnn", (0.0, 1.0))], MEMBERS, 2, 1.0
    )
    assert result.mean_probabilities == (0.5, 0.5)
    assert result.entropy == pytest.approx(1.0)


def test_out_of_distribution_is_the_mean_score_above_the_limit() -> None:
    assert not votes("CCCC", (1.0, 1.0, 1.0, 1.0)).ood
    above = votes("CCCC", (0.9, 0.9, 0.9, 1.5))
    assert above.ood
    assert above.ood_score == pytest.approx(1.05)
    assert votes("CCCC", (None, 3.0, None, None)).ood_score == 3.0
    assert votes("CCCC").ood_score is None


def test_a_stranger_or_a_second_answer_is_a_bug() -> None:
    with pytest.raises(ValueError, match="members only"):
        verdict([Prediction("vgg", (0.5, 0.5))], MEMBERS, 2, 1.0)
    with pytest.raises(ValueError, match="one prediction"):
        verdict([Prediction("scnn", (0.5, 0.5))] * 2, MEMBERS, 2, 1.0)
    with pytest.raises(ValueError, match="3 probabilities"):
        verdict([Prediction("scnn", (0.5, 0.5))], MEMBERS, 3, 1.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("CCVV", "No consensus. 2 Covid, 2 Viral Pneumonia. Majority needs 3 of 4."),
        ("CCNV", "No consensus. 2 Covid, 1 Normal, 1 Viral Pneumonia. Majority needs 3 of 4."),
        ("CCCC", "Covid, 4 of 4."),
        ("NNNV", "Normal, 3 of 4. 1 Viral Pneumonia."),
        ("NNN-", "Normal, 3 of 4. 1 without an answer."),
        ("NN--", "No consensus. 2 Normal. 2 without an answer. Majority needs 3 of 4."),
        ("----", "No model gave an answer."),
    ],
)
def test_the_verdict_in_words(text: str, sentence: str) -> None:
    assert verdict_sentence(votes(text), CLASSES) == sentence


def test_no_consensus_is_written_out() -> None:
    assert consensus_text(votes("CCNN"), CLASSES) == "no consensus"
    assert consensus_text(votes("VVVN"), CLASSES) == "Viral Pneumonia"
    assert vote_counts(votes("NNCC"), CLASSES) == (("Covid", 2), ("Normal", 2))


def test_short_names_tell_classes_apart() -> None:
    assert short_names(CLASSES) == ("C", "N", "V")
    assert short_names(("Normal", "Nodule")) == ("Nor", "Nod")
    assert short_names(("A", "AB")) == ("A", "AB")


@st.composite
def panels(draw: st.DrawFn) -> tuple[list[Prediction], tuple[str, ...], int]:
    members = tuple(f"m{index}" for index in range(draw(st.integers(1, 7))))
    classes = draw(st.integers(2, 5))
    predictions = []
    for name in draw(st.sets(st.sampled_from(members))):
        weights = draw(st.lists(st.floats(0.001, 1), min_size=classes, max_size=classes))
        total = sum(weights)
        predictions.append(Prediction(name, tuple(weight / total for weight in weights)))
    return predictions, members, classes


@given(panels())
def test_a_verdict_never_depends_on_order_and_always_adds_up(
    panel: tuple[list[Prediction], tuple[str, ...], int],
) -> None:
    predictions, members, classes = panel
    result = verdict(predictions, members, classes, 1.0)
    assert verdict(predictions[::-1], members, classes, 1.0) == result
    assert len(result.votes) == len(members)
    assert 0 <= result.agreement <= len(predictions)
    if result.consensus is not None:
        assert 2 * result.votes.count(result.consensus) > len(members)
    if predictions:
        assert math.isclose(sum(result.mean_probabilities), 1, abs_tol=1e-9)
        assert -1e-9 <= result.entropy <= math.log2(classes) + 1e-9


def test_counts_come_most_voted_first_whatever_the_order_of_the_classes() -> None:
    assert vote_counts(votes("CNNN"), CLASSES) == (("Normal", 3), ("Covid", 1))
    assert vote_counts(votes("VVCC"), CLASSES) == (("Covid", 2), ("Viral Pneumonia", 2))


def test_a_larger_panel_names_every_dissent() -> None:
    members = tuple(f"model_{number}" for number in range(7))
    rows = {"C": (0.8, 0.1, 0.1), "N": (0.1, 0.8, 0.1), "V": (0.1, 0.1, 0.8)}
    predictions = [
        Prediction(name, rows[letter], None)
        for name, letter in zip(members, "CCCCNNV", strict=True)
    ]
    said = verdict(predictions, members, 3, 1.0)
    words = "Covid, 4 of 7. 2 Normal, 1 Viral Pneumonia."
    assert verdict_sentence(said, CLASSES) == words


def test_short_names_are_no_longer_than_they_need_to_be() -> None:
    assert short_names(("Covid", "Covax")) == ("Covi", "Cova")
    assert short_names(("Normal", "Nodule", "Effusion")) == ("Nor", "Nod", "Eff")


def test_certainty_is_zero_bits_and_not_minus_zero() -> None:
    certain = [Prediction(name, (1.0, 0.0, 0.0), None) for name in MEMBERS]
    entropy = verdict(certain, MEMBERS, 3, 1.0).entropy
    assert entropy == 0.0
    assert math.copysign(1.0, entropy) == 1.0


def test_answers_of_strangers_are_refused_in_words() -> None:
    stranger = Prediction("somebody", (0.8, 0.1, 0.1), None)
    with pytest.raises(ValueError, match=r"^one prediction a member, and of members only$"):
        verdict([stranger], MEMBERS, 3, 1.0)
