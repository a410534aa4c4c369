"""Weights and state on disk, written atomically so that a killed run resumes from a whole file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.system.atomic_write import atomic_write


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as stream:
        stream.write(content)


def write_weights(path: Path, values: Mapping[str, npt.NDArray[Any]]) -> None:
    """Save named arrays as ``.npz``."""
    buffer = io.BytesIO()
    np.savez(buffer, **{name.replace("/", "|"): value for name, value in values.items()})
    write_atomically(path, buffer.getvalue())


def read_weights(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read what :func:`write_weights` saved."""
    with np.load(path) as arrays:
        return {name.replace("|", "/"): arrays[name] for name in arrays.files}


def write_json(path: Path, values: Any) -> None:
    """Save as indented JSON."""
    write_atomically(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
