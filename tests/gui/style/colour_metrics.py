"""How far apart two colours look, also to readers with a colour vision deficiency.

The class colours of the theme are held to these figures by a test; a colour is never added by eye.

Sources: CIEDE2000 (Sharma, Wu, Dalal 2005, eq. 2-22); deficiency matrices at full severity
(Machado, Oliveira, Fernandes 2009, table 1), applied in linear RGB; contrast (WCAG 2.2, relative
luminance).
"""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt
from typing import Literal

Vision = Literal["normal", "protan", "deutan", "tritan"]
Triple = tuple[float, float, float]

_MACHADO: dict[Vision, tuple[Triple, Triple, Triple]] = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def _linear(colour: str) -> Triple:
    """``#RRGGBB`` as linear-light RGB in [0, 1]."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two opaque colours, 1 to 21."""

    def luminance(colour: str) -> float:
        red, green, blue = _linear(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, vision: Vision = "normal") -> Triple:
    """CIELAB (D65) of a colour as it is seen with ``vision``."""
    source = _linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * value for weight, value in zip(row, source, strict=True))))
        for row in _MACHADO[vision]
    )
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883

    def root(value: float) -> float:
        return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116

    fx, fy, fz = root(x), root(y), root(z)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def ciede2000(one: str, other: str, vision: Vision = "normal") -> float:
    """CIEDE2000 of two ``#RRGGBB`` colours as seen with ``vision``; 1 is just visible."""
    return lab_difference(lab(one, vision), lab(other, vision))


def lab_difference(one: Triple, other: Triple) -> float:
    """CIEDE2000 between two CIELAB colours."""
    l1, a1, b1 = one
    l2, a2, b2 = other
    mean_chroma = (hypot(a1, b1) + hypot(a2, b2)) / 2
    g = 0.5 * (1 - sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1 = degrees(atan2(b1, a1)) % 360 if c1 else 0.0
    h2 = degrees(atan2(b2, a2)) % 360 if c2 else 0.0
    hue_step = 0.0
    hue_mean = h1 + h2
    if c1 * c2:
        hue_step = (h2 - h1 + 180) % 360 - 180
        if abs(h1 - h2) <= 180:
            hue_mean = (h1 + h2) / 2
        else:
            hue_mean = (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    delta_l, delta_c = l2 - l1, c2 - c1
    delta_h = 2 * sqrt(c1 * c2) * sin(radians(hue_step) / 2)
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * cos(radians(hue_mean - 30))
        + 0.24 * cos(radians(2 * hue_mean))
        + 0.32 * cos(radians(3 * hue_mean + 6))
        - 0.20 * cos(radians(4 * hue_mean - 63))
    )
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / sqrt(20 + (l_mean - 50) ** 2)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * t
    rotation = (
        -2
        * sqrt(c_mean**7 / (c_mean**7 + 25.0**7))
        * sin(radians(60 * exp(-(((hue_mean - 275) / 25) ** 2))))
    )
    return sqrt(
        (delta_l / s_l) ** 2
        + (delta_c / s_c) ** 2
        + (delta_h / s_h) ** 2
        + rotation * (delta_c / s_c) * (delta_h / s_h)
    )
