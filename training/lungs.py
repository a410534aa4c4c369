"""``cxr-train lungs``: do the models look at lungs, and what do they say when there are none?

Two measurements of the shipped files, through the app's own engine:

- *heatmap share*: how much of the positive heatmap of the class voted for lies in the tight lung
box,
  beside the box' share of the film, which is what an even map would have there;
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

from desktop.core.cases import Prediction
from desktop.core.contract import OUTPUT_CAMS, OUTPUT_PROBABILITIES
from desktop.core.heatmap import has_evidence, normalised, upsampled
from desktop.core.inference import PanelSession
from training import metrics
from training.lung_box import COVERS, TIGHT, WIDE, LungBox, covered
from training.splits import VALIDATION, SplitData

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

_BATCH = 8
_GRID = 100
_SAMPLES = 500
INTACT = "intact"


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


def heatmap_share(cam: npt.NDArray[np.float32], box: LungBox = TIGHT) -> float:
    """Share of a map's positive evidence inside a box; NaN without evidence.

    Args:
        cam: float32 [h, w], any scale.
        box: Where the lungs are.
    """
    if not has_evidence(cam):
        return float("nan")
    fine = upsampled(normalised(cam), (_GRID, _GRID))
    return float(fine[box.slices(_GRID, _GRID)].sum() / fine.sum())


def ask(session: PanelSession, pixels: Pixels, *, maps: bool) -> dict[str, Asked]:
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
    data: SplitData, films_a_class: int, *, sides: Sequence[str] | None = None, seed: int = 3
) -> dict[str, npt.NDArray[np.int64]]:
    """Side -> indices of up to ``films_a_class`` films of each class, drawn once and for all."""
    random = np.random.default_rng(seed)
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


def card_lungs(
    content: bytes,
    data: SplitData,
    films_a_class: int = 60,
) -> dict[str, dict[str, float]]:
    """Both measurements of one model on validation films, as its card keeps them.

    Args:
        content: The ONNX file.
        data: Films, at the model's input size.
        films_a_class: Up to so many of each class.

    Returns:
        Class -> ``share_inside``, mean share of the class's positive heatmap in the tight box over
        the films that the model calls so, and ``kept_without_lungs``, the share of these votes
        that stay when the wide box is filled with the mean of its surroundings. A class that no
        film is called has no entry, and one without positive evidence anywhere no
        ``share_inside``.
    """
    from training.graph import run_onnx

    films = chosen_films(data, films_a_class, sides=[VALIDATION]).get(VALIDATION)
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


def lungs_page(
    results: Sequence[Mapping[str, Any]], titles: Mapping[str, str], command: str
) -> str:
    """The measurements as Markdown.

    Args:
        results: Of :func:`measure_lungs`, one a panel.
        titles: Model name -> title.
        command: How to make the page again.
    """
    lines = [
        "# Do the models look at lungs?",
        "",
        f"Written by `{command}` from the exported files, run by the app's own engine; the same "
        "numbers are in the JSON file beside it. Brackets are 95 % bootstrap intervals over films.",
        "",
        "- **Heatmap in the lung box**: share of the positive heatmap of the class voted for "
        "inside "
        f"a fixed box around the lungs. An even map would have {TIGHT.area:.2f} there.",
        "- **Votes that survive**: the lungs are taken out (a wider box, "
        f"{WIDE.area:.0%} of the film, filled with the mean of what is left), and the model votes "
        "again. *Smooth* carries the box' edges inwards instead, without a step. *Only lungs* "
        "keeps "
        "the box and takes out the rest.",
        "- **AUC, lungs covered**: how well the classes are still told apart. **0.5 is what an "
        "honest "
        "model should have**; more is what outlines, age, scanner and marks give away. A survival "
        "rate alone can mislead: a model that answers one class without lungs keeps that class.",
        "- **Limits**: the boxes are fixed shares of the film and hold the heart and the "
        "spine; on a "
        "tightly cropped film a rim of lung stays visible, which raises survival. A covered "
        "film is "
        "like no film in training, so an odd vote on it does not prove a shortcut; a high AUC "
        "does.",
        "",
    ]
    for result in results:
        lines += [f"## {result['panel']} {result['version']}", ""]
        for side, rows in result["sides"].items():
            lines += _side_page(side, rows, titles)
    return "\n".join(lines)


def _side_page(side: str, rows: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    count = next(iter(rows.values()))["n"]
    lines = [
        f"### {side}: {count} films",
        "",
        "| | heatmap in the box | votes that survive: mean fill | smooth fill | only lungs "
        "| AUC intact | AUC, lungs covered (mean) | (smooth) | AUC, only lungs |",
        "| --- |" + " --- |" * 8,
    ]
    for name, row in rows.items():
        ways = [row["covered"][how] for how in COVERS]
        cells = [
            _cell(row["heatmap_share"].get("all")),
            *[_cell(way["votes_survive"]) for way in ways],
            _cell(row["auc_intact"]),
            *[_cell(way["auc"]) for way in ways],
        ]
        lines.append(f"| {titles.get(name, name)} | {' | '.join(cells)} |")
    lines += [
        "",
        "By the class voted for on the intact film (heatmap in the box; survival, mean):",
        "",
    ]
    classes = list(next(iter(rows.values()))["covered"]["mean"]["votes_given"])
    lines += [f"| | {' | '.join(classes)} | votes given with lungs covered |"]
    lines += ["| --- |" + " --- |" * (len(classes) + 1)]
    for name, row in rows.items():
        way = row["covered"]["mean"]
        cells = []
        for label in classes:
            share, kept = row["heatmap_share"].get(label), way["by_vote"].get(label)
            cells.append(
                "no such vote"
                if kept is None
                else f"{share['value']:.2f}; {kept['value']:.0%} of {int(kept['n'])}"
                if share
                else f"no map; {kept['value']:.0%} of {int(kept['n'])}"
            )
        given = ", ".join(f"{part:.0%} {label}" for label, part in way["votes_given"].items())
        lines.append(f"| {titles.get(name, name)} | {' | '.join(cells)} | {given} |")
    return [*lines, ""]


def _cell(values: Mapping[str, float] | None) -> str:
    if not values:
        return "none"
    return f"{values['value']:.2f} ({values['low']:.2f} to {values['high']:.2f})"
