"""Filtering and sorting real columns, each answer also found by hand."""

from __future__ import annotations

import numpy as np
import pytest

from desktop.core.cases import OPEN, Decision
from desktop.core.errors import UsageError
from desktop.core.review import decisions
from desktop.core.review.case_table import (
    CaseTable,
    SafetyRule,
    split_code,
    split_codes,
    split_text,
)
from desktop.core.review.decisions import Stamp
from desktop.core.review.query import (
    SORTS,
    SavedFilter,
    SortKey,
    parse_sort,
    select_text,
    shipped_filters,
    vocabulary_of,
)
from tests.helpers.review_cases import CLASSES, MODELS, STAMP, case, content, failed

CASES = {
    "scan_2.png": "CCCC",
    "scan_10.png": "NNNC",
    "ward/scan_1.png": "CCNN",
    "covid_03.png": "NNNN",
    "tie.png": "CNV-",
    "broken.dcm": "failed",
    "later.png": "waiting",
}


def own(name: str, at: str = STAMP.at) -> Decision:
    return decisions.label(OPEN, name, Stamp("Anna", at), votes_shown=True)


@pytest.fixture
def table() -> CaseTable:
    table = CaseTable(CLASSES, MODELS)
    for image, letters in CASES.items():
        if letters == "waiting":
            table.add_images([image])
        elif letters == "failed":
            table.set_result(failed(image))
        else:
            certainty = 0.9 if letters == "CCCC" else 0.7
            table.set_result(
                case(image, letters, certainty=certainty, ood_score=2.0 if "tie" in image else 0.5)
            )
    accepted = decisions.accept_consensus(
        OPEN, "Covid", Stamp("Ben", "2026-11-25T08:00:00Z"), votes_shown=True
    )
    table.set_decision("scan_2.png", accepted)
    blind = decisions.reveal(decisions.label(OPEN, "Normal", STAMP, votes_shown=False))
    table.set_decision("scan_10.png", decisions.label(blind, "Covid", STAMP, votes_shown=True))
    unsure = decisions.mark_unsure(OPEN, STAMP, votes_shown=True)
    table.set_decision("tie.png", decisions.set_comment(unsure, "Ground glass?", STAMP))
    flagged = decisions.set_flag(own("Normal", "2026-11-24T09:00:00Z"), True, STAMP)
    table.set_decision("covid_03.png", flagged)
    table.mark("changed", [0])
    table.mark("missing", [6])
    table.safety_rule = SafetyRule(share=1.0, confidence=0.65)
    table.set_duplicate_groups({0: 0, 1: 0})
    return table


