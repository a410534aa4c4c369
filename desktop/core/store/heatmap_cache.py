"""Heatmaps kept beside the review: reopening a folder shows them without running the models.

A cache in a file of its own: it can be deleted at any time, and a damaged one is set aside without
touching a decision. Maps are float16 relative to the largest value of each class, so they come back
with a relative error below 0.0005 of that value.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.cases import Prediction

_MAGIC = b"CAM1"
_HEAD = struct.Struct("<4sB")
_MODEL = struct.Struct("<BHHH")
_MAX_BYTES = 64 << 20  # of one case, unpacked: what a damaged length field may cost at most
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS maps (sha256 BLOB, panel TEXT, packed BLOB NOT NULL,"
    " PRIMARY KEY (sha256, panel)) WITHOUT ROWID"
)

Maps = dict[str, npt.NDArray[np.float32]]


def pack_maps(predictions: Sequence[Prediction], models: Sequence[str]) -> bytes:
    """Maps of one case as bytes, empty where no prediction has any.

    Args:
        predictions: With ``cams`` float32 [K, h, w], or None.
        models: Names in panel order; the position is stored.
    """
    heads, bodies = [], []
    for prediction in predictions:
        if prediction.cams is None:
            continue
        cams = np.nan_to_num(np.asarray(prediction.cams, np.float32), posinf=0.0, neginf=0.0)
        peaks = cams.reshape(len(cams), -1).max(axis=1, initial=0.0).astype("<f4")
        relative = cams / np.where(peaks > 0, peaks, 1)[:, np.newaxis, np.newaxis]
        heads.append(_MODEL.pack(models.index(prediction.model), *cams.shape) + peaks.tobytes())
        bodies.append(relative.astype("<f2").tobytes())
    if not heads:
        return b""
    return _HEAD.pack(_MAGIC, len(heads)) + zlib.compress(b"".join(heads + bodies), 1)


def unpack_maps(packed: bytes, models: Sequence[str]) -> Maps:
    """Model name -> cams float32 [K, h, w].

    Raises:
        ValueError: The bytes are damaged.
    """
    try:
        magic, count = _HEAD.unpack_from(packed)
        if magic != _MAGIC:
            raise ValueError("not maps")
        data = zlib.decompressobj().decompress(packed[_HEAD.size :], _MAX_BYTES)
        position = 0
        heads = []
        for _ in range(count):
            index, classes, height, width = _MODEL.unpack_from(data, position)
            position += _MODEL.size
            heads.append((models[index], (classes, height, width), position))
            position += 4 * classes
        maps: Maps = {}
        for name, shape, start in heads:
            peaks = np.frombuffer(data, "<f4", shape[0], start)
            amount = shape[0] * shape[1] * shape[2]
            relative = np.frombuffer(data, "<f2", amount, position).reshape(shape)
            position += 2 * amount
            maps[name] = relative.astype(np.float32) * peaks[:, np.newaxis, np.newaxis]
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError(f"damaged maps: {error}") from error
    return maps


class MapCache:
    """One SQLite file of maps; belongs to the thread that opened it.

    Troubles of a cache are nobody's trouble: what cannot be read is missing, what cannot be written
    is left out.

    Args:
        path: The file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        with suppress(sqlite3.Error):
            self._connection = self._open()
            return
        # A damaged cache holds nothing that cannot be computed again, but is not ours to delete.
        with suppress(OSError, sqlite3.Error):
            for suffix in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    source = path.with_name(path.name + suffix)
                    source.replace(path.with_name(f"{path.stem}.damaged{path.suffix}{suffix}"))
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=2, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def put(self, rows: Iterable[tuple[bytes, str, bytes]]) -> None:
        """Keep (raw content hash, panel fingerprint, packed maps)."""
        if self._connection is None:
            return
        with suppress(sqlite3.Error):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT OR REPLACE INTO maps VALUES (?, ?, ?)", rows)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def get(self, sha256: bytes, panel: Sequence[str], models: Sequence[str]) -> Maps:
        """Model name -> maps of one case; empty where there are none.

        Args:
            sha256: Raw hash of the film's content.
            panel: The panel's fingerprints, the present one first.
            models: Names in panel order.
        """
        if self._connection is None:
            return {}
        with suppress(sqlite3.Error, ValueError):
            for fingerprint in panel:
                found = self._connection.execute(
                    "SELECT packed FROM maps WHERE sha256 = ? AND panel = ?", (sha256, fingerprint)
                ).fetchone()
                if found:
                    return unpack_maps(found[0], models)
        return {}

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
