"""What the models of a panel say together: its scores, its out-of-distribution limit, its page."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import (
    MANIFEST_NAME,
    OUTPUT_OOD_SCORE,
    RESEARCH_USE,
    ModelCard,
    PanelManifest,
)
from desktop.core.panels.registry import open_panel
from training.data.split import VALIDATION, VALIDATION_NONE, SplitData
from training.evaluation.none_of_these import NoneOfThese, measure_none
from training.evaluation.panel_scores import CardSettings, panel_figures, panel_numbers
from training.evaluation.predictions import (
    ANSWERS_NAME,
    FIGURES_NAME,
    SCORES_NAME,
    PanelPredictions,
    read_answers,
    read_run_answers,
    read_scores,
    together,
    write_answers,
)
from training.evaluation.scores import Predictions
from training.export.cards import metric_tables
from training.metrics.classification import interval, weighted_percentile
from training.models import TITLES
from training.ood.outlier_images import measure
from training.runtime.files import write_atomically, write_json
from training.runtime.onnx_run import run_onnx

#: Share of validation films, every data set counted the same, that may be called out of
#: distribution. Films from elsewhere are flagged up to three times as often: at 2.5 % it was 7 % of
#: the unseen adults, and 5 % are the most that a reader should have to wave through.
_FLAGGED_SHARE = 0.015
_ODD_FILMS = 60


def _odd_images(
    folder: Path, manifest: PanelManifest, data: SplitData
) -> dict[str, dict[str, float]]:
    """Flag odd images made of unseen films (up to 60 of each test side)."""
    random = np.random.default_rng(5)
    sides = [data.indices(side) for side in data.test_sides]
    if not sides:
        return {}
    chosen = np.concatenate([random.permutation(side)[:_ODD_FILMS] for side in sides])
    contents = [(folder / member.file).read_bytes() for member in manifest.members]

    def score(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        found = [run_onnx(content, pixels, [OUTPUT_OOD_SCORE])[0] for content in contents]
        return np.mean(found, axis=0, dtype=np.float64)

    return measure(score, data.pixels[chosen], manifest.ood_limit)


def _none_of_these(folder: Path, manifest: PanelManifest, data: SplitData) -> NoneOfThese | None:
    """The panel's limit for none of the classes; None where it was not taught."""
    if not data.recipe.teaches_none or not len(data.indices(VALIDATION_NONE)):
        return None
    return measure_none([(folder / m.file).read_bytes() for m in manifest.members], data)


def finish_panel(folder: Path, runs: Path, data: SplitData) -> dict[str, dict[str, float]]:
    """Set the manifest's out-of-distribution limit and write the panel's numbers and page.

    ``scores.json`` holds numbers with intervals, ``figures.json`` the points of the report's
    curves, ``answers.npz`` what each model said of each film.

    Args:
        folder: The panel's folder with its manifest.
        runs: Folder of the runs, which hold what each exported model said and its learning curve.
            Where no run was exported from there, what the panel's folder keeps of the model counts.
        data: The split the panel was trained on.

    Returns:
        All panel scores, named ``<side>_<metric>``.

    Raises:
        FileNotFoundError: Neither a run nor the panel's folder has the answers of a model.
        ValueError: The models were scored on different films.
    """
    path = folder / MANIFEST_NAME
    manifest = PanelManifest.from_json(path.read_text("utf-8"))
    models = tuple(member.name for member in manifest.members)
    exported = {model: runs / f"{manifest.name}-{model}" for model in models}
    exported = {model: run for model, run in exported.items() if (run / ANSWERS_NAME).is_file()}
    by_model = {
        model: read_run_answers(exported[model]) if model in exported else _kept(folder, model)
        for model in models
    }
    named = list(next(iter(by_model.values())))
    sides = [VALIDATION, *[side for side in named if side != VALIDATION]]
    answers = PanelPredictions(
        manifest.class_names,
        models,
        {side: {model: by_model[model][side] for model in models} for side in sides},
    )
    none = _none_of_these(folder, manifest, data)
    manifest = dataclasses.replace(
        manifest,
        ood_limit=round(_limit(answers), 4),
        none_limit=round(none.limit, 4) if none else None,
    )
    write_atomically(path, manifest.to_json().encode())
    cards = {model.name: model.card for model in open_panel(folder).models}
    settings = {name: CardSettings.of(card) for name, card in cards.items()}
    numbers = panel_numbers(answers, settings)
    flagged = {
        side: float(np.mean(together(answers.members(side)).ood_scores > manifest.ood_limit))
        for side in sides
    }
    odd = _odd_images(folder, manifest, data)
    write_answers(folder, answers)
    write_json(
        folder / SCORES_NAME,
        {
            "panel": manifest.name,
            "version": manifest.version,
            "scores": numbers.pop("scores"),
            "flagged": flagged,
            "odd_images": odd,
            **({"none_of_these": dataclasses.asdict(none)} if none else {}),
            **numbers,
        },
    )
    earlier = _earlier_curves(folder)
    figures = {
        "sides": panel_figures(answers, settings),
        "curves": {
            model: read_curves(exported[model]) if model in exported else earlier.get(model, {})
            for model in models
        },
    }
    write_atomically(folder / FIGURES_NAME, (json.dumps(figures) + "\n").encode())
    result = read_scores(folder)
    page = _page(manifest, cards, result, flagged) + odd_table(odd)
    write_atomically(folder / "README.md", page.encode())
    return result


