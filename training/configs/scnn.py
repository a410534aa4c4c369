"""SCNN: ten seconds an epoch, four minutes a panel on two cores.

The shipped panels go on from the shipped three-class network, on imitated scanners and with swapped
outsides; any other data set starts from random weights.
"""

from __future__ import annotations

import dataclasses

from training.configs import EXPORTED, GEOMETRY, WIDE, FitConfig

CONFIG = FitConfig(
    model="scnn", stages=((24, 112),), epoch_images=6000, learning_rate=3e-3, augmentation=WIDE
)
_ON = dataclasses.replace(
    CONFIG,
    stages=((14, 112),),
    epoch_images=2400,
    batch=48,
    learning_rate=1.5e-3,
    dropout=0.2,
    average=0.99,
    augmentation=GEOMETRY,
    scanners=0.8,
    outside=0.5,
    lungs=f"{EXPORTED}covid19",
    weights=f"{EXPORTED}covid19",
)
CONFIGS: dict[str, FitConfig] = {"covid19": _ON, "pneumonia": _ON}
