"""The table of results as Parquet: the same columns with their types, for large runs.

Written a group of rows at a time, so that memory stays bounded whatever the table's size. Needs
pyarrow, which only who asks for Parquet has to install.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from desktop.core.errors import UsageError
from desktop.core.export.columns import (
    SCHEMA_VERSION,
    Column,
    Kind,
    TableRow,
    TableShape,
    typed_cell,
)
from desktop.core.panels.contract import RESEARCH_USE

ROWS_IN_GROUP = 20_000
_ARROW_NAMES: dict[Kind, str] = {
    "text": "string",
    "integer": "int64",
    "real": "float64",
    "flag": "bool_",
}


def require_parquet() -> None:
    """Say before any work that Parquet cannot be written here.

    Raises:
        UsageError: USAGE-04 where pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(
            "USAGE-04",
            "Parquet needs the package pyarrow, which is not installed. Install it with "
            "pip install 'cxr-quorum[parquet]', or choose --format csv or jsonl.",
        )


def write_parquet(
    stream: BinaryIO, columns: Sequence[Column], rows: Iterable[TableRow], shape: TableShape
) -> None:
    """Write a whole Parquet file.

    Args:
        stream: Binary file, from its start.
        rows: Rows of that shape, read once.
        shape: Goes into the file's metadata, with the schema's version and the note.

    Raises:
        UsageError: USAGE-04 where pyarrow is not installed.
    """
    require_parquet()
    # Not an import statement: the packaged app must not grow by pyarrow's 150 MB.
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    schema = arrow.schema(
        [
            arrow.field(column.name, getattr(arrow, _ARROW_NAMES[column.kind])())
            for column in columns
        ],
        metadata={
            "cxr_quorum.schema_version": str(SCHEMA_VERSION),
            "cxr_quorum.shape": shape,
            "cxr_quorum.note": RESEARCH_USE,
        },
    )
    waiting = iter(rows)
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        while group := list(itertools.islice(waiting, ROWS_IN_GROUP)):
            cells = [
                arrow.array([typed_cell(column.cell(row)) for row in group], field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(arrow.table(cells, schema=schema))
