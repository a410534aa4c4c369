"""The committed report says what the shipped files say."""

from __future__ import annotations

from pathlib import Path

from desktop.core.catalogue import open_panel, shipped_panels_folder
from training.cards import interval
from training.report import model_report

_COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "MODEL_REPORT.md"


def test_the_committed_report_is_the_one_of_the_shipped_models() -> None:
    assert _COMMITTED.read_text("utf-8") == model_report(shipped_panels_folder())


def test_every_model_has_its_scores_and_limits_come_first() -> None:
    text = _COMMITTED.read_text("utf-8")
    assert text.index("## Limits first") < text.index("## Panel")
    for name in ("covid19", "pneumonia"):
        for model in open_panel(name).models:
            assert interval(model.card.metrics["test_accuracy"]) in text
            assert "nan" not in interval(model.card.metrics["test_accuracy"])
