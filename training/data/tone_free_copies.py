"""Copies that the perceptual hash misses: cropped a little, or with another tone curve.

The second measure beside :mod:`desktop.core.duplicates.perceptual_hash`. Each film becomes a
24 x 24 thumbnail whose grey levels are replaced by their ranks (histogram equalisation, so that no
monotone tone curve matters); films whose rank correlation is 0.985 or more show one film. Each
film is also compared with the middle 92 % and 84 % of every other one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

LEAST_CORRELATION = 0.985
_SIDE = 24
_CROPS = (1.0, 0.92, 0.84)
_CHUNK = 1024


def rank_thumbnail(film: npt.NDArray[np.uint8], middle: float = 1.0) -> npt.NDArray[np.float32]:
    """Ranks of the film's thumbnail, float32 [576], mean 0 and length 1.

    Args:
        film: uint8 [H, W].
        middle: Share of each side that is kept, about the centre.
    """
    if middle < 1:
        rows, columns = (round(side * (1 - middle) / 2) for side in film.shape)
        film = film[rows : film.shape[0] - rows, columns : film.shape[1] - columns]
    small = Image.fromarray(film).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    levels = np.asarray(small, np.float32).ravel()
    # Equal levels share a rank: a blank area must not be told apart by the order of its pixels.
    _, rank, counts = np.unique(levels, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[rank].astype(np.float32)
    ranks -= ranks.mean()
    length = float(np.linalg.norm(ranks))
    return ranks / length if length else ranks


def tone_free_pairs(
    pixels: npt.NDArray[np.uint8], least: float = LEAST_CORRELATION
) -> dict[tuple[int, int], float]:
    """All pairs of films that correlate, whole or cropped: (first, second) -> correlation.

    Twelve thousand films take about half a minute.

    Args:
        pixels: uint8 [N, H, W, 1].
        least: Smallest rank correlation.
    """
    films = [film[..., 0] for film in pixels]
    whole = np.stack([rank_thumbnail(film) for film in films])
    found: dict[tuple[int, int], float] = {}
    for middle in _CROPS:
        other = whole if middle == 1 else np.stack([rank_thumbnail(f, middle) for f in films])
        for start in range(0, len(whole), _CHUNK):
            products = whole[start : start + _CHUNK] @ other.T
            for row, column in np.argwhere(products >= least).tolist():
                first, second = sorted((row + start, column))
                if first != second:
                    value = float(products[row, column])
                    found[first, second] = max(value, found.get((first, second), 0.0))
    return found
