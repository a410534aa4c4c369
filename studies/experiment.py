"""One row of a study: train one network with one thing changed, score it where it was and was not
trained.

The studies ``ablation`` and ``leave-one-out`` are lists of such rows. No row looks at a test:
*inside* are the validation films of the data sets that a row trained on, *outside* all films of
the pool (training and validation sides) of a data set that it did not train on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studies.layer_variants import SHIPPED, Layers, build_variant
from training.configs import FitConfig
from training.data.split import DROPPED, TRAIN, VALIDATION, SplitData
from training.metrics import classification as metrics
from training.runtime.files import read_weights, write_json, write_weights

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Intervals of a row; each costs this many resamplings.
SAMPLES = 500


@dataclass(frozen=True)
class Experiment:
    """What a row trains and how.

    Attributes:
        name: For the table.
        config: Settings of the run.
        trained_on: Data sets it trains on.
        layers: Of the network.
        balance: Draw every class equally often.
    """

    name: str
    config: FitConfig
    trained_on: frozenset[str]
    layers: Layers = SHIPPED
    balance: bool = True


@dataclass(frozen=True)
class Outcome:
    """A trained row's answers.

    Attributes:
        row: What was trained.
        parameters: Of the network.
        films: Trained on.
        seconds: Of training.
        asked: Indices [N] into the study's films.
        labels: [N].
        probabilities: [N, K].
        scanner: [V, K], of the V validation films of all data sets in their order, each as
            :func:`studies.tune.another_scanner` changes it.
    """

    row: Experiment
    parameters: int
    films: int
    seconds: float
    asked: Labels
    labels: Labels
    probabilities: Floats
    scanner: Floats

    def on(self, films: Labels) -> tuple[Labels, Floats]:
        """Labels and probabilities of some of the films asked, in the order of ``films``.

        Raises:
            KeyError: A film was not asked.
        """
        rows = {film: row for row, film in enumerate(self.asked.tolist())}
        chosen = np.array([rows[film] for film in films.tolist()], np.int64)
        return self.labels[chosen], self.probabilities[chosen]


def at_side(config: FitConfig, side: int) -> FitConfig:
    """The configuration with smaller images: all of its epochs at one side, pixels."""
    return dataclasses.replace(
        config,
        stages=((config.epochs, side),),
        input_size=(side * config.reduce, side * config.reduce),
    )


def source_names(data: SplitData) -> npt.NDArray[np.str_]:
    """Data set of each film."""
    return np.array([film.source for film in data.films])


def pool_sources(data: SplitData) -> list[str]:
    """The data sets that a panel trains on, in the recipe's order."""
    inside = {data.films[i].source for side in (TRAIN, VALIDATION) for i in data.indices(side)}
    return [name for name in dict.fromkeys(s.source for s in data.recipe.sources) if name in inside]


def outside_films(data: SplitData, source: str) -> Labels:
    """All films of a data set that are no test: what a row that left it out is asked."""
    sides = np.array(data.sides)
    pool = (sides == TRAIN) | (sides == VALIDATION)
    return np.flatnonzero(pool & (source_names(data) == source))


def inside_films(data: SplitData, source: str) -> Labels:
    """Validation films of a data set: what a row that trained on it is asked."""
    chosen = data.indices(VALIDATION)
    own: Labels = chosen[source_names(data)[chosen] == source]
    return own


def run_experiment(
    row: Experiment,
    data: SplitData,
    folder: Path,
    *,
    scanner: npt.NDArray[np.uint8] | None = None,
    on_epoch: Callable[[dict[str, float]], None] = lambda _: None,
) -> Outcome:
    """Train a row, or take the answers of an equal row from ``folder``.

    It is asked about the validation films of all data sets and about every film of the pool of
    those that it did not train on, so that no later table needs a new run. A row is known by what
    decides it, not by its name: two studies in one folder share equal rows.

    Args:
        row: What to train.
        data: The split of the whole panel.
        folder: Of all rows.
        scanner: What :func:`from_another_scanner` made of ``data``, to make it once for many rows.
        on_epoch: Told each epoch's figures.

    Raises:
        ValueError: Nothing to train on.
    """
    mine = restricted(data, row)
    rules = {
        "config": json.loads(json.dumps(row.config.to_dict())),
        "layers": row.layers.to_dict(),
        "balance": row.balance,
        "films": mine.training_hash,
        "weights": _weights(mine),
    }
    key = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]
    run_folder = folder / f"row-{key}"
    sides = np.array(data.sides)
    strange = ~np.isin(source_names(data), list(row.trained_on))
    asked = np.flatnonzero((sides == VALIDATION) | ((sides == TRAIN) & strange))
    if not (run_folder / "answers.npz").is_file():
        changed = from_another_scanner(data) if scanner is None else scanner
        _train(row, mine, run_folder, data.pixels[asked], changed, asked, on_epoch)
        write_json(run_folder / "row.json", rules | {"name": row.name})
    kept = read_weights(run_folder / "answers.npz")
    if not np.array_equal(kept["asked"], asked):
        raise ValueError(f"{run_folder} holds answers about other films; delete it to start anew.")
    return Outcome(
        row,
        int(kept["parameters"]),
        len(mine.indices(TRAIN)),
        float(kept["seconds"]),
        asked,
        data.labels[asked],
        kept["probabilities"].astype(np.float64),
        kept["scanner"].astype(np.float64),
    )


