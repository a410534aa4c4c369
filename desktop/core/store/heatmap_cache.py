"""Heatmaps kept beside the review: reopening a folder shows them without running the models.

Maps are float16 relative to the largest value of each class, so they come back
with a relative error below 0.0005 of that value.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.cases import Prediction
from desktop.core.store.cache import Cache

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


class MapCache(Cache):
    """Maps by content and panel, in a file whose folder must exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA)

    def put(self, rows: Iterable[tuple[bytes, str, bytes]]) -> None:
        """Keep (raw content hash, panel fingerprint, packed maps)."""
        self._write("INSERT OR REPLACE INTO maps VALUES (?, ?, ?)", rows)

    def get(self, sha256: bytes, panel: Sequence[str], models: Sequence[str]) -> Maps:
        """Model name -> maps of one case; empty where there are none.

        Args:
            sha256: Raw hash of the film's content.
            panel: The panel's fingerprints, the present one first.
            models: Names in panel order.
        """
        for fingerprint in panel:
            for (packed,) in self._read(
                "SELECT packed FROM maps WHERE sha256 = ? AND panel = ?", (sha256, fingerprint)
            ):
                with suppress(ValueError):
                    return unpack_maps(packed, models)
        return {}
