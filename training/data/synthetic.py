"""Smoke training: all four networks on drawn films, tiny, in under two minutes. What CI runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from PIL import Image

from desktop.core.imaging.phantoms import draw_phantom
from training.configs import FitConfig

CLASSES = {"Covid": "covid", "Normal": "normal", "Viral Pneumonia": "viral"}
_FILMS_A_CLASS = 36
_SIDE = 128


def draw_films(root: Path, *, films_a_class: int = _FILMS_A_CLASS) -> Path:
    """Draw class folders of phantoms below ``root``; existing files are kept.

    Returns:
        ``root``.
    """
    for index, (label, kind) in enumerate(CLASSES.items()):
        folder = root / label
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(films_a_class):
            path = folder / f"phantom-{number:04d}.png"
            if not path.exists():
                seed = index * 10_000 + number
                Image.fromarray(draw_phantom(kind, seed, (_SIDE, _SIDE))).save(path)
    return root


def tiny(config: FitConfig) -> FitConfig:
    """The same run in a few seconds: 32 px inside, two short epochs, no pretraining."""
    return dataclasses.replace(
        config,
        stages=((2, 32),),
        input_size=(64, 64),
        reduce=2,
        epoch_images=96,
        batch=16,
        warmup=0.1,
        average=0.5,
        weights="none",
        outside=0.0,
        lungs="",
    )
