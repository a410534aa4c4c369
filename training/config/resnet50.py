"""ResNet50: in-domain pretraining once at 64 px, then fine-tuning a panel at 96 and 112 px.

On two cores about 14 minutes of pretraining and 8 minutes a panel.
"""

from __future__ import annotations

import dataclasses

from training.config import MILD, FitConfig

_FINE_TUNING = FitConfig(
    model="resnet50",
    stages=((2, 96), (2, 112)),
    epoch_images=4000,
    learning_rate=5e-4,
    weight_decay=0.05,
    average=0.99,
    augmentation=MILD,
    weights="pretraining",
    seed=20262,
)
#: For any other data set: from scratch, growing.
CONFIG = FitConfig(
    model="resnet50",
    stages=((6, 64), (4, 96), (2, 112)),
    learning_rate=1e-3,
    weight_decay=0.05,
    augmentation=MILD,
)
CONFIGS: dict[str, FitConfig] = {
    # The three-class union is harder: a second fine-tuning goes on where the first ended.
    "covid19_first": dataclasses.replace(_FINE_TUNING, epoch_images=3000),
    "covid19": dataclasses.replace(
        _FINE_TUNING,
        stages=((3, 96), (1, 112)),
        epoch_images=3000,
        learning_rate=6e-4,
        weights="covid19_first",
        seed=20263,
    ),
    "pneumonia": _FINE_TUNING,
    "pretraining": FitConfig(
        model="resnet50",
        stages=((5, 64),),
        epoch_images=8000,
        learning_rate=1e-3,
        weight_decay=0.05,
        dropout=0.2,
        augmentation=MILD,
    ),
}
