"""THE decoder: file -> radiograph at full bit depth -> the 8-bit film -> model tensor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


@dataclass(frozen=True)
class Radiograph:
    """A decoded film.

    Attributes:
        values: uint8 or uint16 [H, W], 0 = black as displayed (MONOCHROME1 already inverted).
    """

    values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def read_radiograph(path: Path, *, at_least: int | None = None) -> Radiograph:
    """Decode one file.

    Args:
        path: The file.
        at_least: Shortest side in pixels that the caller needs; lets the JPEG decoder skip detail
            (DCT scaling) as long as both sides stay at or above it. None decodes all of it.
    """
    with Image.open(path) as image:
        if at_least is not None:
            image.draft("L", (at_least, at_least))
        return Radiograph(np.asarray(image.convert("L")))


def eight_bit(radiograph: Radiograph) -> npt.NDArray[np.uint8]:
    """The film as the models see it: uint8 [H, W], 0 = black."""
    return radiograph.values.astype(np.uint8)


def model_pixels(
    film: npt.NDArray[np.uint8], size: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Resize an 8-bit film to a model's input: uint8 [h, w, 1].

    The film is stretched to (height, width), as the public data sets are; Pillow's bilinear filter with
    its support scaled to the reduction, so that it averages instead of skipping.
    """
    height, width = size
    resized = Image.fromarray(film).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)[..., np.newaxis]
