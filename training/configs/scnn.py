"""SCNN: ten seconds an epoch, four minutes a panel on two cores."""

from __future__ import annotations

from training.configs import WIDE, FitConfig

CONFIG = FitConfig(
    model="scnn", stages=((24, 112),), epoch_images=6000, learning_rate=3e-3, augmentation=WIDE
)
CONFIGS: dict[str, FitConfig] = {}
