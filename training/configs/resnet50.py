"""ResNet50: in-domain pretraining once at 64 and 80 px, then fine-tuning a panel at 96 and 112 px.

On two cores about 45 minutes of pretraining and 11 to 25 minutes a panel. Both panels go on from
the shipped three-class network: a fresh checkout has no checkpoints of the pretraining, but it has
that file, which went through the pretraining and then saw the adults. Where there is no such file,
`covid19_first` makes one from the pretraining.
"""

from __future__ import annotations

import dataclasses

from training.configs import EXPORTED, GEOMETRY, MILD, WIDE, FitConfig

_FINE_TUNING = FitConfig(
    model="resnet50",
    stages=((3, 96), (2, 112)),
    epoch_images=4000,
    learning_rate=4e-4,
    weight_decay=0.05,
    average=0.99,
    augmentation=WIDE,
    weights="pretraining_longer",
    seed=20262,
)
#: The shipped panels: on imitated scanners and with swapped outsides.
_ON = dataclasses.replace(
    _FINE_TUNING,
    stages=((4, 112),),
    epoch_images=2400,
    average=0.985,
    augmentation=GEOMETRY,
    scanners=0.8,
    outside=0.45,
    lungs=f"{EXPORTED}covid19",
    weights=f"{EXPORTED}covid19",
    precision="mixed_bfloat16",
    seed=20265,
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
    "covid19_first": _FINE_TUNING,
    "covid19": _ON,
    "pneumonia": _ON,
    "pretraining": FitConfig(
        model="resnet50",
        stages=((5, 64),),
        epoch_images=8000,
        learning_rate=1e-3,
        weight_decay=0.05,
        dropout=0.2,
        augmentation=MILD,
    ),
    "pretraining_longer": FitConfig(
        model="resnet50",
        stages=((7, 64), (5, 80)),
        epoch_images=8000,
        learning_rate=1e-3,
        weight_decay=0.05,
        dropout=0.2,
        augmentation=WIDE,
        weights="pretraining",
        seed=20264,
    ),
}