def names(table: CaseTable, query: str = "", sort: str = "", *, blind: bool = False) -> list[str]:
    return [table.images[row] for row in select_text(table, query, sort, blind=blind)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", list(CASES)),
        ("scan", ["scan_2.png", "scan_10.png", "ward/scan_1.png"]),
        ("WARD/", ["ward/scan_1.png"]),
        # In a name, as a label, as the consensus.
        ("covid", ["scan_2.png", "scan_10.png", "covid_03.png"]),
        ("name:covid", ["covid_03.png"]),
        ('"no cons"', ["ward/scan_1.png", "tie.png"]),
        ("ground", ["tie.png"]),
        ("comment:glass", ["tie.png"]),
        ("reviewer:BEN", ["scan_2.png"]),
        ("code:decode", ["broken.dcm"]),
        (f"sha256:{content('scan_2.png')[:10]}", ["scan_2.png"]),
        (f"sha256={content('tie.png').upper()}", ["tie.png"]),
        ("is:open", ["ward/scan_1.png", "broken.dcm", "later.png"]),
        ("is:reviewed", ["scan_2.png", "scan_10.png", "covid_03.png", "tie.png"]),
        ("is:labelled", ["scan_2.png", "scan_10.png", "covid_03.png"]),
        ("is:unsure", ["tie.png"]),
        ("is:flagged", ["covid_03.png"]),
        ("is:commented", ["tie.png"]),
        ("is:blind", ["scan_10.png"]),
        ("is:flipped", ["scan_10.png"]),
        ("is:waiting", ["later.png"]),
        ("is:failed", ["broken.dcm"]),
        ("is:read", ["scan_2.png", "scan_10.png", "ward/scan_1.png", "covid_03.png", "tie.png"]),
        ("is:missing", ["later.png"]),
        ("is:duplicate", ["scan_2.png", "scan_10.png"]),
        ("is:unanimous", ["scan_2.png", "covid_03.png"]),
        ("is:split", ["scan_10.png", "ward/scan_1.png", "tie.png"]),
        ("is:ood", ["tie.png"]),
        ("is:accepted", ["scan_2.png"]),
        ("is:agreed", ["scan_2.png", "covid_03.png"]),
        ("is:overruled", ["scan_10.png"]),
        ("is:safety", ["covid_03.png"]),
        ("consensus:none", ["ward/scan_1.png", "tie.png"]),
        ("consensus:covid", ["scan_2.png"]),
        ("label:none", ["ward/scan_1.png", "tie.png", "broken.dcm", "later.png"]),
        ("blind:normal", ["scan_10.png"]),
        ("resnet50:covid", ["scan_2.png", "scan_10.png"]),
        ("resnet50:none", ["tie.png"]),
        ("any:viral", ["tie.png"]),
        ("only:resnet50", ["scan_10.png"]),
        ("only:resnet50:covid", ["scan_10.png"]),
        ("only:resnet50:normal", []),
        ("agreement<4", ["scan_10.png", "ward/scan_1.png", "tie.png"]),
        ("agreement=2", ["ward/scan_1.png"]),
        ("split:2-2", ["ward/scan_1.png"]),
        ("split:1-1-1", ["tie.png"]),
        ("confidence>0.8", ["scan_2.png"]),
        ("p.covid>0.5", ["scan_2.png"]),
        ("ccnn.normal>=70%", ["scan_10.png", "covid_03.png", "tie.png"]),
        ("ood>1.5", ["tie.png"]),
        ("ood<=1.5 -is:split", ["scan_2.png", "covid_03.png"]),
        ("reviewed>=2026-11-24", ["scan_2.png"]),
        ("reviewed<2026-11-24", ["scan_10.png", "covid_03.png", "tie.png"]),
        ("-is:read", ["broken.dcm", "later.png"]),
        ("is:flagged OR is:unsure", ["covid_03.png", "tie.png"]),
        ("scan (consensus:covid OR only:resnet50)", ["scan_2.png", "scan_10.png"]),
    ],
)
def test_a_filter_finds(table: CaseTable, query: str, expected: list[str]) -> None:
    assert names(table, query) == expected


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("name", ["broken.dcm", "covid_03.png", "later.png", "scan_2.png", "scan_10.png"]),
        ("-name", ["ward/scan_1.png", "tie.png", "scan_10.png", "scan_2.png"]),
        ("agreement", ["tie.png", "ward/scan_1.png", "scan_10.png", "scan_2.png"]),
        ("-agreement", ["scan_2.png", "covid_03.png", "scan_10.png", "ward/scan_1.png", "tie.png"]),
        ("-p.covid", ["scan_2.png", "ward/scan_1.png"]),
        ("consensus", ["scan_2.png", "scan_10.png", "covid_03.png"]),
        ("-reviewed", ["scan_2.png"]),
        ("ood", ["scan_2.png"]),
        ("-ood", ["tie.png"]),
        ("-flagged", ["covid_03.png"]),
        ("duplicate,-name", ["scan_10.png", "scan_2.png"]),
        ("-status", ["broken.dcm"]),
        ("-state,name", ["tie.png", "covid_03.png"]),
        ("label,-name", ["scan_10.png", "scan_2.png", "covid_03.png"]),
    ],
)
def test_a_sort_begins_with(table: CaseTable, sort: str, first: list[str]) -> None:
    assert names(table, "", sort)[: len(first)] == first


@pytest.mark.parametrize("by", [*SORTS, "p.normal", "scnn.viral_pneumonia"])
def test_images_without_a_value_come_last_both_ways(table: CaseTable, by: str) -> None:
    up, down = names(table, "", by), names(table, "", f"-{by}")
    assert sorted(up) == sorted(down) == sorted(CASES)
    if by in {"agreement", "entropy", "confidence", "ood"} or "." in by:
        assert up[-2:] == down[-2:] == ["broken.dcm", "later.png"]


def test_disagreement_first_begins_with_the_widest_split(table: CaseTable) -> None:
    first = names(table, "", "agreement,-entropy")[:3]
    assert first == ["tie.png", "ward/scan_1.png", "scan_10.png"]


def test_equal_rows_keep_their_order(table: CaseTable) -> None:
    assert names(table, "", "flagged")[:3] == ["scan_2.png", "scan_10.png", "ward/scan_1.png"]
    assert names(table, "", "-flagged")[:2] == ["covid_03.png", "scan_2.png"]


