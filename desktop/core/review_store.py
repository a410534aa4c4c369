"""The review of one folder, kept on disk: files, results, decisions, undo, session.

SIGNATURES PUBLISHED FIRST; the bodies follow within the hour.

One `ReviewStore` is the review of one opened folder in one panel's vocabulary. Several panels share
the folder's SQLite file (WAL, ``synchronous=FULL``) in the user's data folder.

Threads: a store belongs to the thread that opened it; another thread or process opens its own.
Windows: two windows on one folder are safe. A write that was computed from a decision that
another window has changed meanwhile raises `DecisionConflict` and stores nothing; `changes_since`
brings the other's decisions. The undo stack belongs to the folder and panel, not to the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.core.cases import CaseResult, Decision
from desktop.core.contract import PanelManifest
from desktop.core.decisions import Step, StepKind
from desktop.core.errors import StoreFailed


class DecisionConflict(StoreFailed):
    """Another window changed the decision meanwhile (STORE-06): `changes_since`, then again."""


@dataclass(frozen=True)
class FileFact:
    """A file as the scan saw it; ``image`` is the path relative to the opened folder (POSIX)."""

    image: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class StoreNotice:
    """Something the user must be told about the store, e.g. that a damaged one was set aside."""

    code: str
    sentence: str
    set_aside: Path | None = None
    salvaged: int = 0


@dataclass(frozen=True)
class AppliedStep:
    """A step that is on the disk: the decisions as they now are, with their revisions."""

    kind: StepKind
    value: str
    decisions: Mapping[str, Decision]
    skipped: tuple[str, ...] = ()
    revision: int = 0


@dataclass(frozen=True)
class SessionState:
    """Where the reader was; ``view`` is JSON that the window owns."""

    current_image: str = ""
    query: str = ""
    sort: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)


class ReviewStore:
    """See the module text."""

    notice: StoreNotice | None
    path: Path

    @classmethod
    def open(cls, folder: Path, panel: PanelManifest, *, home: Path | None = None) -> ReviewStore:
        """Open or begin the review of ``folder``. Raises StoreFailed."""
        raise NotImplementedError

    def close(self) -> None:
        """Close; everything is already durable."""
        raise NotImplementedError

    # files and results --------------------------------------------------------------------------
    def record_files(self, files: Iterable[FileFact]) -> None:
        """Note scanned files (one transaction)."""
        raise NotImplementedError

    def record_results(self, results: Sequence[tuple[CaseResult, FileFact]]) -> frozenset[str]:
        """Keep results, failures and maps; gives the images whose content changed."""
        raise NotImplementedError

    def finished(self) -> Mapping[str, FileFact]:
        """Images with a result of exactly this panel's models, as they were then: for resuming."""
        raise NotImplementedError

    def case_result(self, image: str, *, maps: bool = False) -> CaseResult | None:
        """One stored result, with its heatmaps on request."""
        raise NotImplementedError

    def case_results(self) -> Iterable[CaseResult]:
        """All stored results without maps, in image order, streamed."""
        raise NotImplementedError

    # decisions ----------------------------------------------------------------------------------
    def decision(self, image: str) -> Decision:
        """The decision on one image, `cases.OPEN` where there is none."""
        raise NotImplementedError

    def decisions(self) -> dict[str, Decision]:
        """All decisions that are not plain open."""
        raise NotImplementedError

    def apply(self, step: Step) -> AppliedStep:
        """Make a step durable. Raises DecisionConflict, StoreFailed; then nothing is stored."""
        raise NotImplementedError

    def undo(self) -> AppliedStep | None:
        """Take back the latest step of this folder and panel; None where there is none."""
        raise NotImplementedError

    def redo(self) -> AppliedStep | None:
        """Do again what undo took back; None where there is nothing."""
        raise NotImplementedError

    def undo_next(self) -> tuple[StepKind, str, int] | None:
        """Kind, value and number of images of the step that `undo` would take back."""
        raise NotImplementedError

    def redo_next(self) -> tuple[StepKind, str, int] | None:
        """Kind, value and number of images of the step that `redo` would do again."""
        raise NotImplementedError

    def changes_since(self, revision: int) -> tuple[int, Mapping[str, Decision]]:
        """Latest revision, and the decisions that changed after ``revision`` in any window."""
        raise NotImplementedError

    def changed_files(self) -> frozenset[str]:
        """Images whose file changed after it was decided; their old decision is in the log."""
        raise NotImplementedError

    # session ------------------------------------------------------------------------------------
    def session(self) -> SessionState:
        """Where the reader was."""
        raise NotImplementedError

    def save_session(self, session: SessionState) -> None:
        """Remember where the reader is."""
        raise NotImplementedError
