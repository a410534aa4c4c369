"""The report's sections about one panel, from its cards, ``scores.json`` and ``figures.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop.core.panels.contract import ModelCard
from desktop.core.panels.registry import Panel
from training.evaluation.abstention import COVERAGES, NEAR
from training.evaluation.panel_scores import PANEL
from training.evaluation.predictions import FIGURES_NAME, SCORES_NAME
from training.evaluation.scores import side_prefix
from training.evaluation.subgroups import FEW
from training.evaluation.targets import bar_rows
from training.metrics.classification import interval
from training.report.document import Block, FigureBlock, Paragraph, Section, TableBlock
from training.report.figures import (
    confusion_chart,
    coverage_chart,
    curves_chart,
    reliability_chart,
    roc_chart,
)
from training.report.studies import covered_blocks, lungs_blocks, odd_blocks

Experiment = Mapping[str, Mapping[str, float]]

_PANEL_ROW = "Panel, mean probability"
_TITLES = {
    "validation": "validation",
    "test": "official test",
    "unseen adult-supplement": "unseen adults, supplement",
    "unseen covid19-radiography-224": "unseen adults, radiography blocks",
}
_FIRST = (
    "accuracy",
    "balanced_accuracy",
    "auc",
    "macro_auc",
    "auc_covid_vs_normal",
    "sensitivity",
    "specificity",
    "recall_covid",
    "normal_called_covid",
)
_CALIBRATION = (
    ("calibration_error_before", "before, equal width"),
    ("calibration_error", "after, equal width"),
    ("calibration_error_equal_mass_before", "before, equal mass"),
    ("calibration_error_equal_mass", "after, equal mass"),
    ("log_loss", "log loss"),
)


class PanelReport:
    """What is known of one panel, as sections.

    Args:
        panel: Opened and verified.
        docs: Folder with ``LUNGS.json`` and ``OOD.json``.
    """

    def __init__(self, panel: Panel, docs: Path) -> None:
        self.panel, self._docs = panel, docs
        self.kept: dict[str, Any] = json.loads((panel.folder / SCORES_NAME).read_text("utf-8"))
        path = panel.folder / FIGURES_NAME
        self._figures: dict[str, Any] = {}
        if path.is_file():
            self._figures = json.loads(path.read_text("utf-8"))
        self.cards: list[ModelCard] = [model.card for model in panel.models]
        sides = list(self.kept["flagged"])
        # What was tuned on comes last.
        self.sides = sorted(sides, key=lambda side: (side == "validation", sides.index(side)))

    def section(self) -> Section:
        """Everything about the panel."""
        return Section(
            f"Panel {self.panel.name}: {self.panel.title}",
            self._bars(),
            [
                *[self._side(side) for side in self.sides],
                Section("Calibration", self._calibration()),
                Section("When the panel says nothing", self._abstention()),
                Section("Other rules of voting", self._rules()),
                Section("Subgroups", self._subgroups()),
                Section(
                    "Does it look at lungs?",
                    [*lungs_blocks(self.panel), *covered_blocks(self._docs, self.panel)],
                ),
                Section("Out of distribution", odd_blocks(self._docs, self.panel, self.kept)),
                Section("The models", self._models()),
            ],
        )

    def row(self, side: str, model: ModelCard | None = None) -> Experiment:
        """Scores of one side without their prefix, of a model or of the panel."""
        start = f"{side_prefix(side)}_"
        values = self.kept["scores"] if model is None else model.metrics
        return {name[len(start) :]: row for name, row in values.items() if name.startswith(start)}

    def films(self, side: str) -> int:
        """How many films a side has."""
        return int(self.row(side)["accuracy"]["n"])

    # ---- the parts ------------------------------------------------------------------------------

    def _bars(self) -> list[Block]:
        rows = bar_rows(
            self.panel.name, self.kept["scores"], {card.title: card.metrics for card in self.cards}
        )
        if not rows:
            return []
        met = sum(row[-1] == "met" for row in rows)
        return [
            Paragraph(
                f"Asked of this panel before the tests were opened; {met} of {len(rows)} are met. "
                "A bar counts as met by its estimate; the interval says how sure that is."
            ),
            TableBlock(("bar", "asked", "measured", "met?"), rows),
        ]

    def _rows(self, side: str) -> dict[str, Experiment]:
        return {card.title: self.row(side, card) for card in self.cards} | {
            _PANEL_ROW: self.row(side)
        }

    def _side(self, side: str) -> Section:
        title = _TITLES.get(side, side)
        rows = self._rows(side)
        columns = [name for name in _FIRST if name in rows[_PANEL_ROW]]
        known = {"verdict_accuracy", "consensus_share", "consensus_accuracy", *_FIRST}
        known |= {name for name, _ in _CALIBRATION}
        columns += [name for name in rows[_PANEL_ROW] if name not in known]
        verdict, share, agreed = (
            interval(rows[_PANEL_ROW][name])
            for name in ("verdict_accuracy", "consensus_share", "consensus_accuracy")
        )
        blocks: list[Block] = [
            TableBlock(("", *(name.replace("_", " ") for name in columns)), _cells(rows, columns)),
            Paragraph(
                f"Verdict (majority of the models): right in {verdict} of all films, no consensus "
                f"counted as wrong; a consensus in {share}; right where there is one: {agreed}."
            ),
        ]
        drawn = self._figures.get("sides", {}).get(side)
        if drawn:
            blocks += self._drawings(drawn)
        return Section(f"{title[0].upper() + title[1:]}: {self.films(side)} films", blocks)

    def _drawings(self, drawn: Mapping[str, Any]) -> list[Block]:
        names = list(self.panel.class_names)
        titles = {card.name: card.title for card in self.cards} | {PANEL: "Panel"}
        blocks: list[Block] = []
        if drawn["roc"]:
            charts = [
                roc_chart(
                    f"{name} against the rest",
                    {titles[model]: points for model, points in curves.items()},
                    {
                        titles[model]: _nearest(drawn, model, name)
                        for model in curves
                        if model in drawn.get("operating", {}) and name in drawn["operating"][model]
                    },
                )
                for name, curves in drawn["roc"].items()
            ]
            blocks.append(
                FigureBlock(
                    charts,
                    "ROC curves; the dot is the model's operating point, fixed on validation "
                    "(Youden). The votes do not use it: they take the most probable class.",
                )
            )
        confusions = drawn["confusion"]
        charts = [
            confusion_chart(
                titles.get(model, "Panel, verdict"),
                counts,
                names,
                [*names, "no consensus"] if model == "verdict" else names,
            )
            for model, counts in confusions.items()
        ]
        caption = "Confusion matrices: rows are the truth, columns what was called."
        blocks.append(FigureBlock(charts, caption))
        blocks.append(
            TableBlock(
                ("truth", *names, "no consensus"),
                [
                    (name, *(str(count) for count in counts))
                    for name, counts in zip(names, confusions["verdict"], strict=True)
                    if sum(counts)
                ],
                "Verdict of the panel, films",
            )
        )
        return blocks

    def _calibration(self) -> list[Block]:
        blocks: list[Block] = [
            Paragraph(
                "Expected calibration error of the class voted for, in ten bins of equal width "
                "(Guo et al. 2017) and of equal mass. *Before* is the network's own softmax, "
                "*after* what the file answers: one temperature"
                + (", one shift a class" if any(card.shift for card in self.cards) else "")
                + ", fitted on validation only."
            )
        ]
        for side in self.sides:
            rows = self._rows(side)
            known = [(name, words) for name, words in _CALIBRATION if name in rows[_PANEL_ROW]]
            columns = ("", *(words for _, words in known))
            cells = _cells(rows, [name for name, _ in known])
            blocks.append(TableBlock(columns, cells, _TITLES.get(side, side)))
            drawn = self._figures.get("sides", {}).get(side, {}).get("reliability")
            if drawn:
                titles = {card.name: card.title for card in self.cards} | {PANEL: "Panel"}
                charts = [
                    reliability_chart(titles[model], bins["before"], bins["after"])
                    for model, bins in drawn.items()
                ]
                blocks.append(
                    FigureBlock(
                        charts,
                        f"Reliability on {_TITLES.get(side, side)}, ten bins of as many films "
                        "each: on the dashed line, confidence is the share that is right; below "
                        "it the model is too sure.",
                    )
                )
        return blocks

    def _abstention(self) -> list[Block]:
        coverage, ties = self.kept.get("coverage"), self.kept.get("near_ties")
        if not coverage or not ties:
            return [Paragraph("Not kept by this export.")]
        rows = []
        for side in self.sides:
            at = coverage[side]["at"]
            shares = [f"{at[f'{share:.0%}']:.3f}" for share in COVERAGES]
            rows.append((_TITLES.get(side, side), str(ties[side]["films"]), *shares))
        tie_rows = [
            (
                _TITLES.get(side, side),
                str(ties[side]["films"]),
                str(ties[side]["split_votes"]),
                str(ties[side]["split_no_consensus"]),
                str(ties[side]["split_leader_right"]),
                str(ties[side]["near"]),
                f"{ties[side]['near_consensus']} ({ties[side]['near_consensus_right']} right)",
            )
            for side in self.sides
        ]
        split = sum(ties[side]["split_votes"] for side in self.sides)
        silent = sum(ties[side]["split_no_consensus"] for side in self.sides)
        by_votes = [
            (
                _TITLES.get(side, side),
                *(
                    next(
                        (
                            f"{row['accuracy']:.3f} of {row['films']}"
                            for row in coverage[side]["by_agreement"]
                            if row["votes"] == votes
                        ),
                        "none",
                    )
                    for votes in range(len(self.cards), 0, -1)
                ),
            )
            for side in self.sides
        ]
        return [
            Paragraph(
                f"Near-ties say *no consensus*: of {split} films without a strict majority on all "
                f"sides together, {silent} are answered with no consensus."
            ),
            TableBlock(
                (
                    "side",
                    "films",
                    "no strict majority",
                    "of these: no consensus",
                    "of these: leading class right",
                    f"mean probabilities nearer than {NEAR:g}",
                    "of these: decided by the votes",
                ),
                tie_rows,
            ),
            TableBlock(
                ("side", "films", *(f"{share:.0%}" for share in COVERAGES)),
                rows,
                "Accuracy where only the surest share of the films is answered, by agreement and "
                "then mean probability",
            ),
            TableBlock(
                ("side", *(f"{votes} equal votes" for votes in range(len(self.cards), 0, -1))),
                by_votes,
                "Accuracy of the leading class by the number of equal votes",
            ),
            FigureBlock(
                [
                    coverage_chart(
                        "Accuracy against coverage",
                        {
                            _TITLES.get(side, side): (
                                coverage[side]["coverage"],
                                coverage[side]["accuracy"],
                            )
                            for side in self.sides
                        },
                        {
                            _TITLES.get(side, side): (
                                self.row(side)["consensus_share"]["value"],
                                self.row(side)["consensus_accuracy"]["value"],
                            )
                            for side in self.sides
                        },
                    )
                ],
                "From the surest films (left) to all (right). The dot is the app's own rule, the "
                "strict majority.",
            ),
        ]

    def _rules(self) -> list[Block]:
        found = self.kept.get("vote_rules")
        if not found:
            return [Paragraph("Not compared by this export.")]
        better = [row["rule"] for row in found["rules"] if row["beats_majority"]]
        outcome = (
            f"On validation, {' and '.join(better)} beat the majority; the app keeps the plain "
            "majority, because its reason can be counted by hand and no number was asked of a "
            "shifted population."
            if better
            else "None beats the majority on validation; the plain majority stays."
        )
        rows = [
            (
                row["rule"],
                interval(row["accuracy"]),
                interval(row["balanced_accuracy"]),
                f"{row['difference']['value']:+.4f} ({row['difference']['low']:+.4f} to "
                f"{row['difference']['high']:+.4f})",
                "yes" if row["beats_majority"] else "no",
            )
            for row in found["rules"]
        ]
        return [
            Paragraph(
                f"{found['films']} validation films of {found['groups']} persons or blocks, "
                f"{found['folds']} folds by person; what a rule learns it learns on the other "
                f"folds. A rule beats the majority where the interval of the difference in "
                f"balanced accuracy, resampled by person, lies above zero. {outcome}"
            ),
            TableBlock(
                ("rule", "accuracy", "balanced accuracy", "difference", "beats the majority"), rows
            ),
        ]

    def _subgroups(self) -> list[Block]:
        found = self.kept.get("subgroups")
        if not found or not any(found.values()):
            return [Paragraph("Not kept by this export.")]
        blocks: list[Block] = [
            Paragraph(
                "Of the panel. The data sets tell no sex, view or age of a person; what they tell "
                "is the data set, whether it is of children or adults, and the cause in the file "
                f"name. Groups of fewer than {FEW} films are marked: read nothing into them. For "
                "films with a table of age, sex, view and site, or DICOM headers: `cxr-train "
                "evaluate PANEL --data DIR --metadata FILE`."
            )
        ]
        for side in self.sides:
            rows = found.get(side)
            if not rows:
                continue
            names = list(dict.fromkeys(name for row in rows for name in row["scores"]))
            cells = [
                (
                    row["by"],
                    row["group"] + (f" (fewer than {FEW})" if row["few"] else ""),
                    ", ".join(f"{name} {count}" for name, count in row["classes"].items()),
                    *(
                        interval(row["scores"][name]) if name in row["scores"] else ""
                        for name in names
                    ),
                )
                for row in rows
            ]
            heads = ("by", "group", "films", *(name.replace("_", " ") for name in names))
            blocks.append(TableBlock(heads, cells, _TITLES.get(side, side)))
        return blocks

    def _models(self) -> list[Block]:
        rows = [
            (
                card.title,
                f"{int(card.facts['parameters']):,}",
                f"{model.size_bytes / 1e6:.1f} MB",
                card.facts["epochs"],
                f"{int(card.facts['training_seconds']) / 60:.0f} min",
                f"{card.temperature:.2f}",
                card.facts["gate"],
                f"`{card.commit[:12] or 'unknown'}`",
                f"`{card.exported_commit[:12] or 'unknown'}`",
            )
            for card, model in zip(self.cards, self.panel.models, strict=True)
        ]
        first = self.cards[0].facts
        blocks: list[Block] = [
            TableBlock(
                (
                    "", "parameters", "file", "epochs", "training", "temperature",
                    "Keras against ONNX", "trained by", "exported by",
                ),
                rows,
            ),
            Paragraph(f"Trained on: {first['training_films']}."),
            Paragraph(f"Validation: {first['validation_films']}."),
            Paragraph(f"Left out: {first['left_out']}"),
        ]  # fmt: skip
        blocks += [
            Paragraph(
                f"{card.title}: pretraining {card.facts['pretraining']}; augmentation "
                f"{card.facts['augmentation']}."
            )
            for card in self.cards
        ]
        curves = self._figures.get("curves", {})
        charts = [
            curves_chart(card.title, curves[card.name])
            for card in self.cards
            if curves.get(card.name)
        ]
        if charts:
            caption = "Learning curves: loss on training films, the others on validation films."
            blocks.append(FigureBlock(charts, caption))
        return blocks


def _cells(rows: Mapping[str, Experiment], columns: Sequence[str]) -> list[Sequence[str]]:
    return [
        (name, *(interval(row[column]) if column in row else "" for column in columns))
        for name, row in rows.items()
    ]


def _nearest(drawn: Mapping[str, Any], model: str, class_name: str) -> tuple[float, float]:
    false, true = drawn["operating"][model][class_name]
    return float(np.clip(false, 0, 1)), float(np.clip(true, 0, 1))
