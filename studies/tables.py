"""Tables of studies as files: JSON for the report, Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.runtime.files import write_atomically, write_json


@dataclass(frozen=True)
class ResultTable:
    """One table.

    Attributes:
        title: Of the table.
        columns: Their heads.
        rows: Cells as text, one for each column.
        note: What a reader must know to judge it.
        extra: More keys of the JSON file, e.g. learning curves.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"Table {self.title!r} has rows of other lengths than its head.")

    def content(self) -> dict[str, Any]:
        """As it stands in a JSON file."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "note": self.note,
            **self.extra,
        }

    def write(self, path: Path) -> None:
        """``path`` as JSON, and a page of the same name in Markdown beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self.content())
        write_atomically(path.with_suffix(".md"), self.page().encode())

    def page(self) -> str:
        """As Markdown."""
        lines = [f"# {self.title}", "", self.note, ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("| " + " | ".join("---" for _ in self.columns) + " |")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, ""])
