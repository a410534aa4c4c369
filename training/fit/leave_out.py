"""Leave one hospital out: the measure that every choice is made by.

A network is trained without a hospital and asked of that hospital's films; each film is answered by
a network that never saw where it comes from. The films of all left-out hospitals together give the
scores; official tests and held-out patients are never among them. Each fold is a run of its own
below one folder, so the command goes on where it was killed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.configs import FitConfig
from training.data.split import (
    NONE_PREFIX,
    TRAIN,
    TRAIN_NONE,
    VALIDATION,
    VALIDATION_NONE,
    SplitData,
)
from training.fit.networks import load_best
from training.fit.trainer import Fit, logit_function, predict_logits
from training.metrics import classification as metrics
from training.metrics.classification import softmax
from training.runtime.files import read_weights, write_json, write_weights

LEFT_OUT = "left out"
_LEARNT = (TRAIN, VALIDATION, TRAIN_NONE, VALIDATION_NONE)
#: Films of a hospital with fewer give no share of their own.
_SMALLEST = 10
#: Largest share of an unseen hospital's normal films that may be called the asked class.
FALSE_ALARMS = 0.03

#: (data set, finding) of each hospital; the radiography set is two, one a class. NIH films stand in
#: two folders, and Hannover's also in the radiography set, where they are one group.
HOSPITALS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "kermany": (("chest-xray-pneumonia-224", ""),),
    "raikote": (("covid19-image-dataset", ""),),
    "cohen": (("adult-supplement", "Covid"),),
    "nih": (("adult-supplement", "Normal"), ("adult-supplement", "Pneumonia"), ("nih-adults", "")),
    "radiography-covid": (("covid19-radiography-224", "Covid"),),
    "radiography-normal": (("covid19-radiography-224", "Normal"),),
    "hannover": (("hannover", ""),),
    "montgomery": (("montgomery", ""),),
}


@dataclass(frozen=True)
class LeftOut:
    """What networks said of films whose hospital they never saw.

    Attributes:
        hospitals: N names.
        labels: int64 [N]; K for none of the classes.
        logits: float32 [N, L].
    """

    hospitals: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float32]


def hospitals_of(data: SplitData) -> list[str]:
    """The hospital of every film; the data set's name where none is known."""
    names = []
    for film, finding in zip(data.films, data.findings or ("",) * len(data.films), strict=True):
        if film.group == "hannover":
            names.append("hannover")
            continue
        names.append(
            next(
                (
                    hospital
                    for hospital, kinds in HOSPITALS.items()
                    if (film.source, finding) in kinds or (film.source, "") in kinds
                ),
                film.source,
            )
        )
    return names


def without(data: SplitData, hospitals: Sequence[str]) -> SplitData:
    """The same split with the hospitals' training and validation films on the side ``left out``.

    Raises:
        ValueError: A hospital has no film, or too little is left to train.
    """
    names = hospitals_of(data)
    missing = set(hospitals) - set(names)
    if missing:
        raise ValueError(
            f"No film of {', '.join(sorted(missing))}; known are {sorted(set(names))}."
        )
    sides = tuple(
        (NONE_PREFIX if side.startswith(NONE_PREFIX) else "") + LEFT_OUT
        if name in hospitals and side in _LEARNT
        else side
        for name, side in zip(names, data.sides, strict=True)
    )
    left = dataclasses.replace(data, sides=sides)
    if not len(left.indices(TRAIN)) or not len(left.indices(VALIDATION)):
        raise ValueError(f"Without {', '.join(hospitals)} nothing is left to train on.")
    return left


