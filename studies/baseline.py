"""``python -m studies baseline``: the plain experiment, the row that every later table starts from.

The publishers' own train and test folders as they are, leaks included; a random fifth of the
training films for validation; Adam at its usual rate, ten epochs (ResNet50 five, a set of less than
a thousand films five times as many), the last one kept; no standardisation, no balance, no
schedule. CCNN against DACCNN is augmentation off against on.
Films of the test that have a copy in the training folder are counted, and accuracy is given
without them too.
"""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.duplicates.perceptual_hash import near_pairs
from desktop.core.panels.contract import snake_case
from studies.tables import ResultTable
from training.data.datasets import RECIPES, DatasetSpec, recipe_for_folder
from training.data.films import films_in
from training.data.image_cache import decode_films
from training.metrics import classification as metrics
from training.metrics.classification import interval
from training.models import TITLES
from training.runtime.files import write_atomically, write_json
from training.runtime.progress import CONSOLE

_OWN_SETS = {"covid19": "covid19-image-dataset", "pneumonia": "chest-xray-pneumonia-224"}
_SMALL_SET = 1000


@dataclass(frozen=True)
class PlainConfig:
    """Everything that decides a plain run.

    Attributes:
        epochs: Times through the training films.
        side: Side of the images, pixels.
        batch: Films a step.
        learning_rate: Adam's.
        validation: Share of the training films, drawn at random, that only draws the curve.
        seed: Of weights, order and the draw.
    """

    epochs: int = 10
    side: int = 128
    batch: int = 32
    learning_rate: float = 1e-3
    validation: float = 0.2
    seed: int = 1


@dataclass(frozen=True)
class PlainData:
    """The publishers' split as it is.

    Attributes:
        class_names: K names.
        train: uint8 [N, side, side, 1].
        train_labels: [N].
        test: uint8 [M, side, side, 1].
        test_labels: [M].
        leaked: bool [M], the film has a copy among the training films.
    """

    class_names: tuple[str, ...]
    train: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.int64]
    test: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.int64]
    leaked: npt.NDArray[np.bool_]


def plain_data(panel: str, root: Path, side: int) -> PlainData:
    """Read train and test folders as they are.

    Args:
        panel: ``covid19`` or ``pneumonia``, whose own sets are looked for, or any name for
        ``root``. root: The data root. side: Side of the images, pixels.

    Raises:
        ValueError: There are no test folders.
    """
    recipe = _own_recipe(panel, root)
    films = {"train": [], "test": []}  # type: dict[str, list[Any]]
    for source in recipe.sources:
        part = "test" if source.role == "test" else "train"
        films[part] += films_in(root / source.folder, source.label, source.source)
    if not films["train"] or not films["test"]:
        raise ValueError(
            f"{root} has no train and test folders with class folders. The plain experiment uses "
            "the split as it lies on the disk; make a test folder."
        )
    names = {name: index for index, name in enumerate(recipe.class_names)}
    parts = {}
    for part, found in films.items():
        pixels, hashes, problems = decode_films(found, (side, side))
        readable = np.array([not problem for problem in problems])
        labels = np.array([names[film.label] for film in found], np.int64)
        parts[part] = pixels[readable], labels[readable], hashes[readable]
    train, test = parts["train"], parts["test"]
    leaked = np.zeros(len(test[0]), bool)
    leaked[[index for index, _, _ in near_pairs(test[2], train[2])]] = True
    return PlainData(recipe.class_names, train[0], train[1], test[0], test[1], leaked)


def _own_recipe(panel: str, root: Path) -> DatasetSpec:
    own = _OWN_SETS.get(panel)
    if own is None or not (root / own).is_dir():
        return recipe_for_folder(root, panel)
    recipe = RECIPES[panel]
    sources = tuple(source for source in recipe.sources if source.source == own)
    # Of pneumonia's own set every training film, of covid19's not the children of the other set.
    return DatasetSpec(recipe.panel, recipe.title, recipe.class_names, sources)


