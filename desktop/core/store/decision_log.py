"""Decisions in the store: applying steps, undo, redo, and what other windows did meanwhile.

Undo semantics: one stack a folder and panel, shared by all windows and all sessions. Undo takes
back the latest step that has not been taken back; a new step drops what could have been redone. An
image of the step whose decision is no longer what the step left (its file changed) is passed over
and named. Nothing is ever deleted from the log.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from desktop.core.cases import OPEN, Decision
from desktop.core.errors import StoreFailed
from desktop.core.review.decisions import Step, StepKind, restored, same_decision
from desktop.core.store.connection import image_path, stored_path
from desktop.core.system.text import display_name

# In the order of the fields of `Decision`.
DECISION_COLUMNS = (
    "label, state, source, flagged, comment, blind_label, votes_seen, reviewer, reviewed_at,"
    " revision"
)
_UPSERT = (
    f"INSERT OR REPLACE INTO decision (panel, path, {DECISION_COLUMNS}, sha256, changed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_APPEND = (
    "INSERT INTO log (revision, step, panel, path, act, sha256, before, after)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
# From so many images on, one pass over the table beats a look-up for each.
_MANY = 500
_PROGRESS_EVERY = 1000
OnProgress = Callable[[int, int], None]
_BLANK = vars(OPEN)


class DecisionConflict(StoreFailed):
    """Another window changed the decision meanwhile (STORE-06): `changes_since`, then again."""


@dataclass(frozen=True)
class AppliedStep:
    """A step that is on the disk.

    Attributes:
        kind: What was done, undone or redone.
        value: Class name of a label step, else empty.
        decisions: Image -> decision as it now is, with its revision.
        skipped: Images that an undo or redo passed over because their file changed meanwhile.
        revision: The store's latest revision afterwards.
        revision_before: The latest revision just before. A window that had seen less than this has
            missed another window's decisions and asks `ReviewStore.changes_since`.
    """

    kind: StepKind
    value: str
    decisions: Mapping[str, Decision]
    skipped: tuple[str, ...] = ()
    revision: int = 0
    revision_before: int = 0


@dataclass(frozen=True)
class LogEntry:
    """One line of an image's history; ``act`` is ``do``, ``undo`` or ``redo``."""

    revision: int
    act: str
    kind: StepKind
    sha256: str
    before: Decision
    after: Decision


@dataclass(frozen=True)
class _Stored:
    decision: Decision
    sha256: bytes
    changed: bool


_NOTHING = _Stored(OPEN, b"", False)


