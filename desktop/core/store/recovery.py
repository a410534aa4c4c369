"""Save what is readable of a damaged review store. The damaged file itself is only ever read.

Where only some rows are damaged, the new store is a copy without them; a decision among them is
taken from the log. Otherwise only decisions are saved, because they are what a person worked for,
and they stand in the file twice: in ``decision`` and in ``log``. Both are read from both ends until
the damage stops it, and the newest readable state of each image wins. Where the first page is lost,
which names every other, the page of an empty store with the same schema is put in its place, in the
copy.

The new store appears under its name only when everything saved is in it: a kill or a full disk in
between leaves the damaged file, and the next opening tries again.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desktop.core.cases import OPEN, Decision
from desktop.core.store.connection import (
    StoreConnection,
    asides,
    connect,
    image_path,
    set_aside,
    stored_path,
    transaction,
)
from desktop.core.store.decision_log import (
    DECISION_COLUMNS,
    DecisionLog,
    decision_from_row,
    unpacked,
)
from desktop.core.store.schema import (
    NOT_THE_LATEST,
    SCHEMA_VERSION,
    TABLES,
    check_all,
    check_tables,
    create_tables,
    mark,
    prepare,
    sound,
)
from desktop.core.system.atomic_write import sync_folder

Saved = dict[str, dict[str, tuple[Decision, bytes]]]
_PAGE_BYTES = 4096
_LOG_LINE_BYTES = 40  # no line is shorter
_MAX_LOOKED_UP = 2_000_000
_DECISIONS = f"SELECT panel, path, sha256, {DECISION_COLUMNS} FROM decision"
_LOG = "SELECT panel, path, sha256, after, revision FROM log"
_Line = tuple[str, str, bytes, Decision]


@dataclass(frozen=True)
class StoreNotice:
    """Something that the user must be told about the store.

    Attributes:
        code: STORE-01, a damaged store or another store's log was set aside.
        sentence: For the user.
        set_aside: Where that file is now.
        salvaged: Number of decisions that could be saved.
    """

    code: str
    sentence: str
    set_aside: Path
    salvaged: int


def damage_notice(name: str, aside: Path, count: int) -> StoreNotice:
    """The notice that the damaged store of folder ``name`` lies at ``aside`` now."""
    found = f"{count:,} decisions could be read and are kept" if count else "nothing was readable"
    return StoreNotice(
        "STORE-01",
        f"The review of {name} was damaged: {found}. The damaged file was set aside as "
        f"{aside.name} in {aside.parent}; a new review was begun. Look over the latest "
        "decisions; undo begins from here.",
        aside,
        count,
    )


def foreign_log_notice(name: str, log: Path, kept: int) -> StoreNotice:
    return StoreNotice(
        "STORE-01",
        f"Beside the review of {name} lay the log of another review. It was not used and set aside "
        f"as {log.name} in {log.parent}; the {kept:,} decisions of this review are kept. If files "
        "were copied or synchronised there, look over the latest ones.",
        log,
        kept,
    )


def latest_aside(path: Path) -> Path | None:
    """The store that was set aside last, None where none ever was."""
    found = asides(path)
    return found[-1][2] if found else None


def rebuild(path: Path, name: str) -> tuple[Path, int]:
    """Set a damaged store aside, or take up where that was interrupted, and begin a new one.

    Args:
        path: The store; missing where it was already set aside.
        name: The opened folder's name, for sentences.

    Returns:
        Where the damaged file is, and how many decisions were saved from it.

    Raises:
        OSError: There is no room, or the folder cannot be written; nothing is lost.
        sqlite3.Error: The new store cannot be written.
    """
    aside = None if path.exists() else latest_aside(path)
    aside = aside or set_aside(path)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        new = Path(folder) / path.name
        _copy(aside, new)
        count = _without_damaged_rows(new)
        if count is None:
            saved = salvage(aside)
            count = sum(map(len, saved.values()))
            for left in Path(folder).iterdir():
                left.unlink()
            with closing(connect(new, name)) as connection, transaction(connection):
                for panel, decisions in saved.items():
                    if decisions:
                        DecisionLog(connection, panel).restore(decisions)
        try:
            # Unlike a rename, a link never replaces the store of a window that was faster.
            path.hardlink_to(new)
        except OSError:
            if not path.exists():
                new.rename(path)
    sync_folder(path.parent)
    return aside, count


def _copy(store: Path, copy: Path) -> None:
    """Copy a store and its log, for its owner only."""
    for suffix in ("", "-wal"):
        source = store.with_name(store.name + suffix)
        if source.exists():
            target = copy.with_name(copy.name + suffix)
            target.touch(mode=0o600)
            shutil.copyfile(source, target)


def _without_damaged_rows(copy: Path) -> int | None:
    """Take the damaged rows out of a copy and mend what they leave.

    Undo begins anew, because a step of which a part is lost cannot be taken back.

    Returns:
        The decisions in it, or None where more than single rows is damaged.
    """
    with (
        suppress(sqlite3.Error, UnicodeDecodeError),
        closing(sqlite3.connect(copy, isolation_level=None, factory=StoreConnection)) as connection,
    ):
        prepare(connection)
        check_tables(connection)
        with transaction(connection):
            connection.execute("REINDEX")
            for table in TABLES:
                connection.execute(f"DELETE FROM {table} WHERE ({sound(table)}) IS NOT TRUE")
            for statement in _MENDING.split(";"):
                connection.execute(statement)
            _mend_decisions(connection)
            mark(connection, SCHEMA_VERSION)
        check_all(connection)
        (count,) = connection.execute("SELECT count(*) FROM decision").fetchone()
        return int(count)
    return None


# What refers to a row that is gone goes too, before another row gets its number. Revisions stay
# without a gap and each line of the log has its step.
_MENDING = """
UPDATE image SET content = NULL WHERE content NOT IN (SELECT id FROM content);
DELETE FROM failure WHERE image NOT IN (SELECT id FROM image)
    OR panel NOT IN (SELECT id FROM panel);
