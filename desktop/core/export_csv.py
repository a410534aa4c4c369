"""The table of results: its columns, once, for CSV and JSON lines, window and command line.

RFC 4180 (comma, CRLF, quotes where needed), dot decimals of fixed length, ISO 8601 UTC, UTF-8
with a byte order mark in files so that Excel reads it. Nothing of a run is in a row, so equal
states give equal bytes. The columns are described in ``column_meanings`` and nowhere else.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import desktop
from desktop.core.atomic import atomic_write_text
from desktop.core.cases import OPEN, CaseResult, Decision, Prediction
from desktop.core.catalogue import Panel, PanelModel
from desktop.core.contract import RESEARCH_USE, snake_case
from desktop.core.vote import consensus_text, rule_text

SCHEMA_VERSION = 1
BYTE_ORDER_MARK = "\ufeff"
DECIMALS = 6
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")

Cell = str | int | float | bool | None
TableFormat = Literal["csv", "jsonl"]
FORMATS: tuple[TableFormat, ...] = ("csv", "jsonl")


@dataclass(frozen=True)
class TableRow:
    """One image with everything a row is made of.

    Attributes:
        result: What the models said, or why they could not.
        decision: What a person decided, ``OPEN`` where nobody did.
        device: Device the answers came from, e.g. ``cpu``.
    """

    result: CaseResult
    decision: Decision = OPEN
    device: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its name, its meaning for the CSV dictionary, and its cell for a row."""

    name: str
    meaning: str
    cell: Callable[[TableRow], Cell]


class Table:
    """The columns of one panel and the lines they make.

    Args:
        panel: The panel whose results are written.
    """

    def __init__(self, panel: Panel) -> None:
        self.columns = table_columns(panel)

    def csv_header(self) -> str:
        """The header line, with its CRLF."""
        return _csv_line([column.name for column in self.columns])

    def csv_line(self, row: TableRow) -> str:
        """One CSV line, with its CRLF; text that a spreadsheet would run is quoted with ``'``."""
        return _csv_line([_csv_cell(column.cell(row)) for column in self.columns])

    def json_line(self, row: TableRow) -> str:
        """The same cells as one JSON object and a line feed; numbers are numbers, empty is null."""
        cells = {column.name: _json_cell(column.cell(row)) for column in self.columns}
        return json.dumps(cells, ensure_ascii=False, allow_nan=False) + "\n"

    def lines(self, rows: Iterable[TableRow], form: TableFormat = "csv") -> Iterator[str]:
        """All lines of a table, the header first where the form has one."""
        if form == "jsonl":
            yield from map(self.json_line, rows)
            return
        yield self.csv_header()
        yield from map(self.csv_line, rows)


def write_table(
    path: Path, panel: Panel, rows: Iterable[TableRow], form: TableFormat = "csv"
) -> int:
    """Write a table file, whole or not at all; the window and the command line both end here.

    Returns:
        Number of rows written.

    Raises:
        OutputFailed: See ``atomic_write``; what stood there before is intact.
    """
    count = 0

    def counted() -> Iterator[TableRow]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    with atomic_write_text(path) as stream:
        if form == "csv":
            stream.write(BYTE_ORDER_MARK)
        stream.writelines(Table(panel).lines(counted(), form))
    return count


def table_columns(panel: Panel) -> tuple[Column, ...]:
    """All columns in their fixed order."""
    columns = [
        Column("image", "path relative to the labelled folder", lambda row: row.result.image),
        Column("sha256", "hash of the file's bytes", lambda row: row.result.sha256),
        Column("status", "ok or failed", lambda row: row.result.status),
        Column("code", "code of the refusal or missing vote", lambda row: row.result.code),
        Column("reason", "the refusal in words", lambda row: row.result.reason),
        Column("panel", "name of the panel", _always(panel.name)),
        Column("panel_version", "version of the panel", _always(panel.version)),
    ]
    for model in panel.models:
        columns += _model_columns(model)
    columns += _verdict_columns(panel)
    columns += _review_columns()
    rule = rule_text(len(panel.models))
    columns += [
        Column("device", "what the models ran on", lambda row: row.device),
        Column("app_version", "version of CXR Quorum", _always(desktop.__version__)),
        Column("schema_version", "version of these columns", _always(SCHEMA_VERSION)),
        Column("rule", "how votes become a consensus", _always(rule)),
        Column("note", "what the table must not be used for", _always(RESEARCH_USE)),
    ]
    return tuple(columns)


