"""Weights and state on disk, written atomically so that a killed run resumes from a whole file."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, flush to the disk, then replace: a reader sees the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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