def _kept(folder: Path, model: str) -> Mapping[str, Predictions]:
    """What a model said when it was exported earlier, by side."""
    kept = read_answers(folder)
    if model not in kept.models:
        raise FileNotFoundError(f"{folder} has no answers of {TITLES[model]}. Export it again.")
    return {side: kept.sides[side][model] for side in kept.sides}


def _earlier_curves(folder: Path) -> Mapping[str, dict[str, list[float]]]:
    path = folder / FIGURES_NAME
    found: dict[str, dict[str, list[float]]] = {}
    return json.loads(path.read_text("utf-8"))["curves"] if path.is_file() else found


def _limit(answers: PanelPredictions) -> float:
    """The panel's score that 1.5 % of validation lie above, every data set counted the same."""
    whole = together(answers.members(VALIDATION))
    sources = np.array([name.split("/", 1)[0] for name in whole.names])
    names, counts = np.unique(sources, return_counts=True)
    share = dict(zip(names.tolist(), (1 / counts).tolist(), strict=True))
    weights = np.array([share[name] for name in sources.tolist()])
    return weighted_percentile(whole.ood_scores, weights, 1 - _FLAGGED_SHARE)


def read_curves(run: Path) -> dict[str, list[float]]:
    """The learning curve of a run: column -> values, one an epoch; empty where none was kept."""
    path = run / "curves.csv"
    if not path.is_file():
        return {}
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}


def _page(
    manifest: PanelManifest,
    cards: Mapping[str, ModelCard],
    result: dict[str, dict[str, float]],
    flagged: dict[str, float],
) -> str:
    lines = [
        f"# Panel {manifest.name}: {manifest.title}",
        "",
        f"**{RESEARCH_USE}**",
        "",
        f"Version {manifest.version}; classes {', '.join(manifest.class_names)}; models "
        f"{', '.join(f'[{TITLES.get(m.name, m.name)}]({m.name}.md)' for m in manifest.members)}. "
        "The verdict is the class that more than half of the models vote for; everything else is "
        "no "
        "consensus.",
        "",
        "## Each model beside the panel",
        "",
    ]
    area = next((name for name in ("test_auc", "test_macro_auc") if name in result), None)
    if area:
        lines.append("| official test | accuracy | AUC |\n| --- | --- | --- |")
        for card in cards.values():
            lines.append(
                f"| {card.title} | {interval(card.metrics['test_accuracy'])} | "
                f"{interval(card.metrics[area])} |"
            )
        lines.append(
            f"| panel, mean probability | {interval(result['test_accuracy'])} | "
            f"{interval(result[area])} |"
        )
        lines.append(
            f"| panel, verdict (no consensus counts as wrong) | "
            f"{interval(result['test_verdict_accuracy'])} | |"
        )
        lines.append("")
    lines += [
        "## Scores of the panel",
        "",
        "`verdict` and `consensus` rows are about the majority, the others about the mean "
        "probability.",
        "",
        metric_tables(result),
        "## Out of distribution",
        "",
        f"An image is flagged where the mean score of the models is above {manifest.ood_limit:g}. "
        "Flagged of the films that are chest films: "
        + ", ".join(f"{side} {share:.1%}" for side, share in flagged.items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def odd_table(odd: dict[str, dict[str, float]]) -> str:
    """Markdown table of what is flagged among odd images."""
    rows = [
        f"| {kind} | {int(row['n'])} | {row['flagged']:.0%} | {row['auroc']:.3f} |"
        for kind, row in odd.items()
    ]
    return "\n".join(["| images | n | flagged | AUROC |", "| --- | --- | --- | --- |", *rows, ""])
