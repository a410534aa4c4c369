"""Where the lungs lie on an upright frontal film: two fixed boxes, and films without their lungs.

Two boxes, because the two questions err on different sides. The *tight* box asks whether a
heatmap lies on the lungs, so it leaves doubtful margins out. The *wide* box takes the lungs away,
so it must not leave a piece of them over; on a tightly cropped child's film it still may.

The boxes are fixed shares of the film. An estimate from each film's own grey levels (Otsu's
threshold and projections) was tried and thrown away: it found both lungs in only 3 to 40 % of the
films of the data sets used here, and where it found them, its boxes were no nearer to the lungs
than the fixed one, because most films of these sets are cropped alike. On a film with the chest
in a small part of it, the boxes hold much that is no lung. Heart, spine and parts of the
diaphragm lie inside both.

``cxr-train lungs`` makes two measurements of the shipped files, through the app's own engine:

- *heatmap share*: how much of the positive heatmap of the class voted for lies in the tight lung
  box, beside the box' share of the film, which is what an even map would have there;
- *cover the lungs*: the wide box is filled with its surroundings, so that no lung is left, and the
  models vote again. A vote that survives rests on something else: age, scanner, marks, body
  outline. Survival of one class alone says little, as a model that always falls back to one class
  keeps that class; so the area under the ROC curve with covered lungs is given too. An honest
  model is near 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from desktop.core.cases import Prediction
from desktop.core.heatmaps.grad_cam import has_evidence, normalised, upsampled
from desktop.core.inference.session import PanelSession
from desktop.core.panels.contract import OUTPUT_CAMS, OUTPUT_PROBABILITIES
from training.data.split import VALIDATION, SplitData
from training.metrics import classification as metrics

Film = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class LungBox:
    """A box in shares of height and width.

    Attributes:
        top: Upper edge, 0 to 1.
        bottom: Lower edge.
        left: The viewer's left edge.
        right: The viewer's right edge.
    """

    top: float
    bottom: float
    left: float
    right: float

    def slices(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the box in a film of this size, one pixel or more from every edge."""
        return _inner(self.top, self.bottom, height), _inner(self.left, self.right, width)

    @property
    def area(self) -> float:
        """Share of the film: what an even heatmap would have inside."""
        return (self.bottom - self.top) * (self.right - self.left)


TIGHT = LungBox(0.12, 0.80, 0.08, 0.92)
WIDE = LungBox(0.06, 0.90, 0.04, 0.96)
COVERS = ("mean", "smooth", "only lungs")


def _inner(low: float, high: float, side: int) -> slice:
    first = min(max(1, round(low * side)), side - 3)
    return slice(first, max(first + 1, min(side - 1, round(high * side))))


def covered(film: Film, box: LungBox, how: str) -> Film:
    """The film with its lungs, or all but its lungs, taken out.

    Args:
        film: uint8 [H, W].
        box: Where.
        how: ``mean`` fills the box with the mean of what surrounds it; ``smooth`` carries its edges
            inwards, without a step at the border; ``only lungs`` keeps the box and fills the rest
            with the mean of the box' rim.

    Raises:
        ValueError: An unknown ``how``.
    """
    rows, columns = box.slices(*film.shape)
    result = film.copy()
    if how == "mean":
        ring = np.ones(film.shape, bool)
        ring[rows, columns] = False
        result[rows, columns] = np.uint8(round(float(film[ring].mean())))
    elif how == "smooth":
        result[rows, columns] = _carried_inwards(film, rows, columns)
    elif how == "only lungs":
        inside = film[rows, columns]
        rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
        result[:] = np.uint8(round(float(rim.mean())))
        result[rows, columns] = inside
    else:
        raise ValueError(f"how is mean, smooth or only lungs, not {how!r}")
    return result


