"""The file of a run's journal: where it lies, its lock, and whether it is sound.

A small SQLite file beside the table. Its exclusive lock keeps a second run off the same table and
dies with its process, so no stale lock can remain; its rollback journal (not WAL) also works on
network folders. It is checked whole when it is opened: SQLite's own check finds lost and moved
pages, a checksum in each row finds changed values. What is not sound is set aside, never repaired.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from desktop.core.errors import OutputFailed
from desktop.core.system.atomic_write import output_failed

JOURNAL_SUFFIX = ".journal"
_ROLLBACK_SUFFIX = "-journal"
"""What SQLite itself adds to the name."""

_SCHEMA = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE cases (image BLOB PRIMARY KEY, position INTEGER, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, device TEXT NOT NULL, answer TEXT NOT NULL,"
    " checksum BLOB NOT NULL) WITHOUT ROWID",
    "CREATE INDEX cases_by_position ON cases (position)",
)
_NOT_DAMAGE = ("locked", "full", "disk i/o", "unable to open", "readonly", "out of memory")


def journal_path(output: Path) -> Path:
    """Beside the table, or beside the file that a link in its place leads to: one table, one."""
    real = Path(os.path.realpath(output))
    return real.with_name(real.name + JOURNAL_SUFFIX)


def open_locked(
    output: Path, check: Callable[[sqlite3.Connection], object] | None = None
) -> tuple[sqlite3.Connection, Path | None]:
    """Open the journal of a table, made if missing, in a transaction that keeps all others out.

    Args:
        check: Called with the open journal; raises ``sqlite3.DatabaseError`` where it is damaged.

    Returns:
        The connection, and the name under which a damaged journal was set aside, if there was one.

    Raises:
        OutputFailed: OUTPUT-01 to 05 as in ``atomic_write``, OUTPUT-06 another run has this table.
    """
    path = journal_path(output)
    try:
        found = _identity(path)
        try:
            return _connect(path, check), None
        except sqlite3.DatabaseError as error:
            if not _is_damage(error, path):
                raise
        # Another run may have set it aside and begun a new one meanwhile.
        aside = _set_aside(path) if _identity(path) == found else None
        return _connect(path, check), aside
    except sqlite3.Error as error:
        raise journal_failed(output, error) from error
    except OSError as error:
        raise output_failed(output, error) from error


def reopen_copy(database: sqlite3.Connection, output: Path) -> sqlite3.Connection:
    """Write the journal again where somebody deleted it under an open connection, and lock it.

    Raises:
        OutputFailed: OUTPUT-07 where its folder is gone, others as ``open_locked``.
    """
    path = journal_path(output)
    if not path.parent.is_dir():
        raise OutputFailed(
            "OUTPUT-07",
            f"The folder of {output.name} was moved, deleted or disconnected during the run, so "
            "nothing more can be kept. Bring it back and give the same command again.",
        )
    try:
        _create(path)
    except OSError as error:
        raise output_failed(path, error) from error
    copy = sqlite3.connect(path)
    try:
        database.backup(copy)
    finally:
        copy.close()
    database.close()
    return open_locked(output)[0]


def check_sound(database: sqlite3.Connection) -> None:
    """Make the tables of a new journal, and read an old one from end to end.

    Raises:
        sqlite3.DatabaseError: Its tables, pages or rows are not as they were written.
    """
    tables = tuple(sql for (sql,) in database.execute("SELECT sql FROM sqlite_master"))
    if not tables:
        for statement in _SCHEMA:
            database.execute(statement)
    elif tables != _SCHEMA:
        raise sqlite3.DatabaseError("malformed: other tables")
    (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"malformed: {verdict}")
    rows = database.execute(
        "SELECT image, size, mtime_ns, sha256, device, answer, checksum FROM cases"
    )
    for *values, checksum in rows:
        if row_checksum(*values) != checksum:
            raise sqlite3.DatabaseError("malformed: a row was changed")


def row_checksum(*values: object) -> bytes:
    """Checksum of a row's values but for its position, which changes from run to run.

    The positions are held twice, in the table and in its index, which SQLite compares.
    """
    return blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def journal_failed(output: Path, error: Exception) -> OutputFailed:
    """SQLite's error in the user's words."""
    message = str(error).lower()
    if "locked" in message:
        return OutputFailed(
            "OUTPUT-06",
            f"Another run is writing {output.name}. Wait until it has finished or choose "
            "another output.",
        )
    number = errno.EIO
    if "full" in message:
        number = errno.ENOSPC
    elif "readonly" in message or "unable to open" in message:
        number = errno.EACCES
    elif not any(word in message for word in _NOT_DAMAGE):
        return journal_damaged(output)
    return output_failed(output, OSError(number, str(error)))


def journal_damaged(output: Path) -> OutputFailed:
    """The sentence for a journal that was sound when the run began."""
    return OutputFailed(
        "OUTPUT-08",
        f"The journal of {output.name} was damaged during the run, so no table was written; what "
        "stood there before is intact. Check the disk and give the same command again.",
    )


def _connect(
    path: Path, check: Callable[[sqlite3.Connection], object] | None
) -> sqlite3.Connection:
    if not path.exists():
        _create(path)
    elif not path.is_file():
        raise OSError(errno.EINVAL, "its journal is not a regular file")
    database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        for statement in (
            "PRAGMA trusted_schema = OFF",
            "PRAGMA cell_size_check = ON",
            "PRAGMA locking_mode = EXCLUSIVE",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA synchronous = FULL",
            "BEGIN EXCLUSIVE",
        ):
            database.execute(statement)
        if check is not None:
            check(database)
    except BaseException as error:
        database.close()
        if isinstance(error, UnicodeDecodeError):  # a damaged name in SQLite's own message
            raise sqlite3.DatabaseError("malformed: not UTF-8") from error
        raise
    return database


def _create(path: Path) -> None:
    # Made by us first, so that nobody else can read it.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_damage(error: sqlite3.DatabaseError, path: Path) -> bool:
    message = str(error).lower()
    if "readonly" in message:  # damage can say so: a flag in the file forbids to write it
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return not any(word in message for word in _NOT_DAMAGE)


def _set_aside(path: Path) -> Path:
    """Rename a damaged journal, with what SQLite left beside it, which would spoil the next."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    rollback = path.with_name(path.name + _ROLLBACK_SUFFIX)
    if rollback.exists():
        rollback.rename(aside.with_name(aside.name + _ROLLBACK_SUFFIX))
    return path.rename(aside)