def leave_out(
    config: FitConfig,
    data: SplitData,
    folder: Path,
    folds: Sequence[Sequence[str]],
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Train once a fold and score the left-out films together.

    Args:
        config: What is trained.
        data: A split of a recipe with findings.
        folder: For the runs of the folds and ``leave_out.json``.
        folds: Hospitals left out together, one entry a fold; a hospital in one fold only.
        tell: Told what is being done.

    Returns:
        The scores, as written.
    """
    parts = []
    for hospitals in folds:
        run = folder / "-".join(hospitals)
        answers = run / "left_out.npz"
        if not answers.is_file():
            tell(f"without {', '.join(hospitals)}")
            _answer(config, without(data, hospitals), run, answers)
        kept = read_weights(answers)
        parts.append(LeftOut(tuple(kept["hospitals"].tolist()), kept["labels"], kept["logits"]))
    together = LeftOut(
        tuple(name for part in parts for name in part.hospitals),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.logits for part in parts]),
    )
    found = left_out_scores(together, data.recipe.class_names)
    write_json(folder / "leave_out.json", {"fit": config.to_dict(), "folds": folds, **found})
    return json.loads((folder / "leave_out.json").read_text())  # type: ignore[no-any-return]


def _answer(config: FitConfig, data: SplitData, run: Path, answers: Path) -> None:
    Fit(config, data, run).run()
    _, _, body = load_best(run)
    films = np.concatenate([data.indices(LEFT_OUT), data.indices(NONE_PREFIX + LEFT_OUT)])
    step = logit_function(body, config.reduce, config.stages[-1][1])
    names = hospitals_of(data)
    write_weights(
        answers,
        {
            "hospitals": np.array([names[index] for index in films], dtype=np.str_),
            "labels": data.labels[films],
            "logits": predict_logits(step, data.pixels[films]),
        },
    )


def left_out_scores(found: LeftOut, class_names: Sequence[str]) -> dict[str, Any]:
    """Scores of films whose hospital no network saw.

    Returns:
        ``auc``: each class against the normal class (the others, without a normal one);
        ``found``: share of the class found where 3 % of the normal films are called it;
        ``hospitals``: of each, how its films of each class were called; ``mean`` and ``worst`` over
        hospitals of the share of right calls; ``none_auc``: films of none of the classes against
        the others.
    """
    classes = len(class_names)
    labels, hospitals = found.labels, np.array(found.hospitals)
    probabilities = softmax(found.logits[:, :classes])
    normal = next((k for k, name in enumerate(class_names) if name.lower() == "normal"), None)
    result: dict[str, Any] = {"auc": {}, "found": {}, "hospitals": {}}
    for index, name in enumerate(class_names):
        others = labels == normal if normal is not None else (labels != index) & (labels < classes)
        if index == normal or not (labels == index).any() or not others.any():
            continue
        against = normal if normal is not None else None
        score = np.log(probabilities[:, index] + 1e-9)
        if against is not None:
            score = score - np.log(probabilities[:, against] + 1e-9)
        both = (labels == index) | others
        result["auc"][name] = metrics.auc(labels[both] == index, score[both])
        limit = float(np.quantile(score[others], 1 - FALSE_ALARMS))
        result["found"][name] = float((score[labels == index] > limit).mean())
    right = []
    votes = probabilities.argmax(1)
    for hospital in sorted(set(found.hospitals)):
        row = {}
        for index, name in enumerate(class_names):
            chosen = (hospitals == hospital) & (labels == index)
            if chosen.sum() < _SMALLEST:
                continue
            shares = np.bincount(votes[chosen], minlength=classes) / chosen.sum()
            row[name] = {"films": int(chosen.sum())} | {
                f"called {other}": float(share)
                for other, share in zip(class_names, shares, strict=True)
            }
            right.append((float(shares[index]), f"{hospital}: {name}"))
        result["hospitals"][hospital] = row
    if right:
        result["mean"] = float(np.mean([share for share, _ in right]))
        result["worst"] = {"share": min(right)[0], "of": min(right)[1]}
    none = labels == classes
    if found.logits.shape[1] > classes and none.any() and not none.all():
        result["none_auc"] = metrics.auc(none, softmax(found.logits)[:, classes])
    return result
