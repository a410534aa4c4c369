"""A document as data: sections of paragraphs, tables and figures, written as Markdown or HTML.

Texts may use ``**bold**``, ``*slanted*``, ``code`` between backticks and ``[word](address)``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of points."""

    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Lines for a terminal."""

    text: str


@dataclass(frozen=True)
class TableBlock:
    """A table.

    Attributes:
        columns: Heads.
        rows: Cells as text, one for each column.
        caption: What it shows; may be empty.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class FigureBlock:
    """Drawings side by side; Markdown leaves them to the HTML page.

    Attributes:
        drawings: SVG elements.
        caption: What they show and how to read them.
    """

    drawings: Sequence[str]
    caption: str


Block = Paragraph | Bullets | Code | TableBlock | FigureBlock


@dataclass(frozen=True)
class Section:
    """A heading with what belongs to it.

    Attributes:
        title: The heading.
        blocks: In order.
        sections: Below it.
    """

    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = field(default_factory=tuple)

    @property
    def anchor(self) -> str:
        """Name for links: ``Limits first`` is ``limits-first``."""
        kept = re.sub(r"[^\w\s-]", "", self.title.lower()).strip()
        return re.sub(r"[\s-]+", "-", kept)


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    lead: str
    sections: Sequence[Section]


def as_markdown(document: Document, note: str = "") -> str:
    """The document as Markdown, without its figures.

    Args:
        document: The report.
        note: A paragraph after the lead, for instance where the figures are.
    """
    lines = [f"# {document.title}", "", document.lead, ""]
    lines += [note, ""] if note else []
    for section in document.sections:
        _section(section, 2, lines)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, level: int, lines: list[str]) -> None:
    lines += [f"{'#' * level} {section.title}", ""]
    for block in section.blocks:
        match block:
            case Paragraph(text):
                lines += [text, ""]
            case Bullets(items):
                lines += [*(f"- {item}" for item in items), ""]
            case Code(text):
                lines += ["```", text, "```", ""]
            case TableBlock():
                lines += _table(block)
            case FigureBlock():
                pass
    for below in section.sections:
        _section(below, level + 1, lines)


def _table(block: TableBlock) -> list[str]:
    lines = [f"*{block.caption}*", ""] if block.caption else []
    lines.append(_row(block.columns))
    lines.append("| " + " | ".join("---" for _ in block.columns) + " |")
    return [*lines, *(_row(row) for row in block.rows), ""]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
