"""The README's table of scores, from the cards and ``scores.json`` of the shipped panels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from desktop.core.panels.registry import Panel, open_panel

#: (name in the scores, words) of the columns after the accuracy.
_COLUMNS = {
    "pneumonia": (
        ("test_auc", "AUC"),
        ("test_balanced_accuracy", "balanced accuracy"),
        ("unseen_adult_supplement_auc", "AUC, adults elsewhere"),
    ),
    "covid19": (
        ("test_macro_auc", "macro AUC"),
        ("unseen_adult_supplement_auc_covid_vs_normal", "COVID v. normal AUC, supplement adults"),
        ("unseen_covid19_radiography_224_auc_covid_vs_normal", "the same, radiography blocks"),
    ),
}


def quality() -> str:
    """One table a panel: each model, then the panel."""
    return "\n\n".join(_table(open_panel(name)) for name in _COLUMNS)


def _table(panel: Panel) -> str:
    columns = (("test_accuracy", "accuracy"), *_COLUMNS[panel.name])
    whole = json.loads((panel.folder / "scores.json").read_text("utf-8"))["scores"]
    films = round(whole["test_accuracy"]["n"])
    lines = [
        f"| {panel.title}: {films} test films | {' | '.join(words for _, words in columns)} |",
        f"| --- |{' --- |' * len(columns)}",
    ]
    for model in panel.models:
        lines.append(_row(model.card.title, model.card.metrics, columns))
    lines.append(_row("**Panel**, mean probability", whole, columns))
    verdict = _figure(whole["test_verdict_accuracy"])
    lines.append(f"| **Panel**, majority; no consensus counts as wrong | {verdict} |" + " |" * 3)
    return "\n".join(lines)


def _row(
    title: str, scores: Mapping[str, Mapping[str, Any]], columns: tuple[tuple[str, str], ...]
) -> str:
    return f"| {title} | {' | '.join(_figure(scores[name]) for name, _ in columns)} |"


def _figure(score: Mapping[str, Any]) -> str:
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"
