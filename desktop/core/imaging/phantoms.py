"""Drawn chests: synthetic films for demos, smoke training and tests, where no patient may appear.

A phantom is a stylised frontal film built from soft shapes in a coordinate frame where the image
spans x = -1 (viewer's left, the patient's right) to 1 and y = -1 (top) to 1, so any size looks the
same. It is no simulation of X-ray physics and teaches nothing about patients.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Plane = npt.NDArray[np.float32]

FILM_KINDS = ("normal", "covid", "viral", "bacterial")
OTHER_KINDS = ("photograph", "blank", "noise", "text")


def draw_phantom(kind: str, seed: int, size: tuple[int, int] = (512, 512)) -> npt.NDArray[np.uint8]:
    """Draw a synthetic frontal chest film.

    Args:
        kind: ``normal`` (clear lungs), ``covid`` (bilateral, peripheral ground glass), ``viral``
            (perihilar streaks on both sides) or ``bacterial`` (one dense lobe).
        seed: Equal arguments give equal bytes; another seed gives another patient.
        size: (height, width) in pixels, at least 16 each.

    Returns:
        uint8 [height, width], 0 = black, as a MONOCHROME2 film is displayed.

    Raises:
        ValueError: Unknown kind or a size too small to draw on.
    """
    if kind not in FILM_KINDS:
        raise ValueError(f"kind is one of {', '.join(FILM_KINDS)}, not {kind!r}")
    return _Chest(_random(kind, seed), size).film(kind)


def draw_not_a_film(
    kind: str, seed: int, size: tuple[int, int] = (512, 512)
) -> npt.NDArray[np.uint8]:
    """Draw something that is not a chest film, for refusals and out-of-distribution checks.

    Args:
        kind: ``photograph`` (uint8 [H, W, 3], a coloured landscape), ``blank``, ``noise`` or
            ``text`` (a page of lines); the last three uint8 [H, W].
        seed: Equal arguments give equal bytes.
        size: (height, width) in pixels, at least 16 each.

    Raises:
        ValueError: Unknown kind or a size too small to draw on.
    """
    if kind not in OTHER_KINDS:
        raise ValueError(f"kind is one of {', '.join(OTHER_KINDS)}, not {kind!r}")
    _check(size)
    random = _random(kind, seed)
    draw = {"photograph": _landscape, "blank": _blank, "noise": _noise, "text": _page}[kind]
    return draw(random, size)


def _random(kind: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(kind.encode()), seed & 0xFFFF_FFFF])


def _check(size: tuple[int, int]) -> None:
    if min(size) < 16:
        raise ValueError("a phantom needs at least 16 pixels a side")


class _Chest:
    """One patient's geometry and the planes drawn from it; values are density, 0 black to 1."""

    def __init__(self, random: np.random.Generator, size: tuple[int, int]) -> None:
        _check(size)
        self.random = random
        self.size = size
        height, width = size
        y, x = np.meshgrid(
            np.linspace(-1, 1, height, dtype=np.float32),
            np.linspace(-1, 1, width, dtype=np.float32),
            indexing="ij",
        )
        # A patient never stands quite straight or quite in the middle.
        tilt = np.float32(random.normal(0, 0.025))
        zoom = random.uniform(0.92, 1.06)
        self.x = ((x - random.normal(0, 0.025)) * np.cos(tilt) + y * np.sin(tilt)) / zoom
        self.y = ((y - random.normal(0, 0.03)) * np.cos(tilt) - x * np.sin(tilt)) / zoom
        self.chest_width = random.uniform(0.62, 0.80)
        self.apex = random.uniform(-0.82, -0.74)
        self.base = {-1: random.uniform(0.42, 0.56), 1: random.uniform(0.48, 0.60)}
        self.lung = {side: self._lung(side) for side in (-1, 1)}
        self.lungs = np.maximum(self.lung[-1], self.lung[1])

    def film(self, kind: str) -> npt.NDArray[np.uint8]:
        random = self.random
        density = 0.60 * self._body()
        density -= random.uniform(0.38, 0.46) * self.lungs * (0.9 + 0.1 * self._cloud(3))
        middle = self._middle()
        density += middle
        # In front of the heart and the spine little of the lung shows.
        clear = np.clip(1 - middle / 0.3, 0.15, 1)
        density += self._vessels(1.7 if kind == "viral" else 1.0) * clear
        density += self._opacity(kind) * clear
        density += self._bones()
        density += 0.03 * (self._cloud(4) - 0.5)
        density -= self._stomach()
        # A film saturates: the spine is not much whiter than the heart.
        density = 1 - np.exp(-2.2 * np.clip(density, 0, None))
        low, high = np.percentile(density, (1, 99.7))
        grey = np.clip((density - low) / max(float(high - low), 1e-3), 0, 1)
        grey = grey ** random.uniform(1.1, 1.6) * random.uniform(0.86, 0.97) + 0.02
        grain = random.normal(0, 0.012, self.size).astype(np.float32)
        picture = Image.fromarray(_bytes(grey + grain)).filter(ImageFilter.GaussianBlur(0.5))
        self._marker(picture)
        return np.asarray(picture).copy()

    def _edge(self, distance: npt.NDArray[np.floating[Any]], softness: float) -> Plane:
        """1 inside (distance below 0), 0 outside, with a soft border."""
        return np.asarray(0.5 - 0.5 * np.tanh(distance / softness), np.float32)

    def _ellipse(
        self, x: float, y: float, rx: float, ry: float, softness: float = 0.1, turn: float = 0.0
    ) -> Plane:
        dx, dy = self.x - x, self.y - y
        along = dx * np.cos(turn) + dy * np.sin(turn)
        across = dy * np.cos(turn) - dx * np.sin(turn)
        return self._edge(np.hypot(along / rx, across / ry) - 1, softness)

    def _cloud(self, coarse: int, octaves: int = 4) -> Plane:
        """Smooth value noise in [0, 1], the texture of soft tissue."""
        height, width = self.size
        total = np.zeros(self.size, np.float32)
        for octave in range(octaves):
            cells = coarse * 2**octave
            grid = self.random.random((cells + 1, cells + 1)).astype(np.float32)
            plane = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
            total += np.asarray(plane) / 2**octave
        low, high = total.min(), total.max()
        return np.asarray((total - low) / max(float(high - low), 1e-6), np.float32)

    def _body(self) -> Plane:
        half = self.chest_width + 0.14 + 0.10 * np.clip(-self.y - 0.2, 0, 1)
        trunk = self._edge(np.abs(self.x) - half, 0.05)
        shoulders = self._edge(-0.92 + 0.35 * self.x**2 - self.y, 0.08)
        neck = self._edge(np.abs(self.x) - 0.24, 0.06)
        arms = self._edge(np.abs(np.abs(self.x) - 1.08) - 0.13, 0.05) * self._edge(
            -0.45 - self.y, 0.1
        )
        thick = 0.86 + 0.14 * np.clip(1 - np.abs(self.x) / half, 0, 1) + 0.1 * self.y
        outline = np.maximum(np.maximum(trunk * shoulders, neck), 0.7 * arms)
        return np.asarray(outline * thick, np.float32)

    def _lung(self, side: int) -> Plane:
        """One lung field: narrow at the apex, cut by the dome of the diaphragm below."""
        x = self.x * side
        down = np.clip((self.y - self.apex) / (self.base[side] - self.apex), 0, 1.3)
        outer = self.chest_width * (0.46 + 0.54 * np.clip(down, 0, 1) ** 0.55)
        inner = 0.10 + 0.04 * np.abs(down - 0.5)
        top = self._edge(self.apex - self.y + 3.2 * (x - 0.32) ** 2 * (down < 0.5), 0.03)
        dome = self.base[side] + 1.1 * (x - 0.36) ** 2 + 0.35 * np.clip(x - 0.5, 0, 1)
        below = self._edge(self.y - dome, 0.022)
        return self._edge(x - outer, 0.022) * self._edge(inner - x, 0.035) * top * below

    def _middle(self) -> Plane:
        """Mediastinum, heart, aortic knob and the hila; vertebrae show through."""
        random = self.random
        column = self._edge(np.abs(self.x) - (0.10 + 0.03 * self.y), 0.05) * 0.22
        size = random.uniform(0.85, 1.15)
        heart = self._ellipse(0.13, 0.26, 0.33 * size, 0.27 * size, 0.05, turn=0.62)
        right_heart = self._ellipse(-0.04, 0.24, 0.19 * size, 0.25 * size, 0.06)
        knob = self._ellipse(0.09, -0.30, 0.095, 0.11, 0.12)
        heart = np.maximum(np.maximum(heart, right_heart) * 0.33, knob * 0.26)
        vertebra = 0.5 + 0.5 * np.cos(self.y * random.uniform(44, 50))
        spine = self._edge(np.abs(self.x) - 0.075, 0.02) * (0.04 + 0.05 * vertebra)
        trachea = 0.12 * self._ellipse(0.0, -0.68, 0.04, 0.34, 0.25)
        return np.asarray(np.maximum(column, heart) + spine - trachea, np.float32)

    def _vessels(self, strength: float) -> Plane:
        """Branching shadows that spread from the hila and thin out towards the pleura."""
        height, width = self.size
        picture = Image.new("L", (width, height), 0)
        pen = ImageDraw.Draw(picture)
        for side in (-1, 1):
            for _ in range(int(26 * strength)):
                angle = self.random.uniform(-1.25, 1.3)
                px, py, reach = 0.15 * side, -0.04 + 0.05 * self.random.normal(), 1.0
                for _step in range(9):
                    angle += self.random.normal(0, 0.2)
                    length = 0.055 * reach
                    qx, qy = px + side * length * np.cos(angle), py + length * np.sin(angle)
                    ends = [
                        ((px + 1) * width / 2, (py + 1) * height / 2),
                        ((qx + 1) * width / 2, (qy + 1) * height / 2),
                    ]
                    pen.line(
                        ends, fill=int(210 * reach), width=max(1, round(width * 0.011 * reach))
                    )
                    px, py, reach = qx, qy, reach * 0.88
        blur = ImageFilter.GaussianBlur(max(width, height) * 0.004)
        branches = np.asarray(picture.filter(blur), np.float32) / 255
        hila = sum(self._ellipse(0.17 * side, -0.02, 0.09, 0.15, 0.5) for side in (-1, 1))
        return np.asarray((0.13 * strength * branches + 0.09 * hila) * self.lungs, np.float32)

    def _opacity(self, kind: str) -> Plane:
        draw: dict[str, Callable[[], Plane]] = {
            "normal": lambda: np.zeros(self.size, np.float32),
            "covid": self._ground_glass,
            "viral": self._streaks,
            "bacterial": self._consolidation,
        }
        return draw[kind]()

    def _ground_glass(self) -> Plane:
        """Hazy patches in both lungs, towards the chest wall and the bases."""
        haze = np.zeros(self.size, np.float32)
        for side in (-1, 1):
            for _ in range(int(self.random.integers(3, 6))):
                patch = self._ellipse(
                    side * self.random.uniform(0.40, 0.62),
                    self.random.uniform(-0.15, 0.45),
                    self.random.uniform(0.10, 0.2),
                    self.random.uniform(0.10, 0.2),
                    0.4,
                )
                haze = np.maximum(haze, patch * self.random.uniform(0.6, 1.0))
        return haze * self.lungs * (0.10 + 0.20 * self._cloud(12))

    def _streaks(self) -> Plane:
        """A fine net from the hila outwards in both lungs."""
        net = np.abs(self._cloud(14, 3) - 0.5)
        near = sum(self._ellipse(0.26 * side, 0.05, 0.34, 0.5, 0.5) for side in (-1, 1))
        lines = np.clip(1 - net / 0.08, 0, 1)
        return np.asarray((0.13 * lines + 0.06) * near * self.lungs, np.float32)

    def _consolidation(self) -> Plane:
        """One dense lobe, upper or lower, on one side, with a border where the fissure is."""
        side = int(self.random.choice((-1, 1)))
        upper = self.random.random() < 0.4
        fissure = self.random.uniform(-0.12, 0.06)
        distance = (self.y - fissure) * (1 if upper else -1) + 0.08 * np.abs(self.x)
        lobe = self._edge(distance, 0.03)
        core = self._ellipse(0.4 * side, -0.4 if upper else 0.26, 0.34, 0.40, 0.35)
        dense = 0.24 + 0.14 * self._cloud(8)
        return np.asarray(lobe * core * dense * self.lung[side], np.float32)

    def _bones(self) -> Plane:
        """Posterior and anterior ribs, clavicles and the edge of the shoulder blades."""
        bones = np.zeros(self.size, np.float32)
        thorax = self._edge(np.abs(self.x) - self.chest_width - 0.03, 0.02)
        gap = self.random.uniform(0.128, 0.145)
        across = np.clip(np.abs(self.x) / self.chest_width, 0, 1.1)
        # Above each posterior rib leaves the spine rising, arches over and drops to the side.
        arch = -0.16 * np.sin(np.clip(across, 0, 1) * np.pi * 0.75) + 0.30 * across**3
        front = 0.30 * np.clip(1 - across, 0, 1) ** 1.3
        for index in range(10):
            level = self.apex + 0.10 + gap * index
            back = self.y - (level + arch * (0.6 + 0.05 * index))
            bones += 0.075 * self._rib(back, 0.030) * thorax
            if index < 7:
                ahead = self.y - (level + 0.22 + front)
                outside = np.clip((across - 0.35) * 3, 0, 1)
                bones += 0.045 * self._rib(ahead, 0.034) * thorax * outside
        bones *= 1 - 0.75 * self._edge(np.abs(self.x) - 0.1, 0.03)
        bones *= self._edge(self.y - 0.75, 0.1)
        rise = self.random.uniform(0.12, 0.3)
        for side in (-1, 1):
            x = self.x * side
            line = self.y - (self.apex + 0.22 - rise * (x - 0.1) + 0.05 * np.sin(x * 7))
            reach = self._edge(0.09 - x, 0.02) * self._edge(x - 0.74, 0.02)
            bones += 0.15 * self._rib(line, 0.034) * reach
            blade = self._rib(x - (0.70 + 0.10 * (self.y + 0.5)), 0.03)
            bones += 0.05 * blade * self._edge(np.abs(self.y + 0.38) - 0.28, 0.05)
        return bones

    def _rib(self, distance: Plane, half: float) -> Plane:
        """A band with a brighter cortex at both borders."""
        inside = self._edge(np.abs(distance) - half, 0.008)
        cortex = np.exp(-(((np.abs(distance) - half * 0.85) / 0.010) ** 2))
        return (0.75 * inside + 0.45 * cortex).astype(np.float32)

    def _stomach(self) -> Plane:
        """Air under the left dome, on most films."""
        if self.random.random() < 0.3:
            return np.zeros(self.size, np.float32)
        depth = self.random.uniform(0.08, 0.16)
        y = self.base[1] + self.random.uniform(0.12, 0.18)
        return depth * self._ellipse(0.38, y, self.random.uniform(0.1, 0.18), 0.07, 0.25)

    def _marker(self, picture: Image.Image) -> None:
        """The technician's letter, on half of the films of every kind."""
        if self.random.random() < 0.5:
            return
        height, width = self.size
        letter, left = ("R", 0.05) if self.random.random() < 0.5 else ("L", 0.89)
        font = ImageFont.load_default(max(8.0, height * 0.06))
        at = (width * left, height * self.random.uniform(0.04, 0.2))
        ImageDraw.Draw(picture).text(at, letter, fill=235, font=font)


