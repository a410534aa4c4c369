"""How unlike the training films an image is: distances inside the graph, 1.0 = 95th percentile.

Two views of the image, each with the distance inside and outside its principal subspace:

- *features*: the spatial mean of the last convolution, where the distance to the nearest class mean
  with a shared covariance is taken (Lee et al. 2018, "A Simple Unified Framework for Detecting Out-
  of-Distribution Samples", eq. 2) and what the subspace cannot explain is the residual (Wang et al.
  2022, "ViM", eq. 4);
- *thumbnail*: the standardised film averaged to 14 x 14: a chest has lungs where lungs are. It
  notices a hand, a page of text, an inverted or a turned film, which small networks take for a
  chest.

A third part comes from a small network that was shown outliers
(:mod:`training.ood.outlier_exposure`).

The score is the largest of the five, each over its own 99th percentile of validation, over the 95th
percentile of that maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.metrics.classification import weighted_percentile
from training.ood.outlier_exposure import ExposureHead

Floats = npt.NDArray[np.float32]

_THUMBNAIL_SIDE = 14
_FEATURE_DIMENSIONS = 96
_THUMBNAIL_DIMENSIONS = 48


@dataclass(frozen=True)
class View:
    """A Gaussian with a shared covariance in a subspace, and the residual outside.

    Attributes:
        mean: float32 [C].
        whitening: float32 [C, d], projects and scales to unit variance.
        basis: float32 [C, d], orthonormal.
        centres: float32 [M, d], whitened class means.
        inside_scale: 99th percentile of the inside distance on validation.
        outside_scale: The same for the residual.
    """

    mean: Floats
    whitening: Floats
    basis: Floats
    centres: Floats
    inside_scale: float = 1.0
    outside_scale: float = 1.0

    def distances(self, values: Any) -> tuple[Any, Any]:
        """(inside, outside) distances [N] of values float32 [N, C], over their scales."""
        centred = values - self.mean
        white = tf.matmul(centred, self.whitening)
        to_centres = white[:, tf.newaxis, :] - self.centres[np.newaxis]
        inside = tf.reduce_min(tf.reduce_sum(tf.square(to_centres), 2), 1)
        explained = tf.matmul(tf.matmul(centred, self.basis), self.basis, transpose_b=True)
        outside = tf.reduce_sum(tf.square(centred - explained), 1)
        return (
            tf.sqrt(inside + 1e-12) / self.inside_scale,
            tf.sqrt(outside + 1e-12) / self.outside_scale,
        )


@dataclass(frozen=True)
class OodHead:
    """The score of a model; see the module."""

    features: View
    thumbnail: View
    scale: float = 1.0
    exposure: ExposureHead | None = None

    def score(self, features: Any, grey: Any) -> Any:
        """Score float32 [N].

        Args:
            features: A, float32 [N, h, w, C].
            grey: The reduced image float32 [N, h0, w0, 1].
        """
        parts = [
            *self.features.distances(tf.reduce_mean(features, axis=(1, 2))),
            *self.thumbnail.distances(thumbnails(grey)),
        ]
        if self.exposure is not None:
            parts.append(self.exposure.distance(grey))
        largest = parts[0]
        for part in parts[1:]:
            largest = tf.maximum(largest, part)
        return largest / self.scale


def thumbnails(grey: Any) -> Any:
    """The standardised film, 14 x 14 averages: float32 [N, h0, w0, 1] -> [N, 196] (fewer if
    smaller).
    """
    factor = max(1, grey.shape[1] // _THUMBNAIL_SIDE)
    small = tf.nn.avg_pool2d(grey, factor, factor, "VALID")
    small = tf.reshape(small, [-1, small.shape[1] * small.shape[2]])
    centred = small - tf.reduce_mean(small, 1, keepdims=True)
    # The +1 (grey level squared) keeps a blank image finite.
    return centred / tf.sqrt(tf.reduce_mean(tf.square(centred), 1, keepdims=True) + 1.0)


def _fit_view(
    values: Floats, labels: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], dimensions: int
) -> View:
    """Weighted class means and shared within-class covariance, cut to its main directions."""
    weights = weights / weights.sum()
    values64 = values.astype(np.float64)
    mean = weights @ values64
    centred = values64 - mean
    centres = []
    within = centred.copy()
    for label in np.unique(labels):
        chosen = labels == label
        centre = (weights[chosen] / weights[chosen].sum()) @ centred[chosen]
        centres.append(centre)
        within[chosen] -= centre
    covariance = (within * weights[:, np.newaxis]).T @ within
    variances, directions = np.linalg.eigh(covariance)
    keep = max(1, min(dimensions, values.shape[1] - 1, len(values) // 8))
    variances, directions = variances[::-1][:keep], directions[:, ::-1][:, :keep]
    floor = 1e-6 * max(float(variances[0]), 1e-12)
    whitening = directions / np.sqrt(np.maximum(variances, floor))
    return View(
        mean.astype(np.float32),
        whitening.astype(np.float32),
        directions.astype(np.float32),
        (np.stack(centres) @ whitening).astype(np.float32),
    )


def fit_ood(
    train: tuple[Floats, Floats, npt.NDArray[np.int64], npt.NDArray[np.float64]],
    validation: tuple[Floats, Floats, npt.NDArray[np.float64]],
    exposure: tuple[ExposureHead, Floats] | None = None,
) -> OodHead:
    """Fit on training films, scale on validation films.

    Args:
        train: Pooled features [N, C]; thumbnails [N, T], or [2 N, T] with the mirrored films after
            the others; labels [N] and weights [N].
        validation: Pooled features, thumbnails and weights of validation films (so that each source
            counts the same, whatever its size).
        exposure: The network shown outliers, and its distances [N] on the validation films.
    """
    views = []
    for index, dimensions in ((0, _FEATURE_DIMENSIONS), (1, _THUMBNAIL_DIMENSIONS)):
        values = train[index]
        # One centre for the thumbnail: a class is not a shape.
        repeats = len(values) // len(train[2])
        labels = train[2] if index == 0 else np.zeros(len(values), np.int64)
        view = _fit_view(values, labels, np.tile(train[3], repeats), dimensions)
        inside, outside = view.distances(tf.constant(validation[index]))
        views.append(
            View(
                view.mean,
                view.whitening,
                view.basis,
                view.centres,
                max(1e-6, weighted_percentile(inside.numpy(), validation[2], 0.99)),
                max(1e-6, weighted_percentile(outside.numpy(), validation[2], 0.99)),
            )
        )
    parts = [
        part.numpy()
        for view, values in zip(views, validation[:2], strict=True)
        for part in view.distances(tf.constant(values))
    ]
    head = None
    if exposure is not None:
        head = exposure[0]
        parts.append(exposure[1])
    scale = weighted_percentile(np.max(parts, axis=0), validation[2], 0.95)
    return OodHead(views[0], views[1], max(1e-6, scale), head)
