"""Copies of a film are found, two films of two people are not, and it scales."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from desktop.core.duplicates import perceptual_hash as near_duplicates
from desktop.core.duplicates.perceptual_hash import (
    HASH_BITS,
    NEAR_DISTANCE,
    group_near,
    near_pairs,
    perceptual_hash,
)
from desktop.core.imaging.phantoms import draw_phantom


def _distance(first: np.ndarray, second: np.ndarray) -> int:
    return int((perceptual_hash(first) != perceptual_hash(second)).sum())


def _as_jpeg(film: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(film).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    return draw_phantom("covid", 1, (300, 260))


def test_a_smaller_darker_recompressed_copy_is_near(film: np.ndarray) -> None:
    small = np.asarray(Image.fromarray(film).resize((180, 210)))
    darker = (small * 0.7 + 10).astype(np.uint8)
    assert _distance(film, _as_jpeg(darker, 60)) <= NEAR_DISTANCE


def test_a_mirrored_film_is_not_a_copy(film: np.ndarray) -> None:
    assert _distance(film, film[:, ::-1].copy()) > NEAR_DISTANCE


def test_pairs_are_those_of_a_plain_comparison() -> None:
    random = np.random.default_rng(3)
    hashes = random.random((40, HASH_BITS)) < 0.5
    hashes[7] = hashes[3]
    hashes[8] = hashes[3]
    hashes[8, :NEAR_DISTANCE] ^= True
    hashes[9] = hashes[3]
    hashes[9, : NEAR_DISTANCE + 1] ^= True
    plain = [
        (i, j, int((hashes[i] != hashes[j]).sum()))
        for i in range(40)
        for j in range(i + 1, 40)
        if (hashes[i] != hashes[j]).sum() <= NEAR_DISTANCE
    ]
    assert list(near_pairs(hashes)) == plain
    assert (3, 8, NEAR_DISTANCE) in plain
    assert all({first, second} != {3, 9} for first, second, _ in plain)


def test_two_sets_are_compared_only_with_each_other() -> None:
    same = np.zeros((2, HASH_BITS), bool)
    other = np.ones((1, HASH_BITS), bool)
    assert list(near_pairs(same, other)) == []
    assert list(near_pairs(same, same[:1])) == [(0, 0, 0), (1, 0, 0)]
    assert list(near_pairs(same[:0])) == []


def test_a_chain_of_copies_is_one_group() -> None:
    chain = np.zeros((3, HASH_BITS), bool)
    chain[1, :15] = True
    chain[2, :30] = True  # near to the second, not to the first
    far = np.ones(HASH_BITS, bool)
    assert group_near([far, *chain, far]) == [0, 1, 1, 1, 0]
    assert group_near([]) == []


def test_ten_thousand_films_fit_in_memory_and_find_their_copy() -> None:
    random = np.random.default_rng(5)
    hashes = random.random((10_000, HASH_BITS)) < 0.5
    hashes[9_999] = hashes[17]
    assert list(near_pairs(hashes)) == [(17, 9_999, 0)]


def test_a_hundred_thousand_links_to_one_film_are_one_group_at_once() -> None:
    film = np.zeros(HASH_BITS, np.bool_)
    film[::2] = True
    groups = group_near([film] * 100_000 + [~film])
    assert groups == [0] * 100_000 + [100_000]


def test_pairs_are_the_same_however_the_columns_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    hashes = random.integers(0, 2, (300, HASH_BITS)).astype(np.bool_)
    hashes[200:] = hashes[:100] ^ (random.random((100, HASH_BITS)) < 0.05)
    whole = list(near_pairs(hashes))
    monkeypatch.setattr(near_duplicates, "_COLUMNS", 37)
    monkeypatch.setattr(near_duplicates, "_CHUNK", 11)
    assert list(near_pairs(hashes)) == whole
    assert len(whole) >= 90
