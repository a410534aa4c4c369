"""The columns of a table of results: their names, meanings, types and cells, once for every format.

A *wide* table has one row an image with columns for each model (``scnn_label``). A *long* one has
one row an image and model; the same columns are called ``model_label`` there, and ``model`` says
whose they are. Nothing of a run is in a row, so equal states give equal tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import desktop
from desktop.core.cases import OPEN, CaseResult, Decision, Prediction
from desktop.core.panels.contract import RESEARCH_USE, snake_case
from desktop.core.panels.registry import Panel, PanelModel
from desktop.core.system.text import saved_text
from desktop.core.vote import consensus_text, rule_text

SCHEMA_VERSION = 1
DECIMALS = 6

Cell = str | int | float | bool | None
Kind = Literal["text", "integer", "real", "flag"]
TableShape = Literal["wide", "long"]


@dataclass(frozen=True)
class TableRow:
    """One image with everything a row is made of.

    Attributes:
        result: What the models said, or why they could not.
        decision: What a person decided, ``OPEN`` where nobody did.
        device: Device the answers came from, e.g. ``cpu``.
        model: The model that a row of a long table is about; empty for the whole image.
    """

    result: CaseResult
    decision: Decision = OPEN
    device: str = ""
    model: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its name, its meaning for the CSV dictionary, its cell for a row and its type."""

    name: str
    meaning: str
    cell: Callable[[TableRow], Cell]
    kind: Kind = "text"


def table_columns(panel: Panel, shape: TableShape = "wide") -> tuple[Column, ...]:
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
    if shape == "long":
        columns += _any_models_columns(panel)
    else:
        for model in panel.models:
            points = model.card.operating_points
            columns += _model_columns(model, model.name, model.card.title, tuple(points))
    columns += _verdict_columns(panel)
    columns += _review_columns()
    rule = rule_text(len(panel.models))
    columns += [
        Column("device", "what the models ran on", lambda row: row.device),
        Column("app_version", "version of CXR Quorum", _always(desktop.__version__)),
        Column("schema_version", "version of these columns", _always(SCHEMA_VERSION), "integer"),
        Column("rule", "how votes become a consensus", _always(rule)),
        Column("note", "what the table must not be used for", _always(RESEARCH_USE)),
    ]
    return tuple(columns)


def shaped(rows: Iterable[TableRow], panel: Panel, shape: TableShape) -> Iterator[TableRow]:
    """The rows of a table of this shape; a long one has one for each model, failures included."""
    if shape == "wide":
        yield from rows
        return
    for row in rows:
        for name in panel.model_names:
            yield replace(row, model=name)


def typed_cell(cell: Cell) -> Cell:
    """A cell for formats with types: rounded and cleaned as in the CSV, None where empty."""
    if isinstance(cell, float):
        return round(cell, DECIMALS)
    if isinstance(cell, str):
        return saved_text(cell) or None
    return cell


def _any_models_columns(panel: Panel) -> list[Column]:
    """What a long table says about the model of its row."""
    called = {name for model in panel.models for name in model.card.operating_points}
    by_model = {
        model.name: {
            column.name: column
            for column in _model_columns(model, "model", "the model", tuple(called))
        }
        for model in panel.models
    }

    def of_its_model(name: str) -> Callable[[TableRow], Cell]:
        return lambda row: by_model[row.model][name].cell(row)

    first = next(iter(by_model.values()))
    return [
        Column("model", "name of the model that this row is about", lambda row: row.model),
        *(replace(column, cell=of_its_model(name)) for name, column in first.items()),
    ]


def _model_columns(
    model: PanelModel, prefix: str, title: str, called: tuple[str, ...]
) -> list[Column]:
    """Columns of one model.

    Args:
        prefix: Start of the columns' names.
        title: Its name in their meanings.
        called: Classes with a column for the operating point.
    """
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

    def threshold(name: str) -> Callable[[TableRow], Cell]:
        point = card.operating_points.get(name)
        return constant(None if point is None else float(point))

    columns = [Column(f"{prefix}_label", f"class {title} votes for", label)]
    for index, name in enumerate(card.class_names):
        columns.append(
            Column(
                f"{prefix}_p_{snake_case(name)}",
                f"calibrated probability of {name} by {title}",
                probability(index),
                "real",
            )
        )
    for name in card.class_names:
        if name in called:
            columns.append(
                Column(
                    f"{prefix}_threshold_{snake_case(name)}",
                    f"operating point of {title}: {name} is called at or above it",
                    threshold(name),
                    "real",
                )
            )
    columns.append(Column(f"{prefix}_version", f"version of {title}", constant(card.version)))
    columns.append(Column(f"{prefix}_sha256", f"hash of {title}'s file", constant(model.sha256)))
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

    def none_score(row: TableRow) -> Cell:
        return None if row.result.verdict is None else row.result.verdict.none_score

    finds_lungs = (
        []
        if panel.lungs is None
        else [
            Column(
                "lungs_found",
                "false: no lungs were found on the film; empty without --lungs",
                lambda row: row.result.lungs_found,
                "flag",
            )
        ]
    )
    limit = panel.none_limit
    says_none = (
        []
        if limit is None
        else [
            Column(
                "none_of_these",
                f"mean score of being none of the classes, 0 to 1; none of them above {limit:g}",
                none_score,
                "real",
            )
        ]
    )
    return [
        Column("consensus", "class of the majority, or no consensus", consensus),
        Column("agreement", "number of models behind the most voted class", agreement, "integer"),
        *(
            Column(f"mean_p_{snake_case(name)}", f"mean probability of {name}", mean(index), "real")
            for index, name in enumerate(classes)
        ),
        Column("entropy", "of the mean probabilities, in bits", entropy, "real"),
        Column("ood", "true: unlike the training images", ood, "flag"),
        Column(
            "ood_score",
            "distance from the training images, 1 = their 95 % mark",
            ood_score,
            "real",
        ),
        *says_none,
        *finds_lungs,
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
        Column("flagged", "marked for a second look", lambda row: row.decision.flagged, "flag"),
        Column(
            "unsure", "looked at, cannot tell", lambda row: row.decision.state == "unsure", "flag"
        ),
        Column("reviewer", "who decided", lambda row: row.decision.reviewer),
        Column("reviewed_at", "time of the decision, UTC", lambda row: row.decision.reviewed_at),
        Column("comment", "free text", lambda row: row.decision.comment),
    ]


def _always(value: Cell) -> Callable[[TableRow], Cell]:
    return lambda _row: value
