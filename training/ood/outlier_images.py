"""Images that are no upright frontal chest film, changed from films or drawn, and how well a panel
notices them.

Drawn are a CT slice, a hand and a lateral film, stylised from soft shapes and seeded. What a panel
does with a drawn hand says little about real hands, which is why :mod:`training.ood.evaluation`
also uses real images where a package brings some.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from desktop.core.imaging.phantoms import draw_not_a_film
from training.metrics.classification import auc

Plane = npt.NDArray[np.float32]
KINDS = ("CT slice", "hand", "lateral chest")


def draw_other_radiograph(
    kind: str, seed: int, size: tuple[int, int] = (512, 512)
) -> npt.NDArray[np.uint8]:
    """Draw one.

    Args:
        kind: One of ``KINDS``.
        seed: Equal arguments give equal bytes.
        size: (height, width) in pixels.

    Returns:
        uint8 [height, width], 0 = black.

    Raises:
        ValueError: Unknown kind.
    """
    draw: dict[str, Callable[[np.random.Generator, Plane, Plane], Plane]] = {
        "CT slice": _ct_slice,
        "hand": _hand,
        "lateral chest": _lateral,
    }
    if kind not in draw:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    random = np.random.default_rng([zlib.crc32(kind.encode()), seed])
    height, width = size
    y, x = np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32),
        np.linspace(-1, 1, width, dtype=np.float32),
        indexing="ij",
    )
    turn = random.normal(0, 0.06)
    zoom = random.uniform(0.9, 1.1)
    turned_x = (x * np.cos(turn) + y * np.sin(turn)) / zoom - random.normal(0, 0.03)
    turned_y = (y * np.cos(turn) - x * np.sin(turn)) / zoom - random.normal(0, 0.03)
    plane = draw[kind](random, np.asarray(turned_x, np.float32), np.asarray(turned_y, np.float32))
    grain = random.normal(0, 0.015, size)
    grey = np.clip((plane + grain) * 255, 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(0.6))).copy()


def _inside(distance: npt.NDArray[np.floating], softness: float = 0.02) -> Plane:
    return np.asarray(0.5 - 0.5 * np.tanh(distance / softness), np.float32)


def _ellipse(
    x: Plane, y: Plane, cx: float, cy: float, rx: float, ry: float, softness: float = 0.04
) -> Plane:
    return _inside(np.hypot((x - cx) / rx, (y - cy) / ry) - 1, softness)


def _capsule(
    x: Plane, y: Plane, start: tuple[float, float], end: tuple[float, float], radius: float
) -> Plane:
    """A bar with round ends."""
    (ax, ay), (bx, by) = start, end
    along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
    along = np.clip(along, 0, 1)
    return _inside(np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) - radius)


def _ct_slice(random: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """A body's cross-section on black: rim of fat, black lungs, heart, vertebra, ribs, table."""
    wide, tall = random.uniform(0.80, 0.92), random.uniform(0.58, 0.68)
    plane = 0.30 * _ellipse(x, y, 0, 0, wide, tall)
    plane += 0.20 * _ellipse(x, y, 0, 0, wide - 0.08, tall - 0.08)
    lungs = np.maximum(
        _ellipse(x, y, -0.40, -0.04, 0.31 * random.uniform(0.9, 1.1), 0.42),
        _ellipse(x, y, 0.42, -0.02, 0.30 * random.uniform(0.9, 1.1), 0.40),
    )
    heart = _ellipse(x, y, 0.10, -0.12, 0.30, 0.24)
    plane = plane * (1 - lungs) + 0.05 * lungs
    plane = np.maximum(plane, 0.58 * heart)
    for _ in range(24):
        cx, cy = random.choice((-1, 1)) * random.uniform(0.2, 0.55), random.uniform(-0.3, 0.25)
        radius = random.uniform(0.008, 0.03)
        plane = np.maximum(plane, 0.55 * lungs * _ellipse(x, y, cx, cy, radius, radius, 0.3))
    plane = np.maximum(plane, 0.95 * _ellipse(x, y, 0, 0.36, 0.12, 0.10))
    for angle in np.linspace(0.3, 2 * np.pi - 0.3, 14):
        cx, cy = (wide - 0.14) * np.sin(angle), (tall - 0.13) * -np.cos(angle)
        plane = np.maximum(plane, 0.9 * _ellipse(x, y, float(cx), float(cy), 0.05, 0.03, 0.15))
    table = _inside(np.abs(y - 0.80 - 0.12 * (1 - x**2)) - 0.012, 0.01)
    return np.maximum(plane, 0.35 * table)


