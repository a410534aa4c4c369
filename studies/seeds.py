"""``python -m studies seeds``: the same training with other random seeds, scored side by side.

One row a model and test: the mean over the seeds and the range, so that the reader sees how much of
a difference between two models is luck. The shipped models are one of the seeds; none was chosen by
its score on a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studies.tables import ResultTable
from training.evaluation.targets import TARGETS
from training.models import TITLES

#: Of :func:`training.evaluation.scores.measures_for`, as far as a test has them.
_SHOWN = (
    "auc",
    "macro_auc",
    "auc_covid_vs_normal",
    "accuracy",
    "balanced_accuracy",
    "recall_covid",
    "normal_called_covid",
)
_NOTE = (
    "Means over the seeds with the lowest and the highest; one seed where the hours did not allow "
    "more. The panel's rows take the first seed of every model together, then the second, and so "
    "on, a model with fewer seeds staying with its first. Temperatures are fitted on validation."
)
_BARS_NOTE = (
    "A bar is met by the mean over the seeds; how far chance carries with these films is in the "
    "shipped panel's intervals."
)

Probabilities = dict[str, npt.NDArray[np.float64]]


def runs_of(folders: Sequence[Path], panel: str, model: str) -> list[Path]:
    """The finished runs of a model in several folders of runs, the best validation score first."""
    found = [
        folder / f"{panel}-{model}"
        for folder in folders
        if (folder / f"{panel}-{model}" / "best.npz").is_file()
    ]
    return sorted(found, key=_score, reverse=True)


def _score(run: Path) -> float:
    return float(json.loads((run / "metrics.json").read_text())["best_score"])


def _probabilities(run: Path, data: Any) -> Probabilities:
    """Calibrated answers of a run on every test side, at the size it is exported with."""
    from training.data.split import VALIDATION
    from training.export.exporter import calibration_of, fixed_body
    from training.fit.networks import load_best
    from training.fit.trainer import logit_function, predict_logits

    config, described, trained = load_best(run)
    if described["training_data_sha256"] != data.training_hash:
        raise ValueError(f"{run} was trained on other films than the panel has now.")
    step = logit_function(fixed_body(config, described, trained), config.reduce)
    validation = data.indices(VALIDATION)
    calibration = calibration_of(predict_logits(step, data.pixels[validation]), data)
    return {
        side: calibration.probabilities(predict_logits(step, data.pixels[data.indices(side)]))
        for side in data.test_sides
    }


def table_of(
    answers: Mapping[str, Sequence[Probabilities]],
    labels: Mapping[str, npt.NDArray[np.int64]],
    class_names: tuple[str, ...],
    title: str,
) -> ResultTable:
    """The table of one panel.

    Args:
        answers: Model -> its seeds -> side -> probabilities [N, K].
        labels: Side -> true class indices [N].
        class_names: In output order.
        title: Of the table.
    """
    from training.evaluation.scores import measures_for

    everyone = {**answers, "panel": _together(answers, labels)}
    shown = [
        name
        for name in _SHOWN
        if any(name in measures_for(truth, class_names) for truth in labels.values())
    ]
    rows: list[list[str]] = []
    for side, truth in labels.items():
        measures = measures_for(truth, class_names)
        for model, seeds in everyone.items():
            cells = []
            for name in shown:
                if name not in measures:
                    cells.append("")
                    continue
                values = [float(measures[name](truth, seed[side])) for seed in seeds]
                cells.append(_cell(values))
            name = TITLES.get(model, "Panel, mean probability")
            rows.append([side, name, str(len(seeds)), *cells])
    heads = [name.replace("_", " ") for name in shown]
    return ResultTable(title, ["films", "model", "seeds", *heads], rows, _NOTE)


def _together(
    answers: Mapping[str, Sequence[Probabilities]], sides: Iterable[str]
) -> list[Probabilities]:
    """Mean probabilities of the models, seed by seed."""
    most = max(len(seeds) for seeds in answers.values())
    return [
        {
            side: np.mean(
                [seeds[index if index < len(seeds) else 0][side] for seeds in answers.values()],
                axis=0,
            )
            for side in sides
        }
        for index in range(most)
    ]


def bars_of(
    panel: str,
    answers: Mapping[str, Sequence[Probabilities]],
    labels: Mapping[str, npt.NDArray[np.int64]],
    class_names: tuple[str, ...],
) -> ResultTable | None:
    """What was asked of a panel against the means over its seeds; None where nothing was asked.

    Args:
        panel: Its name.
        answers: Model -> its seeds -> side -> probabilities [N, K].
        labels: Side -> true class indices [N].
        class_names: In output order.
    """
    from training.evaluation.scores import measures_for, side_prefix

    everyone = {"panel": _together(answers, labels)}
    rows = []
    for target in TARGETS.get(panel, ()):
        for side, truth in labels.items():
            measures = measures_for(truth, class_names)
            name = target.metric.removeprefix(f"{side_prefix(side)}_")
            if name == target.metric or name not in measures:
                continue
            found = {
                who: [float(measures[name](truth, seed[side])) for seed in seeds]
                for who, seeds in (answers if target.every_model else everyone).items()
            }
            weakest = min(found, key=lambda who: float(np.mean(found[who])))
            note = f" ({TITLES[weakest]}, the weakest)" if target.every_model else ""
            values = found[weakest]
            rows.append(
                [
                    target.what,
                    target.asked,
                    _cell(values) + note,
                    target.verdict(float(np.mean(values))),
                ]
            )
    title = f"Panel {panel}: what was asked, by the means over the seeds"
    heads = ["bar", "asked", "mean (lowest to highest)", "met?"]
    return ResultTable(title, heads, rows, _BARS_NOTE) if rows else None


def _cell(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"


def _exported_probabilities(folder: Path, data: Any) -> dict[str, Probabilities]:
    """What an exported panel said on every test side, by model; its answers were kept with it."""
    from desktop.core.panels.registry import open_panel
    from training.evaluation.predictions import read_answers

    for model in open_panel(folder).models:
        if model.card.training_data_sha256 != data.training_hash:
            raise ValueError(
                f"{folder}: {model.card.title} was trained on other films than the panel has now."
            )
    kept = read_answers(folder)
    for side in data.test_sides:
        films = [data.films[index].path.name for index in data.indices(side)]
        for answers in kept.members(side):
            if [name.rsplit("/", 1)[-1] for name in answers.names] != films:
                raise ValueError(f"{folder} was scored on other films of {side!r}.")
    return {
        model: {side: kept.sides[side][model].probabilities for side in data.test_sides}
        for model in kept.models
    }


def panel_tables(
    data: Any, folders: Sequence[Path], exported: Path | None = None
) -> list[ResultTable]:
    """Score all seeds of a panel: every model on every test, then what was asked of the panel.

    Args:
        data: The panel's split.
        folders: Folders of runs.
        exported: Folder of the exported panel, whose models then count as one more seed, the first.

    Raises:
        FileNotFoundError: No finished run of one of the models, and none exported.
        ValueError: A run was trained on other films.
    """
    from training.runtime.progress import CONSOLE

    panel = data.recipe.panel
    shipped = {} if exported is None else _exported_probabilities(exported, data)
    answers: dict[str, list[Probabilities]] = {model: [said] for model, said in shipped.items()}
    for model in TITLES:
        runs = runs_of(folders, panel, model)
        if not runs and model not in answers:
            raise FileNotFoundError(f"No finished run of {TITLES[model]} for panel {panel}.")
        for run in runs:
            with CONSOLE.status(f"{panel} {TITLES[model]}: {run.parent.name}"):
                answers.setdefault(model, []).append(_probabilities(run, data))
    labels = {side: data.labels[data.indices(side)] for side in data.test_sides}
    title = f"Panel {panel}: other random seeds"
    names = data.recipe.class_names
    asked = bars_of(panel, answers, labels, names)
    return [table_of(answers, labels, names, title), *([asked] if asked else [])]


def score_seeds(
    panels: Sequence[str],
    root: Path,
    folders: Sequence[Path],
    output: Path,
    exported: Path | None = None,
) -> None:
    """Score all seeds of the panels and write their tables.

    Args:
        panels: Names of panels.
        root: The data root.
        folders: Folders of runs.
        output: JSON file; a page in Markdown is written beside it.
        exported: Folder of exported panels, see :func:`panel_tables`.
    """
    from training.data.datasets import recipe_for
    from training.data.split import split
    from training.runtime.files import write_atomically, write_json

    tables = [
        table
        for panel in panels
        for table in panel_tables(
            split(recipe_for(panel, root), root), folders, exported and exported / panel
        )
    ]
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(output, {"tables": [table.content() for table in tables]})
    pages = "\n".join(table.page() for table in tables)
    write_atomically(output.with_suffix(".md"), pages.encode())