def column_meanings(panel: Panel) -> tuple[tuple[str, str], ...]:
    """(name, meaning) of every column: the CSV dictionary."""
    return tuple((column.name, column.meaning) for column in table_columns(panel))


def _model_columns(model: PanelModel) -> list[Column]:
    card = model.card

    def said(row: TableRow) -> Prediction | None:
        return next((item for item in row.result.predictions if item.model == card.name), None)

    def label(row: TableRow) -> Cell:
        prediction = said(row)
        return None if prediction is None else card.class_names[prediction.vote]

    def probability(index: int) -> Callable[[TableRow], Cell]:
        def cell(row: TableRow) -> Cell:
            prediction = said(row)
            return None if prediction is None else prediction.probabilities[index]

        return cell

    def constant(value: Cell) -> Callable[[TableRow], Cell]:
        return lambda row: value if row.result.predictions else None

    columns = [Column(f"{card.name}_label", f"class {card.title} votes for", label)]
    for index, name in enumerate(card.class_names):
        columns.append(
            Column(
                f"{card.name}_p_{snake_case(name)}",
                f"calibrated probability of {name} by {card.title}",
                probability(index),
            )
        )
    for name in card.class_names:
        if name in card.operating_points:
            columns.append(
                Column(
                    f"{card.name}_threshold_{snake_case(name)}",
                    f"operating point of {card.title}: {name} is called at or above it",
                    constant(float(card.operating_points[name])),
                )
            )
    columns.append(
        Column(f"{card.name}_version", f"version of {card.title}", constant(card.version))
    )
    columns.append(
        Column(f"{card.name}_sha256", f"hash of {card.title}'s file", constant(model.sha256))
    )
    return columns


def _verdict_columns(panel: Panel) -> list[Column]:
    classes = panel.class_names

    def consensus(row: TableRow) -> Cell:
        verdict = row.result.verdict
        return None if verdict is None else consensus_text(verdict, classes)

    def agreement(row: TableRow) -> Cell:
        return None if row.result.verdict is None else row.result.verdict.agreement

    def mean(index: int) -> Callable[[TableRow], Cell]:
        def cell(row: TableRow) -> Cell:
            verdict = row.result.verdict
            if verdict is None or not verdict.mean_probabilities:
                return None
            return verdict.mean_probabilities[index]

        return cell

    def entropy(row: TableRow) -> Cell:
        return None if row.result.verdict is None else row.result.verdict.entropy

    def ood(row: TableRow) -> Cell:
        verdict = row.result.verdict
        return None if verdict is None or verdict.ood_score is None else verdict.ood

    def ood_score(row: TableRow) -> Cell:
        return None if row.result.verdict is None else row.result.verdict.ood_score

    return [
        Column("consensus", "class of the majority, or no consensus", consensus),
        Column("agreement", "number of models behind the most voted class", agreement),
        *(
            Column(f"mean_p_{snake_case(name)}", f"mean probability of {name}", mean(index))
            for index, name in enumerate(classes)
        ),
        Column("entropy", "of the mean probabilities, in bits", entropy),
        Column("ood", "true: unlike the training images", ood),
        Column("ood_score", "distance from the training images, 1 = their 95 % mark", ood_score),
    ]


def _review_columns() -> list[Column]:
    return [
        Column("review_state", "open, labelled or unsure", lambda row: row.decision.state),
        Column(
            "blind_label",
            "label given before the votes were shown",
            lambda row: row.decision.blind_label,
        ),
        Column("final_label", "label a person gave", lambda row: row.decision.label),
        Column("label_source", "own or consensus", lambda row: row.decision.label_source),
        Column("flagged", "marked for a second look", lambda row: row.decision.flagged),
        Column("unsure", "looked at, cannot tell", lambda row: row.decision.state == "unsure"),
        Column("reviewer", "who decided", lambda row: row.decision.reviewer),
        Column("reviewed_at", "time of the decision, UTC", lambda row: row.decision.reviewed_at),
        Column("comment", "free text", lambda row: row.decision.comment),
    ]


def _always(value: Cell) -> Callable[[TableRow], Cell]:
    return lambda _row: value


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.{DECIMALS}f}"
    if isinstance(cell, int):
        return str(cell)
    text = printable_bytes(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _json_cell(cell: Cell) -> Cell:
    if isinstance(cell, float):
        return round(cell, DECIMALS)
    if isinstance(cell, str):
        return printable_bytes(cell) or None
    return cell


def printable_bytes(text: str) -> str:
    r"""Valid Unicode of any file name: bytes that are not UTF-8 become ``\xNN``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
