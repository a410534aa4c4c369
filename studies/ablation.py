"""``python -m studies ablation``: what each choice is worth, one change a row.

Every row trains the same small network for the same number of films and differs from the first in
one thing: a layer, a setting of the training, or a data set more or less. Each is asked about the
validation films of every data set, about the same films as another scanner might have taken them,
and about a data set that it did not train on. Tests are opened elsewhere, once.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studies.experiment import (
    Experiment,
    Outcome,
    area,
    at_side,
    cell,
    difference,
    from_another_scanner,
    inside_films,
    outside_films,
    pool_sources,
    run_experiment,
    with_interval,
)
from studies.layer_variants import Layers
from studies.tables import ResultTable
from training.configs import MILD, NO_AUGMENTATION, WIDE, FitConfig, config_for
from training.data.split import VALIDATION, SplitData
from training.metrics import classification as metrics
from training.models import TITLES
from training.runtime.progress import CONSOLE, reporting

_NOT_TRAINED_ON = "°"


@dataclasses.dataclass(frozen=True)
class Study:
    """What an ablation compares with.

    Attributes:
        model: ``ccnn`` or ``daccnn``.
        config: Settings of the first row.
        outside: Data set that no row but its own trains on; None where there is only one.
    """

    model: str
    config: FitConfig
    outside: str | None


def study_of(
    data: SplitData,
    model: str,
    *,
    side: int,
    epochs: int,
    epoch_films: int,
    outside: str | None,
    seed: int = 1,
) -> Study:
    """The settings of a study: the committed ones at a size and length that two cores can afford.

    Raises:
        ValueError: ``outside`` is no data set of the panel, or all of them.
    """
    names = pool_sources(data)
    if outside is not None and (outside not in names or len(names) < 2):
        raise ValueError(
            f"{outside} cannot be kept outside; one of several data sets is needed, there are: "
            f"{', '.join(names)}."
        )
    committed = config_for(model, data.recipe.panel)
    config = dataclasses.replace(
        committed, stages=((epochs, side),), epoch_images=epoch_films, seed=seed
    )
    return Study(model, at_side(config, side), outside)


def rows_of(data: SplitData, study: Study) -> list[Experiment]:
    """The rows, the one that all others are compared with first."""
    config, names = study.config, pool_sources(data)
    trained_on = frozenset(name for name in names if name != study.outside)
    full = Experiment("all choices", config, trained_on)
    seed = Experiment("another seed", dataclasses.replace(config, seed=config.seed + 1), trained_on)

    def layers(name: str, chosen: Layers) -> Experiment:
        return dataclasses.replace(full, name=name, layers=chosen)

    def setting(name: str, **changes: object) -> Experiment:
        changed = dataclasses.replace(config, **changes)  # type: ignore[arg-type]
        return dataclasses.replace(full, name=name, config=changed)

    plain = Layers(standardise=False, normalise=False, head="flatten")
    rows = [
        full,
        seed,
        layers("no standardisation of each film", Layers(standardise=False)),
        layers("no batch normalisation", Layers(normalise=False)),
        layers("flatten instead of global average", Layers(head="flatten")),
        layers("kernels 3-3-3-3 instead of 7-5-3-3", Layers(kernels=(3, 3, 3, 3))),
        layers("average instead of max-pooling", Layers(pool="average")),
        layers("strides instead of pooling", Layers(pool="stride")),
        layers("SiLU instead of ReLU", Layers(activation="silu")),
        setting("no moving average of the weights", average=0.0),
        dataclasses.replace(full, name="classes not balanced", balance=False),
        setting("no label smoothing", label_smoothing=0.0),
        *(
            setting(name, augmentation=augmentation)
            for name, augmentation in (
                ("no augmentation", NO_AUGMENTATION),
                ("mild augmentation", MILD),
                ("wide augmentation", WIDE),
            )
            if augmentation != config.augmentation
        ),
        dataclasses.replace(
            full,
            name="plain: none of these",
            layers=plain,
            balance=False,
            config=dataclasses.replace(
                config, average=0.0, augmentation=NO_AUGMENTATION, label_smoothing=0.0
            ),
        ),
    ]
    if study.outside is not None:
        rows.append(
            Experiment(
                f"data: with {study.outside}", config, trained_on | frozenset({study.outside})
            )
        )
    if len(trained_on) > 1:
        rows += [
            Experiment(f"data: without {name}", config, trained_on - {name})
            for name in names
            if name in trained_on and _has_all_classes(data, trained_on - {name})
        ]
        rows += [
            Experiment(f"data: {name} alone", config, frozenset({name}))
            for name in names
            if name in trained_on
            and len(trained_on) > 2
            and _has_all_classes(data, frozenset({name}))
        ]
    return rows


def _has_all_classes(data: SplitData, trained_on: frozenset[str]) -> bool:
    labels = {film.label for film in data.films if film.source in trained_on}
    return labels >= set(data.recipe.class_names)


def run_ablation(
    data: SplitData,
    study: Study,
    rows_folder: Path,
    output: Path,
    *,
    only: list[str] | None = None,
) -> ResultTable:
    """Train what is not trained yet and write the table of all finished rows after each.

    Args:
        data: The split of the panel.
        study: What to compare with.
        rows_folder: For the runs; the same command goes on where it was killed.
        output: ``ablation.json``; a page in Markdown is written beside it.
        only: Names of rows; all by default. The first is always there.

    Raises:
        ValueError: There is no row of such a name.
    """
    rows = rows_of(data, study)
    unknown = set(only or []) - {row.name for row in rows}
    if unknown:
        raise ValueError(
            f"No row {', '.join(sorted(unknown))}; there are: "
            f"{', '.join(row.name for row in rows)}."
        )
    wanted = [row for row in rows if not only or row.name in only or row is rows[0]]
    scanner = from_another_scanner(data)
    done: list[Outcome] = []
    table: ResultTable | None = None
    for row in wanted:
        title = f"{data.recipe.panel} {row.name}"
        with reporting(title) as reporter:
            done.append(
                run_experiment(row, data, rows_folder, scanner=scanner, on_epoch=reporter.epoch)
            )
        table = ablation_table(data, study, done)
        table.write(output)
        CONSOLE.print("  ".join(table.rows[-1]))
    assert table is not None
    return table


def ablation_table(data: SplitData, study: Study, done: list[Outcome]) -> ResultTable:
    """The table; the first of ``done`` is the row that the others are compared with."""
    full = done[0]
    validation = _base_validation(data, full.row)
    sources = pool_sources(data)
    of_validation = np.isin(data.indices(VALIDATION), validation)
    heads = ["row", "parameters", "validation AUC", "balanced accuracy"]
    heads += ["the same films as from another scanner: balanced accuracy"]
    if study.outside is not None:
        heads += [f"{study.outside}, never trained on: AUC", "change against the first row"]
    heads += [f"AUC on {name}" for name in sources if name != study.outside]
    rows = []
    for one in done:
        labels, probabilities = one.on(validation)
        cells = [
            one.row.name,
            f"{one.parameters:,}",
            cell(with_interval(metrics.macro_auc, labels, probabilities)),
            cell(with_interval(metrics.balanced_accuracy, labels, probabilities)),
            cell(with_interval(metrics.balanced_accuracy, labels, one.scanner[of_validation])),
        ]
        if study.outside is not None:
            cells += _outside_cells(data, study.outside, full, one)
        for name in sources:
            if name != study.outside:
                truth, values = one.on(inside_films(data, name))
                mark = "" if name in one.row.trained_on else f" {_NOT_TRAINED_ON}"
                cells.append(cell(with_interval(area, truth, values)) + mark)
        rows.append(cells)
    config = study.config
    note = (
        f"{TITLES[study.model]} of panel {data.recipe.panel} at {config.stages[-1][1]} px, "
        f"{config.epochs} epochs of {config.epoch_images:,} films, one seed a row, each with one "
        "thing changed. A small and short run: what it shows is differences, not the shipped "
        "models' scores, and a difference smaller than that between the first two rows (equal but "
        "for the seed) shows nothing. Validation: "
        f"{len(validation):,} films of the data sets that the first row trains on. Brackets: 95 % "
        "bootstrap intervals over films, paired for the change. AUC: mean of one class against "
        "the rest, or between the two classes that a data set has. "
        f"{_NOT_TRAINED_ON}: not trained on in this row. No test film was looked at."
    )
    if study.outside is not None:
        note += (
            f" {study.outside}: its {len(outside_films(data, study.outside))} films outside the "
            "held-out test; the row that trains on it is scored on its "
            f"{len(inside_films(data, study.outside))} validation films instead."
        )
    return ResultTable(f"Ablation: {TITLES[study.model]}, {data.recipe.title}", heads, rows, note)


def _base_validation(data: SplitData, full: Experiment) -> npt.NDArray[np.int64]:
    chosen = data.indices(VALIDATION)
    return np.array([i for i in chosen if data.films[i].source in full.trained_on], np.int64)


def _outside_cells(data: SplitData, outside: str, full: Outcome, one: Outcome) -> list[str]:
    if outside in one.row.trained_on:
        labels, probabilities = one.on(inside_films(data, outside))
        return [f"{cell(with_interval(area, labels, probabilities))} (validation)", "trained on it"]
    films = outside_films(data, outside)
    labels, probabilities = one.on(films)
    change = (
        ""
        if one is full
        else cell(difference(area, labels, probabilities, full.on(films)[1]), signed=True)
    )
    return [cell(with_interval(area, labels, probabilities)), change]
