"""The four architectures of a panel, one file each."""

from __future__ import annotations

import importlib
from typing import Any

#: Column prefix -> name for people, in the order of the votes.
TITLES = {"scnn": "SCNN", "ccnn": "CCNN", "daccnn": "DACCNN", "resnet50": "ResNet50"}
MODELS = tuple(TITLES)


def build(name: str, classes: int, size: int | None, *, dropout: float, weights: str) -> Any:
    """The body of an architecture, see :mod:`training.models.layers`.

    Args:
        name: ``scnn``, ``ccnn``, ``daccnn`` or ``resnet50``.
        classes: K.
        size: Side of the reduced image in pixels; None for any (not for SCNN).
        dropout: Share of values dropped before the last layer.
        weights: ``none``, for ResNet50 also ``imagenet`` or a checkpoint.
    """
    if name not in TITLES:
        raise ValueError(f"No architecture {name!r}; there are {', '.join(TITLES)}.")
    module = importlib.import_module(f"{__name__}.{name}")
    return module.build(classes, size, dropout=dropout, weights=weights)
