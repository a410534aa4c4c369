"""CCNN: no augmentation of geometry, the row that DACCNN is compared with.

The shipped panels imitate scanners for all four networks, for CCNN too: that is the preprocessing
of a hospital that nobody trained on, not augmentation of geometry.
"""

from __future__ import annotations

import dataclasses

from training.configs import EXPORTED, FitConfig

CONFIG = FitConfig(
    model="ccnn",
    stages=((12, 112),),
    epoch_images=6000,
    dropout=0.5,
    weight_decay=0.05,
    precision="mixed_bfloat16",
)
_ON = dataclasses.replace(
    CONFIG,
    stages=((14, 112),),
    epoch_images=2400,
    batch=48,
    learning_rate=1.5e-3,
    dropout=0.3,
    weight_decay=0.03,
    average=0.99,
    scanners=0.8,
    outside=0.5,
    lungs=f"{EXPORTED}covid19",
    weights=f"{EXPORTED}covid19",
)
CONFIGS: dict[str, FitConfig] = {"covid19": _ON, "pneumonia": _ON}
