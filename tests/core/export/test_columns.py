"""Long tables and Parquet: the same cells as the wide CSV, with types, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from desktop.core.cases import CaseResult, Decision, Prediction
from desktop.core.errors import OutputFailed, UsageError
from desktop.core.export import parquet as export_parquet
from desktop.core.export.columns import TableRow, TableShape, table_columns
from desktop.core.export.table import Table, write_table
from desktop.core.panels.registry import Panel
from desktop.core.vote import verdict
from tests.helpers.tiny_models import MODEL_NAMES

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def rows() -> list[TableRow]:
    """One answered by all, one without the second model's answer, one refused."""
    answers = tuple(
        Prediction(name, (0.7 - index / 10, 0.2 + index / 10, 0.1), 0.5 + index)
        for index, name in enumerate(MODEL_NAMES)
    )
    found = []
    for image, given in (("a.png", answers), ("=b\udcff.png", answers[:1] + answers[2:])):
        said = verdict(given, MODEL_NAMES, 3, 1.5)
        found.append(CaseResult(image, "a" * 64, "ok", predictions=given, verdict=said))
    found.append(CaseResult("c.png", "", "failed", "DECODE-02", "c.png ends early."))
    decision = Decision(label="Normal", state="labelled", label_source="own", flagged=True)
    return [TableRow(item, decision, "cpu") for item in found]


def read(panel: Panel, rows: list[TableRow], shape: TableShape) -> list[dict[str, str]]:
    text = "".join(Table(panel, shape).lines(rows))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_long_table_has_one_row_an_image_and_model_failures_included(
    panel: Panel, rows: list[TableRow]
) -> None:
    long = read(panel, rows, "long")
    assert [(row["image"], row["model"]) for row in long] == [
        (image, model) for image in ("a.png", "'=b\\xff.png", "c.png") for model in MODEL_NAMES
    ]


def test_a_long_row_holds_the_cells_of_its_model_and_of_its_image(
    panel: Panel, rows: list[TableRow]
) -> None:
    wide = {row["image"]: row for row in read(panel, rows, "wide")}
    for row in read(panel, rows, "long"):
        same = wide[row["image"]]
        for name, cell in row.items():
            if name == "model":
                continue
            of_model = name.replace("model_", f"{row['model']}_", 1)
            assert cell == same[of_model if name.startswith("model_") else name], name


def test_both_shapes_promise_the_same_columns(panel: Panel) -> None:
    wide = [column.name for column in table_columns(panel)]
    long = [column.name for column in table_columns(panel, "long")]
    of_scnn = [name.replace("scnn_", "model_", 1) for name in wide if name.startswith("scnn_")]
    others = [name for name in wide if not name.startswith(MODEL_NAMES)]
    assert [name for name in long if name.startswith("model_")] == of_scnn
    assert [name for name in long if not name.startswith("model")] == others
    assert len(set(long)) == len(long)


@pytest.mark.parametrize("shape", ["wide", "long"])
def test_parquet_holds_the_cells_of_the_json_lines_with_their_types(
    tmp_path: Path, panel: Panel, rows: list[TableRow], shape: TableShape
) -> None:
    target = tmp_path / "votes.parquet"
    assert write_table(target, panel, rows, "parquet", shape) == 3
    expected = [json.loads(line) for line in Table(panel, shape).lines(rows, "jsonl")]
    table = parquet.read_table(target)
    assert table.to_pylist() == expected
    types = {"text": "string", "integer": "int64", "real": "double", "flag": "bool"}
    assert [(field.name, str(field.type)) for field in table.schema] == [
        (column.name, types[column.kind]) for column in table_columns(panel, shape)
    ]
    assert table.schema.metadata[b"cxr_quorum.shape"] == shape.encode()


def test_equal_states_give_equal_parquet_bytes_also_in_several_groups(
    tmp_path: Path, panel: Panel, rows: list[TableRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_parquet, "ROWS_IN_GROUP", 2)
    for name in ("a.parquet", "b.parquet"):
        write_table(tmp_path / name, panel, iter(rows), "parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups == 2


def test_an_empty_parquet_table_still_has_its_columns(tmp_path: Path, panel: Panel) -> None:
    write_table(tmp_path / "votes.parquet", panel, [], "parquet")
    table = parquet.read_table(tmp_path / "votes.parquet")
    assert table.num_rows == 0
    assert table.column_names == [column.name for column in table_columns(panel)]


def test_rows_that_fail_half_way_leave_the_old_parquet_file(
    tmp_path: Path, panel: Panel, rows: list[TableRow]
) -> None:
    target = tmp_path / "votes.parquet"
    target.write_bytes(b"old")

    def failing() -> list[TableRow]:
        raise OutputFailed("OUTPUT-01", "full")

    with pytest.raises(OutputFailed):
        write_table(target, panel, (row for row in [*rows, *failing()]), "parquet")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_without_pyarrow_parquet_is_refused_with_what_to_do(
    tmp_path: Path, panel: Panel, rows: list[TableRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pip install") as caught:
        write_table(tmp_path / "votes.parquet", panel, rows, "parquet")
    assert caught.value.code == "USAGE-04"
    assert list(tmp_path.iterdir()) == []
