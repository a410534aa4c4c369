"""A file beside the review that can be deleted at any time: what is in it can be computed again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


class Cache:
    """One SQLite file with one table; belongs to the thread that opened it.

    Nothing that goes wrong is raised: what cannot be read is missing, what cannot be written is
    left out, and a damaged file is set aside.

    Args:
        path: The file; its folder must exist.
        schema: SQL that makes the table where it is missing.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._connection: sqlite3.Connection | None = None
        with suppress(sqlite3.Error):
            self._connection = _open(path, schema)
            return
        if not path.is_file():
            return
        with suppress(OSError, sqlite3.Error):
            for suffix in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    source = path.with_name(path.name + suffix)
                    source.replace(path.with_name(f"{path.stem}.damaged{path.suffix}{suffix}"))
            self._connection = _open(path, schema)

    def _write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for every row, in one transaction."""
        if self._connection is None:
            return
        with suppress(sqlite3.Error):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, rows)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                return self._connection.execute(query, values).fetchall()
        return []

    def close(self) -> None:
        """Safe to call twice."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _open(path: Path, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=2, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(schema)
    except BaseException:
        connection.close()
        raise
    return connection
