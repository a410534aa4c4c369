"""The network of a configuration, and of a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.configs import FitConfig, config_from_dict
from training.models import build
from training.models.layers import float_variables
from training.runtime.files import read_weights


def build_body(config: FitConfig, classes: int, *, weights: str | None = None) -> Any:
    """The network of a configuration; a fixed size only where the images do not grow.

    Args:
        config: The configuration.
        classes: Logits, one more than the panel's classes where it learns none of them.
        weights: Instead of the configuration's.
    """
    growing = len({side for _, side in config.stages}) > 1 or config.model == "resnet50"
    wanted = config.weights if weights is None else weights
    return build(
        config.model,
        classes,
        None if growing else config.body_side,
        dropout=config.dropout,
        # An exported file is taken in afterwards: it needs films.
        weights="none" if wanted.endswith(".onnx") else wanted,
    )


def logits_of(described: dict[str, Any]) -> int:
    """Logits of a run's network, from its ``config.json``."""
    return len(described["class_names"]) + bool(described.get("none_of_these"))


def load_best(folder: Path) -> tuple[FitConfig, dict[str, Any], Any]:
    """A finished run: its configuration, all of ``config.json``, and the network with its best
    weights.
    """
    described = json.loads((folder / "config.json").read_text())
    config = config_from_dict(described["fit"])
    body = build_body(config, logits_of(described), weights="none")
    values = read_weights(folder / "best.npz")
    for variable in float_variables(body):
        variable.assign(values[variable.path])
    return config, described, body
