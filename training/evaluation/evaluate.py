"""``cxr-train evaluate``: score a panel on films, or score the table that the app made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from desktop.core.panels.registry import Panel, open_panel, read_verified
from training.data.datasets import RECIPES, DatasetSpec, Source
from training.data.split import VALIDATION, SplitData, split
from training.evaluation.label_table import (
    answers_by_films,
    answers_by_truth,
    read_label_table,
    read_truth,
)
from training.evaluation.panel_scores import CardSettings, befores, panel_numbers
from training.evaluation.predictions import SCORES_NAME, PanelPredictions, answers_of, read_scores
from training.evaluation.scores import Predictions, of_side, scores, side_prefix
from training.evaluation.subgroups import FEW, read_metadata, traits_of
from training.metrics.classification import interval
from training.runtime.progress import CONSOLE

#: A table has six decimals; this is what rounding may change in a score (a rank, rarely a tie).
TOLERANCE = 2e-3


def evaluate_films(panel_folder: str, data_root: Path, metadata: Path | None) -> dict[str, Any]:
    """Score a panel as it is shipped; prints a table a test, returns all numbers.

    With the folders of the panel's own recipe below ``data_root``, its official and unseen tests;
    with any other folder of class folders named like the panel's classes, all films of it (of its
    ``test`` folder, where there is one).

    Args:
        panel_folder: Name or folder of the panel.
        data_root: The films.
        metadata: CSV or folder for scores by subgroup, see ``training.evaluation.subgroups``.
    """
    opened = _open(panel_folder)
    data = _split(opened, data_root)
    contents = {model.name: read_verified(model) for model in opened.models}
    sides: dict[str, dict[str, Predictions]] = {}
    for side in data.test_sides:
        sides[side] = {}
        for model in opened.models:
            with CONSOLE.status(f"{side}: {model.card.title}"):
                sides[side][model.name] = answers_of(contents[model.name], data, side)
    answers = PanelPredictions(opened.class_names, opened.model_names, sides)
    return _finish(opened, answers, metadata)


def evaluate_table(
    panel_folder: str, path: Path, labels: Path, metadata: Path | None
) -> dict[str, Any]:
    """Score a CSV of ``cxr-quorum label``; where the report has the same figures, compare them.

    Args:
        panel_folder: Name or folder of the panel that made the table.
        path: The CSV.
        labels: CSV with the true classes, or a folder: the data root of the panel's recipe (then
            its sides are scored one by one), or any folder of class folders.
        metadata: As for :func:`evaluate_films`.

    Raises:
        ValueError: The table does not fit, or a figure of the report does not come out of it.
    """
    opened = _open(panel_folder)
    table = read_label_table(path, opened)
    if labels.is_dir():
        data = _split(opened, labels)
        sides = {
            side: [data.films[index] for index in data.indices(side)]
            for side in (VALIDATION, *data.test_sides)
        }
        answers, lacking = answers_by_films(table, opened, sides)
    else:
        answers, unknown = answers_by_truth(table, opened, read_truth(labels), labels.stem)
        lacking = {}
        if unknown:
            CONSOLE.print(f"{unknown} rows have no known class and are left out.")
    if table.unanswered:
        CONSOLE.print(f"{table.unanswered} images have no full answer and are left out.")
    for side, count in lacking.items():
        if count:
            CONSOLE.print(f"{side}: {count} films are not in the table.")
    found = _finish(opened, answers, metadata)
    found["flagged"] = {
        side: float(np.mean(answers.members(side)[0].ood_scores > opened.ood_limit))
        for side in answers.sides
    }
    _compare(opened, found, [side for side, count in lacking.items() if not count])
    return found


def _open(panel_folder: str) -> Panel:
    opened = open_panel(panel_folder if "/" not in panel_folder else Path(panel_folder))
    if len(opened.input_sizes) > 1:
        raise ValueError("The panel's models take different input sizes; evaluate them one by one.")
    return opened


def _split(opened: Panel, root: Path) -> SplitData:
    recipe = RECIPES.get(opened.name)
    if recipe is None or not all((root / source.folder).is_dir() for source in recipe.sources):
        recipe = _all_films(opened.name, opened.class_names, root)
    return split(recipe, root, opened.input_sizes[0])


def _all_films(name: str, class_names: tuple[str, ...], root: Path) -> DatasetSpec:
    """Every film below the class folders of ``root`` as a test."""
    base = root / "test" if (root / "test").is_dir() else root
    by_name = {path.name.lower(): path for path in base.iterdir() if path.is_dir()}
    found = [label for label in class_names if label.lower() in by_name]
    if not found:
        raise ValueError(
            f"{base} has no folder named like a class of the panel ({', '.join(class_names)}). "
            "Put the films of each class into a folder of its name."
        )
    sources = tuple(
        Source(str(by_name[label.lower()].relative_to(root)), label, "test", set_name=root.name)
        for label in found
    )
    return DatasetSpec(name, name, class_names, sources)


def _finish(opened: Panel, answers: PanelPredictions, metadata: Path | None) -> dict[str, Any]:
    """All numbers, printed."""
    cards = {model.name: model.card for model in opened.models}
    settings = {name: CardSettings.of(card) for name, card in cards.items()}
    traits = None if metadata is None else read_metadata(metadata)
    with CONSOLE.status("scoring"):
        numbers = panel_numbers(answers, settings, traits)
        numbers["models"] = {}
        for side in answers.sides:
            members = answers.members(side)
            earlier = befores(members, answers.models, answers.class_names, settings)
            for model, member, before in zip(answers.models, members, earlier, strict=True):
                of_model = numbers["models"].setdefault(model, {})
                for name, row in scores(member, answers.class_names, before=before).items():
                    of_model[f"{side_prefix(side)}_{name}"] = row
    for side in answers.sides:
        _print_side(opened, answers, numbers, side)
    if traits is not None:
        names = [name for side in answers.sides for name in answers.members(side)[0].names]
        known = sum(traits_of(name, traits) is not None for name in names)
        CONSOLE.print(f"{known} of {len(names)} films have metadata.")
    return {"panel": opened.name, "version": opened.version, **numbers}


def _print_side(
    opened: Panel, answers: PanelPredictions, numbers: Mapping[str, Any], side: str
) -> None:
    titles = {model.name: model.card.title for model in opened.models}
    whole = of_side(numbers["scores"], side)
    rows = {titles[name]: of_side(of, side) for name, of in numbers["models"].items()}
    rows["Panel"] = whole
    count = len(answers.members(side)[0].labels)
    table = Table(title=f"{opened.name}: {side}, {count} films")
    table.add_column("score (95 % interval)")
    for name in rows:
        table.add_column(name)
    for score in whole:
        cells = [interval(row[score]) if score in row else "" for row in rows.values()]
        table.add_row(score.replace("_", " "), *cells)
    CONSOLE.print(table, soft_wrap=False)
    groups = numbers["subgroups"][side]
    if groups:
        title = f"{opened.name}: {side}, the panel by subgroup"
        CONSOLE.print(subgroup_table(groups, title), soft_wrap=False)


def subgroup_table(rows: list[dict[str, Any]], title: str) -> Table:
    """Scores of a panel by subgroup for the terminal."""
    names = list(dict.fromkeys(name for row in rows for name in row["scores"]))
    table = Table(title=title)
    for head in ("by", "group", "films", *(name.replace("_", " ") for name in names)):
        table.add_column(head)
    for row in rows:
        films = f"{row['films']}, fewer than {FEW}: read nothing into it" if row["few"] else ""
        cells = [interval(row["scores"][name]) if name in row["scores"] else "" for name in names]
        table.add_row(row["by"], row["group"], films or str(row["films"]), *cells)
    return table


def _compare(opened: Panel, found: Mapping[str, Any], sides: list[str]) -> None:
    """Hold the figures against those of the cards and of ``scores.json``, which the report shows.

    Raises:
        ValueError: A figure does not come out of the table.
    """
    if not sides or not (opened.folder / SCORES_NAME).is_file():
        return
    starts = tuple(f"{side_prefix(side)}_" for side in sides)
    pairs = [
        (f"Panel {name}", row, found["scores"][name])
        for name, row in read_scores(opened.folder).items()
        if name.startswith(starts) and name in found["scores"]
    ]
    for model in opened.models:
        mine = found["models"][model.name]
        pairs += [
            (f"{model.card.title} {name}", row, mine[name])
            for name, row in model.card.metrics.items()
            if name.startswith(starts) and name in mine
        ]
    differences = {
        what: max(abs(ours[key] - theirs[key]) for key in ("value", "low", "high", "n"))
        for what, ours, theirs in pairs
        if ours["value"] == ours["value"]
    }
    if not differences:
        return
    worst = max(differences, key=lambda what: differences[what])
    CONSOLE.print(
        f"{len(differences)} figures of the report compared; the largest difference is "
        f"{differences[worst]:.1e} ({worst})."
    )
    wrong = [what for what, value in differences.items() if value > TOLERANCE]
    if wrong:
        raise ValueError(
            f"{len(wrong)} figures of the report do not come out of the table, for instance "
            f"{worst}: {differences[worst]:.3g} apart."
        )
