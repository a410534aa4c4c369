"""The review of one folder, kept on disk: files, results, decisions, undo, session.

One `ReviewStore` is the review of one opened folder in one panel's vocabulary. Several panels share
the folder's SQLite file (WAL, ``synchronous=FULL``) in the user's data folder; see
`desktop.core.store.location` for where and `desktop.core.store.decision_log` for what undo means.

Durability: when a method that writes returns, the change survives a kill and a power cut. When it
raises `StoreFailed`, nothing of it is stored and the caller shows the old state.

Threads: a store belongs to the thread that opened it; another thread or process opens its own.

Windows: two windows on one folder are safe. A step that was computed from a decision that another
window has changed meanwhile raises `DecisionConflict` and stores nothing; `changes_since` brings
the other's decisions and is cheap enough to be asked every second.

Damage: a file that is no sound store is renamed with a time stamp and never written to. A new one
is begun with whatever decisions could be read, and `ReviewStore.notice` says so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from desktop.core.cases import CaseResult, Decision, FileStamp, ImageFile
from desktop.core.errors import OutputFailed, StoreFailed
from desktop.core.panels.contract import PanelManifest
from desktop.core.review.case_table import CaseTable, ResultColumns
from desktop.core.review.decisions import Step, StepKind
from desktop.core.store.connection import (
    BUSY_TIMEOUT_MS,
    StoreConnection,
    connect,
    is_damage,
    set_foreign_log_aside,
    transaction,
    translate_errors,
)
from desktop.core.store.decision_log import AppliedStep, DecisionLog, LogEntry
from desktop.core.store.heatmap_cache import MapCache, pack_maps
from desktop.core.store.location import MAPS_NAME, STORE_NAME, review_folder
from desktop.core.store.recovery import (
    StoreNotice,
    damage_notice,
    foreign_log_notice,
    latest_aside,
    rebuild,
)
from desktop.core.store.results import ResultRows
from desktop.core.system.text import display_name


@dataclass(frozen=True)
class SessionState:
    """Where the reader was.

    Attributes:
        current_image: Image on the screen, empty for none.
        query: Text of the filter (`desktop.core.review.query_parser`).
        sort: Text of the sort (`desktop.core.review.query.parse_sort`).
        view: Values that JSON can hold; the window owns their meaning.
    """

    current_image: str = ""
    query: str = ""
    sort: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)


class ReviewStore:
    """See the module text; made by `open`.

    Attributes:
        notice: What the user must be told after opening, None for nothing.
        path: The SQLite file.
        panel: The panel whose results and decisions these are.
    """

    notice: StoreNotice | None
    path: Path
    panel: PanelManifest

    def __init__(
        self, connection: StoreConnection, path: Path, panel: PanelManifest, name: str
    ) -> None:
        self._connection = connection
        self._name = name
        self.path = path
        self.panel = panel
        self.notice = None
        self._identity = _identity(path)
        self._fingerprint = panel.fingerprint
        self._models = tuple(member.name for member in panel.members)
        self._maps: MapCache | None = None
        self._log = DecisionLog(connection, panel.name)
        panel_id, self._former_fingerprint = self._panel_row()
        self._results = ResultRows(connection, panel, panel_id)

    @classmethod
    def open(
        cls,
        folder: Path,
        panel: PanelManifest,
        *,
        home: Path | None = None,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    ) -> ReviewStore:
        """Open the review of a folder, or begin one.

        Args:
            panel: The panel whose votes are reviewed.
            home: Keep stores below this folder; None = CXR_QUORUM_HOME or the user's data folder.
            busy_timeout_ms: How long a write waits for another window's.

        Raises:
            StoreFailed: STORE-02 damaged and cannot be set aside, STORE-03 disk full, STORE-04
                locked, STORE-05 not writable, STORE-07 written by a newer app, STORE-09 anything
                else the disk says.
        """
        name = display_name(folder.resolve().name or str(folder))
        try:
            with translate_errors(name, folder):
                path = review_folder(folder, home) / STORE_NAME
        except OutputFailed as error:
            raise StoreFailed(
                "STORE-05" if error.code != "OUTPUT-01" else "STORE-03", str(error)
            ) from error
        with translate_errors(name, path):
            found = _identity(path)
            if found is None and latest_aside(path) is not None:
                # Setting it aside was interrupted before the new store stood.
                return cls._begin_anew(path, panel, name, busy_timeout_ms)
            foreign = set_foreign_log_aside(path)
            try:
                connection = connect(path, name, busy_timeout_ms=busy_timeout_ms)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                if _identity(path) == found:
                    return cls._begin_anew(path, panel, name, busy_timeout_ms)
                # Another window was faster and has begun a new store.
                connection = connect(path, name, busy_timeout_ms=busy_timeout_ms)
            store = cls._build(connection, path, panel, name)
            if foreign is not None:
                store.notice = foreign_log_notice(name, foreign, len(store.decisions()))
            return store

    @classmethod
    def _build(
        cls, connection: StoreConnection, path: Path, panel: PanelManifest, name: str
    ) -> ReviewStore:
        try:
            return cls(connection, path, panel, name)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def _begin_anew(
        cls, path: Path, panel: PanelManifest, name: str, busy_timeout_ms: int
    ) -> ReviewStore:
        aside, count = rebuild(path, name)
        connection = connect(path, name, busy_timeout_ms=busy_timeout_ms)
        store = cls._build(connection, path, panel, name)
        store.notice = damage_notice(name, aside, count)
        return store

    def close(self) -> None:
        """Close; everything is already on the disk."""
        if self._maps is not None:
            self._maps.close()
        self._connection.close()

    def __enter__(self) -> ReviewStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # files and results -------------------------------------------------------------------------

    def record_files(self, files: Iterable[ImageFile]) -> None:
        """Note scanned files, in one transaction.

        A file whose size or time is not as it was counts as unread until it has a result again.
        """
        with self._writing():
            self._results.record_files(files)

    def record_results(
        self, results: Sequence[tuple[CaseResult, ImageFile]], *, device: str = ""
    ) -> frozenset[str]:
        """Keep results, failures and, where predictions carry them, maps; in one transaction.

        Args:
            results: Predictions and the files they were read from.
            device: What the models ran on, for the exported table; empty where unknown.

        Returns:
            Images whose content is not what was decided on, or is so again: their decisions have
            changed (see `DecisionLog.file_changed`), ask `changes_since`.
        """
        # Packing before the lock is taken: another window's decision must not wait for zlib.
        packed = [
            (bytes.fromhex(result.sha256), self._fingerprint, maps)
            for result, _ in results
            if result.sha256 and (maps := pack_maps(result.predictions, self._models))
        ]
        changed = set()
        with self._writing():
            for result, fact in results:
                content = self._results.record(result, fact, device)
                if content:
                    changed |= self._note_content(result.image, content)
        if packed:
            self._map_cache().put(packed)
        return frozenset(changed)

    def _note_content(self, image: str, content: bytes) -> set[str]:
        """Tell the decisions of every panel what the file now holds."""
        changed = set()
        for panel in self._log.panels_of(image):
            if DecisionLog(self._connection, panel).file_changed(image, content):
                changed.add(image)
        return changed

    def images(self) -> list[str]:
        """All images ever seen, in the order in which they were first seen."""
        with self._reading():
            return self._results.images()

    def finished(self) -> dict[str, FileStamp]:
        """Images with a result or failure of exactly this panel's models, and the file as it was.

        A run that resumes leaves out files whose size and time are still the same.
        """
        with self._reading():
            return self._results.finished()

    def result_columns(self) -> ResultColumns:
        """All results in columns, 100,000 of them in well under a second."""
        with self._reading():
            return self._results.columns()

    def load_table(self) -> CaseTable:
        """Everything that is known of this folder as a table: images, results, decisions."""
        table = CaseTable(self.panel.class_names, self._models)
        with self._snapshot():
            table.add_images(self._results.images())
            table.set_results(self._results.columns())
            table.set_decisions(self._log.decisions())
            changed = self._log.changed_files()
        table.mark("changed", [row for image in changed if (row := table.row(image)) is not None])
        return table

    def case_result(self, image: str, *, maps: bool = False) -> CaseResult | None:
        """One stored result.

        Args:
            image: Path relative to the folder.
            maps: With the heatmaps that are still known; the others' ``cams`` are None.
        """
        with self._reading():
            result = next(self._results.case_results([image]), None)
        if result is None or not maps or result.status == "failed":
            return result
        fingerprints = (self._fingerprint, self._former_fingerprint)
        cams = self._map_cache().get(bytes.fromhex(result.sha256), fingerprints, self._models)
        return replace(
            result,
            predictions=tuple(
                replace(prediction, cams=cams.get(prediction.model))
                for prediction in result.predictions
            ),
        )

    def case_results(self, images: Iterable[str] | None = None) -> Iterator[CaseResult]:
        """Stored results without maps, streamed.

        Args:
            images: These, in this order; None = all, in the order in which they were first seen.
                Images without a result are left out.
        """
        with self._reading():
            wanted = self._results.images() if images is None else images
            yield from self._results.case_results(wanted)

    def devices(self) -> Mapping[str, str]:
        """Image -> device that its answer came from; empty where unknown."""
        with self._reading():
            return self._results.devices()

    # decisions ---------------------------------------------------------------------------------

    def decision(self, image: str) -> Decision:
        """Where one image stands, `cases.OPEN` where nothing was decided."""
        with self._reading():
            return self._log.decision(image)

    def decisions(self) -> dict[str, Decision]:
        """Where every image stands that was ever decided on."""
        with self._reading():
            return self._log.decisions()

    def history(self, image: str) -> tuple[LogEntry, ...]:
        """Everything that ever happened to one image, oldest first, undone or not."""
        with self._reading():
            return self._log.history(image)

    def changed_files(self) -> frozenset[str]:
        """Images whose file changed after it was decided on and that were not decided again."""
        with self._reading():
            return self._log.changed_files()

    def report_progress(self, on_progress: Callable[[int, int], None] | None) -> None:
        """While a large step is written, call this with (decisions written, all of them)."""
        self._log.on_progress = on_progress

    def apply(self, step: Step) -> AppliedStep:
        """Make a step durable; an empty one changes nothing.

        Raises:
            DecisionConflict: STORE-06, another window was faster; nothing is stored.
            StoreFailed: See `open`, and STORE-08 where the store was moved away meanwhile.
        """
        if not step.changes:
            latest = self.revision()
            return AppliedStep(step.kind, step.value, {}, (), latest, latest)
        unknown = [change.image for change in step.changes if not change.sha256]
        with self._writing():
            return self._log.apply(step, self._results.contents(unknown))

    def undo(self) -> AppliedStep | None:
        """Take back the latest step of this folder and panel, None where there is none."""
        with self._writing():
            return self._log.undo()

    def redo(self) -> AppliedStep | None:
        """Do again what undo took back last, None where there is nothing."""
        with self._writing():
            return self._log.redo()

    def undo_next(self) -> tuple[StepKind, str, int] | None:
        """Kind, value and number of images of the step that `undo` would take back."""
        with self._reading():
            return self._log.peek("done")

    def redo_next(self) -> tuple[StepKind, str, int] | None:
        """Kind, value and number of images of the step that `redo` would do again."""
        with self._reading():
            return self._log.peek("undone")

    def revision(self) -> int:
        """Number of the latest change in any window and panel, 0 for none."""
        with self._reading():
            return self._log.latest_revision()

    def changes_since(self, revision: int) -> tuple[int, Mapping[str, Decision]]:
        """The latest revision, and where those images stand that changed after ``revision``."""
        with self._snapshot():
            latest = self._log.latest_revision()
            if latest == revision:
                return latest, {}
            return latest, self._log.changes_since(revision)

    # session -----------------------------------------------------------------------------------

    def session(self) -> SessionState:
        """Where the reader was; the defaults where that is unknown or unreadable."""
        with self._reading():
            found = self._connection.execute(
                "SELECT state FROM session WHERE panel = ?", (self.panel.name,)
            ).fetchone()
        try:
            return SessionState(**json.loads(found[0])) if found else SessionState()
        except (ValueError, TypeError):
            return SessionState()

    def save_session(self, session: SessionState) -> None:
        """Remember where the reader is.

        Raises:
            TypeError: ``view`` holds something that JSON cannot.
        """
        text = json.dumps(asdict(session))
        with self._writing():
            self._connection.execute(
                "INSERT OR REPLACE INTO session (panel, state) VALUES (?, ?)",
                (self.panel.name, text),
            )

    # -------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with translate_errors(self._name, self.path):
            yield

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several reads that see one state of the store."""
        with self._reading():
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction. A store whose file is gone would take decisions into nowhere."""
        with translate_errors(self._name, self.path):
            if _identity(self.path) != self._identity:
                raise StoreFailed(
                    "STORE-08",
                    f"The review of {self._name} was moved or deleted while it was open, so the "
                    "last change was not saved. Open the folder again.",
                )
            with transaction(self._connection):
                yield

    def _map_cache(self) -> MapCache:
        if self._maps is None:
            self._maps = MapCache(self.path.with_name(MAPS_NAME))
        return self._maps

    def _panel_row(self) -> tuple[int, str]:
        """Number of this panel in the store, and the fingerprint that earlier versions gave it."""
        query = "SELECT id, former FROM panel WHERE fingerprint = ?"
        found = self._connection.execute(query, (self._fingerprint,)).fetchone()
        if found is None:
            with transaction(self._connection):
                # Ignored where another window was faster.
                self._connection.execute(
                    "INSERT OR IGNORE INTO panel (fingerprint, name, manifest, former)"
                    " VALUES (?, ?, ?, '')",
                    (self._fingerprint, self.panel.name, self.panel.to_json()),
                )
            found = self._connection.execute(query, (self._fingerprint,)).fetchone()
        return int(found[0]), str(found[1])


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