def _weights(data: SplitData) -> dict[str, float]:
    """How often a film of each class of each data set is drawn."""
    return {
        f"{data.films[i].source}: {data.films[i].label}": float(data.weights[i])
        for i in data.indices(TRAIN)
    }


def restricted(data: SplitData, row: Experiment) -> SplitData:
    """The split with the row's data sets only, and its way of drawing; no test side is left."""
    sides = np.array(data.sides, dtype=object)
    kept = np.isin(sides, (TRAIN, VALIDATION)) & np.isin(source_names(data), list(row.trained_on))
    sides[~kept] = DROPPED
    return dataclasses.replace(
        data,
        sides=tuple(sides.tolist()),
        recipe=dataclasses.replace(data.recipe, balance=row.balance),
    )


def _train(
    row: Experiment,
    mine: SplitData,
    folder: Path,
    pixels: npt.NDArray[np.uint8],
    changed: npt.NDArray[np.uint8],
    asked: Labels,
    on_epoch: Callable[[dict[str, float]], None],
) -> None:
    import keras

    from training.fit.trainer import Fit, logit_function, predict_logits, softmax
    from training.models.layers import float_variables

    config = row.config
    keras.backend.clear_session()

    def network() -> Any:
        return build_variant(
            row.layers,
            len(mine.recipe.class_names),
            config.stages[-1][1],
            dropout=config.dropout,
            name=config.model,
        )

    run = Fit(config, mine, folder, network)
    state = run.run(on_epoch=on_epoch)
    best = read_weights(folder / "best.npz")
    for variable in float_variables(run.body):
        variable.assign(best[variable.path])
    step = logit_function(run.body, config.reduce, config.stages[-1][1])
    probabilities = softmax(predict_logits(step, pixels))
    scanner = softmax(predict_logits(step, changed))
    values: dict[str, npt.NDArray[Any]] = {
        "asked": asked,
        "probabilities": probabilities.astype(np.float32),
        "scanner": scanner.astype(np.float32),
        "parameters": np.array(run.body.count_params()),
        "seconds": np.array(state.seconds),
    }
    write_weights(folder / "answers.npz", values)
    # Only needed to go on with a killed run.
    (folder / "last.npz").unlink()


def from_another_scanner(data: SplitData) -> npt.NDArray[np.uint8]:
    """The validation films, each changed once, the same in every row."""
    from studies.tune import another_scanner

    random = np.random.default_rng(1)
    films = data.pixels[data.indices(VALIDATION), ..., 0]
    return np.stack([another_scanner(film, random) for film in films])[..., np.newaxis]


# ---- scores -------------------------------------------------------------------------------------


def area(labels: Labels, probabilities: Floats) -> float:
    """AUC between the classes that occur: of two of several classes the first against the second
    by the probability of the first, as the cards have it; else the mean of one against the rest.
    """
    present = np.unique(labels)
    if len(present) == 2:
        first = int(present[0])
        return metrics.auc(labels == first, probabilities[:, first])
    return metrics.macro_auc(labels, probabilities)


def with_interval(
    measure: Callable[[Labels, Floats], float], labels: Labels, probabilities: Floats
) -> dict[str, float]:
    """As :func:`training.metrics.classification.with_interval`, with the samples of a row."""
    return metrics.with_interval(measure, labels, probabilities, samples=SAMPLES)


def difference(
    measure: Callable[[Labels, Floats], float],
    labels: Labels,
    one: Floats,
    other: Floats,
) -> dict[str, float]:
    """``measure`` of one row less that of another on the same films, with a paired interval."""
    classes = one.shape[1]

    def less(truth: Labels, both: Floats) -> float:
        return measure(truth, both[:, :classes]) - measure(truth, both[:, classes:])

    return with_interval(less, labels, np.concatenate([one, other], axis=1))


def cell(score: dict[str, float], *, signed: bool = False) -> str:
    """``0.981 (0.972 to 0.989)``, as in the cards; signed for a difference."""
    sign = "+" if signed else ""
    value, low, high = (f"{score[name]:{sign}.3f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})".replace("-", "\u2212")
