"""Find images that are the same film saved twice: a perceptual hash and its Hamming distance.

The hash is the sign pattern of the 144 lowest cosine frequencies of the film (Zauner 2010,
"Implementation and Benchmarking of Perceptual Image Hash Functions", section 3.2.1, with a 12 x 12
block instead of 8 x 8). It survives another size, another JPEG quality and another brightness; it
does not survive mirroring or a crop of more than a few per cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    left: npt.NDArray[np.bool_],
    right: npt.NDArray[np.bool_] | None = None,
    *,
    distance: int = NEAR_DISTANCE,
) -> Iterator[tuple[int, int, int]]:
    """All pairs of hashes that differ by at most ``distance`` bits.

    One matrix product a block of 1,024 rows: 12,000 images against each other take about a second.

    Args:
        left: bool [N, 144].
        right: bool [M, 144]; None compares ``left`` with itself, each pair once, first < second.
        distance: Largest number of differing bits.

    Yields:
        (index in left, index in right, differing bits), in the order of the first index.
    """
    if not len(left) or (right is not None and not len(right)):
        return
    signs_left = left.astype(np.float32) * 2 - 1
    signs_right = signs_left if right is None else right.astype(np.float32) * 2 - 1
    for start in range(0, len(signs_left), _CHUNK):
        # For signs, the dot product is (equal bits) - (different bits) = bits - 2 * different.
        products = signs_left[start : start + _CHUNK] @ signs_right.T
        different = np.rint((left.shape[1] - products) / 2).astype(np.int32)
        rows, columns = np.nonzero(different <= distance)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if right is not None or start + row < column:
                yield start + row, column, int(different[row, column])


def group_near(
    hashes: Sequence[npt.NDArray[np.bool_]], *, distance: int = NEAR_DISTANCE
) -> list[int]:
    """Give images that are near-duplicates of each other, also through a third one, one number.

    Args:
        hashes: N hashes of :func:`perceptual_hash`.
        distance: As in :func:`near_pairs`.

    Returns:
        N group numbers; the number is the index of the group's first image.
    """
    parents = list(range(len(hashes)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    if hashes:
        for first, second, _ in near_pairs(np.stack(hashes), distance=distance):
            low, high = sorted((root(first), root(second)))
            parents[high] = low
    return [root(index) for index in range(len(hashes))]
