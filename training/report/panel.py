"""What the report says of one panel, from its cards, ``scores.json`` and ``figures.json``.

Rows of tables and values of figures; the text around them is ``training/templates/panel.md.j2``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop.core.panels.contract import ModelCard
from desktop.core.panels.registry import Panel
from training.evaluation.abstention import COVERAGES
from training.evaluation.panel_scores import PANEL
from training.evaluation.predictions import FIGURES_NAME, SCORES_NAME
from training.evaluation.scores import Scores, of_side
from training.evaluation.subgroups import FEW
from training.evaluation.targets import bar_rows
from training.report.figures import Chart

Rows = list[Sequence[Any]]

_PANEL_ROW = "Panel, mean probability"
_TITLES = {
    "test": "official test",
    "unseen adult-supplement": "unseen adults, supplement",
    "unseen covid19-radiography-224": "unseen adults, radiography blocks",
}
_FIRST = (
    "accuracy", "balanced_accuracy", "auc", "macro_auc", "auc_covid_vs_normal", "sensitivity",
    "specificity", "recall_covid", "normal_called_covid",
)  # fmt: skip
_CALIBRATION = {
    "calibration_error_before": "before, equal width",
    "calibration_error": "after, equal width",
    "calibration_error_equal_mass_before": "before, equal mass",
    "calibration_error_equal_mass": "after, equal mass",
    "log_loss": "log loss",
}
_VERDICT = {"verdict_accuracy", "consensus_share", "consensus_accuracy"}


class PanelReport:
    """What is known of one panel.

    Args:
        panel: Opened and verified.
        docs: Folder with ``LUNGS.json`` and ``OOD.json``.
    """

    def __init__(self, panel: Panel, docs: Path) -> None:
        self.panel, self._docs = panel, docs
        self.kept: dict[str, Any] = json.loads((panel.folder / SCORES_NAME).read_text("utf-8"))
        figures = json.loads((panel.folder / FIGURES_NAME).read_text("utf-8"))
        self.drawn: dict[str, Any] = figures["sides"]
        self.cards: list[ModelCard] = [model.card for model in panel.models]
        self.titles = {card.name: card.title for card in self.cards} | {PANEL: "Panel"}
        self.curves = {card.title: figures["curves"].get(card.name, {}) for card in self.cards}
        self.lungs = [
            (
                card.title,
                name,
                card.lungs[name].get("share_inside"),
                card.lungs[name].get("kept_without_lungs"),
            )
            for card in self.cards
            for name in panel.class_names
            if name in card.lungs
        ]
        self.shares = [f"{share:.0%}" for share in COVERAGES]
        self._classes = list(panel.class_names)
        sides = list(self.kept["flagged"])
        # What was tuned on comes last.
        self.sides = sorted(sides, key=lambda side: (side == "validation", sides.index(side)))
        self.has_shift = any(card.shift for card in self.cards)
        of_models = {card.title: card.metrics for card in self.cards}
        self.targets = bar_rows(panel.name, self.kept["scores"], of_models)

    def title(self, side: str) -> str:
        return _TITLES.get(side, side)

    def row(self, side: str, model: ModelCard | None = None) -> Scores:
        """Scores of one side without their prefix, of a model or of the panel."""
        return of_side(self.kept["scores"] if model is None else model.metrics, side)

    def films(self, side: str) -> int:
        return int(self.row(side)["accuracy"]["n"])

    def area(self, side: str) -> Mapping[str, float] | None:
        """The first area under a curve among a side's scores."""
        return next((row for name, row in self.row(side).items() if "auc" in name), None)

    def scores(self, side: str) -> tuple[list[str], Rows]:
        """Heads and rows of a side's scores but verdict and calibration."""
        found = self.row(side)
        names = [name for name in _FIRST if name in found]
        known = {*_VERDICT, *_CALIBRATION, *_FIRST}
        names += [name for name in found if name not in known]
        return ["", *(name.replace("_", " ") for name in names)], self._cells(side, names)

    def calibration(self, side: str) -> tuple[list[str], Rows]:
        found = self.row(side)
        names = [name for name in _CALIBRATION if name in found]
        return ["", *(_CALIBRATION[name] for name in names)], self._cells(side, names)

    def _cells(self, side: str, names: Sequence[str]) -> Rows:
        rows = {card.title: self.row(side, card) for card in self.cards}
        rows[_PANEL_ROW] = self.row(side)
        return [(title, *(row.get(name) for name in names)) for title, row in rows.items()]

    def roc(self, side: str) -> dict[str, Chart]:
        """Charts of each class against the rest, with the operating points."""
        operating = self.drawn[side].get("operating", {})
        return {
            f"{name} against the rest": {
                "curves": {self.titles[model]: points for model, points in curves.items()},
                "points": {
                    self.titles[model]: np.clip(operating[model][name], 0, 1).tolist()
                    for model in curves
                    if name in operating.get(model, {})
                },
            }
            for name, curves in self.drawn[side]["roc"].items()
        }

    def confusions(self, side: str) -> dict[str, Chart]:
        return {
            self.titles.get(model, "Panel, verdict"): {"classes": self._classes, "counts": counts}
            for model, counts in self.drawn[side]["confusion"].items()
        }

    def verdicts(self, side: str) -> Rows:
        named = zip(self._classes, self.drawn[side]["confusion"]["verdict"], strict=True)
        return [(name, *line) for name, line in named if sum(line)]

    def reliability(self, side: str) -> dict[str, Chart]:
        bins = self.drawn[side]["reliability"]
        return {self.titles[model]: chart for model, chart in bins.items()}

    def coverage(self) -> Rows:
        """Accuracy where only a share of the films is answered, a row a side."""
        at = {side: self.kept["coverage"][side]["at"] for side in self.sides}
        return [
            (self.title(side), self.films(side), *(float(at[side][share]) for share in self.shares))
            for side in self.sides
        ]

    def agreement(self) -> tuple[list[str], Rows]:
        """Heads and rows of the accuracy by the number of equal votes."""
        most = range(len(self.cards), 0, -1)
        rows: Rows = []
        for side in self.sides:
            found = {row["votes"]: row for row in self.kept["coverage"][side]["by_agreement"]}
            shares = {
                votes: f"{row['accuracy']:.3f} of {row['films']}" for votes, row in found.items()
            }
            rows.append((self.title(side), *(shares.get(votes, "none") for votes in most)))
        return ["side", *(f"{votes} equal votes" for votes in most)], rows

    def coverage_curves(self) -> dict[str, Chart]:
        curves, points = {}, {}
        for side in self.sides:
            found, row = self.kept["coverage"][side], self.row(side)
            curves[self.title(side)] = [found["coverage"], found["accuracy"]]
            consensus = row["consensus_share"], row["consensus_accuracy"]
            points[self.title(side)] = [score["value"] for score in consensus]
        return {"Accuracy against coverage": {"curves": curves, "points": points}}

    def subgroups(self, side: str) -> tuple[list[str], Rows]:
        found = self.kept["subgroups"][side]
        names = list(dict.fromkeys(name for row in found for name in row["scores"]))
        rows: Rows = [
            (
                row["by"],
                row["group"] + (f" (fewer than {FEW})" if row["few"] else ""),
                ", ".join(f"{name} {count}" for name, count in row["classes"].items()),
                *(row["scores"].get(name) for name in names),
            )
            for row in found
        ]
        return ["by", "group", "films", *(name.replace("_", " ") for name in names)], rows

    def study(self, name: str) -> dict[str, Any] | None:
        """The panel's part of a measurement in ``docs``, None where there is none."""
        path = self._docs / name
        found = json.loads(path.read_text("utf-8"))["panels"] if path.is_file() else []
        return next((one for one in found if one["panel"] == self.panel.name), None)

    def stale(self, study: Mapping[str, Any]) -> str:
        """A warning where a study was made with other files of the panel."""
        same = study.get("fingerprint", self.panel.fingerprint) == self.panel.fingerprint
        if same and study["version"] == self.panel.version:
            return ""
        return f" **Measured on other files of this panel** (version {study['version']})."
