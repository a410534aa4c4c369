"""DACCNN: CCNN's graph, rate and schedule, with augmentation."""

from __future__ import annotations

from training.config import WIDE, FitConfig

CONFIG = FitConfig(
    model="daccnn",
    stages=((16, 112),),
    epoch_images=6000,
    weight_decay=0.05,
    precision="mixed_bfloat16",
    augmentation=WIDE,
)
CONFIGS: dict[str, FitConfig] = {}
