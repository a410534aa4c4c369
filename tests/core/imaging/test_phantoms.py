"""Drawn chests: deterministic, varied, and different where a disease is drawn."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from desktop.core.imaging.luminance import coloured_share
from desktop.core.imaging.phantoms import FILM_KINDS, OTHER_KINDS, draw_not_a_film, draw_phantom

SIZE = (160, 144)


@pytest.mark.parametrize("kind", FILM_KINDS)
def test_equal_arguments_give_equal_bytes_and_another_seed_another_patient(kind: str) -> None:
    first, again, other = (draw_phantom(kind, seed, SIZE) for seed in (4, 4, 5))
    assert (first.shape, first.dtype) == (SIZE, np.uint8)
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert np.abs(first.astype(int) - other).mean() > 3


@pytest.mark.parametrize("seed", range(3))
def test_a_film_is_dark_outside_and_in_the_lungs_and_bright_in_the_middle(seed: int) -> None:
    film = draw_phantom("normal", seed, SIZE).astype(float)
    height, width = SIZE
    spine = film[height // 2, width // 2 - 3 : width // 2 + 3].mean()
    lungs = film[int(0.3 * height) : int(0.5 * height), int(0.25 * width) : int(0.35 * width)]
    corner = film[: height // 12, : width // 12].mean()
    assert corner < lungs.mean() < spine


def test_each_disease_makes_the_lungs_whiter() -> None:
    height, width = SIZE
    lungs = (
        slice(int(0.25 * height), int(0.68 * height)),
        slice(int(0.15 * width), int(0.85 * width)),
    )

    def share(kind: str) -> float:
        shown = []
        for seed in range(6):
            film = draw_phantom(kind, seed, SIZE).astype(float)
            shown.append((film[lungs] / np.percentile(film, 95)).mean())
        return float(np.mean(shown))

    normal = share("normal")
    for kind in ("covid", "viral", "bacterial"):
        assert share(kind) > normal


def test_any_size_shows_the_same_patient() -> None:
    large, small = draw_phantom("normal", 3, (320, 320)), draw_phantom("normal", 3, (160, 160))
    reduced = large.reshape(160, 2, 160, 2).mean(axis=(1, 3))
    assert np.corrcoef(reduced.ravel(), small.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_what_is_no_film_is_drawn_too(kind: str) -> None:
    picture = draw_not_a_film(kind, 2, SIZE)
    assert picture.dtype == np.uint8
    assert picture.shape == ((*SIZE, 3) if kind == "photograph" else SIZE)
    assert (picture == draw_not_a_film(kind, 2, SIZE)).all()
    if kind == "photograph":
        assert coloured_share(picture) > 0.8


def test_unknown_kinds_and_sizes_are_mistakes_of_the_caller() -> None:
    with pytest.raises(ValueError, match="kind is one of"):
        draw_phantom("broken arm", 1)
    with pytest.raises(ValueError, match="kind is one of"):
        draw_not_a_film("normal", 1)
    with pytest.raises(ValueError, match="at least 16"):
        draw_phantom("normal", 1, (8, 100))
