"""One SQLite file of the review: opening it safely, and its errors in the user's words.

WAL and ``synchronous=FULL``: when a commit returns, it is on the disk. A damaged file is renamed
with a time stamp and never written to; see `desktop.core.store.recovery` for what is saved of it.
"""

from __future__ import annotations

import datetime
import errno
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from desktop.core.errors import StoreFailed
from desktop.core.store.schema import check_all, is_current, migrate, prepare, sound
from desktop.core.store.wal_check import LOG_SUFFIX, foreign_log, give_name, log_head, sign
from desktop.core.system.atomic_write import sync_folder
from desktop.core.system.text import NAME_ERRORS, path_bytes

BUSY_TIMEOUT_MS = 5_000
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MAGIC = b"SQLite format 3\0"
_INDEX_SUFFIX = "-shm"
_DOUBT_SUFFIX = "-doubt"
# Above this size only decisions are checked at the opening, results as they are read.
_CHECKED_BYTES = 64 << 20


def stored_path(image: str) -> str:
    """A relative path as the store keeps it: itself, or ``/`` and hex digits if not Unicode.

    SQLite's texts are UTF-8; no relative path begins with a slash.
    """
    try:
        image.encode()
    except UnicodeEncodeError:
        return "/" + path_bytes(image).hex()
    return image


def image_path(stored: str) -> str:
    """The reverse of `stored_path`."""
    if stored[:1] != "/":
        return stored
    return bytes.fromhex(stored[1:]).decode("utf-8", NAME_ERRORS)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, as opposed to busy, full or forbidden."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Our own finding, such as a table that is missing; or Python's: a text is not UTF-8.
        return type(error) in (sqlite3.DatabaseError, sqlite3.OperationalError)
    return code & 0xFF in _DAMAGE


def sound_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows without their last column.

    Raises:
        sqlite3.DatabaseError: The last column of one is not true.
    """
    for row in rows:
        if not row[-1]:
            raise sqlite3.DatabaseError("damaged: a row is not as it was written")
        yield row[:-1]


def connect(path: Path, name: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> StoreConnection:
    """Open or create a store file, current schema, ready for use in the calling thread.

    Args:
        path: The file; its folder must exist.
        name: The opened folder's name, for sentences.
        busy_timeout_ms: How long to wait for another window's write.

    Raises:
        StoreFailed: STORE-07 where a newer app wrote it.
        sqlite3.Error: Everything else; see `is_damage` and `store_failed`.
    """
    # POSIX drops all locks that a process holds on a file as soon as it closes any descriptor of
    # it. Another process then takes itself for the last one, and deletes the log that this one
    # still writes to. So the file is only touched while no connection of this process is open.
    with _opening:
        fresh = not path.exists()
        if fresh:
            # Created by hand so that nobody else on this machine can read the review.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        status = path.stat()
        file = (status.st_dev, status.st_ino)
        # What another connection of this process has checked is not checked again.
        first = not fresh and not _connections[file]
        if first:
            _check_magic(path)
        results = status.st_size <= _CHECKED_BYTES or _doubt_of(path).exists()
        if first and log_head(path):
            _check_unwritten(path, results)
        connection = sqlite3.connect(
            path,
            timeout=busy_timeout_ms / 1000,
            isolation_level=None,
            cached_statements=256,
            factory=StoreConnection,
        )
        connection.hold(file)
    try:
        _use_wal(connection, busy_timeout_ms / 1000)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        # On macOS a plain fsync leaves the data in the drive's cache.
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        prepare(connection)
        migrate(connection, name)
        connection.checked = results
        if first:
            check_all(connection, results=results)
            if results:
                _doubt_of(path).unlink(missing_ok=True)
        give_name(connection)
    except UnicodeDecodeError as error:
        # Python reads a damaged name in SQLite's own error message.
        connection.close()
        raise sqlite3.DatabaseError("damaged: a name is unreadable") from error
    except BaseException:
        connection.close()
        raise
    if fresh:
        sync_folder(path.parent)
    return connection


class StoreConnection(sqlite3.Connection):
    """A connection that is counted for as long as it is open.

    Attributes:
        checked: Also the rows of results were compared with their checksums at the opening.
    """

    checked = True
    _file: tuple[int, int] | None = None

    def sound(self, *tables: str) -> str:
        """SQL for a last column that `sound_rows` looks at: whether these tables' rows are sound.

        Always true in a store that was checked as a whole.
        """
        return "1" if self.checked else sound(*tables)

    def hold(self, file: tuple[int, int]) -> None:
        self._file = file
        _connections[file] += 1

    def close(self) -> None:
        super().close()
        with _opening:
            file, self._file = self._file, None
            if file is not None:
                _connections[file] -= 1
                if not _connections[file]:
                    del _connections[file]


_opening = threading.Lock()
# (device, inode) -> open connections of this process.
_connections: Counter[tuple[int, int]] = Counter()


def _check_magic(path: Path) -> None:
    """Look before SQLite does: closing a file that is no database deletes the log beside it."""
    with path.open("rb") as stream:
        start = stream.read(len(_MAGIC))
    if start not in (b"", _MAGIC):
        raise sqlite3.DatabaseError("this is no database")


def _check_unwritten(path: Path, results: bool) -> None:
    """Look for damage without the right to write: closing writes the log, also into a damaged file.

    What forbids the look (a lock, an older version) is left to the opening itself.

    Raises:
        sqlite3.DatabaseError: It is damaged; file and log are as they were.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            prepare(connection)
            if is_current(connection):
                check_all(connection, results=results)
    except UnicodeDecodeError as error:
        # Python reads a damaged name in SQLite's own error message.
        raise sqlite3.DatabaseError("damaged: a name is unreadable") from error
    except sqlite3.Error as error:
        if is_damage(error):
            raise


