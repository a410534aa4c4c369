"""DACCNN: CCNN's graph, rate and schedule, with augmentation."""

from __future__ import annotations

from training.config import MILD, FitConfig

CONFIG = FitConfig(
    model="daccnn", stages=((14, 112),), epoch_images=6000, weight_decay=0.05, augmentation=MILD
)
CONFIGS: dict[str, FitConfig] = {}
