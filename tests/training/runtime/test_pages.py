"""Pages made from templates: numbers as cells, and the committed pages are those of their JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jinja2
import pytest

from training.evaluation.lungs import TIGHT, WIDE
from training.models import TITLES
from training.ood.evaluation import CUTS
from training.runtime.pages import cell, render, table

_DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"value": 0.9, "low": 0.8, "high": 1.0, "n": 7.0}, "0.900 (0.800 to 1.000)"),
        ({}, ""),
        (None, ""),
        (0.12345, "0.123"),
        (1234.5, "1,234"),
        (12, "12"),
        ("a|b\nc", "a\\|b c"),
    ],
)
def test_a_cell_is_one_line_of_text(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_table_stands_between_empty_lines() -> None:
    lines = table(["", "n"], [("x", 1), ("y", None)], "Films").split("\n")
    assert lines == [
        "", "*Films*", "", "|  | n |", "| --- | --- |", "| x | 1 |", "| y |  |", "",
    ]  # fmt: skip


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'command'"):
        render("ood.md.j2", results=[], cuts=1)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("lungs", {"titles": TITLES, "tight_area": TIGHT.area, "wide_area": WIDE.area}),
        ("ood", {"cuts": CUTS}),
    ],
)
def test_the_committed_page_is_the_one_of_its_json(name: str, values: dict[str, object]) -> None:
    page = (_DOCS / f"{name.upper()}.md").read_text("utf-8")
    results = json.loads((_DOCS / f"{name.upper()}.json").read_text("utf-8"))["panels"]
    (command,) = re.findall(r"Written by `([^`]+)`", page)
    assert render(f"{name}.md.j2", command=command, results=results, **values) == page