class DecisionLog:
    """The tables ``decision``, ``step`` and ``log``. The caller holds the transactions.

    Args:
        connection: The store.
        panel: Name of the panel whose vocabulary the decisions use.
    """

    def __init__(self, connection: sqlite3.Connection, panel: str) -> None:
        self._connection = connection
        self._panel = panel
        # Called with (written, all) while a large step is written.
        self.on_progress: OnProgress | None = None

    def decision(self, image: str) -> Decision:
        """Where one image stands."""
        return self._stored(image).decision

    def decisions(self) -> dict[str, Decision]:
        """Where every image stands that was ever decided on."""
        rows = self._connection.execute(
            f"SELECT path, {DECISION_COLUMNS} FROM decision WHERE panel = ?", (self._panel,)
        )
        return {image_path(path): _decision(values) for path, *values in rows}

    def panels_of(self, image: str) -> list[str]:
        """Names of all panels in which an image was decided on."""
        rows = self._connection.execute(
            "SELECT panel FROM decision WHERE path = ?", (stored_path(image),)
        )
        return [panel for (panel,) in rows]

    def changed_files(self) -> frozenset[str]:
        """Images whose file changed after it was decided on."""
        rows = self._connection.execute(
            "SELECT path FROM decision WHERE panel = ? AND changed", (self._panel,)
        )
        return frozenset(image_path(path) for (path,) in rows)

    def latest_revision(self) -> int:
        """Number of the last change in any panel, 0 for none."""
        (latest,) = self._connection.execute("SELECT max(revision) FROM log").fetchone()
        return int(latest or 0)

    def changes_since(self, revision: int) -> dict[str, Decision]:
        """Where those images stand that changed after ``revision``."""
        rows = self._connection.execute(
            "SELECT DISTINCT path FROM log WHERE revision > ? AND panel = ?",
            (revision, self._panel),
        ).fetchall()
        stored = self._stored_many([image_path(path) for (path,) in rows])
        return {image: item.decision for image, item in stored.items()}

    def history(self, image: str) -> tuple[LogEntry, ...]:
        """Everything that ever happened to one image, oldest first."""
        rows = self._connection.execute(
            "SELECT revision, act, kind, sha256, before, after FROM log JOIN step ON step.id = step"
            " WHERE log.panel = ? AND path = ? ORDER BY revision",
            (self._panel, stored_path(image)),
        )
        return tuple(
            LogEntry(revision, act, kind, sha256.hex(), _unpacked(before), _unpacked(after))
            for revision, act, kind, sha256, before, after in rows
        )

    # writing, inside the caller's transaction --------------------------------------------------

    def apply(self, step: Step, contents: Mapping[str, bytes]) -> AppliedStep:
        """Write a step.

        Args:
            step: What to do; not empty.
            contents: Image -> raw hash of its content, for changes that do not name it.

        Raises:
            DecisionConflict: A decision is not the one that the step was computed from.
        """
        before = self._stored_many([change.image for change in step.changes])
        for change in step.changes:
            if before[change.image].decision.revision != change.before.revision:
                raise _conflict(change.image, len(step.changes))
        if step.undoable:
            self._connection.execute(
                "UPDATE step SET position = 'dropped' WHERE panel = ? AND position = 'undone'",
                (self._panel,),
            )
        number = self._begin(step, "done" if step.undoable else "note")
        hashes = {
            change.image: bytes.fromhex(change.sha256) or contents.get(change.image, b"")
            for change in step.changes
        }
        after = {change.image: change.after for change in step.changes}
        return self._write(number, step.kind, step.value, "do", before, after, hashes)

    def undo(self) -> AppliedStep | None:
        """Take the latest step back."""
        return self._move("done", "undone", "undo", "DESC")

    def redo(self) -> AppliedStep | None:
        """Do the latest undone step again."""
        return self._move("undone", "done", "redo", "ASC")

    def peek(self, position: str) -> tuple[StepKind, str, int] | None:
        """Kind, value and number of images of the next step to undo (``done``) or redo."""
        found = self._top(position, "DESC" if position == "done" else "ASC")
        return None if found is None else (found[1], found[2], found[3])

    def file_changed(self, image: str, content: bytes) -> bool:
        """Note that a file now has this content: a decision on other content is put aside.

        The old decision stays in the log and comes back if the old content does.

        Returns:
            Whether a decision was put aside or came back.
        """
        stored = self._stored(image)
        if stored is _NOTHING or stored.sha256 == content:
            return False
        if not stored.sha256:
            # Decided before the content was known; this is the content.
            self._connection.execute(
                "UPDATE decision SET sha256 = ? WHERE panel = ? AND path = ?",
                (content, self._panel, stored_path(image)),
            )
            return False
        earlier = self._connection.execute(
            "SELECT before FROM log JOIN step ON step.id = step WHERE log.panel = ?"
            " AND path = ? AND kind = 'file_changed' AND value = '' AND sha256 = ?"
            " ORDER BY revision DESC LIMIT 1",
            (self._panel, stored_path(image), content),
        ).fetchone()
        comes_back = earlier is not None
        if not comes_back and same_decision(stored.decision, OPEN):
            # Nothing was decided, so there is nothing to put aside.
            self._upsert([(image, stored.decision, content, stored.changed)])
            return False
        after = _unpacked(earlier[0]) if comes_back else OPEN
        number = self._begin(Step("file_changed", "", ()), "note", images=1)
        # The log line carries the content that the decision before it was made on.
        stamped = self._append(number, "do", [(image, stored.sha256, stored.decision, after)])
        self._upsert([(image, stamped[image], content, not comes_back)])
        return True

    def restore(self, decisions: Mapping[str, tuple[Decision, bytes]]) -> None:
        """Put in decisions saved from a damaged store, as notes that undo does not reach."""
        number = self._begin(Step("file_changed", "salvaged", ()), "note", images=len(decisions))
        lines = [(image, sha256, OPEN, item) for image, (item, sha256) in decisions.items()]
        stamped = self._append(number, "do", lines)
        self._upsert([(image, stamped[image], sha256, False) for image, sha256, _, _ in lines])

    # -------------------------------------------------------------------------------------------

    def _move(self, source: str, target: str, act: str, order: str) -> AppliedStep | None:
        found = self._top(source, order)
        if found is None:
            return None
        number, kind, value, _ = found
        rows = self._connection.execute(
            "SELECT path, before, after, sha256 FROM log WHERE step = ? AND act = 'do'", (number,)
        ).fetchall()
        rows = [(image_path(path), *values) for path, *values in rows]
        all_stored = self._stored_many([image for image, *_ in rows])
        before: dict[str, _Stored] = {}
        after: dict[str, Decision] = {}
        hashes: dict[str, bytes] = {}
        skipped: list[str] = []
        # A bulk step says the same of thousands of images, so each answer is worked out once.
        reached: dict[tuple[str, str, str], Decision | None] = {}
        for path, old, new, sha256 in rows:
            stored = all_stored[path]
            leave, reach = (new, old) if act == "undo" else (old, new)
            known = (packed(stored.decision), leave, reach)
            if known not in reached:
                as_left = same_decision(stored.decision, _unpacked(leave))
                reached[known] = restored(stored.decision, _unpacked(reach)) if as_left else None
            target_decision = reached[known]
            if target_decision is None:
                skipped.append(path)
                continue
            before[path], hashes[path] = stored, sha256
            after[path] = target_decision
        self._connection.execute("UPDATE step SET position = ? WHERE id = ?", (target, number))
        applied = self._write(number, kind, value, act, before, after, hashes)
        return replace(applied, skipped=tuple(skipped))

    def _top(self, position: str, order: str) -> tuple[int, StepKind, str, int] | None:
        found = self._connection.execute(
            "SELECT id, kind, value, images FROM step WHERE panel = ? AND position = ?"
            f" ORDER BY id {order} LIMIT 1",
            (self._panel, position),
        ).fetchone()
        return cast("tuple[int, StepKind, str, int] | None", found)

    def _begin(self, step: Step, position: str, images: int | None = None) -> int:
        count = len(step.changes) if images is None else images
        cursor = self._connection.execute(
            "INSERT INTO step (panel, kind, value, images, position) VALUES (?, ?, ?, ?, ?)",
            (self._panel, step.kind, step.value, count, position),
        )
        return cast("int", cursor.lastrowid)

    def _write(
        self,
        number: int,
        kind: StepKind,
        value: str,
        act: str,
        before: Mapping[str, _Stored],
        after: Mapping[str, Decision],
        hashes: Mapping[str, bytes],
    ) -> AppliedStep:
        lines = [
            (image, hashes[image], before[image].decision, decision)
            for image, decision in after.items()
        ]
        earlier = self.latest_revision()
        decisions = self._append(number, act, lines)
        self._upsert(
            (image, decision, hashes[image], before[image].changed and not decision.reviewed)
            for image, decision in decisions.items()
        )
        return AppliedStep(
            kind, value, decisions, revision=earlier + len(decisions), revision_before=earlier
        )

    def _append(
        self, step: int, act: str, lines: Sequence[tuple[str, bytes, Decision, Decision]]
    ) -> dict[str, Decision]:
        """Add (image, content, before, after) lines; gives each ``after`` with its revision."""
        first = self.latest_revision() + 1
        self._connection.executemany(
            _APPEND,
            (
                (number, step, self._panel, stored_path(image), act, sha256, *map(packed, both))
                for number, (image, sha256, *both) in enumerate(self._counted(lines), first)
            ),
        )
        return {
            image: _with_revision(after, first + number)
            for number, (image, _, _, after) in enumerate(lines)
        }

    def _counted(
        self, lines: Sequence[tuple[str, bytes, Decision, Decision]]
    ) -> Iterator[tuple[str, bytes, Decision, Decision]]:
        for number, line in enumerate(lines):
            if self.on_progress is not None and number % _PROGRESS_EVERY == 0:
                self.on_progress(number, len(lines))
            yield line

    def _upsert(self, rows: Iterable[tuple[str, Decision, bytes, bool]]) -> None:
        """Set where images stand: (image, decision, content, changed)."""
        self._connection.executemany(
            _UPSERT,
            (
                (self._panel, stored_path(image), *vars(item).values(), sha256, changed)
                for image, item, sha256, changed in rows
            ),
        )

    def _stored_many(self, images: Sequence[str]) -> dict[str, _Stored]:
        if len(images) < _MANY:
            return {image: self._stored(image) for image in images}
        rows = self._connection.execute(
            f"SELECT path, sha256, changed, {DECISION_COLUMNS} FROM decision WHERE panel = ?",
            (self._panel,),
        )
        known = {
            image_path(path): _Stored(_decision(values), sha256, bool(changed))
            for path, sha256, changed, *values in rows
        }
        return {image: known.get(image, _NOTHING) for image in images}

    def _stored(self, image: str) -> _Stored:
        row = self._connection.execute(
            f"SELECT sha256, changed, {DECISION_COLUMNS} FROM decision"
            " WHERE panel = ? AND path = ?",
            (self._panel, stored_path(image)),
        ).fetchone()
        return _NOTHING if row is None else _Stored(_decision(row[2:]), row[0], bool(row[1]))