def run_plain(model: str, data: PlainData, config: PlainConfig, folder: Path) -> dict[str, Any]:
    """Train one plain network and score it on the test; takes the result of an earlier, equal run.

    Writes ``result.json`` (with what is known about the data) and ``curves.csv`` into ``folder``.
    """
    wanted = asdict(config) | {"films": len(data.train)}
    path = folder / "result.json"
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if kept["config"] == wanted:
            return kept
    import keras
    import tensorflow as tf

    from studies.plain_networks import build_plain

    keras.utils.set_random_seed(config.seed)
    network = build_plain(model, len(data.class_names), config.side)
    network.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    order = np.random.default_rng(config.seed).permutation(len(data.train))
    held = round(len(order) * config.validation)
    validation, train = order[:held], order[held:]
    started = time.process_time()
    history = network.fit(
        _batches(tf, data.train[train], data.train_labels[train], config, shuffle=True),
        validation_data=_batches(
            tf, data.train[validation], data.train_labels[validation], config, shuffle=False
        ),
        epochs=config.epochs,
        shuffle=False,  # The data set shuffles itself.
        verbose=0,
    ).history
    seconds = time.process_time() - started
    run = tf.function(lambda batch: network(batch, training=False), reduce_retracing=True)
    warm = tf.zeros((1, config.side, config.side, 1))
    run(warm)
    started = time.process_time()
    for film in data.test[:20]:
        run(tf.constant(film[np.newaxis], tf.float32))
    one = (time.process_time() - started) / len(data.test[:20])
    probabilities = np.concatenate(
        [
            run(tf.constant(data.test[at : at + 64], tf.float32)).numpy()
            for at in range(0, len(data.test), 64)
        ]
    ).astype(np.float64)
    result = {
        "model": model,
        "config": wanted,
        "data": {
            "classes": list(data.class_names),
            "training_films": len(data.train),
            "test_films": len(data.test),
            "leaked_test_films": int(data.leaked.sum()),
        },
        "parameters": int(network.count_params()),
        # Of the processor, all cores together: a busy machine does not change them.
        "training_seconds": round(seconds, 1),
        "milliseconds_a_film": round(one * 1000, 2),
        "scores": plain_scores(data, probabilities),
        "confusion": metrics.confusion(
            data.test_labels, probabilities.argmax(1), len(data.class_names)
        ).tolist(),
        "curves": {name: [float(value) for value in values] for name, values in history.items()},
    }
    write_json(path, result)
    columns = list(history)
    rows = zip(*(history[name] for name in columns), strict=True)
    lines = ["epoch," + ",".join(columns)]
    lines += [
        f"{epoch}," + ",".join(f"{value:.6g}" for value in row)
        for epoch, row in enumerate(rows, start=1)
    ]
    write_atomically(folder / "curves.csv", ("\n".join(lines) + "\n").encode())
    return result


def _batches(
    tf: Any,
    pixels: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    config: PlainConfig,
    *,
    shuffle: bool,
) -> Any:
    films = tf.data.Dataset.from_tensor_slices((pixels, labels))
    if shuffle:
        films = films.shuffle(len(pixels), seed=config.seed)
    return films.batch(config.batch).map(lambda x, y: (tf.cast(x, tf.float32), y)).prefetch(2)


def plain_scores(
    data: PlainData, probabilities: npt.NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """Accuracy (with and without leaked films), macro AUC, recall of each class, macro F1.

    In a panel with a normal and one other class, ``sensitivity`` and ``specificity`` are the
    recalls of the other and of the normal class; in any other the means over the classes.
    """
    from training.evaluation.scores import positive_class

    labels = data.test_labels
    found = {
        "accuracy": metrics.accuracy,
        "auc": metrics.macro_auc,
        "f1": macro_f1,
        **{
            f"recall_{snake_case(name)}": metrics.recall(index)
            for index, name in enumerate(data.class_names)
        },
    }
    scores = {
        name: metrics.with_interval(measure, labels, probabilities)
        for name, measure in found.items()
    }
    clean = ~data.leaked
    scores["accuracy_without_leaked"] = metrics.with_interval(
        metrics.accuracy, labels[clean], probabilities[clean]
    )
    positive = positive_class(data.class_names)
    if positive is not None:
        scores["sensitivity"] = scores[f"recall_{snake_case(data.class_names[positive])}"]
        scores["specificity"] = scores[f"recall_{snake_case(data.class_names[1 - positive])}"]
    else:
        for name, measure in (
            ("sensitivity", metrics.balanced_accuracy),
            ("specificity", macro_specificity),
        ):
            scores[name] = metrics.with_interval(measure, labels, probabilities)
    return scores


def macro_specificity(
    labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]
) -> float:
    """Mean over the classes that occur of the share of other films that are not called so."""
    votes = probabilities.argmax(1)
    shares = [np.mean(votes[labels != k] != k) for k in np.unique(labels)]
    return float(np.mean(shares))


