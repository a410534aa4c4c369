"""The scorecard from a reader's own decisions on a small folder, counted by hand."""

from __future__ import annotations

import math

import pytest

from desktop.core.cases import OPEN, Decision
from desktop.core.review import decisions
from desktop.core.review.case_table import CaseTable
from desktop.core.review.scorecard import blind_reading, scorecard
from tests.helpers.review_cases import CLASSES, MODELS, STAMP, case, failed


def own(name: str) -> Decision:
    return decisions.label(OPEN, name, STAMP, votes_shown=True)


def accepted(name: str) -> Decision:
    return decisions.accept_consensus(OPEN, name, STAMP, votes_shown=True)


def blind(first: str, then: str) -> Decision:
    seen = decisions.reveal(decisions.label(OPEN, first, STAMP, votes_shown=False))
    return decisions.label(seen, then, STAMP, votes_shown=True)


def table_of(cases: dict[str, tuple[str, Decision]]) -> CaseTable:
    table = CaseTable(CLASSES, MODELS)
    for image, (letters, decision) in cases.items():
        table.set_result(failed(image) if letters == "x" else case(image, letters))
        table.set_decision(image, decision)
    return table


def test_each_model_and_the_consensus_are_scored_on_the_readers_labels() -> None:
    card = scorecard(
        table_of(
            {
                "1": ("CCCC", own("Covid")),
                "2": ("NNNC", own("Normal")),
                "3": ("CCNN", own("Normal")),
                "4": ("VVV-", accepted("Viral Pneumonia")),
                "5": ("NNNN", OPEN),
                "6": ("x", own("Covid")),
            }
        )
    )
    by_name = {score.name: score for score in card.scores}
    assert list(by_name) == [*MODELS, "consensus"]
    assert (card.labelled, card.accepted) == (5, 1)
    assert (by_name["scnn"].accuracy.value, by_name["scnn"].n) == (0.75, 4)
    assert by_name["scnn"].matrix.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert by_name["daccnn"].accuracy.value == 1.0
    # One failed case and one without an answer.
    assert (by_name["resnet50"].n, by_name["resnet50"].silent) == (3, 2)
    assert by_name["resnet50"].accuracy.value == pytest.approx(2 / 3)
    # The tie counts as silence of the consensus, not as a mistake.
    assert (by_name["consensus"].n, by_name["consensus"].silent) == (3, 2)
    assert by_name["consensus"].accuracy.value == 1.0
    assert by_name["scnn"].sensitivity[1].value == 0.5
    assert by_name["scnn"].calibration_error == pytest.approx(0.05)


def test_accepted_labels_can_be_left_out() -> None:
    table = table_of({"1": ("CCCC", own("Normal")), "2": ("CCCC", accepted("Covid"))})
    assert scorecard(table).scores[0].accuracy.value == 0.5
    assert scorecard(table, "own").scores[0].accuracy.value == 0.0
    assert scorecard(table, "blind").labelled == 0


def test_flips_are_counted_by_where_they_went() -> None:
    reading = blind_reading(
        table_of(
            {
                "kept": ("CCCC", blind("Covid", "Covid")),
                "to": ("CCCC", blind("Normal", "Covid")),
                "from": ("CCCC", blind("Covid", "Normal")),
                "elsewhere": ("CCCC", blind("Normal", "Viral Pneumonia")),
                "tie": ("CCNN", blind("Normal", "Covid")),
                "not blind": ("CCCC", own("Covid")),
            }
        )
    )
    assert (reading.read, reading.kept, reading.flips) == (5, 1, 4)
    counts = (reading.to_consensus, reading.from_consensus, reading.elsewhere)
    assert counts == (1, 1, 2)
    assert (reading.agreed_blind.value, reading.agreed_final.value) == (0.5, 0.5)


def test_models_agreement_among_themselves_needs_no_labels() -> None:
    card = scorecard(table_of({"1": ("CCCC", OPEN), "2": ("NNNN", OPEN), "3": ("VVVN", OPEN)}))
    assert card.pair_kappas[0, 1] == 1.0
    assert card.pair_kappas[0, 3] == pytest.approx(0.5)
    assert 0 < card.models_kappa < 1
    assert card.labelled == 0
    assert math.isnan(card.scores[0].accuracy.value)


def test_labels_of_another_vocabulary_and_an_empty_folder_are_no_trouble() -> None:
    card = scorecard(table_of({"1": ("CCCC", own("Tuberculosis"))}))
    assert card.labelled == 0
    assert math.isnan(scorecard(CaseTable(CLASSES, MODELS)).models_kappa)
