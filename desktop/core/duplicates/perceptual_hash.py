"""Find images that are the same film saved twice: a perceptual hash and its Hamming distance.

The hash is the sign pattern of the 144 lowest cosine frequencies of the film (Zauner 2010,
"Implementation and Benchmarking of Perceptual Image Hash Functions", section 3.2.1, with a 12 x 12
block instead of 8 x 8). It survives another size, another JPEG quality and another brightness; it
does not survive mirroring or a crop of more than a few per cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

HASH_SIDE = 12
HASH_BITS = HASH_SIDE * HASH_SIDE
#: Bits that may differ between two copies of one film. Two films of two people differ by 40 and
#: more.
NEAR_DISTANCE = 18
_THUMB_SIDE = 48
_CHUNK = 1024
_COLUMNS = 8192


def _cosine_rows() -> npt.NDArray[np.float32]:
    """Rows 0..12 of the DCT-II matrix for 48 samples, float32 [13, 48]."""
    samples = np.arange(_THUMB_SIDE) + 0.5
    rows = np.arange(HASH_SIDE + 1)[:, np.newaxis]
    return np.cos(np.pi * rows * samples / _THUMB_SIDE).astype(np.float32)


_COSINES = _cosine_rows()


def perceptual_hash(film: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """The film's 144 bits.

    Args:
        film: uint8 [H, W], 0 = black.

    Returns:
        bool [144]: which low cosine frequencies lie above their median. The constant term is left
        out, so brightness does not matter.
    """
    thumb = Image.fromarray(film).resize((_THUMB_SIDE, _THUMB_SIDE), Image.Resampling.BILINEAR)
    values = np.asarray(thumb, dtype=np.float32)
    spectrum = _COSINES @ values @ _COSINES.T
    block = np.append(spectrum[:HASH_SIDE, :HASH_SIDE].ravel()[1:], spectrum[HASH_SIDE, 0])
    bits: npt.NDArray[np.bool_] = block > np.median(block)
    return bits


def near_pairs(
    left: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_] | None = None
) -> Iterator[tuple[int, int, int]]:
    """All pairs of hashes that differ by at most ``NEAR_DISTANCE`` bits.

    One matrix product a block of 1,024 rows and 8,192 columns: 12,000 images against each other
    take about a second, and memory stays at some tens of MB for 100,000.

    Args:
        left: bool [N, 144].
        right: bool [M, 144]; None compares ``left`` with itself, each pair once, first < second.

    Yields:
        (index in left, index in right, differing bits), in the order of the indices.
    """
    if not len(left) or (right is not None and not len(right)):
        return
    bits = left.shape[1]
    signs_left = left.astype(np.float32) * 2 - 1
    signs_right = signs_left if right is None else right.astype(np.float32) * 2 - 1
    # For signs, the dot product is (equal bits) - (different bits) = bits - 2 * different.
    least = bits - 2 * NEAR_DISTANCE - 0.5
    for start in range(0, len(signs_left), _CHUNK):
        found: list[tuple[int, int, int]] = []
        chunk = signs_left[start : start + _CHUNK]
        for first in range(start if right is None else 0, len(signs_right), _COLUMNS):
            products = chunk @ signs_right[first : first + _COLUMNS].T
            rows, columns = np.nonzero(products >= least)
            different = np.rint((bits - products[rows, columns]) / 2).astype(np.int32)
            for row, column, bit in zip(
                (rows + start).tolist(), (columns + first).tolist(), different.tolist(), strict=True
            ):
                if right is not None or row < column:
                    found.append((row, column, bit))
        yield from sorted(found)


def group_near(hashes: Sequence[npt.NDArray[np.bool_]]) -> list[int]:
    """Give images that are near-duplicates of each other, also through a third one, one number.

    Args:
        hashes: N hashes of :func:`perceptual_hash`.

    Returns:
        N group numbers; the number is the index of the group's first image.
    """
    if not len(hashes):
        return []
    # Equal hashes first: a hundred thousand links to one film are one film here, not 5e9 pairs.
    kinds, first_of, kind_of = np.unique(
        np.packbits(np.stack(hashes), axis=1), axis=0, return_index=True, return_inverse=True
    )
    bits = np.unpackbits(kinds, axis=1, count=len(hashes[0])).astype(np.bool_)
    groups = joined(len(kinds), ((one, other) for one, other, _ in near_pairs(bits)))
    first: dict[int, int] = {}
    for group, index in zip(groups, first_of.tolist(), strict=True):
        first[group] = min(first.get(group, index), index)
    return [first[groups[kind]] for kind in kind_of.reshape(-1).tolist()]


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Number items so that those of a pair, also through others, agree: the smallest index."""
    parents = list(range(count))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parents[high] = low
    return [root(index) for index in range(count)]
