"""Other random seeds, scored side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from studies.__main__ import main
from studies.seeds import bars_of, panel_tables, runs_of, table_of
from training.data.split import SplitData
from training.evaluation.predictions import read_run_answers
from training.export.exporter import export_model
from training.export.panel import finish_panel
from training.models import TITLES

CLASSES = ("Normal", "Pneumonia")


def test_a_row_gives_the_mean_and_the_range_of_its_seeds() -> None:
    truth = np.array([0, 0, 1, 1])
    right = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    half = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.9, 0.1]])
    table = table_of(
        {"scnn": [{"test": right}, {"test": half}], "ccnn": [{"test": right}]},
        {"test": truth},
        CLASSES,
        "seeds",
    )
    rows = {row[1]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert rows["SCNN"]["accuracy"] == "0.750 (0.500 to 1.000)"
    assert rows["SCNN"]["seeds"] == "2"
    assert rows["CCNN"]["accuracy"] == "1.000"
    # The second panel: the second SCNN beside the only CCNN.
    second = float(np.mean(((half + right) / 2).argmax(1) == truth))
    expected = f"{(1 + second) / 2:.3f} ({min(1, second):.3f} to {max(1, second):.3f})"
    assert rows["Panel, mean probability"]["accuracy"] == expected


def test_what_was_asked_is_held_against_the_mean_of_the_seeds() -> None:
    truth = np.array([0, 0, 1, 1])
    right = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    half = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.9, 0.1]])
    answers = {"scnn": [{"test": right}, {"test": half}], "ccnn": [{"test": right}]}
    table = bars_of("pneumonia", answers, {"test": truth}, CLASSES)
    assert table is not None
    area, balanced, weakest = table.rows
    # The second seed has one of four pairs in the right order, and one tie.
    assert weakest[2] == "0.688 (0.375 to 1.000) (SCNN, the weakest)"
    assert weakest[1:4:2] == ["at least 0.93", "missed by 0.243"]
    # The two halves of the second panel tie on two films, and the first class then wins.
    assert balanced[2:] == ["0.875 (0.750 to 1.000)", "missed by 0.025"]
    assert area[2] == "0.938 (0.875 to 1.000)"
    assert bars_of("mine", answers, {"test": truth}, CLASSES) is None


def test_the_best_validation_score_comes_first(tmp_path: Path) -> None:
    for name, score in (("one", 0.8), ("two", 0.9), ("three", 0.7)):
        run = tmp_path / name / "mine-scnn"
        run.mkdir(parents=True)
        (run / "best.npz").write_bytes(b"")
        (run / "metrics.json").write_text(json.dumps({"best_score": score}))
    folders = [tmp_path / name for name in ("one", "two", "three", "absent")]
    assert [run.parent.name for run in runs_of(folders, "mine", "scnn")] == ["two", "one", "three"]


def test_missing_runs_and_runs_of_other_films_are_refused_with_a_sentence(
    films: Path, scnn_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["seeds", "drawn", "--data", str(films), "--runs", str(tmp_path / "runs")]
    assert main(arguments) != 0
    assert "No finished run of SCNN" in capsys.readouterr().err
    # Trained on the same films split at another size.
    shutil.copytree(scnn_run, tmp_path / "runs" / "drawn-scnn")
    assert main(arguments) != 0
    assert "trained on other films" in capsys.readouterr().err


@pytest.mark.slow
def test_an_exported_panel_counts_as_a_seed(
    drawn: SplitData, scnn_run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exported" / "drawn"
    for model in TITLES:
        # Four members that are one network: what counts here is whose answers are taken.
        run = tmp_path / "runs" / f"drawn-{model}"
        shutil.copytree(scnn_run, run)
    export_model(tmp_path / "runs" / "drawn-scnn", drawn, folder, version="1")
    finish_panel(folder, tmp_path / "runs", drawn)
    with pytest.raises(FileNotFoundError, match="CCNN"):
        panel_tables(drawn, [tmp_path / "none"], folder)
    (table,) = panel_tables(drawn, [tmp_path / "runs"], folder)
    rows = {row[1]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert rows["SCNN"]["seeds"] == "2"
    assert rows["CCNN"]["seeds"] == "1"
    said = read_run_answers(tmp_path / "runs" / "drawn-scnn")["unseen films"]
    accuracy = np.mean(said.probabilities.argmax(1) == said.labels)
    assert rows["SCNN"]["accuracy"].startswith(f"{accuracy:.3f}")
