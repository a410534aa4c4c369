"""Does the panel notice what is no upright frontal chest film? Measured on unseen films."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from desktop.core.phantoms import draw_not_a_film
from training.metrics import auc

Pixels = npt.NDArray[np.uint8]
#: The panel's score [N] of ``pixels`` uint8 [N, H, W, 1].
PanelScore = Callable[[Pixels], npt.NDArray[np.float64]]

_DRAWN = 40


def _each(films: Pixels, change: Callable[[Image.Image], Image.Image]) -> Pixels:
    changed = [change(Image.fromarray(film[..., 0])) for film in films]
    return np.stack([np.asarray(film) for film in changed])[..., np.newaxis]


def _crop(left: float, top: float, side: float) -> Callable[[Image.Image], Image.Image]:
    """Cut out a rectangle, as shares of the film, and enlarge it to the whole."""

    def cut(film: Image.Image) -> Image.Image:
        width, height = film.size
        box = (left * width, top * height, (left + side) * width, (top + side) * height)
        return film.resize(film.size, Image.Resampling.BILINEAR, box=box)

    return cut


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
        "middle half only": _each(films, _crop(0.25, 0.25, 0.5)),
        "corner quarter only": _each(films, _crop(0.0, 0.0, 0.25)),
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
