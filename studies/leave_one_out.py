"""``python -m studies leave-one-out``: train without one data set, test on it.

The closest that the folders here come to the next hospital, and the figure that a random split
hides. Asked are all films of the data set left out that are no held-out test; what they say is
compared with a run that trained on all data sets, on the validation films of the same one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studies.ablation import Study
from studies.experiment import (
    Experiment,
    Outcome,
    area,
    cell,
    from_another_scanner,
    inside_films,
    outside_films,
    pool_sources,
    run_experiment,
    with_interval,
)
from studies.tables import ResultTable
from training.data.split import SplitData
from training.metrics import classification as metrics
from training.models import TITLES
from training.runtime.progress import CONSOLE, reporting


def rows_of(data: SplitData, study: Study) -> dict[str, Experiment]:
    """For each data set the run without it; under ``""`` the run with all of them.

    A data set is only left out where the others still hold every class of it.

    Raises:
        ValueError: The panel has one data set only, or no data set can be spared.
    """
    names = pool_sources(data)
    rows = {"": Experiment("all data sets", study.config, frozenset(names))}
    for name in names:
        rest = frozenset(names) - {name}
        known = {film.label for film in data.films if film.source in rest}
        if {film.label for film in data.films if film.source == name} <= known:
            rows[name] = Experiment(f"without {name}", study.config, rest)
    if len(rows) < 2:
        raise ValueError(
            f"Nothing can be left out of panel {data.recipe.panel}: it needs two data sets with "
            f"the same classes and has {', '.join(names)}."
        )
    return rows


def run_leave_one_out(
    panels: list[tuple[SplitData, Study]], rows_folder: Path, output: Path
) -> ResultTable:
    """Train what is not trained yet; writes the table of all finished runs after each.

    Args:
        panels: Each panel's split and settings.
        rows_folder: For the runs; an equal run of an ablation is taken from there.
        output: ``leave_one_out.json``; a page in Markdown is written beside it.
    """
    lines: list[list[str]] = []
    table = leave_one_out_table(panels, lines)
    for data, study in panels:
        rows = rows_of(data, study)
        scanner = from_another_scanner(data)
        everything = _trained(rows.pop(""), data, rows_folder, scanner)
        for name, row in rows.items():
            without = _trained(row, data, rows_folder, scanner)
            lines.append(line_of(data, name, everything, without))
            table = leave_one_out_table(panels, lines)
            table.write(output)
            CONSOLE.print("  ".join(lines[-1]))
    return table


def _trained(
    row: Experiment, data: SplitData, folder: Path, scanner: npt.NDArray[np.uint8]
) -> Outcome:
    with reporting(f"{data.recipe.panel} {row.name}") as reporter:
        return run_experiment(row, data, folder, scanner=scanner, on_epoch=reporter.epoch)


def line_of(data: SplitData, left_out: str, everything: Outcome, without: Outcome) -> list[str]:
    """One line: the data set left out, what was trained on and asked, and the scores."""
    films = outside_films(data, left_out)
    labels, probabilities = without.on(films)
    known = everything.on(inside_films(data, left_out))
    recalls = ", ".join(
        f"{data.recipe.class_names[k]} "
        f"{cell(with_interval(metrics.recall(k), labels, probabilities))}"
        for k in (int(label) for label in np.unique(labels))
    )
    return [
        data.recipe.panel,
        left_out,
        f"{without.films:,}",
        f"{len(films):,}",
        _area_name(data, labels),
        cell(with_interval(area, labels, probabilities)),
        cell(with_interval(metrics.balanced_accuracy, labels, probabilities)),
        recalls,
        cell(with_interval(area, *known)),
    ]


def _area_name(data: SplitData, labels: Any) -> str:
    present = [data.recipe.class_names[int(label)] for label in np.unique(labels)]
    return " against ".join(present) if len(present) == 2 else "each against the rest"


def leave_one_out_table(
    panels: list[tuple[SplitData, Study]], lines: list[list[str]]
) -> ResultTable:
    """The table of what is finished."""
    config, model = panels[0][1].config, panels[0][1].model
    note = (
        f"{TITLES[model]} at {config.stages[-1][1]} px, {config.epochs} epochs of "
        f"{config.epoch_images:,} films, one seed: a small, short run of one network, not the "
        "shipped panel. Each line trained without one data set and was asked about all of its "
        "films that are no held-out test. The last column is what a run with all data sets says of "
        "the validation films of the same data set: the difference is what knowing a hospital is "
        "worth. Brackets: 95 % bootstrap intervals over films. No test film was looked at."
    )
    heads = ["panel", "left out", "films trained on", "films asked", "classes", "AUC"]
    heads += ["balanced accuracy", "found of each class", "AUC when trained on (validation)"]
    return ResultTable("Train without a data set, test on it", heads, lines, note)
