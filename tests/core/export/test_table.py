"""The table: every column, exact bytes, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.cases import CaseResult, Decision, Prediction
from desktop.core.errors import OutputFailed
from desktop.core.export.columns import table_columns
from desktop.core.export.table import Table, TableRow, TextFormat, write_table
from desktop.core.panels.registry import Panel
from desktop.core.system.text import saved_text
from desktop.core.vote import verdict
from tests.helpers.tiny_models import MODEL_NAMES


def ok(image: str = "a.png", votes: str = "CCCC") -> CaseResult:
    rows = {"C": (0.7, 0.2, 0.1), "N": (0.1, 0.8, 0.1), "V": (0.05, 0.05, 0.9)}
    predictions = tuple(
        Prediction(name, rows[letter], 0.5)
        for name, letter in zip(MODEL_NAMES, votes, strict=True)
        if letter != "-"
    )
    return CaseResult(
        image,
        "a" * 64,
        "ok",
        predictions=predictions,
        verdict=verdict(predictions, MODEL_NAMES, 3, 1.5),
    )


def cells(panel: Panel, row: TableRow) -> dict[str, str]:
    text = "".join(Table(panel).lines([row]))
    header, values = list(csv.reader(io.StringIO(text, newline="")))
    return dict(zip(header, values, strict=True))


def test_the_promised_columns_are_there_in_this_order(panel: Panel) -> None:
    names = [column.name for column in Table(panel).columns]
    promised = ["image", "sha256", "status", "code", "reason", "panel"]
    for model in MODEL_NAMES:
        promised += [f"{model}_label"]
        promised += [f"{model}_p_{name}" for name in ("covid", "normal", "viral_pneumonia")]
        promised += [f"{model}_version"]
    promised += ["consensus", "agreement", "mean_p_covid", "mean_p_normal"]
    promised += ["mean_p_viral_pneumonia", "entropy", "ood", "ood_score", "review_state"]
    promised += ["blind_label", "final_label", "flagged", "unsure", "reviewer", "reviewed_at"]
    promised += ["comment", "device", "app_version", "schema_version", "rule", "note"]
    assert [name for name in names if name in promised] == promised
    assert len(set(names)) == len(names)
    assert [column.name for column in table_columns(panel) if column.meaning] == names


def test_a_row_says_everything(panel: Panel) -> None:
    row = cells(panel, TableRow(ok(votes="CCNV"), device="cpu"))
    assert row["image"] == "a.png"
    assert row["status"] == "ok"
    assert row["scnn_label"] == "Covid"
    assert row["resnet50_label"] == "Viral Pneumonia"
    assert row["resnet50_p_viral_pneumonia"] == "0.900000"
    assert row["scnn_threshold_covid"] == "0.500000"
    assert row["consensus"] == "no consensus"
    assert row["agreement"] == "2"
    assert row["mean_p_covid"] == "0.387500"
    assert row["ood"] == "false"
    assert row["rule"] == "majority: at least 3 of 4 models"
    assert "not a diagnosis" in row["note"]
    assert row["review_state"] == "open"
    assert row["final_label"] == ""


def test_a_failed_row_has_its_reason_and_no_answers(panel: Panel) -> None:
    failed = CaseResult("b.png", "", "failed", "DECODE-02", "b.png ends early.")
    row = cells(panel, TableRow(failed, device="cpu"))
    assert (row["status"], row["code"], row["reason"]) == (
        "failed",
        "DECODE-02",
        "b.png ends early.",
    )
    answers = [value for name, value in row.items() if name.startswith(MODEL_NAMES)]
    assert set(answers) == {""}
    assert row["consensus"] == row["agreement"] == row["entropy"] == row["ood"] == ""


def test_a_missing_vote_leaves_its_cells_empty(panel: Panel) -> None:
    row = cells(panel, TableRow(ok(votes="CC-C")))
    assert row["daccnn_label"] == row["daccnn_p_covid"] == ""
    assert row["consensus"] == "Covid"
    assert row["agreement"] == "3"


def test_a_decision_fills_the_review_columns(panel: Panel) -> None:
    decision = Decision(
        label="Normal",
        state="labelled",
        label_source="own",
        flagged=True,
        comment='line\nbreak, "quotes"',
        blind_label="Covid",
        votes_seen=True,
        reviewer="Dr. Å",
        reviewed_at="2026-11-23T09:30:00Z",
    )
    row = cells(panel, TableRow(ok(), decision))
    assert row["review_state"] == "labelled"
    assert row["final_label"] == "Normal"
    assert row["blind_label"] == "Covid"
    assert row["flagged"] == "true"
    assert row["unsure"] == "false"
    assert row["comment"] == 'line\nbreak, "quotes"'
    assert row["reviewer"] == "Dr. Å"
    assert row["reviewed_at"] == "2026-11-23T09:30:00Z"


@pytest.mark.parametrize("start", "=+-@＝＋－＠")
def test_text_that_a_spreadsheet_would_run_is_quoted(panel: Panel, start: str) -> None:
    assert cells(panel, TableRow(ok(image=f"{start}1+1.png")))["image"] == f"'{start}1+1.png"
    # A spreadsheet that separates by semicolons sees these as cells of their own.
    inner = Decision(comment=f"a;{start}1\n{start}2", reviewed_at="2026-11-23T09:30:00Z")
    assert cells(panel, TableRow(ok(), inner))["comment"] == f"a;'{start}1\n'{start}2"


@pytest.mark.parametrize("mark", [",", ";", '"', "\n"])
def test_a_cell_that_holds_a_separator_is_in_quotation_marks(panel: Panel, mark: str) -> None:
    (line,) = Table(panel).lines_of(TableRow(ok(image=f"a{mark}b.png")))
    assert line.startswith(f'"a{mark.replace(chr(34), chr(34) * 2)}b.png",')


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@given(text=st.text(alphabet=st.characters(max_codepoint=0x2100)))
def test_a_saved_table_holds_no_control_character(
    panel: Panel, form: TextFormat, text: str
) -> None:
    case = replace(ok(image=text), reason=text, code="MODEL-11")
    row = TableRow(case, Decision(comment=text, reviewer=text), device=text)
    for line in Table(panel).lines_of(row, form):
        inside = line.removesuffix("\r\n").replace("\n", "")
        assert not [letter for letter in inside if unicodedata.category(letter) in ("Cc", "Cs")]
        assert not re.search("[\u2028-\u202e\u2066-\u2069]", inside)


def test_numbers_are_never_quoted(panel: Panel) -> None:
    row = cells(panel, TableRow(ok()))
    assert float(row["entropy"]) >= 0
    assert row["agreement"] == "4"


def test_names_that_are_not_utf8_are_written_readably(panel: Panel) -> None:
    assert cells(panel, TableRow(ok(image="film\udcff.png")))["image"] == "film\\xff.png"


@given(image=st.text(min_size=1))
def test_any_name_comes_back_from_the_csv(panel: Panel, image: str) -> None:
    written = cells(panel, TableRow(ok(image=image)))["image"]
    # The program's own marks: before what a spreadsheet would run, and the escapes.
    assert re.sub(r"(^|[;\n])'(?=[=+\-@＝＋－＠])", r"\1", written) == saved_text(
        re.sub(r"(^|[;\n])'(?=[=+\-@＝＋－＠])", r"\1", image)
    )
    if image.isprintable() and not re.search(r"(^|;)[=+\-@＝＋－＠]", image):
        assert written == image


def test_the_file_starts_with_a_byte_order_mark_and_ends_lines_with_crlf(
    tmp_path: Path, panel: Panel
) -> None:
    target = tmp_path / "votes.csv"
    assert write_table(target, panel, [TableRow(ok()), TableRow(ok("b.png"))]) == 2
    content = target.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfimage,sha256,")
    assert content.count(b"\r\n") == 3
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_equal_states_give_equal_bytes(tmp_path: Path, panel: Panel) -> None:
    for name in ("a.csv", "b.csv"):
        write_table(tmp_path / name, panel, [TableRow(ok(), device="cpu")])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_json_lines_hold_the_same_cells_with_types(tmp_path: Path, panel: Panel) -> None:
    target = tmp_path / "votes.jsonl"
    failed = CaseResult("b.png", "", "failed", "DECODE-02", "b.png ends early.")
    write_table(target, panel, [TableRow(ok(), device="cpu"), TableRow(failed)], "jsonl")
    first, second = [json.loads(line) for line in target.read_text().splitlines()]
    assert first["scnn_p_covid"] == 0.7
    assert first["agreement"] == 4
    assert first["ood"] is False
    assert second["scnn_label"] is None
    assert list(first) == [column.name for column in Table(panel).columns]


def test_rows_that_fail_half_way_leave_the_old_table(tmp_path: Path, panel: Panel) -> None:
    target = tmp_path / "votes.csv"
    target.write_text("old")

    def rows() -> list[TableRow]:
        raise OutputFailed("OUTPUT-01", "full")

    with pytest.raises(OutputFailed):
        write_table(target, panel, (row for row in [TableRow(ok()), *rows()]))
    assert target.read_text() == "old"


def test_lines_are_csv_unless_asked_otherwise(panel: Panel) -> None:
    table = Table(panel)
    row = TableRow(ok("ward/Wójcik.png"), Decision())
    assert table.header() == table.header("csv") != ""
    assert list(table.lines_of(row)) == list(table.lines_of(row, "csv"))
    assert table.header().endswith("\r\n")


def test_json_lines_keep_letters_as_they_are(panel: Panel) -> None:
    (line,) = Table(panel).lines_of(TableRow(ok("ward/Wójcik.png"), Decision()), "jsonl")
    assert "ward/Wójcik.png" in line


def test_json_lines_never_hold_what_json_does_not_know(panel: Panel) -> None:
    case = ok()
    assert case.verdict is not None
    broken = replace(case, verdict=replace(case.verdict, entropy=float("nan")))
    with pytest.raises(ValueError, match="JSON"):
        list(Table(panel).lines_of(TableRow(broken, Decision()), "jsonl"))


def test_a_long_table_on_disk_is_long(panel: Panel, tmp_path: Path) -> None:
    target = tmp_path / "long.csv"
    write_table(target, panel, [TableRow(ok(), Decision())], "csv", "long")
    with target.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["model"] for row in rows] == list(MODEL_NAMES)