DELETE FROM result WHERE content NOT IN (SELECT id FROM content)
    OR panel NOT IN (SELECT id FROM panel);
UPDATE step SET position = 'note';
INSERT INTO log (revision, step, panel, path, act, sha256, before, after)
    WITH RECURSIVE number (revision) AS (SELECT 1 UNION ALL
        SELECT revision + 1 FROM number WHERE revision < (SELECT max(revision) FROM log))
    SELECT revision, 0, '', '', 'do', x'', '{}', '{}' FROM number
    WHERE revision <= (SELECT max(revision) FROM log)
    AND revision NOT IN (SELECT revision FROM log);
INSERT INTO step (id, panel, kind, value, images, position)
    SELECT DISTINCT step, '', 'file_changed', 'salvaged', 0, 'note' FROM log
    WHERE step NOT IN (SELECT id FROM step)
"""


def _mend_decisions(connection: StoreConnection) -> None:
    """Give each image the newest state that decision or log still know, as a note in the log."""
    saved: Saved = {}
    for panel, path in connection.execute(NOT_THE_LATEST).fetchall():
        rows = connection.execute(
            f"SELECT sha256, {DECISION_COLUMNS} FROM decision WHERE panel = ? AND path = ?",
            (panel, path),
        ).fetchall()
        known = [(decision_from_row(values), sha256) for sha256, *values in rows]
        lines = connection.execute(
            "SELECT sha256, after, revision FROM log WHERE panel = ? AND path = ?", (panel, path)
        ).fetchall()
        known += [(_from_log(values), sha256) for sha256, *values in lines]
        newest = max(known, key=lambda item: item[0].revision)
        saved.setdefault(panel, {})[image_path(path)] = newest
    for panel, decisions in saved.items():
        DecisionLog(connection, panel).restore(decisions)


def salvage(damaged: Path) -> Saved:
    """Read the decisions of a damaged store.

    Args:
        damaged: The set-aside file; its ``-wal`` beside it is read too.

    Returns:
        Panel name -> image -> (decision, raw content hash it was made on); empty where nothing is
        readable.

    Raises:
        OSError: There is no room for a copy to read from.
    """
    with tempfile.TemporaryDirectory(prefix=".salvage-", dir=damaged.parent) as folder:
        copy = Path(folder) / "copy.sqlite"
        _copy(damaged, copy)
        found: list[_Line] = []
        with suppress(sqlite3.Error, UnicodeDecodeError):
            found = _read_all(copy)
        for version in (SCHEMA_VERSION, 2):
            if not found and _give_first_page(copy, Path(folder) / f"empty{version}", version):
                with suppress(sqlite3.Error, UnicodeDecodeError):
                    found = _read_all(copy)
    return _newest(found)


def _read_all(copy: Path) -> list[_Line]:
    """Whole tables from both ends; where damage stops that, line by line."""
    with closing(sqlite3.connect(copy)) as connection:
        # Also makes SQLite read a file that is shorter than it says.
        connection.execute("PRAGMA writable_schema = ON")
        connection.text_factory = bytes
        decision_sound, line_sound = _conditions(connection)
        found: list[_Line] = []
        complete = True
        for select, order, build in (
            (_DECISIONS + decision_sound, "ORDER BY path {0}, panel {0}", decision_from_row),
            (_LOG + line_sound, "ORDER BY revision {0}", _from_log),
        ):
            for direction in ("ASC", "DESC"):
                lines, ended = _read(connection, f"{select} {order.format(direction)}", (), build)
                found += lines
                complete &= ended
                if ended:
                    break
        if not complete:
            found += _read_singly(connection, copy.stat().st_size)
    return found


def _read_singly(connection: sqlite3.Connection, size: int) -> list[_Line]:
    """Look lines up one by one: each needs only the few pages that lead to it."""
    found: list[_Line] = []
    images: set[bytes] = set()
    decision_sound, line_sound = _conditions(connection)
    for direction in ("ASC", "DESC"):
        with suppress(sqlite3.Error, UnicodeDecodeError):
            for (path,) in connection.execute(f"SELECT path FROM image ORDER BY id {direction}"):
                images.add(path)
    for revision in range(1, min(size // _LOG_LINE_BYTES, _MAX_LOOKED_UP)):
        lines, _ = _read(connection, f"{_LOG}{line_sound} AND revision = ?", (revision,), _from_log)
        found += lines
        images.update(stored_path(line[1]).encode() for line in lines)
    for path in images:
        lines, _ = _read(
            connection,
            f"{_DECISIONS}{decision_sound} AND path = CAST(? AS TEXT)",
            (path,),
            decision_from_row,
        )
        found += lines
    return found


def _conditions(connection: sqlite3.Connection) -> tuple[str, str]:
    """SQL after the tables ``decision`` and ``log``: sound rows only, where they have checksums."""
    prepare(connection)
    try:
        connection.execute("SELECT checksum FROM decision LIMIT 0")
    except sqlite3.OperationalError:
        return " WHERE true", " WHERE true"
    return f" WHERE {sound('decision')}", f" WHERE {sound('log')}"


def _read(
    connection: sqlite3.Connection,
    query: str,
    values: tuple[object, ...],
    build: Callable[[Sequence[Any]], Decision],
) -> tuple[list[_Line], bool]:
    """Rows until the damage, and whether there was none; a senseless row is passed over."""
    found: list[_Line] = []
    ended = True
    with suppress(sqlite3.Error, UnicodeDecodeError):
        for panel, path, sha256, *rest in connection.execute(query, values):
            try:
                # Texts come as bytes, so that one that is not UTF-8 any more costs only its row.
                plain = [item.decode() if isinstance(item, bytes) else item for item in rest]
                if not isinstance(sha256, bytes):
                    raise TypeError
                found.append((panel.decode(), image_path(path.decode()), sha256, build(plain)))
            except (ValueError, TypeError, AttributeError):
                ended = False
        return found, ended
    return found, False


def _from_log(values: Sequence[Any]) -> Decision:
    after, revision = values
    return replace(unpacked(after), revision=revision)


def _give_first_page(copy: Path, empty: Path, version: int) -> bool:
    """Put the first page of an empty store into the copy; False if it cannot be one of ours."""
    size = copy.stat().st_size
    if size < 2 * _PAGE_BYTES:
        return False
    with closing(sqlite3.connect(empty, isolation_level=None)) as connection:
        prepare(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        create_tables(connection, version)
    page = bytearray(empty.read_bytes()[:_PAGE_BYTES])
    page[28:32] = (size // _PAGE_BYTES).to_bytes(4, "big")  # number of pages in the file
    page[32:40] = bytes(8)  # no list of free pages
    with copy.open("r+b") as stream:
        stream.write(page)
    return True


def _newest(found: list[_Line]) -> Saved:
    newest: Saved = {}
    for panel, path, sha256, decision in sorted(found, key=lambda item: item[3].revision):
        newest.setdefault(panel, {})[path] = (decision, sha256)
    return {
        panel: {
            path: saved for path, saved in images.items() if replace(saved[0], revision=0) != OPEN
        }
        for panel, images in newest.items()
    }
