"""What was asked of the shipped panels before the tests were opened, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.metrics.classification import interval

Scores = Mapping[str, Mapping[str, float]]

_ADULTS = {
    "unseen_adult_supplement": "adults of the supplement",
    "unseen_covid19_radiography_224": "adults of the radiography blocks",
}


@dataclass(frozen=True)
class Target:
    """One requirement.

    Attributes:
        what: In words.
        metric: Name in the scores.
        limit: To reach, or with ``at_most`` to stay below.
        every_model: The weakest single model counts, not the panel.
        at_most: Less is better.
    """

    what: str
    metric: str
    limit: float
    every_model: bool = False
    at_most: bool = False

    @property
    def asked(self) -> str:
        """The limit in words."""
        return f"{'at most' if self.at_most else 'at least'} {self.limit:g}"

    def verdict(self, value: float) -> str:
        """``met``, or by how much it was missed."""
        short = value - self.limit if self.at_most else self.limit - value
        return "met" if short <= 0 else f"missed by {short:.3f}"


TARGETS: dict[str, tuple[Target, ...]] = {
    "pneumonia": (
        Target("official test: AUC of the panel", "test_auc", 0.975),
        Target("official test: balanced accuracy of the panel", "test_balanced_accuracy", 0.90),
        Target("official test: AUC of every single model", "test_auc", 0.93, every_model=True),
    ),
    "covid19": (
        Target("official test without leaked films: accuracy of the panel", "test_accuracy", 0.95),
        Target("official test without leaked films: macro AUC", "test_macro_auc", 0.985),
        *(
            target
            for side, words in _ADULTS.items()
            for target in (
                Target(
                    f"{words}: AUC COVID-19 against normal", f"{side}_auc_covid_vs_normal", 0.98
                ),
                Target(f"{words}: COVID-19 found", f"{side}_recall_covid", 0.85),
                Target(
                    f"{words}: normal adults called COVID-19",
                    f"{side}_normal_called_covid",
                    0.05,
                    at_most=True,
                ),
            )
        ),
    ),
}


def bar_rows(panel: str, scores: Scores, models: Mapping[str, Scores]) -> list[Sequence[str]]:
    """Rows (what, asked, measured, met) of a panel; no row for what was not measured.

    Args:
        panel: Name of the panel.
        scores: Of the panel's mean probability.
        models: Title -> scores of each model.
    """
    rows = []
    for target in TARGETS.get(panel, ()):
        measured, note = scores.get(target.metric), ""
        if target.every_model:
            known = {
                title: of[target.metric] for title, of in models.items() if target.metric in of
            }
            if not known:
                continue
            title = min(known, key=lambda name: known[name]["value"])
            measured, note = known[title], f" ({title}, the weakest)"
        if measured is None:
            continue
        verdict = target.verdict(measured["value"])
        rows.append((target.what, target.asked, interval(measured) + note, verdict))
    return rows
