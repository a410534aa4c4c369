"""The colours and opacities with which a map is drawn over a film."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

THRESHOLD = 0.25


@lru_cache(maxsize=1)
def colour_table() -> npt.NDArray[np.uint8]:
    """256 sRGB colours, uint8 [256, 3], from deep violet over red and orange to pale yellow.

    Perceptually uniform by construction: the path is straight in lightness, and neighbours are
    equally far apart in OKLab (Ottosson 2020). Lightness only rises, so order survives every
    kind of colour blindness and a grey print.
    """
    stops = np.array(
        # lightness, chroma, hue in degrees of OKLCh
        [
            [0.26, 0.13, 295.0],
            [0.40, 0.17, 335.0],
            [0.54, 0.19, 372.0],
            [0.68, 0.18, 400.0],
            [0.82, 0.16, 433.0],
            [0.95, 0.11, 465.0],
        ]
    )
    fine = np.linspace(0, 1, 4097)
    at = np.linspace(0, 1, len(stops))
    lightness, chroma, hue = (np.interp(fine, at, column) for column in stops.T)
    angle = np.radians(hue)
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    even = np.interp(np.linspace(0, length[-1], 256), length, fine)
    lab = np.stack([np.interp(even, fine, column) for column in lab.T], axis=1)
    table = (_oklab_to_srgb(lab) * 255 + 0.5).astype(np.uint8)
    table.setflags(write=False)
    return table


def alpha_table(threshold: float = THRESHOLD, opacity: float = 0.6) -> npt.NDArray[np.uint8]:
    """Opacity of each of 256 map values, uint8 [256]: none below the threshold, then a soft edge.

    Args:
        threshold: Map value in 0..1 below which nothing is drawn.
        opacity: Greatest opacity, 0..1.
    """
    values = np.linspace(0, 1, 256)
    edge = np.clip((values - threshold) / 0.2, 0, 1)
    smooth = edge * edge * (3 - 2 * edge)
    smooth[values < threshold] = 0
    return np.asarray(255 * min(1.0, max(0.0, opacity)) * smooth + 0.5, np.uint8)


def _oklab_to_srgb(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """OKLab to sRGB in 0..1, cut to the gamut (Ottosson 2020, "A perceptual color space")."""
    to_lms = np.array(
        [
            [1.0, 0.3963377774, 0.2158037573],
            [1.0, -0.1055613458, -0.0638541728],
            [1.0, -0.0894841775, -1.2914855480],
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((lab @ to_lms.T) ** 3 @ to_linear.T, 0, 1)
    curve = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, curve), np.float64)
