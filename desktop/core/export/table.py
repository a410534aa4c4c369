"""The table of results as a file: CSV, JSON lines or Parquet, for window and command line.

CSV as in RFC 4180 (comma, CRLF, quotes where needed), dot decimals of fixed length, ISO 8601 UTC,
UTF-8 with a byte order mark in files so that Excel reads it. Text holds no control characters but
line feeds, and nothing that a spreadsheet would run. The columns are in ``table_columns``
and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from desktop.core.export.columns import (
    DECIMALS,
    Cell,
    TableRow,
    TableShape,
    shaped,
    table_columns,
    typed_cell,
)
from desktop.core.export.parquet import write_parquet
from desktop.core.panels.registry import Panel
from desktop.core.system.atomic_write import atomic_write, atomic_write_text
from desktop.core.system.text import saved_text

BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for a formula, also full-width, at the start of a cell and behind what it
# may take for a separator, whatever the quotation marks say.
_FORMULA = re.compile(r"(^|[;\n])(?=[=+\-@＝＋－＠])")
_QUOTED = re.compile('[,;"\n]')

TextFormat = Literal["csv", "jsonl"]
TableFormat = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[TableFormat, ...] = ("csv", "jsonl", "parquet")


class Table:
    """The columns of one panel and the lines they make.

    Args:
        panel: The panel whose results are written.
        shape: ``wide``, one row an image, or ``long``, one row an image and model.
    """

    def __init__(self, panel: Panel, shape: TableShape = "wide") -> None:
        self.columns = table_columns(panel, shape)
        self._panel = panel
        self._shape = shape

    def header(self, form: TextFormat = "csv") -> str:
        """The header line of a CSV, with its CRLF; JSON lines have none."""
        return _csv_line([column.name for column in self.columns]) if form == "csv" else ""

    def lines_of(self, row: TableRow, form: TextFormat = "csv") -> Iterator[str]:
        """The line of an image, or in a long table one for each model.

        In a CSV, text that a spreadsheet would run is quoted with ``'``. In JSON numbers are
        numbers and an empty cell is null.
        """
        for one in shaped([row], self._panel, self._shape):
            if form == "csv":
                yield _csv_line([_csv_cell(column.cell(one)) for column in self.columns])
            else:
                cells = {column.name: typed_cell(column.cell(one)) for column in self.columns}
                yield json.dumps(cells, ensure_ascii=False, allow_nan=False) + "\n"

    def lines(self, rows: Iterable[TableRow], form: TextFormat = "csv") -> Iterator[str]:
        """All lines of a table, the header first where the form has one."""
        header = self.header(form)
        if header:
            yield header
        for row in rows:
            yield from self.lines_of(row, form)


def write_table(
    path: Path,
    panel: Panel,
    rows: Iterable[TableRow],
    form: TableFormat = "csv",
    shape: TableShape = "wide",
) -> int:
    """Write a table file, whole or not at all; for the window and the command line.

    Returns:
        Number of images written.

    Raises:
        OutputFailed: See ``atomic_write``; what stood there before is intact.
        UsageError: USAGE-04 where Parquet cannot be written here.
    """
    count = 0

    def counted() -> Iterator[TableRow]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    if form == "parquet":
        with atomic_write(path) as binary:
            write_parquet(
                binary, table_columns(panel, shape), shaped(counted(), panel, shape), shape
            )
        return count
    with atomic_write_text(path) as stream:
        if form == "csv":
            stream.write(BYTE_ORDER_MARK)
        stream.writelines(Table(panel, shape).lines(counted(), form))
    return count


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.{DECIMALS}f}"
    if isinstance(cell, int):
        return str(cell)
    return _FORMULA.sub(r"\1'", saved_text(cell))


def _csv_line(cells: Iterable[str]) -> str:
    quoted = [
        '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell for cell in cells
    ]
    return ",".join(quoted) + "\r\n"
