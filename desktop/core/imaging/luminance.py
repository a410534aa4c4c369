"""Grey values of pictures in colour that are grey at heart; photographs are told apart.

The measure: the picture is averaged down to about 256 pixels on its short side, which levels JPEG's
chroma noise; a pixel counts as coloured where its largest and smallest of R, G, B differ by more
than 24 of 255; a picture is coloured where more than 5 % of its pixels are. A side marker, a ruler
or a coloured note stays below that, a photograph, a false-colour map or several tints do not.

A film tinted in one hue, as case reports print them, is read all the same: its colour follows from
its brightness, along one hue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

COLOUR_DIFFERENCE = 24
"""Grey levels between the largest and smallest channel above which a pixel counts as coloured."""

COLOURED_SHARE = 0.05
"""Share of coloured pixels above which a picture is not a film."""

SHORT_SIDE = 256
"""Pixels on the short side of the picture whose colours are looked at, at least."""

_STRIP_PIXELS = 2**21
_TINT_NOISE = 8.0
_TINT_LEVELS = 64


def grey_values(
    size: tuple[int, int], part: Callable[[int, int], Image.Image]
) -> tuple[npt.NDArray[np.uint8], bool]:
    """Luminance and whether the picture is coloured; strip by strip, to need little memory.

    Transparent parts lie on black, the colour of unexposed film. Where nothing at all is opaque,
    the channel was left empty by an exporter and is ignored.

    Args:
        size: Width and height of the picture.
        part: Gives rows [top, bottom) in any mode with colour, palette or transparency.

    Returns:
        uint8 [H, W]; whether it is a picture in colour and no film.
    """
    width, height = size
    factor = max(1, min(size) // SHORT_SIDE)
    rows = max(1, _STRIP_PIXELS // width // factor) * factor

    def strips() -> Iterator[tuple[int, Image.Image]]:
        for top in range(0, height, rows):
            yield top, _without_palette(part(top, min(height, top + rows)))

    transparent = "A" in part(0, 1).getbands() or "transparency" in part(0, 1).info
    opaque = transparent and any(strip.getchannel("A").getextrema()[1] for _, strip in strips())
    grey = np.empty((height, width), np.uint8)
    colours: list[npt.NDArray[np.uint8]] = []
    for top, strip in strips():
        plain = _on_black(strip) if opaque else _without_alpha(strip)
        if plain.mode != "L":
            small = plain.reduce(factor) if factor > 1 else plain
            colours.append(np.asarray(small.convert("RGB")))
            luminance = plain.getchannel("Y") if plain.mode == "YCbCr" else _luminance(plain)
        else:
            luminance = plain
        grey[top : top + plain.height] = np.asarray(luminance)
    return grey, bool(colours) and is_coloured(np.concatenate(colours))


def averaged(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """uint8 [H, W, 3] on less pixels, for ``is_coloured``."""
    factor = min(colours.shape[:2]) // SHORT_SIDE
    return np.asarray(Image.fromarray(colours).reduce(factor)) if factor > 1 else colours


def is_coloured(colours: npt.NDArray[np.uint8]) -> bool:
    """Whether uint8 [H, W, 3] shows colours beyond noise, small marks and one tint."""
    return coloured_share(colours) > COLOURED_SHARE and not is_tinted(colours)


def coloured_share(colours: npt.NDArray[np.uint8]) -> float:
    """Share in [0, 1] of the pixels of uint8 [H, W, 3] that are coloured."""
    difference = colours.max(axis=2) - colours.min(axis=2)
    return float((difference > COLOUR_DIFFERENCE).mean())


def is_tinted(colours: npt.NDArray[np.uint8]) -> bool:
    """Whether the colours of uint8 [H, W, 3] follow from brightness alone, in one hue.

    At each of 64 levels of brightness the middle colour is taken. At most 5 % of the pixels may be
    further than 8 of 255 and an eighth of its strength from what these say of their brightness; the
    middle colours may leave the line of their mean hue by 8 and a third of their strength, which is
    18 degrees.
    """
    ycc = np.asarray(Image.fromarray(colours).convert("YCbCr")).reshape(-1, 3)
    brightness, chroma = ycc[:, 0], ycc[:, 1:].astype(np.float32) - 128
    level = brightness // (256 // _TINT_LEVELS)
    present = np.unique(level)
    middle = np.array([np.median(chroma[level == one], axis=0) for one in present])
    centres = (present.astype(np.float32) + 0.5) * (256 // _TINT_LEVELS)
    expected = np.stack([np.interp(brightness, centres, one) for one in middle.T])
    far = np.hypot(*(chroma.T - expected)) > _TINT_NOISE + np.hypot(*expected) / 8
    along = middle.sum(axis=0)
    strength = middle @ (along / max(np.hypot(*along), 1e-6))
    away = np.hypot(*middle.T) ** 2 - strength**2
    off_hue = np.sqrt(np.maximum(away, 0)) > _TINT_NOISE + np.maximum(strength, 0) / 3
    return bool(
        far.mean() <= COLOURED_SHARE and not off_hue.any() and strength.min() > -_TINT_NOISE
    )


def _without_palette(strip: Image.Image) -> Image.Image:
    if strip.mode == "PA" or (strip.mode == "P" and "transparency" in strip.info):
        return strip.convert("RGBA")
    if strip.mode == "P":
        return strip.convert("RGB")
    return strip.convert({"La": "LA", "RGBa": "RGBA"}.get(strip.mode, strip.mode))


def _without_alpha(strip: Image.Image) -> Image.Image:
    return strip.convert({"LA": "L", "RGBA": "RGB"}.get(strip.mode, strip.mode))


def _on_black(strip: Image.Image) -> Image.Image:
    plain = _without_alpha(strip)
    black = Image.new(plain.mode, strip.size)
    black.paste(plain, mask=strip.getchannel("A"))
    return black


def _luminance(plain: Image.Image) -> Image.Image:
    return (plain if plain.mode == "RGB" else plain.convert("RGB")).convert("L")
