"""Grad-CAM maps made visible, without ever inventing evidence. Pure functions.

A map is float32 [h, w], non-negative, of any scale, often 7 x 7. It is brought to 0..1 by its own
maximum; a map without positive evidence stays zero and is said in words, never drawn as noise. What
a map shows is where a model looked, not where disease is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.heatmaps.colormap import THRESHOLD, alpha_table, colour_table

Map = npt.NDArray[np.float32]
Film = npt.NDArray[np.uint8]

HALF = 0.5
NO_EVIDENCE = "no positive evidence"
CAVEAT = "Shows where a model looked, not where disease is."
# Share of a side that counts as border or corner; lungs end before it on any usual film.
BORDER_WIDTH = 0.06
CORNER_WIDTH = 0.15


def has_evidence(cam: Map) -> bool:
    """True where a map holds anything positive and finite to show."""
    return bool(np.isfinite(cam).all()) and float(cam.max(initial=0.0)) > 1e-12


def normalised(cam: Map) -> Map:
    """Scale a map [h, w] to 0..1 by its own maximum; all zero where there is no evidence."""
    if not has_evidence(cam):
        return np.zeros(cam.shape, np.float32)
    positive = np.maximum(cam, 0)
    return np.asarray(positive / positive.max(), np.float32)


def upsampled(cam: Map, size: tuple[int, int]) -> Map:
    """Enlarge a normalised map bicubically to (height, width) pixels, within 0..1.

    Bicubic overshoot is cut, so an enlarged map never claims more than the map had.
    """
    height, width = size
    rows, columns = cam.shape
    fine = _bicubic(rows, height) @ np.asarray(cam, np.float32) @ _bicubic(columns, width).T
    return np.clip(fine, 0.0, 1.0, out=fine)


@lru_cache(maxsize=64)
def _bicubic(source: int, target: int) -> Map:
    """Weights [target, source] with which Pillow resamples one axis bicubically.

    Maps are small and shown often: two small matrix products cost a tenth of a resize.
    """
    image = Image.fromarray(np.eye(source, dtype=np.float32))
    resized = image.resize((source, target), Image.Resampling.BICUBIC)
    weights = np.array(resized, np.float32)
    weights.setflags(write=False)
    return weights


def overlay_rgba(
    cam: Map, size: tuple[int, int], *, threshold: float = THRESHOLD, opacity: float = 0.6
) -> npt.NDArray[np.uint8]:
    """Colour layer of a map, uint8 [H, W, 4], straight alpha.

    Args:
        cam: [h, w], any scale.
        size: (height, width) of the layer in pixels.
        threshold: See ``alpha_table``.
        opacity: See ``alpha_table``.
    """
    index = (upsampled(normalised(cam), size) * 255 + 0.5).astype(np.uint8)
    table = np.column_stack([colour_table(), alpha_table(threshold, opacity)])
    return np.take(table, index, axis=0)


def composed(
    film: Film, cam: Map, *, threshold: float = THRESHOLD, opacity: float = 0.6
) -> npt.NDArray[np.uint8]:
    """A film with its heatmap over it, uint8 [H, W, 3]; the bare film where there is no evidence.

    Args:
        film: uint8 [H, W].
        cam: [h, w], any scale.
        threshold: See ``alpha_table``.
        opacity: See ``alpha_table``; 0 gives the bare film.
    """
    height, width = film.shape
    layer = overlay_rgba(cam, (height, width), threshold=threshold, opacity=opacity)
    alpha = layer[..., 3:].astype(np.uint16)
    # 255 * 255 + 127 just fits into 16 bits.
    mixed = film[..., np.newaxis] * (255 - alpha) + layer[..., :3] * alpha
    mixed += 127
    mixed //= 255
    return np.asarray(mixed, np.uint8)


def consensus_map(cams: Sequence[Map], size: tuple[int, int], needed: int) -> Map:
    """Where at least ``needed`` models look: [H, W] in 0..1.

    Each pixel holds the ``needed``-th largest of the normalised maps, so it is above one half
    exactly where at least ``needed`` maps are, and its contour at one half is smooth.

    Args:
        cams: Maps of the models that answered, any sizes.
        size: (height, width) of the result.
        needed: Strict majority of the panel, at least 1.
    """
    if len(cams) < needed:
        return np.zeros(size, np.float32)
    stack = np.stack([upsampled(normalised(cam), size) for cam in cams])
    return np.asarray(np.sort(stack, axis=0)[len(cams) - needed], np.float32)


def overlap(cams: Sequence[Map], side: int = 64) -> npt.NDArray[np.float64]:
    """How alike the models look, [n, n] in 0..1: intersection over union of the areas above half.

    A map without evidence overlaps with nothing but itself.
    """
    masks = [upsampled(normalised(cam), (side, side)) > HALF for cam in cams]
    matrix = np.eye(len(cams))
    for row, first in enumerate(masks):
        for column in range(row):
            union = np.count_nonzero(first | masks[column])
            shared = np.count_nonzero(first & masks[column])
            matrix[row, column] = matrix[column, row] = shared / union if union else 0.0
    return matrix


@dataclass(frozen=True)
class MarginShare:
    """How much of a map's evidence lies where no lung is.

    Attributes:
        border: Share of the positive evidence in the outer ``BORDER_WIDTH`` of the film, 0..1.
        corners: Share in the four corner squares of ``CORNER_WIDTH``, 0..1.
    """

    border: float
    corners: float

    @property
    def alarming(self) -> bool:
        """The margin holds more of the map than an even map would put there: a shortcut?"""
        even_border = 1 - (1 - 2 * BORDER_WIDTH) ** 2
        even_corners = 4 * CORNER_WIDTH**2
        return self.border > even_border or self.corners > 2 * even_corners


def margin_share(cam: Map) -> MarginShare:
    """Measure a map's evidence at the border and in the corners (letters, markers, collimation)."""
    side = 100
    fine = upsampled(normalised(cam), (side, side))
    total = float(fine.sum())
    if total <= 0:
        return MarginShare(0.0, 0.0)
    rim = round(side * BORDER_WIDTH)
    corner = round(side * CORNER_WIDTH)
    inner = float(fine[rim:-rim, rim:-rim].sum())
    corners = sum(
        float(fine[rows, columns].sum())
        for rows in (slice(None, corner), slice(-corner, None))
        for columns in (slice(None, corner), slice(-corner, None))
    )
    return MarginShare(border=1 - inner / total, corners=corners / total)
