"""Where the lungs are on a film: from the network's small mask to the film. Pure functions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Mask = npt.NDArray[np.float32]


def lung_share(mask: Mask, threshold: float) -> float:
    """Share of the film's area that is lung, 0 to 1.

    Args:
        mask: Probability of lung [h, w] on the whole film.
        threshold: Probability at or above which a position is lung.
    """
    return float(np.mean(mask >= threshold))


def film_mask(mask: Mask, size: tuple[int, int], threshold: float) -> npt.NDArray[np.uint8]:
    """The lungs at the film's own size: uint8 [H, W], 255 = lung, else 0.

    The probabilities are enlarged bilinearly and then compared, so that the edge is smooth.

    Args:
        mask: Probability of lung [h, w] on the whole film, stretched.
        size: (height, width) of the film in pixels.
        threshold: Probability at or above which a pixel is lung.
    """
    height, width = size
    large = Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR)
    return np.where(np.asarray(large) >= threshold, 255, 0).astype(np.uint8)
