"""A run on a cluster from listing to table: plan, label in parts, put the parts together.

The counterpart of ``core.batch.run``: the same settings, counts, rows and table bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import desktop
from desktop.cluster.inputs import Film
from desktop.cluster.partition import (
    SMALLEST_PART,
    Listing,
    Part,
    decode_part,
    films_of,
    identity,
    part_size,
)
from desktop.cluster.storage import open_store
from desktop.cluster.worker import Job, PartReport, Recheck, answer_of, packed_panel, table_name
from desktop.core.batch.journal_file import open_locked
from desktop.core.batch.run import RunCounts, RunSettings
from desktop.core.errors import CxrError, UsageError
from desktop.core.export.columns import TableRow
from desktop.core.export.parquet import require_parquet
from desktop.core.export.table import write_table
from desktop.core.inference.names import Precision
from desktop.core.panels.registry import Panel
from desktop.core.system.cancel_token import CancelToken

PARTS_SUFFIX = ".parts"
_FACTS = "parts.json"
_ORDER = "order.txt"


@dataclass(frozen=True)
class PartSettings:
    """What a run on a cluster has beyond ``RunSettings``.

    Attributes:
        store: Absolute path or address of the part files; every node must reach it.
        size: Films in a part on average, a power of two; None = as an earlier run on this output,
            else by the number of films.
        threads: Processor threads of one worker.
        recheck: How a finished film is known to be unchanged.
        merge: Put the parts together into one table; else every part has a table of its own.
    """

    store: str
    size: int | None = None
    threads: int = 1
    device: str = "auto"
    asked_precision: Precision = "auto"
    recheck: Recheck = "content"
    merge: bool = True


class Engine(Protocol):
    """Something that labels parts, on this machine or on many."""

    def slots(self, job: Job) -> int:
        """Parts that are labelled at once."""
        ...

    def label(self, job: Job, parts: Sequence[Part], token: CancelToken) -> Iterator[PartReport]:
        """One report a part, in any order."""
        ...


class ClusterRun:
    """One run on one output. Use as a context manager: leaving it unlocks the output.

    Args:
        settings: What to write and how; ``output`` is a file.
        parts: How it is cut.

    Raises:
        OutputFailed: The output's folder or the part files cannot be written, or another run has
            this output (OUTPUT-06).
        UsageError: USAGE-04 where Parquet is asked for and cannot be written here; CLUSTER-05.
    """

    def __init__(self, panel: Panel, settings: RunSettings, parts: PartSettings) -> None:
        assert settings.output is not None
        if settings.form == "parquet":
            require_parquet()
        self.panel = panel
        self.settings = settings
        self.counts = RunCounts()
        self.complete = False
        self.total = 0
        self._parts_settings = parts
        self._parts: list[Part] = []
        self._made_by = identity(panel, settings.precision)
        self._output = settings.output
        name = uuid.uuid4().hex[:12]
        self._listing, self._stop = f"listing-{name}.jsonl", f"stop-{name}"
        # Keeps every other run off this output and dies with us.
        self._lock, _ = open_locked(settings.output)
        try:
            self._store = open_store(parts.store)
            self._tidy()
        except BaseException:
            self._lock.close()
            raise

    def plan(self, films: Iterator[Film], slots: int) -> int:
        """List the films and cut the listing; returns the number of films."""
        listing = Listing(self._store, self._listing)
        listing.write(films)
        size = self._parts_settings.size or self._earlier_size() or part_size(listing.count, slots)
        self._store.write(_FACTS, json.dumps({"size": size}).encode())
        self._parts = list(listing.parts(size))
        self.total = listing.count
        return self.total

    def job(self) -> Job:
        """What the nodes get."""
        settings = self._parts_settings
        return Job(
            version=desktop.__version__,
            made_by=self._made_by,
            panel=self.panel.folder.name,
            panel_files=packed_panel(self.panel),
            store=settings.store,
            listing=self._listing,
            stop=self._stop,
            threads=settings.threads,
            device=settings.device,
            asked_precision=settings.asked_precision,
            precision=self.settings.precision,
            batch=self.settings.batch,
            recheck=settings.recheck,
            tables=None if settings.merge else self.settings.form,
            shape=self.settings.shape,
        )

    def results(self, engine: Engine, job: Job, token: CancelToken) -> Iterator[PartReport]:
        """Label what is not finished; one report a part, whose rows are then durable."""
        reported = 0
        for report in engine.label(job, self._parts, token):
            if not report.images:  # left alone because of a stop
                continue
            reported += 1
            self.counts.resumed += report.resumed
            self.counts.decode_seconds += report.decode_seconds
            self.counts.infer_seconds += report.infer_seconds
            self.counts.wait_seconds += max(0.0, report.seconds - report.infer_seconds)
            yield report
        self.complete = reported == len(self._parts)

    def ask_to_stop(self) -> None:
        """Have the workers finish the parts in hand and begin no other. Safe in a signal handler's
        wake: an output that cannot be written then is no reason to go on."""
        with contextlib.suppress(CxrError, OSError):
            self._store.write(self._stop, b"")

    def write_table(self) -> int:
        """Put the parts together in the order of the listing; returns the number of images.

        After a run that was stopped it has what is finished, and rows of an earlier run where this
        one had not come. Every film is checked to have its one row.

        Raises:
            OutputFailed: The old table, if any, is intact, and so are the parts.
            CxrError: CLUSTER-04 where a part that was reported is gone or damaged.
        """
        settings = self.settings
        if self._parts_settings.merge:
            return write_table(
                self._output, self.panel, self._rows(), settings.form, settings.shape
            )
        count = sum(1 for _ in self._rows())
        if self.complete:
            self._leave_only_tables_of_this_listing()
        return count

    def close(self) -> None:
        """Remove what only this run needed and unlock."""
        with contextlib.suppress(Exception):
            for name in (self._listing, self._stop):
                self._store.remove(name)
        self._lock.close()

    def __enter__(self) -> ClusterRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rows(self) -> Iterator[TableRow]:
        """All rows in order, counted on the way."""
        for part in self._parts:
            finished = decode_part(self._store.read(part.file), self._made_by)
            listed = [film.image for film in films_of(self._store, self._listing, part)]
            if finished is None or [film.image for film in finished] != listed:
                if self.complete:
                    raise CxrError(
                        "CLUSTER-04",
                        f"The file of part {part.key} is missing or damaged although it was "
                        "finished, so no table was written. Give the same command again.",
                    )
                known = {film.image: film for film in finished or ()}
                finished = [known[image] for image in listed if image in known]
            for film in finished:
                result = answer_of(self.panel, film)
                self.counts.add(result, self.panel.class_names)
                yield TableRow(result, device=film.device)

    def _earlier_size(self) -> int | None:
        """The size that an earlier run on these parts used; another would label all again."""
        try:
            size = int(json.loads(self._store.read(_FACTS) or b"{}")["size"])
        except (ValueError, KeyError, TypeError):
            return None
        return size if size >= SMALLEST_PART and size & (size - 1) == 0 else None

    def _tidy(self) -> None:
        """Remove what killed runs left, and with ``fresh`` all that is finished."""
        for name in self._store.names():
            leftover = name.startswith(("listing-", "stop-"))
            finished = name.startswith(("part-", "table-")) or name in (_FACTS, _ORDER)
            if leftover or (self.settings.fresh and finished):
                self._store.remove(name)

    def _leave_only_tables_of_this_listing(self) -> None:
        wanted = [table_name(part, self.settings.form) for part in self._parts]
        self._store.write(_ORDER, "".join(f"{name}\n" for name in wanted).encode())
        for name in set(self._store.names()) - set(wanted):
            if name.startswith("table-"):
                self._store.remove(name)


def default_store(output: Path) -> str:
    """Where the part files of a table lie unless somebody says otherwise: beside the real file."""
    return os.path.realpath(output) + PARTS_SUFFIX


def checked_part_size(size: int) -> int:
    """A part size from the command line.

    Raises:
        UsageError: USAGE-05 where it is no power of two from 16 on.
    """
    if size < SMALLEST_PART or size & (size - 1):
        raise UsageError(
            "USAGE-05", f"--part-size must be a power of two from {SMALLEST_PART} on, such as 256."
        )
    return size