def _use_wal(connection: sqlite3.Connection, patience_seconds: float) -> None:
    """Switch to WAL; SQLite does not wait by itself when two windows begin a store at once."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def set_aside(path: Path) -> Path:
    """Rename a damaged store and its log, so that nothing of it is lost; returns its new path."""
    moment, number = _next_moment(path)
    suffix = "" if number == 1 else f"-{number}"
    target = path.with_name(f"{path.stem}.damaged-{moment}{suffix}{path.suffix}")
    # The log first: a new store beside an old log would take the old log's pages for its own.
    for side in (LOG_SUFFIX, _INDEX_SUFFIX):
        with suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(target.with_name(target.name + side))
    path.rename(target)
    sync_folder(path.parent)
    return target


def asides(path: Path) -> list[tuple[str, int, Path]]:
    """Stores that were set aside, the latest last: moment, number within it, file."""
    found = []
    for aside in path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"):
        moment, _, number = aside.stem.partition(".damaged-")[2].partition("-")
        if number.isdecimal() or not number:
            found.append((moment, int(number or 1), aside))
    return sorted(found)


def _next_moment(path: Path) -> tuple[str, int]:
    """Now, or the latest moment that was used, where the clock has been put back since."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    before = asides(path)
    if not before or before[-1][0] < now:
        return now, 1
    return before[-1][0], before[-1][1] + 1


def set_foreign_log_aside(path: Path) -> Path | None:
    """Rename a log that belongs to another store, before anything of it gets into this one.

    Returns:
        Where it is now, None where there is no such log.

    Raises:
        OSError: It cannot be renamed.
    """
    with _opening:
        if not path.exists():
            return None
        status = path.stat()
        if _connections[(status.st_dev, status.st_ino)]:
            return None  # this process has looked already
        head = foreign_log(path)
        # Another window may have been faster, and the log there now is its own.
        if head is None or log_head(path) != head:
            return None
        moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        number = 1
        while (
            target := path.with_name(f"{path.stem}.foreign-{moment}-{number}{LOG_SUFFIX}")
        ).exists():
            number += 1
        path.with_name(path.name + LOG_SUFFIX).rename(target)
        with suppress(FileNotFoundError):
            path.with_name(path.name + _INDEX_SUFFIX).unlink()
        sync_folder(path.parent)
        return target


@contextmanager
def translate_errors(name: str, path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into `StoreFailed`."""
    try:
        yield
    except UnicodeDecodeError as error:
        note_doubt(path)
        raise store_failed(name, path, sqlite3.DatabaseError("unreadable")) from error
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, sqlite3.ProgrammingError):
            raise  # a bug (closed store, wrong thread), not a fault of the disk
        if isinstance(error, sqlite3.Error) and is_damage(error):
            note_doubt(path)
        raise store_failed(name, path, error) from error


def note_doubt(path: Path) -> None:
    """Have a store checked as a whole at its next opening, however large it is."""
    with suppress(OSError):
        _doubt_of(path).touch()


def _doubt_of(path: Path) -> Path:
    return path.with_name(path.name + _DOUBT_SUFFIX)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; on the disk when it ends. The write lock is taken at the start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        sign(connection)
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may already have rolled back by itself.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def store_failed(name: str, path: Path, error: sqlite3.Error | OSError) -> StoreFailed:
    """The sentence for an error of the store of folder ``name`` at ``path``."""
    code = _sqlite_code(error)
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return StoreFailed(
            "STORE-02",
            f"The review of {name} is damaged and the last change was not saved. Close the window "
            "and open the folder again: the damaged file is then set aside and what is readable is "
            "saved.",
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreFailed(
            "STORE-03",
            f"The last change to the review of {name} was not saved because the disk with "
            f"{path.parent} is full. Free some space and do it again; everything before is safe.",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreFailed(
            "STORE-04",
            f"The last change to the review of {name} was not saved because another program keeps "
            "it locked. Do it again in a moment.",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}:
        return StoreFailed(
            "STORE-05",
            f"The review of {name} cannot be written in {path.parent}: the folder is read-only, "
            "missing or belongs to somebody else. Make it writable and open the folder again.",
        )
    return StoreFailed(
        "STORE-09",
        f"The last change to the review of {name} was not saved ({error}). Check the disk with "
        f"{path.parent} and do it again; everything before is safe.",
    )


def _sqlite_code(error: sqlite3.Error | OSError) -> int:
    if isinstance(error, OSError):
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            return sqlite3.SQLITE_FULL
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR}:
            return sqlite3.SQLITE_CANTOPEN
        return sqlite3.SQLITE_IOERR
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
