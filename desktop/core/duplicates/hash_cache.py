"""Perceptual hashes kept beside the review: near-duplicates cost one decode a film, once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.duplicates.perceptual_hash import HASH_BITS
from desktop.core.store.cache import Cache

HASHES_NAME = "hashes.sqlite"
_SCHEMA = "CREATE TABLE IF NOT EXISTS hash (sha256 BLOB PRIMARY KEY, bits BLOB NOT NULL)"
_BYTES = -(-HASH_BITS // 8)

Bits = npt.NDArray[np.bool_]


class FilmHashes(Cache):
    """Hashes by content, in a file whose folder must exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA)

    def known(self) -> dict[bytes, Bits]:
        """Raw content hash -> bool [144] of every film ever hashed here."""
        rows = self._read("SELECT sha256, bits FROM hash")
        return {bytes(sha256): _unpacked(bits) for sha256, bits in rows if len(bits) == _BYTES}

    def put(self, hashes: Iterable[tuple[bytes, Bits]]) -> None:
        """Keep (raw content hash, bool [144])."""
        self._write(
            "INSERT OR REPLACE INTO hash VALUES (?, ?)",
            ((sha256, np.packbits(bits).tobytes()) for sha256, bits in hashes),
        )


def _unpacked(packed: bytes) -> Bits:
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=HASH_BITS).astype(np.bool_)
