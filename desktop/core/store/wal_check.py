"""Whose log lies beside a store: SQLite itself takes any for its own.

A write-ahead log does not name its database. One that a backup, a synchronised folder or a copy by
hand leaves beside another store is replayed into it at the next opening, and at closing the store
is overwritten with it: two hundred decisions become somebody else's five, without an error. So each
store has a name of its own on a page that every change writes again; any log with at least one
change therefore carries the name of its store, and the two are compared before the log is used. The
same page counts the changes, which tells an older log of the same store.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

LOG_SUFFIX = "-wal"
_LOG_HEAD_BYTES = 32
# No such table, damaged, no database; anything else (locked, forbidden) says nothing about whose.
_NO_STORE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NAME = "SELECT value FROM meta WHERE key = 'store'"
_CHANGES = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'changes'"


def give_name(connection: sqlite3.Connection) -> None:
    """Name a store that has no name yet, in the file itself and not only in its log."""
    if connection.execute(_NAME).fetchone() is not None:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Ignored where another window was faster.
        connection.execute(
            "INSERT OR IGNORE INTO meta (key, value) VALUES ('store', ?)", (secrets.token_hex(16),)
        )
        connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('changes', '0')")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def sign(connection: sqlite3.Connection) -> None:
    """Part of every change: writes the page with the name again."""
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'changes'")


def foreign_log(path: Path) -> bytes | None:
    """The head of the log beside a store, if it is another's or an old one; None if all is well.

    Nothing is written. Not to be called while this process has the store open.
    """
    head = log_head(path)
    if not head:
        return None
    # The file alone: SQLite does not look at the log.
    own = _who(path, "immutable=1")
    # With the log; without the right to write nothing of it gets into the file.
    merged = _who(path, "mode=ro")
    if own is None or merged is None or not own[0]:
        return None
    return head if merged[0] != own[0] or merged[1] < own[1] else None


def log_head(path: Path) -> bytes:
    """First bytes of the log, different for each log; empty without one."""
    with suppress(OSError), path.with_name(path.name + LOG_SUFFIX).open("rb") as stream:
        return stream.read(_LOG_HEAD_BYTES)
    return b""


def _who(path: Path, how: str) -> tuple[str, int] | None:
    """Name and changes as a reader finds them, ``("", 0)`` in no store; None if it cannot look."""
    address = f"{path.absolute().as_uri()}?{how}"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            name = connection.execute(_NAME).fetchone()
            changes = connection.execute(_CHANGES).fetchone()
    except UnicodeError:
        return "", 0
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return ("", 0) if code in _NO_STORE else None
    return (str(name[0]), int(changes[0])) if name and changes else ("", 0)
