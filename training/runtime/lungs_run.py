"""Runs the lungs' network over many films."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from desktop.core.imaging.decode import model_pixels
from desktop.core.panels.contract import OUTPUT_MASK
from training.runtime.onnx_run import run_onnx

LUNGS_SIDE = 128


def find_lungs(content: bytes, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Probability of lung, float32 [N, 128, 128].

    Args:
        content: ``lungs.onnx``.
        pixels: Films as the models see them, uint8 [N, H, W, 1].
    """
    size = (LUNGS_SIDE, LUNGS_SIDE)
    small = np.stack([model_pixels(film[..., 0], size) for film in pixels])
    (masks,) = run_onnx(content, small, [OUTPUT_MASK])
    return masks
