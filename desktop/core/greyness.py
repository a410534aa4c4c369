"""Is a picture with three channels a grey film or a colour photograph?

The measure: the picture is averaged down to about 256 pixels on its short side, which levels JPEG's
chroma noise; a pixel counts as coloured where its largest and smallest of R, G, B differ by more
than 24 of 255; a picture is coloured where more than 5 % of its pixels are. A side marker, a ruler
or a coloured note stays below that, a photograph, a false-colour map or a tinted scan does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

COLOUR_DIFFERENCE = 24
"""Grey levels between the largest and smallest channel above which a pixel counts as coloured."""

COLOURED_SHARE = 0.05
"""Share of coloured pixels above which a picture is not a film."""

_SHORT_SIDE = 256


def is_coloured(image: Image.Image) -> bool:
    """True where a picture in any colour mode shows colours beyond noise and small marks."""
    factor = max(1, min(image.size) // _SHORT_SIDE)
    small = image.reduce(factor) if factor > 1 else image
    return coloured_share(np.asarray(small.convert("RGB"))) > COLOURED_SHARE


def coloured_share(colours: npt.NDArray[np.uint8]) -> float:
    """Share in [0, 1] of the pixels of uint8 [H, W, 3] that are coloured."""
    difference = colours.max(axis=2) - colours.min(axis=2)
    return float((difference > COLOUR_DIFFERENCE).mean())