def _carried_inwards(film: Film, rows: slice, columns: slice) -> Film:
    """A Coons patch (Coons 1967) over the box' four outer edges, each smoothed."""
    values = film.astype(np.float32)
    top, bottom = values[rows.start - 1, columns], values[rows.stop, columns]
    left, right = values[rows, columns.start - 1], values[rows, columns.stop]
    top, bottom, left, right = (
        ndimage.gaussian_filter1d(edge, 4, mode="nearest") for edge in (top, bottom, left, right)
    )
    v = np.linspace(0, 1, len(left), dtype=np.float32)[:, np.newaxis]
    u = np.linspace(0, 1, len(top), dtype=np.float32)[np.newaxis]
    corners = (
        (1 - u) * (1 - v) * (top[0] + left[0]) / 2
        + u * (1 - v) * (top[-1] + right[0]) / 2
        + (1 - u) * v * (bottom[0] + left[-1]) / 2
        + u * v * (bottom[-1] + right[-1]) / 2
    )
    patch = (1 - v) * top + v * bottom + (1 - u) * left[:, np.newaxis] + u * right[:, np.newaxis]
    return np.clip(patch - corners + 0.5, 0, 255).astype(np.uint8)


Labels = npt.NDArray[np.int64]

_BATCH = 8
_GRID = 100
_SAMPLES = 500
_CARD_FILMS = 60  # of each class


@dataclass(frozen=True)
class Asked:
    """What one model said of the films.

    Attributes:
        probabilities: float64 [N, K].
        shares: float64 [N], share of the voted class's positive heatmap in the tight box; NaN where
            the map holds no evidence or the model gives no maps. Only of the intact films.
    """

    probabilities: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]

    @property
    def votes(self) -> Labels:
        """Most probable class of each film."""
        return np.asarray(self.probabilities.argmax(1), np.int64)


def heatmap_share(cam: npt.NDArray[np.float32]) -> float:
    """Share of the positive evidence of a map [h, w] inside the tight box; NaN without evidence."""
    if not has_evidence(cam):
        return float("nan")
    fine = upsampled(normalised(cam), (_GRID, _GRID))
    return float(fine[TIGHT.slices(_GRID, _GRID)].sum() / fine.sum())


def ask(session: PanelSession, pixels: Film, *, maps: bool) -> dict[str, Asked]:
    """Ask every model of a panel about films uint8 [N, H, W, 1].

    Raises:
        ValueError: A model gave no answer for a film; its share of votes would be wrong.
    """
    names = session.panel.model_names
    rows: dict[str, list[Prediction]] = {name: [] for name in names}
    for at in range(0, len(pixels), _BATCH):
        for answer in session.predict(pixels[at : at + _BATCH], maps=maps):
            if len(answer.predictions) != len(names):
                raise ValueError(f"A model gave no answer: {answer.reason}")
            for prediction in answer.predictions:
                rows[prediction.model].append(prediction)
    return {
        name: Asked(
            np.array([row.probabilities for row in given]),
            np.array(
                [
                    float("nan") if row.cams is None else heatmap_share(row.cams[row.vote])
                    for row in given
                ]
            ),
        )
        for name, given in rows.items()
    }


def chosen_films(
    data: SplitData, films_a_class: int, *, sides: Sequence[str] | None = None
) -> dict[str, npt.NDArray[np.int64]]:
    """Side -> indices of up to ``films_a_class`` films of each class, drawn once and for all."""
    random = np.random.default_rng(3)
    found = {}
    for side in sides or (VALIDATION, *data.test_sides):
        films = random.permutation(data.indices(side))
        parts = [
            films[data.labels[films] == label][:films_a_class]
            for label in range(len(data.recipe.class_names))
        ]
        indices = np.sort(np.concatenate(parts))
        if len(indices):
            found[side] = indices
    return found


def card_lungs(content: bytes, data: SplitData) -> dict[str, dict[str, float]]:
    """Both measurements of one model on validation films, as its card keeps them.

    Args:
        content: The ONNX file.
        data: Films, at the model's input size.

    Returns:
        Class -> ``share_inside``, mean share of the class's positive heatmap in the tight box over
        the films that the model calls so, and ``kept_without_lungs``, the share of these votes
        that stay when the wide box is filled with the mean of its surroundings. A class that no
        film is called has no entry, and one without positive evidence anywhere no
        ``share_inside``.
    """
    from training.runtime.onnx_run import run_onnx

    films = chosen_films(data, _CARD_FILMS, sides=[VALIDATION]).get(VALIDATION)
    if films is None:
        return {}
    pixels = data.pixels[films]
    probabilities, cams = run_onnx(content, pixels, [OUTPUT_PROBABILITIES, OUTPUT_CAMS])
    hidden = np.stack([covered(film[..., 0], WIDE, "mean") for film in pixels])[..., np.newaxis]
    votes = probabilities.argmax(1)
    kept = run_onnx(content, hidden, [OUTPUT_PROBABILITIES])[0].argmax(1) == votes
    result: dict[str, dict[str, float]] = {}
    for k, name in enumerate(data.recipe.class_names):
        called = np.flatnonzero(votes == k)
        if not len(called):
            continue
        shares = np.array([heatmap_share(cams[film, k]) for film in called])
        known = shares[~np.isnan(shares)]
        found = {"share_inside": round(float(known.mean()), 4)} if len(known) else {}
        result[name] = found | {"kept_without_lungs": round(float(kept[called].mean()), 4)}
    return result


