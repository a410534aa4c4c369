"""Perceptual hashes kept beside the review, so that near-duplicates cost one decode a film, once.

A cache in a file of its own, by content: it can be deleted at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.duplicates.perceptual_hash import HASH_BITS

HASHES_NAME = "hashes.sqlite"
_SCHEMA = "CREATE TABLE IF NOT EXISTS hash (sha256 BLOB PRIMARY KEY, bits BLOB NOT NULL)"
_BYTES = -(-HASH_BITS // 8)

Bits = npt.NDArray[np.bool_]


class FilmHashes:
    """One SQLite file of hashes; belongs to the thread that opened it.

    Troubles of a cache are nobody's trouble: what cannot be read is missing, what cannot be written
    is left out.

    Args:
        path: The file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection | None = None
        for _ in range(2):
            try:
                connection = sqlite3.connect(path, timeout=2, isolation_level=None)
            except sqlite3.Error:
                return
            try:
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(_SCHEMA)
            except sqlite3.DatabaseError:
                # Damaged: what was in it is computed again.
                connection.close()
                with suppress(OSError):
                    path.unlink()
                continue
            self._connection = connection
            return

    def known(self) -> dict[bytes, Bits]:
        """Raw content hash -> bool [144] of every film ever hashed here."""
        if self._connection is None:
            return {}
        with suppress(sqlite3.Error):
            rows = self._connection.execute("SELECT sha256, bits FROM hash").fetchall()
            return {bytes(sha256): _unpacked(bits) for sha256, bits in rows if len(bits) == _BYTES}
        return {}

    def put(self, hashes: Iterable[tuple[bytes, Bits]]) -> None:
        """Keep (raw content hash, bool [144])."""
        if self._connection is None:
            return
        with suppress(sqlite3.Error):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO hash VALUES (?, ?)",
                    ((sha256, np.packbits(bits).tobytes()) for sha256, bits in hashes),
                )
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _unpacked(packed: bytes) -> Bits:
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=HASH_BITS).astype(np.bool_)
