"""Sections of the report about studies: ``training/results`` and the measurements in ``docs``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from desktop.core.panels.registry import Panel
from training.report.document import Block, FigureBlock, Paragraph, Section, TableBlock
from training.report.figures import confusion_chart, series_chart

#: File in the results folder -> (heading, what the study is, for the case that it was not run).
STUDIES = {
    "baseline": (
        "The plain experiment",
        "plain networks on the publishers' own splits; the row that everything is compared with",
    ),
    "tune": ("Way 1: tuning", "the search over settings with `cxr-train tune`"),
    "ablation": ("Way 2: layers", "one change a row, with `cxr-train ablation`"),
    "leave_one_out": (
        "Way 3: data",
        "train without one data set and test on it, with `cxr-train leave-one-out`",
    ),
    "seeds": ("Other seeds", "the same training again with other random seeds"),
}


def has_study(results: Path, name: str) -> bool:
    """Whether a study left its table."""
    return (results / f"{name}.json").is_file()


def study_sections(results: Path) -> list[Section]:
    """One section for each study, run or not, then one for each other table in the folder."""
    sections = []
    for name, (title, what) in STUDIES.items():
        if has_study(results, name):
            blocks = study_blocks(json.loads((results / f"{name}.json").read_text("utf-8")))
        else:
            blocks = [Paragraph(f"Not run for this version: {what}.")]
        sections.append(Section(title, blocks))
    others = sorted(results.glob("*.json")) if results.is_dir() else []
    for path in others:
        if path.stem not in STUDIES:
            content = json.loads(path.read_text("utf-8"))
            first = content[0] if isinstance(content, list) else content
            title = str(first.get("title", path.stem.replace("_", " ")))
            sections.append(Section(title, study_blocks(content)))
    return sections


def study_blocks(content: Any) -> list[Block]:
    """A table file as blocks: note, table, then its curves and confusions as figures.

    Args:
        content: ``{title, columns, rows, note}``, a list of these, or ``{"tables": [...]}``.
    """
    if isinstance(content, dict) and "tables" in content:
        content = content["tables"]
    if isinstance(content, list):
        return [block for one in content for block in study_blocks(one)]
    rows = [[_cell(cell) for cell in row] for row in content.get("rows", [])]
    blocks: list[Block] = []
    if content.get("note"):
        blocks.append(Paragraph(str(content["note"])))
    if content.get("columns"):
        columns = [str(column) for column in content["columns"]]
        blocks.append(TableBlock(columns, rows, str(content.get("title", ""))))
    curves = content.get("curves")
    if isinstance(curves, dict):
        drawings = [_curve(str(name), one) for name, one in curves.items() if one]
        blocks.append(FigureBlock(drawings, "Learning curves, one a run, over the epochs."))
    confusions = content.get("confusions")
    if isinstance(confusions, dict):
        drawings = [
            confusion_chart(str(name), one["counts"], one["classes"], one["classes"])
            for name, one in confusions.items()
        ]
        blocks.append(FigureBlock(drawings, "Confusion matrices: rows are the truth."))
    return blocks


def _cell(cell: Any) -> str:
    if isinstance(cell, dict) and {"value", "low", "high"} <= cell.keys():
        return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"
    if isinstance(cell, float):
        return f"{cell:.3f}" if abs(cell) < 100 else f"{cell:,.0f}"
    return "" if cell is None else str(cell)


def _curve(name: str, columns: Mapping[str, Sequence[float]]) -> str:
    series = {
        column.replace("_", " "): (list(range(1, len(values) + 1)), values)
        for column, values in columns.items()
        if column not in ("epoch", "seconds", "score") and values
    }
    return series_chart(name, "epoch", "value", series)


def lungs_blocks(panel: Panel) -> list[Block]:
    """Heatmap in the lung box and votes that survive without lungs, from the cards."""
    rows = []
    for model in panel.models:
        for name in panel.class_names:
            found = model.card.lungs.get(name)
            if found is None:
                continue
            inside, kept = found.get("share_inside"), found.get("kept_without_lungs")
            rows.append(
                (
                    model.card.title,
                    name,
                    "no positive evidence" if inside is None else f"{inside:.2f}",
                    "" if kept is None else f"{kept:.0%}",
                )
            )
    if not rows:
        return [Paragraph("These cards do not say it yet; see [LUNGS.md](LUNGS.md) for the panel.")]
    return [
        Paragraph(
            "On up to 60 validation films of each class: the share of a class's positive heatmap "
            "that lies in a fixed box around the lungs (an even map would have 0.57 there), and "
            "how many votes for the class stay when the lungs are covered. A vote that stays rests "
            "on something else; but a model that answers one class without lungs keeps that class, "
            "so read all classes of a model together. The app warns where such a vote is shown."
        ),
        TableBlock(("model", "vote", "heatmap in the lung box", "votes kept without lungs"), rows),
    ]


def covered_blocks(docs: Path, panel: Panel) -> list[Block]:
    """Areas with covered lungs, from the larger study."""
    result, stale = _of_panel(docs / "LUNGS.json", panel)
    if result is None:
        return []
    rows = []
    for side, models in result["sides"].items():
        for name, row in models.items():
            rows.append(
                (
                    side,
                    _title(panel, name),
                    str(row["n"]),
                    _interval(row["heatmap_share"].get("all")),
                    _interval(row["auc_intact"]),
                    _interval(row["covered"]["mean"]["auc"]),
                    _interval(row["covered"]["smooth"]["auc"]),
                )
            )
    return [
        Paragraph(
            "The larger study ([LUNGS.md](LUNGS.md)) asks how well the classes are still told "
            "apart with the lungs covered: 0.5 would be honest, more is outline, age, scanner and "
            f"marks.{stale}"
        ),
        TableBlock(
            (
                "side",
                "model",
                "films",
                "heatmap in the box",
                "AUC intact",
                "AUC, lungs covered",
                "AUC, covered smoothly",
            ),
            rows,
        ),
    ]


def odd_blocks(docs: Path, panel: Panel, kept: Mapping[str, Any]) -> list[Block]:
    """What is flagged as no usual chest film."""
    flagged = ", ".join(f"{side} {share:.1%}" for side, share in kept["flagged"].items())
    blocks: list[Block] = [
        Paragraph(
            f"Films that are usual chest films and are flagged all the same: {flagged}. The limit "
            f"{panel.ood_limit:g} was set on validation. Below: images made of unseen films, or "
            "drawn, measured at the export."
        ),
        TableBlock(
            ("images", "n", "flagged", "AUROC"),
            [
                (kind, str(int(row["n"])), f"{row['flagged']:.0%}", f"{row['auroc']:.3f}")
                for kind, row in kept["odd_images"].items()
            ],
        ),
    ]
    result, stale = _of_panel(docs / "OOD.json", panel)
    if result is not None:
        rows = [
            (
                kind,
                str(row["origin"]),
                str(row["originals"]),
                _interval(row["auroc"]),
                _interval(row["flagged"]),
            )
            for kind, row in result["odd"].items()
        ]
        blocks += [
            Paragraph(
                f"The larger set of [OOD.md](OOD.md): mean AUROC {result['mean_auroc']:.3f}, "
                f"flagged on average {result['mean_flagged']:.0%}.{stale}"
            ),
            TableBlock(("images", "origin", "different images", "AUROC", "flagged"), rows),
        ]
    return blocks


def audit_blocks(docs: Path) -> list[Block]:
    """Leaks and shortcuts of the data, in short."""
    path = docs / "AUDIT.json"
    if not path.is_file():
        return [Paragraph("The audit was not run for this version.")]
    panels = json.loads(path.read_text("utf-8"))["panels"]
    leaks, probes = [], []
    for one in panels:
        copies = one["copies"]
        leaks.append(
            (
                one["panel"],
                str(copies["exact"]),
                str(copies["near"]),
                str(sum(one["leaks_on_disk"].values())),
                str(sum(one["leaks_in_use"].values())),
                str(copies["label_conflicts"]),
            )
        )
        probes += [
            (one["panel"], probe["what"], probe["cues"], _interval(probe["auc"]))
            for probe in one["shortcut_probe"]
            if probe.get("auc")
        ]
    return [
        Paragraph(
            "From `cxr-train audit` ([AUDIT.md](AUDIT.md)). Training refuses a split that leaks. "
            "The shortcut probe asks how far size, brightness, border, corners and marks alone "
            "name the class, without any lung: whatever is above 0.5 there, a model can use too."
        ),
        TableBlock(
            (
                "panel",
                "exact copies",
                "near copies",
                "leaks as the folders came",
                "leaks in the split used",
                "copies with two labels",
            ),
            leaks,
        ),
        TableBlock(("panel", "films", "cues", "AUC of the cues alone"), probes),
    ]


def _of_panel(path: Path, panel: Panel) -> tuple[dict[str, Any] | None, str]:
    """The panel's part of a study, and a warning where it was made with other files."""
    if not path.is_file():
        return None, ""
    found = [
        one for one in json.loads(path.read_text("utf-8"))["panels"] if one["panel"] == panel.name
    ]
    if not found:
        return None, ""
    same = found[0].get("fingerprint", panel.fingerprint) == panel.fingerprint
    same = same and found[0]["version"] == panel.version
    stale = f" **Measured on other files of this panel** (version {found[0]['version']})."
    return found[0], "" if same else stale


def _title(panel: Panel, name: str) -> str:
    return next((model.card.title for model in panel.models if model.name == name), name)


def _interval(values: Mapping[str, float] | None) -> str:
    if not values:
        return ""
    return f"{values['value']:.3f} ({values['low']:.3f} to {values['high']:.3f})"
