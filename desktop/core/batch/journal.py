"""What a labelling run has finished, durable beside its output, so that any stop costs nothing.

A small SQLite file, because a rerun must find one image among millions without reading all, and a
commit must be whole or not there. Its rollback journal (not WAL) also works on network folders, and
its exclusive lock keeps a second run off the same output and dies with its process, so no stale
lock can remain. Answers are kept as exact numbers: the table made from them is the same, byte for
byte, whether the run was interrupted or not.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import desktop
from desktop.core.batch.result_json import dump_result, load_result
from desktop.core.cases import CaseResult, ImageFile
from desktop.core.errors import OutputFailed
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.panels.contract import CONTRACT_VERSION
from desktop.core.panels.registry import Panel
from desktop.core.system.atomic_write import output_failed

JOURNAL_SUFFIX = ".journal"
COMMIT_SECONDS = 0.25
_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cases (
    image BLOB PRIMARY KEY, position INTEGER, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, device TEXT NOT NULL, answer TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cases_by_position ON cases (position);
"""


@dataclass(frozen=True)
class FinishedCase:
    """A finished image with the device its answers came from."""

    result: CaseResult
    device: str


class RunJournal:
    """The journal of one output file. One process and, but for ``keep_now``, one thread.

    Args:
        output: The table that the run will write; the journal lies beside it.
        panel: Predictions of another panel, app version or contract are not reused.
        precision: How the models will run; answers of another precision are not reused. Where it
            was left to the app, an output that was begun in fp32 goes on in it.
        fresh: Forget what is finished.
        keep_places: Rows of the last run stay in the table, whether their files are listed again or
            not, and in their places.

    Raises:
        OutputFailed: OUTPUT-01 to 05 as in ``atomic``, OUTPUT-06 another run has this output.
    """

    def __init__(
        self,
        output: Path,
        panel: Panel,
        *,
        precision: PrecisionPlan = ALL_FP32,
        fresh: bool = False,
        keep_places: bool = False,
    ) -> None:
        self.path = output.with_name(output.name + JOURNAL_SUFFIX)
        self.notice = ""
        self.precision = precision
        self._output = output
        self._panel = panel
        self._keep_places = keep_places
        self._last_commit = time.monotonic()
        self._lock = threading.RLock()
        try:
            self._database = self._open()
        except sqlite3.Error as error:
            raise self.explained(error) from error
        except OSError as error:
            raise output_failed(output, error) from error
        try:
            with self._translate_errors():
                self._begin(fresh)
        except OutputFailed:
            self._database.close()
            raise

    def knows(self, file: ImageFile) -> bool:
        """True where an image of this name, size and time was finished; its hash decides."""
        with self._translate_errors():
            row = self._database.execute(
                "SELECT 1 FROM cases WHERE image = ? AND size = ? AND mtime_ns = ?",
                (_key(file.image), file.size, file.mtime_ns),
            ).fetchone()
        return row is not None

    def finished(self, file: ImageFile, sha256: str) -> FinishedCase | None:
        """The answer for exactly this content, None where the image must be labelled.

        Args:
            file: Name, size and time as the listing saw them.
            sha256: Hash of the file's bytes now; an unreadable file is always tried again.
        """
        with self._translate_errors():
            row = self._database.execute(
                "SELECT device, answer FROM cases WHERE image = ? AND size = ? AND mtime_ns = ?"
                " AND sha256 = ? AND sha256 != ''",
                (_key(file.image), file.size, file.mtime_ns, sha256),
            ).fetchone()
        if row is None:
            return None
        case = FinishedCase(self._result(file.image, sha256, row[1]), row[0])
        # A model that failed may have lacked memory for a moment: worth another try.
        return None if case.result.code.startswith("MODEL-") else case

    @property
    def next_place(self) -> int:
        """The first place behind all that are taken."""
        with self._translate_errors():
            (last,) = self._database.execute("SELECT max(position) FROM cases").fetchone()
        return 0 if last is None else max(0, int(last) + 1)

    def place(self, image: str, position: int) -> None:
        """Say at which row of this run's table a finished image stands, unless it keeps its own."""
        with self._translate_errors():
            self._database.execute(
                "UPDATE cases SET position = ? WHERE image = ? AND position IS NOT ?"
                + (" AND ifnull(position, -1) < 0" if self._keep_places else ""),
                (position, _key(image), position),
            )

    def keep(self, file: ImageFile, result: CaseResult, device: str, position: int) -> None:
        """Take in a finished image; it is durable after the next ``commit``."""
        with self._translate_errors():
            self._database.execute(
                "INSERT OR REPLACE INTO cases VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    _key(file.image),
                    position,
                    file.size,
                    file.mtime_ns,
                    result.sha256,
                    device,
                    dump_result(result),
                ),
            )

    def commit(self, *, if_due: bool = False) -> None:
        """Flush what is finished to the disk.

        Args:
            if_due: Only where the last time is more than ``COMMIT_SECONDS`` ago.

        Raises:
            OutputFailed: OUTPUT-07 where the output's folder is gone; others as in ``atomic``.
        """
        if if_due and time.monotonic() - self._last_commit < COMMIT_SECONDS:
            return
        with self._translate_errors():
            self._database.execute("COMMIT")
            self._bring_back()
            if not self._database.in_transaction:
                self._database.execute("BEGIN")
        self._last_commit = time.monotonic()

    def keep_now(self, seconds: float) -> bool:
        """Commit from any thread, for a process that ends right after: nothing can follow.

        Args:
            seconds: How long to wait for the thread that writes; the disk itself may take longer.

        Returns:
            Whether everything that ``keep`` took is durable.
        """
        if not self._lock.acquire(timeout=seconds):
            return False
        try:
            self.commit()
        except (OutputFailed, sqlite3.Error):
            return False
        return True

    def rows(self, *, unreached: bool = False) -> Iterator[FinishedCase]:
        """Finished images of this run's listing, in its order.

        Args:
            unreached: Then those of the last run's table that this run has not come to.
        """
        with self._translate_errors():
            cursor = self._database.execute(
                "SELECT image, sha256, device, answer FROM cases WHERE position >= ?"
                " ORDER BY position < 0, abs(position)",
                (-(2**62) if unreached else 0,),
            )
            for image, sha256, device, answer in cursor:
                yield FinishedCase(self._result(_name(image), sha256, answer), device)

    def forget_unreached(self) -> None:
        """The listing has come to its end: what it did not name is in no table any more."""
        with self._translate_errors():
            self._database.execute("UPDATE cases SET position = NULL WHERE position < 0")

    def close(self) -> None:
        """Commit and let go of the lock. Safe to call twice."""
        try:
            with self._translate_errors():
                if self._database.in_transaction:
                    self._database.execute("COMMIT")
                    self._bring_back()
        except sqlite3.ProgrammingError:  # already closed
            return
        finally:
            self._database.close()

    def __enter__(self) -> RunJournal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except OutputFailed:
            if error is None:
                raise

    def _open(self) -> sqlite3.Connection:
        """Open and lock; a file that is no journal is set aside, never overwritten."""
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        aside = self._set_aside()
        self.notice = (
            f"The journal of {self._output.name} was damaged and is kept as {aside.name}; "
            "all images are labelled again."
        )
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            self._create()
        database = sqlite3.connect(
            self.path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN EXCLUSIVE")
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(
                "SELECT image, position, size, mtime_ns, sha256, device, answer FROM cases LIMIT 1"
            )
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _bring_back(self) -> None:
        """Write the journal again where somebody deleted it.

        An open file outlives its name, so SQLite would go on without an error and lose everything
        at the end.
        """
        if self.path.exists():
            return
        if not self.path.parent.is_dir():
            raise OutputFailed(
                "OUTPUT-07",
                f"The folder of {self._output.name} was moved, deleted or disconnected during the "
                "run, so nothing more can be kept. Bring it back and give the same command again.",
            )
        try:
            self._create()
        except OSError as error:
            raise output_failed(self.path, error) from error
        copy = sqlite3.connect(self.path)
        try:
            self._database.backup(copy)
        finally:
            copy.close()
        self._database.close()
        self._database = self._connect()

    def _create(self) -> None:
        # Made by us first, so that nobody else can read it.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))

    def _set_aside(self) -> Path:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        try:
            return self.path.rename(aside)
        except OSError as error:
            raise output_failed(self.path, error) from error

    def _begin(self, fresh: bool) -> None:
        identity = self._identity(self.precision)
        found = self._database.execute("SELECT value FROM facts WHERE name = 'identity'").fetchone()
        if not fresh and found is not None and self._goes_on_in_fp32(found[0]):
            self.notice = (
                "This output was begun in fp32 and goes on in it, so that all rows are alike; "
                "--fresh labels everything in int8."
            )
            self.precision = replace(ALL_FP32, asked="auto", reason=self.notice)
            identity = found[0]
        if fresh or (found is not None and found[0] != identity):
            self._database.execute("DELETE FROM cases")
            if not fresh:
                self.notice = (
                    "The earlier run on this output used other models, another precision or "
                    "another version of the app, so all images are labelled again."
                )
        self._database.execute("INSERT OR REPLACE INTO facts VALUES ('identity', ?)", (identity,))
        if not self._keep_places:
            # Below zero: where it stood in the last run's table, until this run comes to it.
            self._database.execute("UPDATE cases SET position = -1 - position WHERE position >= 0")
        self.commit()

    def _goes_on_in_fp32(self, found: str) -> bool:
        """The app may choose the precision, would change it, and rows of the other are here."""
        if self.precision.asked != "auto" or not self.precision.int8:
            return False
        rows = self._database.execute("SELECT 1 FROM cases LIMIT 1").fetchone()
        return found == self._identity(ALL_FP32) and rows is not None

    def _identity(self, precision: PrecisionPlan) -> str:
        facts = [_FORMAT, desktop.__version__, CONTRACT_VERSION, self._panel.fingerprint]
        return json.dumps([*facts, precision.identity] if precision.identity else facts)

    def _result(self, image: str, sha256: str, answer: str) -> CaseResult:
        return load_result(self._panel, image, sha256, answer)

    def _translate_errors(self) -> _Explained:
        return _Explained(self)

    def explained(self, error: sqlite3.Error) -> OutputFailed:
        """SQLite's error in the user's words."""
        message = str(error).lower()
        if "locked" in message:
            return OutputFailed(
                "OUTPUT-06",
                f"Another run is writing {self._output.name}. Wait until it has finished or choose "
                "another output.",
            )
        number = errno.EIO
        if "full" in message:
            number = errno.ENOSPC
        elif "readonly" in message or "unable to open" in message:
            number = errno.EACCES
        return output_failed(self._output, OSError(number, str(error)))


class _Explained:
    """One thread at a time, and SQLite's errors in the user's words."""

    def __init__(self, journal: RunJournal) -> None:
        self._journal = journal

    def __enter__(self) -> None:
        self._journal._lock.acquire()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._journal._lock.release()
        if isinstance(error, sqlite3.ProgrammingError):
            return
        if isinstance(error, sqlite3.Error):
            raise self._journal.explained(error) from error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    message = str(error).lower()
    marks = ("not a database", "malformed", "no such column", "has no column", "corrupt")
    return any(mark in message for mark in marks)


def _key(image: str) -> bytes:
    # Not os.fsencode: the same bytes on every system, also for names that are not UTF-8.
    return image.encode("utf-8", "surrogatepass")


def _name(key: bytes) -> str:
    return key.decode("utf-8", "surrogatepass")
