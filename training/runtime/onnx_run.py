"""Runs an exported model over many films."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import INPUT_PIXELS


def run_onnx(
    content: bytes, pixels: npt.NDArray[np.uint8], names: list[str], *, batch: int = 16
) -> list[npt.NDArray[np.float32]]:
    """Run a model in ONNX Runtime on the processor, batch by batch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # On a machine that others work on, one thread is faster than two that wait for each other.
    options.intra_op_num_threads = min(2, int(os.environ.get("OMP_NUM_THREADS", "2")))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = [
        session.run(names, {INPUT_PIXELS: pixels[start : start + batch]})
        for start in range(0, len(pixels), batch)
    ]
    return [np.concatenate([part[index] for part in parts]) for index in range(len(names))]
