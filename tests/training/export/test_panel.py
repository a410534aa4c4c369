"""The scores of the four together, written beside their files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from training.data.split import SplitData
from training.evaluation.predictions import ANSWERS_NAME, FIGURES_NAME
from training.export.exporter import export_model
from training.export.panel import finish_panel


def test_a_model_whose_run_is_gone_keeps_the_scores_it_was_exported_with(
    drawn: SplitData, scnn_run: Path, tmp_path: Path
) -> None:
    folder, runs = tmp_path / "exported" / "drawn", tmp_path / "runs"
    shutil.copytree(scnn_run, runs / "drawn-scnn")
    export_model(runs / "drawn-scnn", drawn, folder, version="1")
    first = finish_panel(folder, runs, drawn)
    curves = json.loads((folder / FIGURES_NAME).read_text())["curves"]
    assert curves["scnn"]["loss"]
    # Another run of the same model, which was never exported, says nothing.
    (runs / "drawn-scnn" / ANSWERS_NAME).unlink()
    (runs / "drawn-scnn" / "curves.csv").write_text("epoch,loss\n1,99\n")
    again = finish_panel(folder, runs, drawn)
    assert again.keys() == first.keys()
    for name, row in first.items():
        assert again[name]["value"] == pytest.approx(row["value"], abs=1e-6), name
    assert json.loads((folder / FIGURES_NAME).read_text())["curves"] == curves
    (folder / ANSWERS_NAME).unlink()
    with pytest.raises(FileNotFoundError, match="Export the panel again"):
        finish_panel(folder, runs, drawn)
