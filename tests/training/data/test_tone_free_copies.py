"""Copies with another tone curve or a cropped edge are found; other people's films are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from desktop.core.duplicates.perceptual_hash import near_pairs, perceptual_hash
from desktop.core.imaging.phantoms import draw_phantom
from training.data.tone_free_copies import rank_thumbnail, tone_free_pairs

SIDE = 224


def _film(seed: int) -> npt.NDArray[np.uint8]:
    return draw_phantom("normal", seed, (SIDE, SIDE))


def _other_tone(film: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A steep and monotone curve, as another processing chain would give it."""
    levels = np.arange(256) / 255
    return np.rint(255 * (0.15 * levels + 0.85 * levels**3)).astype(np.uint8)[film]


def _cropped(film: npt.NDArray[np.uint8], share: float) -> npt.NDArray[np.uint8]:
    edge = round(SIDE * (1 - share) / 2)
    inner = Image.fromarray(film[edge : SIDE - edge, edge : SIDE - edge])
    return np.asarray(inner.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("share", [1.0, 0.92, 0.84])
def test_a_cropped_and_tone_changed_copy_is_found(share: float) -> None:
    film = _film(3)
    copy = _other_tone(_cropped(film, share))
    pixels = np.stack([film, copy])[..., np.newaxis]
    assert list(tone_free_pairs(pixels)) == [(0, 1)]


def test_the_first_measure_misses_what_the_second_finds() -> None:
    film = _film(3)
    copy = _cropped(film, 0.84)
    hashes = np.stack([perceptual_hash(film), perceptual_hash(copy)])
    assert not list(near_pairs(hashes))
    assert tone_free_pairs(np.stack([film, copy])[..., np.newaxis])


def test_a_blank_film_is_nobodys_copy() -> None:
    blank = np.full((SIDE, SIDE), 7, np.uint8)
    assert not rank_thumbnail(blank).any()
    assert not tone_free_pairs(np.stack([blank, blank, _film(1)])[..., np.newaxis])


def test_each_pair_is_named_once_and_in_order() -> None:
    film = _film(5)
    pixels = np.stack([_film(1), film, _other_tone(film), film])[..., np.newaxis]
    found = tone_free_pairs(pixels)
    assert {(1, 2), (1, 3), (2, 3)} <= found.keys()
    assert all(first < second for first, second in found)
    assert found[1, 3] == pytest.approx(1.0, abs=1e-5)
