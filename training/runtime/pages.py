"""Pages in Markdown from the templates in ``training/templates``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from training.metrics.classification import interval


class Block(str):
    """Markdown that is whole, no cell of a table."""

    __slots__ = ()


def environment(**settings: Any) -> jinja2.Environment:
    """The templates; a name that a template misspells is an error."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **settings,
    )
    found.filters["percent"] = lambda share, digits=0: f"{share:.{digits}%}"
    found.filters["score"] = _score
    return found


def render(template: str, **values: Any) -> str:
    """A template as Markdown.

    What it names is formatted by :func:`cell`; ``table`` is :func:`table`, ``score(form)`` a score
    with its interval in another form.
    """
    text = environment(finalize=cell).get_template(template).render(table=table, **values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def cell(value: Any) -> str:
    """A score with its interval, a number, a text, or nothing for None; safe inside a table."""
    if isinstance(value, Block):
        return value
    if isinstance(value, Mapping):
        return interval(value) if {"value", "low", "high"} <= value.keys() else ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str = "") -> Block:
    """A Markdown table between empty lines, its caption above it."""
    lines = [columns, ["---"] * len(columns), *rows]
    texts = (f"| {' | '.join(cell(one) for one in line)} |" for line in lines)
    return Block("\n".join(["", *([f"*{caption}*", ""] if caption else []), *texts, ""]))


def _score(values: Mapping[str, float] | None, form: str) -> str:
    if not values:
        return "none"
    return f"{values['value']:{form}} ({values['low']:{form}} to {values['high']:{form}})"
