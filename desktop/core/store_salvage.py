"""Save what is readable of a damaged review store. The damaged file itself is only ever read.

Decisions are what a person worked for, and they stand in the file twice: in ``decision`` and in
``log``. Both are read from both ends until the damage stops it, and the newest readable state of
each image wins. Where the first page is lost, which names every other, the page of an empty store
with the same schema is put in its place, in the copy.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop.core.cases import OPEN, Decision
from desktop.core.decision_log import DECISION_COLUMNS, decision_from_row, unpacked
from desktop.core.store_database import connect, image_path

Saved = dict[str, dict[str, tuple[Decision, bytes]]]
_PAGE_BYTES = 4096
_MAX_SKIPPED = 1000
_DECISIONS = (
    f"SELECT panel, path, sha256, {DECISION_COLUMNS} FROM decision"
    " ORDER BY path {order}, panel {order}"
)
_LOG = "SELECT panel, path, sha256, after, revision FROM log ORDER BY revision {order}"


def salvage(damaged: Path) -> Saved:
    """Read the decisions of a damaged store.

    Args:
        damaged: The set-aside file; its ``-wal`` beside it is read too.

    Returns:
        Panel name -> image -> (decision, raw content hash it was made on). Empty if nothing is
        readable or there is no room for a copy; never an error.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".salvage-", dir=damaged.parent) as folder:
            copy = Path(folder) / "copy.sqlite"
            for suffix in ("", "-wal"):
                source = damaged.with_name(damaged.name + suffix)
                if source.exists():
                    shutil.copyfile(source, copy.with_name(copy.name + suffix))
            found = _read_all(copy)
            if not found and _give_first_page(copy, Path(folder) / "empty.sqlite"):
                found = _read_all(copy)
    except (OSError, sqlite3.Error):
        return {}
    return _newest(found)


def _read_all(copy: Path) -> list[tuple[str, str, bytes, Decision]]:
    found = []
    for order in ("ASC", "DESC"):
        found += list(_read(copy, _DECISIONS.format(order=order), decision_from_row))
        found += list(_read(copy, _LOG.format(order=order), _from_log))
    return found


def _read(
    copy: Path, query: str, build: Callable[[Sequence[Any]], Decision]
) -> Iterator[tuple[str, str, bytes, Decision]]:
    """Rows until the damage; a row that makes no sense is passed over."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as connection:
        cursor = connection.execute(query)
        skipped = 0
        while True:
            try:
                row = cursor.fetchone()
            except (UnicodeDecodeError, OverflowError, sqlite3.OperationalError):
                # A text that is not UTF-8 any more; the cursor goes on behind it.
                skipped += 1
                if skipped > _MAX_SKIPPED:
                    return
                continue
            if row is None:
                return
            panel, path, sha256, *rest = row
            with suppress(ValueError, TypeError, AttributeError):
                if isinstance(panel, str) and isinstance(path, str) and isinstance(sha256, bytes):
                    yield panel, image_path(path), sha256, build(rest)


def _from_log(values: Sequence[Any]) -> Decision:
    after, revision = values
    return replace(unpacked(after), revision=revision)


def _give_first_page(copy: Path, empty: Path) -> bool:
    """Put the first page of an empty store into the copy; False if it cannot be one of ours."""
    size = copy.stat().st_size
    if size < 2 * _PAGE_BYTES:
        return False
    with closing(connect(empty, "empty")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page = bytearray(empty.read_bytes()[:_PAGE_BYTES])
    page[28:32] = (size // _PAGE_BYTES).to_bytes(4, "big")  # number of pages in the file
    page[32:40] = bytes(8)  # no list of free pages
    with copy.open("r+b") as stream:
        stream.write(page)
    return True


def _newest(found: list[tuple[str, str, bytes, Decision]]) -> Saved:
    newest: Saved = {}
    for panel, path, sha256, decision in sorted(found, key=lambda item: item[3].revision):
        newest.setdefault(panel, {})[path] = (decision, sha256)
    return {
        panel: {
            path: saved for path, saved in images.items() if replace(saved[0], revision=0) != OPEN
        }
        for panel, images in newest.items()
    }
