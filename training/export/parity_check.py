"""The gate of the export: the file says what Keras says, on films read by the app's own decoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from desktop.core.errors import ModelRefused
from desktop.core.panels.contract import (
    OUTPUT_NONE_OF_THESE,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
)
from training.data.image_cache import decode
from training.export.onnx_export import ServedModel
from training.models.grad_cam import grad_cams_by_tape
from training.models.layers import front
from training.runtime.onnx_run import run_onnx

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Differences:
    """Largest differences between Keras and ONNX Runtime over all gate images.

    Attributes:
        probabilities: Absolute.
        cams: Relative to the largest value of each image's maps; against ``tf.GradientTape``.
        ood_score: Relative.
        none_of_these: Absolute; 0 where the model has no such output.
        images: How many were compared.
    """

    probabilities: float
    cams: float
    ood_score: float
    images: int
    none_of_these: float = 0.0


def compare(served: ServedModel, content: bytes, images: list[Path]) -> Differences:
    """Run both on the images.

    Args:
        served: The Keras side.
        content: ONNX file.
        images: Radiographs, read here through ``desktop.core.imaging.decode``.
    """
    pixels = np.stack([decode(path, served.input_size) for path in images])
    probabilities, cams, scores, *rest = run_onnx(content, pixels, list(served.output_names))
    expected = served.outputs(tf.constant(pixels))
    by_tape = grad_cams_by_tape(served.body, front(tf.constant(pixels), served.reduce)).numpy()
    by_tape = by_tape[:, : cams.shape[1]]
    peaks = np.maximum(by_tape.max(axis=(1, 2, 3)), 1e-6)
    wanted = expected[OUTPUT_OOD_SCORE].numpy()
    return Differences(
        float(np.abs(probabilities - expected[OUTPUT_PROBABILITIES].numpy()).max()),
        float((np.abs(cams - by_tape).max(axis=(1, 2, 3)) / peaks).max()),
        float((np.abs(scores - wanted) / np.maximum(wanted, 1e-6)).max()),
        len(images),
        max(
            (float(np.abs(none - expected[OUTPUT_NONE_OF_THESE]).max()) for none in rest),
            default=0.0,
        ),
    )


def check_parity(served: ServedModel, content: bytes, images: list[Path]) -> Differences:
    """Compare, and refuse a file that differs.

    Raises:
        ModelRefused: EXPORT-01 for a difference above 1e-4 (or a NaN), EXPORT-02 without images.
    """
    if not images:
        raise ModelRefused(
            "EXPORT-02", "The export gate has no images to compare on, so nothing was written."
        )
    found = compare(served, content, images)
    for what, value in (
        ("probabilities", found.probabilities),
        ("heatmaps", found.cams),
        ("out-of-distribution scores", found.ood_score),
        ("scores of none of the classes", found.none_of_these),
    ):
        # Not "value > TOLERANCE": NaN must fail too.
        if not value <= (10 * TOLERANCE if what.startswith("out") else TOLERANCE):
            raise ModelRefused(
                "EXPORT-01",
                f"Keras and ONNX Runtime differ by {value:.2g} in their {what} over "
                f"{found.images} images, more than {TOLERANCE:g} allows. Nothing was written; the "
                "file that was there is intact.",
            )
    return found
