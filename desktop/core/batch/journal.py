"""What a labelling run has finished, durable beside its output, so that any stop costs nothing.

In SQLite, because a rerun must find one image among millions without reading all, and a commit must
be whole or not there. Answers are kept as exact numbers: the table made from them is the same, byte
for byte, whether the run was interrupted or not.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import desktop
from desktop.core.batch.journal_file import (
    check_sound,
    journal_damaged,
    journal_failed,
    journal_path,
    open_locked,
    reopen_copy,
    row_checksum,
)
from desktop.core.batch.result_json import dump_result, load_result, recheck
from desktop.core.cases import CaseResult, ImageFile
from desktop.core.errors import OutputFailed
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.panels.contract import CONTRACT_VERSION
from desktop.core.panels.registry import Panel

COMMIT_SECONDS = 0.25
_FORMAT = 2


@dataclass(frozen=True)
class FinishedCase:
    """A finished image with the device its answers came from."""

    result: CaseResult
    device: str


class RunJournal:
    """The journal of one output file. One process and, but for ``commit_now``, one thread.

    Args:
        output: The table that the run will write; the journal lies beside it.
        panel: Predictions of another panel, app version or contract are not reused.
        precision: How the models will run; answers of another precision are not reused. Where it
            was left to the app, an output that was begun in fp32 goes on in it.
        fresh: Forget what is finished.
        keep_positions: Rows of the last run stay in the table and where they are, whether their
            files are listed again or not.

    Raises:
        OutputFailed: OUTPUT-01 to 05 as in ``atomic_write``, OUTPUT-06 another run has this output.
    """

    def __init__(
        self,
        output: Path,
        panel: Panel,
        *,
        precision: PrecisionPlan = ALL_FP32,
        fresh: bool = False,
        keep_positions: bool = False,
    ) -> None:
        self.path = journal_path(output)
        self.notice = ""
        self.precision = precision
        self._output = output
        self._panel = panel
        self._keep_positions = keep_positions
        self._last_commit = time.monotonic()
        self._lock = threading.RLock()
        self._placed = self._unreached = 0
        self._database, aside = open_locked(output, check_sound)
        if aside is not None:
            self.notice = (
                f"The journal of {output.name} was damaged, or made by another version of the app, "
                f"and is kept as {aside.name}; all images are labelled again."
            )
        try:
            with self._translate_errors():
                self._begin(fresh)
        except OutputFailed:
            self._database.close()
            raise

    def finished(self, file: ImageFile, sha256: Callable[[Path], str]) -> FinishedCase | None:
        """The answer for exactly this file, None where the image must be labelled.

        Args:
            file: Name, size and time as the listing saw them.
            sha256: Hashes a file; asked only where an image was labelled. A refused one is known by
                size and time; one that could not be read is always tried again.
        """
        with self._translate_errors():
            row = self._database.execute(
                "SELECT sha256, device, answer FROM cases"
                " WHERE image = ? AND size = ? AND mtime_ns = ?",
                (_key(file.image), file.size, file.mtime_ns),
            ).fetchone()
        if row is None:
            return None
        case = FinishedCase(self._result(file.image, row[0], row[2]), row[1])
        need = recheck(case.result)
        if need == "label" or (need == "content" and sha256(file.path) != row[0]):
            return None
        return case

    @property
    def next_position(self) -> int:
        """The first position behind all that are taken."""
        with self._translate_errors():
            (last,) = self._database.execute("SELECT max(position) FROM cases").fetchone()
        return 0 if last is None else max(0, int(last) + 1)

    def set_position(self, image: str, position: int) -> None:
        """Say at which row of this run's table a finished image stands, unless it keeps its own."""
        with self._translate_errors():
            before = self._position(image)
            if before == position or (self._keep_positions and before is not None and before >= 0):
                return
            self._database.execute(
                "UPDATE cases SET position = ? WHERE image = ?", (position, _key(image))
            )
            self._count(before)

    def add(self, file: ImageFile, result: CaseResult, device: str, position: int) -> None:
        """Take in a finished image; it is durable after the next ``commit``."""
        key, answer = _key(file.image), dump_result(result)
        values = (key, file.size, file.mtime_ns, result.sha256, device, answer)
        with self._translate_errors():
            before = self._position(file.image)
            self._database.execute(
                "INSERT OR REPLACE INTO cases"
                " (image, size, mtime_ns, sha256, device, answer, checksum, position)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, row_checksum(*values), position),
            )
            self._count(before)

    def commit(self, *, if_due: bool = False) -> None:
        """Flush what is finished to the disk.

        Args:
            if_due: Only where the last time is more than ``COMMIT_SECONDS`` ago.

        Raises:
            OutputFailed: OUTPUT-07 where the output's folder is gone, else as ``atomic_write``.
        """
        if if_due and time.monotonic() - self._last_commit < COMMIT_SECONDS:
            return
        with self._translate_errors():
            self._database.execute("COMMIT")
            self._restore_file()
            if not self._database.in_transaction:
                self._database.execute("BEGIN")
        self._last_commit = time.monotonic()

    def commit_now(self, seconds: float) -> bool:
        """Commit from any thread, for a process that ends right after: nothing can follow.

        Args:
            seconds: How long to wait for the thread that writes; the disk itself may take longer.

        Returns:
            Whether everything that ``add`` took is durable.
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

        Raises:
            OutputFailed: OUTPUT-08 where a row was changed or is missing.
        """
        count = 0
        with self._translate_errors():
            cursor = self._database.execute(
                "SELECT image, size, mtime_ns, sha256, device, answer, checksum FROM cases"
                " WHERE position >= ? ORDER BY position < 0, abs(position)",
                (-(2**62) if unreached else 0,),
            )
            for *values, checksum in cursor:
                if row_checksum(*values) != checksum:
                    raise journal_damaged(self._output)
                count += 1
                key, _, _, sha256, device, answer = values
                yield FinishedCase(self._result(_name(key), sha256, answer), device)
        if count != self._placed + (self._unreached if unreached else 0):
            raise journal_damaged(self._output)

    def forget_unreached(self) -> None:
        """The listing has come to its end: what it did not name is in no table any more."""
        with self._translate_errors():
            self._database.execute("UPDATE cases SET position = NULL WHERE position < 0")
        self._unreached = 0

    def close(self) -> None:
        """Commit and let go of the lock. Safe to call twice."""
        try:
            with self._translate_errors():
                if self._database.in_transaction:
                    self._database.execute("COMMIT")
                    self._restore_file()
        except sqlite3.ProgrammingError:  # already closed
            return
        finally:
            self._database.close()

    def __enter__(self) -> RunJournal:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            self.close()
        except OutputFailed:
            if error is None:
                raise

    def _restore_file(self) -> None:
        """An open file outlives its name: without this, all would be lost at the end, silently."""
        if not self.path.exists():
            self._database = reopen_copy(self._database, self._output)

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
        if not self._keep_positions:
            # Below zero: where it stood in the last run's table, until this run comes to it.
            self._database.execute("UPDATE cases SET position = -1 - position WHERE position >= 0")
        self._placed, self._unreached = self._database.execute(
            "SELECT ifnull(sum(position >= 0), 0), ifnull(sum(position < 0), 0) FROM cases"
        ).fetchone()
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
        try:
            return load_result(self._panel, image, sha256, answer)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise journal_damaged(self._output) from error

    def _position(self, image: str) -> int | None:
        row = self._database.execute(
            "SELECT position FROM cases WHERE image = ?", (_key(image),)
        ).fetchone()
        return None if row is None else row[0]

    def _count(self, before: int | None) -> None:
        """An image got its position; ``before`` is the one it had, below zero in the last table."""
        self._placed += before is None or before < 0
        self._unreached -= before is not None and before < 0

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors in the user's words."""
        with self._lock:
            try:
                yield
            except sqlite3.ProgrammingError:
                raise
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise journal_failed(self._output, error) from error


def _key(image: str) -> bytes:
    # Not os.fsencode: the same bytes on every system, also for names that are not UTF-8.
    return image.encode("utf-8", "surrogatepass")


def _name(key: bytes) -> str:
    return key.decode("utf-8", "surrogatepass")