def measure_lungs(
    session: PanelSession,
    data: SplitData,
    films: Mapping[str, npt.NDArray[np.int64]],
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Both measurements on every side, ready for JSON.

    Args:
        session: The panel, loaded.
        data: Films and labels.
        films: Side -> indices, see :func:`chosen_films`.
        on_stage: Told what is running.

    Returns:
        ``panel``, ``version``, the boxes, and under ``sides`` for each side and model
        ``heatmap_share`` (all and by voted class) and ``covered`` (for each way of covering: votes
        that survive, all and by class voted for on the intact film, the votes given then, and the
        area intact and covered).
    """
    panel = session.panel
    result: dict[str, Any] = {
        "panel": panel.name,
        "version": panel.version,
        "fingerprint": panel.fingerprint,
        "tight_box": vars(TIGHT),
        "tight_box_area": TIGHT.area,
        "wide_box": vars(WIDE),
        "wide_box_area": WIDE.area,
        "sides": {},
    }
    for side, indices in films.items():
        pixels, labels = data.pixels[indices], data.labels[indices]
        on_stage(f"{side}: {len(indices)} films")
        intact = ask(session, pixels, maps=True)
        rows: dict[str, Any] = {
            name: {
                "n": len(labels),
                "heatmap_share": _shares(asked, panel.class_names),
                "auc_intact": _area(labels, asked.probabilities),
                "covered": {},
            }
            for name, asked in intact.items()
        }
        for how in COVERS:
            on_stage(f"{side}: {how}")
            changed = np.stack([covered(film[..., 0], WIDE, how) for film in pixels])
            for name, asked in ask(session, changed[..., np.newaxis], maps=False).items():
                rows[name]["covered"][how] = _survival(
                    intact[name], asked, labels, panel.class_names
                )
        result["sides"][side] = rows
    return result


def _shares(asked: Asked, class_names: Sequence[str]) -> dict[str, Any]:
    """Mean share with its interval, for all films and by the class voted for."""
    chosen = {"all": np.ones(len(asked.votes), bool)}
    chosen |= {name: asked.votes == k for k, name in enumerate(class_names)}
    result: dict[str, Any] = {}
    for name, films in chosen.items():
        shares = asked.shares[films]
        known = shares[~np.isnan(shares)]
        if len(known):
            result[name] = _mean(known) | {"without_evidence": int(len(shares) - len(known))}
    return result


def _survival(
    intact: Asked, changed: Asked, labels: Labels, class_names: Sequence[str]
) -> dict[str, Any]:
    same = (intact.votes == changed.votes).astype(float)
    by_class = {
        name: _mean(same[intact.votes == k])
        for k, name in enumerate(class_names)
        if (intact.votes == k).any()
    }
    given = {name: float(np.mean(changed.votes == k)) for k, name in enumerate(class_names)}
    return {
        "votes_survive": _mean(same),
        "by_vote": by_class,
        "votes_given": given,
        "auc": _area(labels, changed.probabilities),
    }


def _area(labels: Labels, probabilities: npt.NDArray[np.float64]) -> dict[str, float]:
    """Macro one-against-rest area over the classes that occur; empty with one class."""
    if len(np.unique(labels)) < 2:
        return {}
    return metrics.with_interval(metrics.macro_auc, labels, probabilities, samples=_SAMPLES)


def _mean(values: npt.NDArray[np.float64]) -> dict[str, float]:
    random = np.random.default_rng(7)
    means = random.choice(values, (_SAMPLES, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "value": float(values.mean()),
        "low": float(low),
        "high": float(high),
        "n": float(len(values)),
    }
