"""DACCNN: the data-augmented CCNN. The graph is CCNN's; only what it is shown in training differs.

Its configuration trains with rotation, shift, zoom, contrast, brightness and a horizontal flip (see
:mod:`training.data.augment` for why a flip is justified here); CCNN's trains on the films as they
are.
"""

from __future__ import annotations

import keras

from training.models import ccnn


def build(
    classes: int, size: int | None, *, dropout: float = 0.3, weights: str = "none"
) -> keras.Model:
    """The body of DACCNN; arguments as for CCNN."""
    return ccnn.build(classes, size, dropout=dropout, weights=weights, name="daccnn")
