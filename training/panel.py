"""What the models of a panel say together: its scores, its out-of-distribution limit, its page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.contract import (
    MANIFEST_NAME,
    OUTPUT_OOD_SCORE,
    RESEARCH_USE,
    PanelManifest,
)
from training import metrics
from training.cards import interval, metric_tables
from training.checkpoints import write_atomically, write_json
from training.evaluate import Answers, panel_votes, scores, side_prefix
from training.export import read_answers
from training.graph import run_onnx
from training.models import TITLES
from training.odd_images import measure
from training.out_of_distribution import weighted_percentile
from training.splits import VALIDATION, SplitData

#: Share of validation films, every data set counted the same, that may be called out of
#: distribution.
_FLAGGED_SHARE = 0.025
_ODD_FILMS = 60
SCORES_NAME = "scores.json"


def _together(members: list[Answers]) -> Answers:
    """Mean probabilities and mean score of the members, film by film."""
    names = members[0].names
    if any(member.names != names for member in members):
        raise ValueError("The members were scored on different films; export them again.")
    return Answers(
        members[0].labels,
        np.mean([member.probabilities for member in members], axis=0),
        np.mean([member.ood_scores for member in members], axis=0),
        names,
    )


def panel_scores(
    members: list[Answers], class_names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Scores of the panel on one side.

    Those of the mean probability, under the names of :func:`training.evaluate.scores`, and those of
    the
    verdict: ``verdict_accuracy`` (no consensus counts as wrong), ``consensus_share`` and
    ``consensus_accuracy`` (of the films with a consensus).
    """
    together = _together(members)
    result = scores(together, class_names)
    votes, _ = panel_votes([member.probabilities for member in members])
    # The bootstrap resamples rows, so the votes ride along as one more column.
    carried = np.column_stack([together.probabilities, votes.astype(np.float64)])

    def verdict_accuracy(labels: npt.NDArray[np.int64], rows: npt.NDArray[np.float64]) -> float:
        return float(np.mean(rows[:, -1] == labels))

    def consensus_share(_: npt.NDArray[np.int64], rows: npt.NDArray[np.float64]) -> float:
        return float(np.mean(rows[:, -1] >= 0))

    def consensus_accuracy(labels: npt.NDArray[np.int64], rows: npt.NDArray[np.float64]) -> float:
        agreed = rows[:, -1] >= 0
        return float(np.mean(rows[agreed, -1] == labels[agreed])) if agreed.any() else float("nan")

    for of_verdict in (verdict_accuracy, consensus_share, consensus_accuracy):
        result[of_verdict.__name__] = metrics.with_interval(of_verdict, together.labels, carried)
    return result


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


def finish_panel(folder: Path, runs: Path, data: SplitData) -> dict[str, dict[str, float]]:
    """Set the manifest's out-of-distribution limit and write the panel's scores and page.

    Args:
        folder: The panel's folder with its manifest.
        runs: Folder of the runs, which hold what each exported model said.
        data: The split the panel was trained on.

    Returns:
        All panel scores, named ``<side>_<metric>``.
    """
    path = folder / MANIFEST_NAME
    manifest = PanelManifest.from_json(path.read_text("utf-8"))
    answers = {
        member.name: read_answers(runs / f"{manifest.name}-{member.name}")
        for member in manifest.members
    }
    sides = list(next(iter(answers.values())))
    result: dict[str, dict[str, float]] = {}
    flagged: dict[str, float] = {}
    limit = manifest.ood_limit
    for side in [VALIDATION, *[side for side in sides if side != VALIDATION]]:
        members = [by_side[side] for by_side in answers.values()]
        together = _together(members)
        if side == VALIDATION:
            sources = np.array([name.split("/", 1)[0] for name in together.names])
            names, counts = np.unique(sources, return_counts=True)
            share = dict(zip(names.tolist(), (1 / counts).tolist(), strict=True))
            weights = np.array([share[name] for name in sources.tolist()])
            limit = weighted_percentile(together.ood_scores, weights, 1 - _FLAGGED_SHARE)
        flagged[side] = float(np.mean(together.ood_scores > limit))
        for name, values in panel_scores(members, manifest.class_names).items():
            result[f"{side_prefix(side)}_{name}"] = values
    manifest = dataclasses.replace(manifest, ood_limit=round(limit, 4))
    write_atomically(path, manifest.to_json().encode())
    odd = _odd_images(folder, manifest, data)
    write_json(
        folder / SCORES_NAME,
        {
            "panel": manifest.name,
            "version": manifest.version,
            "scores": result,
            "flagged": flagged,
            "odd_images": odd,
        },
    )
    page = _page(manifest, answers, result, flagged) + odd_table(odd)
    write_atomically(folder / "README.md", page.encode())
    return result


def _page(
    manifest: PanelManifest,
    answers: dict[str, dict[str, Answers]],
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
        for name, by_side in answers.items():
            row = scores(by_side["test"], manifest.class_names)
            lines.append(
                f"| {TITLES.get(name, name)} | {interval(row['accuracy'])} | "
                f"{interval(row[area.removeprefix('test_')])} |"
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


def read_scores(folder: Path) -> dict[str, dict[str, float]]:
    """What :func:`finish_panel` wrote."""
    values = json.loads((folder / SCORES_NAME).read_text("utf-8"))["scores"]
    return {name: dict(row) for name, row in values.items()}