@pytest.mark.parametrize(
    ("query", "sort"),
    [("is:split", ""), ("scnn:covid", ""), ("-(name:a OR p.covid>0.1)", ""), ("", "-entropy"),
     ("", "name,agreement"), ("", "scnn.covid")],
)  # fmt: skip
def test_reading_blind_nothing_can_be_asked_of_the_votes(
    table: CaseTable, query: str, sort: str
) -> None:
    with pytest.raises(UsageError) as refused:
        names(table, query, sort, blind=True)
    assert refused.value.code == "QUERY-05"
    assert "blind" in str(refused.value)


def test_reading_blind_free_text_does_not_find_the_consensus(table: CaseTable) -> None:
    # scan_2 and scan_10 have the label; the consensus of nothing else shows through.
    assert names(table, "viral", blind=True) == []
    assert names(table, "normal", blind=True) == ["covid_03.png"]
    assert names(table, "normal") == ["scan_10.png", "covid_03.png"]
    assert names(table, "is:open", "name", blind=True)


def test_a_word_nothing_sorts_by_is_refused(table: CaseTable) -> None:
    for sort in ("beauty", "p.tuberculosis", "vgg.covid", "name agreement"):
        with pytest.raises(UsageError) as refused:
            names(table, "", sort)
        assert refused.value.code == "QUERY-07"


def test_sorts_and_filters_survive_their_texts(table: CaseTable) -> None:
    keys = (SortKey("agreement"), SortKey("scnn.covid", descending=True))
    assert parse_sort(",".join(map(str, keys)), vocabulary_of(table)) == keys
    saved = SavedFilter("Mine „ü“", 'name:"a b"', "-entropy")
    assert SavedFilter.from_json(saved.to_json()) == saved


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"name": 1, "query": ""}', '{"x": 1}', "[" * 9999]
)
def test_a_damaged_saved_filter_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        SavedFilter.from_json(text)
    assert refused.value.code == "QUERY-06"


def test_every_shipped_filter_works(table: CaseTable) -> None:
    filters = shipped_filters(vocabulary_of(table), ("SCNN", "CCNN", "DACCNN", "ResNet50"))
    found = {item.name: names(table, item.query, item.sort) for item in filters}
    assert found["Models disagree"] == ["tie.png", "ward/scan_1.png", "scan_10.png"]
    assert found["Only ResNet50 says so"] == ["scan_10.png"]
    assert found["To review"] == ["ward/scan_1.png", "later.png"]
    assert len(found) == len(filters)


def test_split_texts_and_codes_are_each_others_reverse() -> None:
    votes = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [2, 1, 0, 1], [-1] * 4], np.int16)
    codes = split_codes(votes, 3)
    assert [split_text(code) for code in codes.tolist()] == ["4", "3-1", "2-2", "2-1-1", ""]
    assert [split_code(split_text(code)) for code in codes[:4].tolist()] == codes[:4].tolist()


def test_the_table_gives_out_nothing_that_can_be_written(table: CaseTable) -> None:
    with pytest.raises(ValueError, match="read-only"):
        table.column("label")[0] = 1


def test_a_result_that_comes_again_replaces_the_old_one(table: CaseTable) -> None:
    table.set_result(failed("scan_2.png"))
    assert names(table, "is:failed") == ["scan_2.png", "broken.dcm"]
    assert "scan_2.png" not in names(table, "consensus:covid")
    table.set_result(case("broken.dcm", "VVVV"))
    assert table.refusal(5) == ("", "")
    assert names(table, "consensus:viral") == ["broken.dcm"]


def test_a_model_without_an_answer_is_no_disagreement() -> None:
    table = CaseTable(CLASSES, MODELS)
    for image, letters in {"three.png": "NNN-", "none.png": "----", "split.png": "NNC-"}.items():
        table.set_result(case(image, letters))
    assert names(table, "is:split") == ["split.png"]
    assert names(table, "is:unanimous") == []


def test_a_hundred_thousand_cases_are_added_in_small_batches() -> None:
    table = CaseTable(CLASSES, MODELS)
    for start in range(0, 100_000, 2000):
        assert (
            len(table.add_images(f"{number}.png" for number in range(start, start + 2000))) == 2000
        )
    assert table.row("99999.png") == 99_999
    assert len(select_text(table, "77.png")) == 1000
    assert select_text(table, "", "name")[0] == 0