def macro_f1(labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> float:
    """Mean F1 of the classes that occur."""
    votes = probabilities.argmax(1)
    values = []
    for label in np.unique(labels):
        hit = float(np.sum((votes == label) & (labels == label)))
        values.append(2 * hit / (np.sum(votes == label) + np.sum(labels == label)))
    return float(np.mean(values))


def plain_epochs(model: str, films: int, epochs: int) -> int:
    """Epochs of a network: a small set gives few steps an epoch, ResNet50 costs most."""
    count = epochs * 5 if films < _SMALL_SET else epochs
    return max(1, count // 2) if model == "resnet50" else count


def run_plain_experiment(
    root: Path,
    panels: list[str],
    models: list[str],
    runs: Path,
    *,
    epochs: int | None = None,
    side: int | None = None,
    seed: int = 1,
    output: Path | None = None,
) -> Path:
    """All plain runs and their table; a killed experiment goes on with the next network.

    Returns:
        The table, ``output`` or ``baseline.json`` in ``runs``; a page in Markdown lies beside it.
        It is written after each network and holds every finished run in ``runs`` with images of
        this side, so that a long experiment can be spread over several commands.
    """
    config = PlainConfig(side=side or PlainConfig.side, seed=seed)
    path = output or runs / "baseline.json"
    for panel in panels:
        data = plain_data(panel, root, config.side)
        for model in models:
            count = plain_epochs(model, len(data.train), epochs or PlainConfig.epochs)
            mine = dataclasses.replace(config, epochs=count)
            with CONSOLE.status(f"{panel}: plain {TITLES[model]}"):
                result = run_plain(model, data, mine, runs / f"{panel}-{model}")
            baseline_table(finished_runs(runs, config.side)).write(path)
            CONSOLE.print(
                f"{panel} plain {TITLES[model]}: accuracy "
                f"{result['scores']['accuracy']['value']:.3f}, AUC "
                f"{result['scores']['auc']['value']:.3f}, {result['training_seconds']:.0f} s"
            )
    return path


def finished_runs(runs: Path, side: int) -> dict[str, list[dict[str, Any]]]:
    """The results in a folder of plain runs, by panel, in the order of the networks."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(runs.glob("*/result.json")):
        panel, _, model = path.parent.name.rpartition("-")
        result = json.loads(path.read_text("utf-8"))
        if model in TITLES and result["config"]["side"] == side:
            found.setdefault(panel, []).append(result)
    order = list(TITLES)
    return {
        panel: sorted(rows, key=lambda row: order.index(row["model"]))
        for panel, rows in found.items()
    }


_SCORES = ("accuracy", "accuracy_without_leaked", "auc", "sensitivity", "specificity", "f1")


def baseline_table(results: dict[str, list[dict[str, Any]]]) -> ResultTable:
    """The table; learning curves, confusion matrices and all scores as more keys of its file."""
    facts = {panel: rows[0]["data"] for panel, rows in results.items()}
    columns = ["panel", "network", "augmentation", "epochs"]
    columns += [_HEADS.get(name, name.replace("_", " ")) for name in _SCORES]
    columns += ["parameters", "training, s", "one film, ms", "confusion (rows true)"]
    lines, sentences = [], []
    for panel, rows in results.items():
        fact = facts[panel]
        sentences.append(
            f"{panel}: {fact['training_films']:,} training and {fact['test_films']} test films, "
            f"{fact['leaked_test_films']} of these with a copy in training; classes "
            f"{', '.join(fact['classes'])}."
        )
        for row in rows:
            confusion = "; ".join(" ".join(map(str, line)) for line in row["confusion"])
            lines.append(
                [
                    panel,
                    TITLES[row["model"]],
                    "on" if row["model"] == "daccnn" else "off",
                    str(row["config"]["epochs"]),
                    *(interval(row["scores"][name]) for name in _SCORES),
                    f"{row['parameters']:,}",
                    f"{row['training_seconds']:.0f}",
                    f"{row['milliseconds_a_film']:.1f}",
                    confusion,
                ]
            )
    config = next(iter(results.values()))[0]["config"]
    note = (
        "Plain networks and settings on the publishers' own splits, leaks and all: "
        f"{config['side']} px, batch {config['batch']}, Adam {config['learning_rate']:g}, seed "
        f"{config['seed']}, a random fifth of the training films for the curves, the last epoch "
        "kept; no standardisation of each film, no balance, no schedule, no pretraining. CCNN "
        "against DACCNN is augmentation off against on. Brackets: 95 % bootstrap intervals over "
        "films, one seed. In a panel of more than two classes AUC, sensitivity and specificity "
        "are means over the classes; F1 always is. Times are processor "
        "time, all cores together, whatever else ran. " + " ".join(sentences)
    )
    runs = [(f"{panel}-{row['model']}", row) for panel, rows in results.items() for row in rows]
    extra = {
        "data": facts,
        "curves": {name: row["curves"] for name, row in runs},
        "confusions": {
            name: {"classes": facts[panel]["classes"], "counts": row["confusion"]}
            for panel, rows in results.items()
            for name, row in [(f"{panel}-{row['model']}", row) for row in rows]
        },
        "scores": {name: row["scores"] for name, row in runs},
    }
    return ResultTable("Baseline: the plain experiment", columns, lines, note, extra)


_HEADS = {"accuracy_without_leaked": "accuracy without leaked films", "auc": "AUC", "f1": "F1"}
