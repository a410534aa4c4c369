"""DACCNN: CCNN's graph, rate and schedule, with augmentation of geometry."""

from __future__ import annotations

import dataclasses

from training.configs import GEOMETRY, WIDE, FitConfig
from training.configs import ccnn as without

CONFIG = FitConfig(
    model="daccnn",
    stages=((16, 112),),
    epoch_images=6000,
    weight_decay=0.05,
    precision="mixed_bfloat16",
    augmentation=WIDE,
)
CONFIGS: dict[str, FitConfig] = {
    panel: dataclasses.replace(config, model="daccnn", augmentation=GEOMETRY)
    for panel, config in without.CONFIGS.items()
}