def _with_revision(decision: Decision, revision: int) -> Decision:
    """``replace(decision, revision=...)`` at a tenth of its cost: a bulk step makes 100,000."""
    stamped = object.__new__(Decision)
    stamped.__dict__.update(decision.__dict__)
    stamped.__dict__["revision"] = revision
    return stamped


def _decision(values: Sequence[Any]) -> Decision:
    try:
        *fields, revision = values
        if not isinstance(revision, int) or revision < 0:
            raise ValueError("no revision")
        return _with_revision(_decision_of(tuple(fields)), revision)
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a damaged row: {error}") from error


@functools.lru_cache(maxsize=256)  # after a bulk step thousands of rows say the same
def _decision_of(values: tuple[Any, ...]) -> Decision:
    return decision_from_row((*values, 0))


def _unpacked(text: str) -> Decision:
    try:
        return unpacked(text)
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a damaged line of the log: {error}") from error


def packed(decision: Decision) -> str:
    """A decision as compact JSON: only what differs from an open one, without the revision."""
    values = tuple(vars(decision).values())
    return _packed(values[:-1])


@functools.lru_cache(maxsize=256)  # a bulk step packs the same values thousands of times
def _packed(values: tuple[object, ...]) -> str:
    given = zip(_BLANK, values, strict=False)  # the revision is the last field and left out
    return json.dumps(
        {key: value for key, value in given if value != _BLANK[key]}, separators=(",", ":")
    )


@functools.lru_cache(maxsize=256)  # a bulk step holds the same text thousands of times
def unpacked(text: str) -> Decision:
    """The reverse of `packed`.

    Raises:
        ValueError: The text is damaged.
        TypeError: The text is damaged.
    """
    return Decision(**json.loads(text))


def decision_from_row(values: Iterable[Any]) -> Decision:
    """A decision from the columns of the table, in the order of DECISION_COLUMNS.

    Raises:
        ValueError: The row is damaged.
        TypeError: The row is damaged.
    """
    label, state, source, flagged, comment, blind, seen, *rest = values
    return Decision(label, state, source, bool(flagged), comment, blind, bool(seen), *rest)


def _conflict(image: str, images: int) -> DecisionConflict:
    others = "" if images == 1 else f" Nothing was changed on the other {images - 1:,} images."
    return DecisionConflict(
        "STORE-06",
        f"Another window decided on {display_name(image)} meanwhile, and its decision was "
        f"kept.{others} "
        "Look at it and decide again if you do not agree.",
    )