def _hand(random: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """Five fingers, metacarpals, carpals and two forearm bones in soft tissue on black."""
    flesh = _ellipse(x, y, 0, 0.30, 0.36, 0.38, 0.06)
    flesh = np.maximum(flesh, _capsule(x, y, (0, 0.55), (0, 1.3), 0.25))
    bones = np.zeros_like(x)
    spread = random.uniform(0.9, 1.15)
    lengths = (0.50, 0.78, 0.86, 0.80, 0.62)
    for finger, length in enumerate(lengths):
        angle = (finger - 2) * 0.24 * spread - (0.35 if finger == 0 else 0)
        base = (0.05 * (finger - 2), 0.42)
        knots = np.cumsum([0.0, 0.42, 0.26, 0.18, 0.14]) * (length / 0.86)
        points = [
            (base[0] + float(np.sin(angle) * k), base[1] - float(np.cos(angle) * k)) for k in knots
        ]
        flesh = np.maximum(flesh, _capsule(x, y, points[1], points[4], 0.075))
        for start, end in itertools.pairwise(points):
            gap = 0.07
            first = (start[0] + gap * (end[0] - start[0]), start[1] + gap * (end[1] - start[1]))
            last = (end[0] - gap * (end[0] - start[0]), end[1] - gap * (end[1] - start[1]))
            bone = _capsule(x, y, first, last, 0.034)
            bones = np.maximum(bones, bone - 0.25 * _capsule(x, y, first, last, 0.014))
    for index in range(8):
        cx, cy = -0.15 + 0.1 * (index % 4), 0.50 + 0.09 * (index // 4)
        bones = np.maximum(bones, 0.9 * _ellipse(x, y, cx, cy, 0.055, 0.05, 0.15))
    for cx in (-0.1, 0.1):
        bones = np.maximum(bones, _capsule(x, y, (cx, 0.70), (cx * 1.2, 1.3), 0.07))
    return 0.03 + 0.28 * flesh + 0.55 * bones


def _lateral(random: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """A chest from the side: sternum in front, spine behind, one dark field with the heart."""
    trunk = _inside(np.abs(x) - 0.74 - 0.08 * y, 0.05)
    field = _ellipse(x, y, 0.04, -0.06, 0.48, 0.68, 0.08) * _inside(y - 0.42 - 0.3 * x * x, 0.04)
    heart = _ellipse(x, y, -0.22, 0.22, 0.26, 0.28, 0.1)
    plane = 0.62 * trunk - 0.40 * field + 0.28 * heart * field
    spine = _inside(np.abs(x - 0.46 - 0.10 * (y - 0.1) ** 2) - 0.09, 0.04)
    plane += spine * (0.16 + 0.10 * np.cos(y * random.uniform(24, 30)))
    plane += 0.22 * _inside(np.abs(x + 0.52 + 0.14 * y) - 0.02, 0.02) * _inside(np.abs(y) - 0.45)
    for index in range(9):
        level = -0.6 + 0.13 * index
        rib = np.abs(y - level - 0.5 * (0.45 - x)) - 0.016
        plane += 0.07 * _inside(rib, 0.012) * trunk
    arm = _capsule(x, y, (-0.1, -1.1), (0.5, -0.65), 0.16)
    return np.clip(plane + 0.3 * arm, 0, 0.95)


Pixels = npt.NDArray[np.uint8]
#: The panel's score [N] of ``pixels`` uint8 [N, H, W, 1].
PanelScore = Callable[[Pixels], npt.NDArray[np.float64]]

_DRAWN = 40


def _each(films: Pixels, change: Callable[[Image.Image], Image.Image]) -> Pixels:
    changed = [change(Image.fromarray(film[..., 0])) for film in films]
    return np.stack([np.asarray(film) for film in changed])[..., np.newaxis]


def crop(film: Image.Image, left: float, top: float, wide: float, tall: float) -> Image.Image:
    """Cut out a rectangle, as shares of the film, and enlarge it to the film's size."""
    width, height = film.size
    box = (left * width, top * height, (left + wide) * width, (top + tall) * height)
    return film.resize(film.size, Image.Resampling.BILINEAR, box=box)


def odd_images(films: Pixels) -> dict[str, Pixels]:
    """What the panel should notice, made from real films or drawn.

    Args:
        films: uint8 [N, H, W, 1], real and unseen.

    Returns:
        Kind -> uint8 [M, H, W, 1].
    """
    height, width = films.shape[1:3]
    found = {
        "inverted": 255 - films,
        "turned by 90 degrees": np.rot90(films, 1, (1, 2)),
        "turned by 180 degrees": np.rot90(films, 2, (1, 2)),
        "upside down": films[:, ::-1],
        "middle half only": _each(films, lambda film: crop(film, 0.25, 0.25, 0.5, 0.5)),
        "corner quarter only": _each(films, lambda film: crop(film, 0.0, 0.0, 0.25, 0.25)),
        "blurred beyond use": _each(
            films, lambda film: film.filter(ImageFilter.GaussianBlur(width / 28))
        ),
    }
    for kind in ("blank", "noise", "text"):
        drawn = [draw_not_a_film(kind, seed, (height, width)) for seed in range(_DRAWN)]
        found[f"drawn {kind}"] = np.stack(drawn)[..., np.newaxis]
    photographs = [draw_not_a_film("photograph", seed, (height, width)) for seed in range(_DRAWN)]
    found["drawn photograph in grey"] = _each(
        np.zeros((_DRAWN, height, width, 1), np.uint8), _in_turn(photographs)
    )
    return {kind: np.ascontiguousarray(pixels) for kind, pixels in found.items()}


def _in_turn(photographs: list[Pixels]) -> Callable[[Image.Image], Image.Image]:
    rest = iter(photographs)
    return lambda _: Image.fromarray(next(rest)).convert("L")


def measure(score: PanelScore, films: Pixels, limit: float) -> dict[str, dict[str, float]]:
    """How well each kind is told from the films it was made of.

    Args:
        score: The panel's out-of-distribution score.
        films: Real, unseen films.
        limit: Score above which an image is flagged.

    Returns:
        Kind -> ``auroc`` against the films, ``flagged`` share and ``n``; the films come first.
    """
    usual = score(films)
    result = {
        "real films": {"auroc": 0.5, "flagged": float(np.mean(usual > limit)), "n": len(usual)}
    }
    for kind, pixels in odd_images(films).items():
        odd = score(pixels)
        truth = np.concatenate([np.ones(len(odd), bool), np.zeros(len(usual), bool)])
        result[kind] = {
            "auroc": auc(truth, np.concatenate([odd, usual])),
            "flagged": float(np.mean(odd > limit)),
            "n": len(odd),
        }
    return result
