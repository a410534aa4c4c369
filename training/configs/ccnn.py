"""CCNN: films as they are, no augmentation: the row that DACCNN is compared with."""

from __future__ import annotations

from training.configs import FitConfig

CONFIG = FitConfig(
    model="ccnn",
    stages=((12, 112),),
    epoch_images=6000,
    dropout=0.5,
    weight_decay=0.05,
    precision="mixed_bfloat16",
)
CONFIGS: dict[str, FitConfig] = {}