def _bytes(grey: Plane) -> npt.NDArray[np.uint8]:
    return (np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8)


def _landscape(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Blue sky, a sun and green hills: colours that no film has."""
    height, width = size
    picture = Image.new("RGB", (width, height), (110, 170, 230))
    pen = ImageDraw.Draw(picture)
    radius = min(height, width) * 0.08
    x, y = random.uniform(0.2, 0.8) * width, random.uniform(0.1, 0.3) * height
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 225, 90))
    for layer in range(4):
        level = height * (0.45 + 0.13 * layer)
        phase, waves = random.uniform(0, 6), random.uniform(1, 4)
        steps = np.linspace(0, width, 64)
        ridge = level + height * 0.06 * np.sin(steps / width * waves * 6.28 + phase)
        points = [(float(px), float(py)) for px, py in zip(steps, ridge, strict=True)]
        green = (40 + 15 * layer, 150 - 22 * layer, 60 - 8 * layer)
        pen.polygon([*points, (width, height), (0, height)], fill=green)
    grain = random.normal(0, 5, (height, width, 3))
    return np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)


def _blank(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return np.full(size, int(random.integers(0, 256)), np.uint8)


def _noise(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return random.integers(0, 256, size, dtype=np.uint8)


def _page(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    height, width = size
    picture = Image.new("L", (width, height), 250)
    pen = ImageDraw.Draw(picture)
    step = max(8, height // 28)
    font = ImageFont.load_default(step * 0.7)
    for top in range(step, height - step, step):
        letters = random.integers(97, 123, 90)
        words = "".join(" " if random.random() < 0.16 else chr(code) for code in letters)
        pen.text((width * 0.06, top), words, fill=25, font=font)
    pen.rectangle((int(width * 0.94), 0, width, height), fill=250)
    return np.asarray(picture).copy()
