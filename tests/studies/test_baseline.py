"""The plain experiment on drawn films: one table, leaks counted, finished runs kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from studies.__main__ import main
from studies.baseline import macro_f1, macro_specificity, plain_epochs
from studies.plain_networks import build_plain
from training.data import synthetic as smoke


@pytest.fixture(scope="module")
def split_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and test folders of phantoms, one test film copied from training."""
    root = tmp_path_factory.mktemp("plain")
    drawn = smoke.draw_films(tmp_path_factory.mktemp("all"), films_a_class=12)
    for film in sorted(drawn.rglob("*.png")):
        side = "test" if int(film.stem[-4:]) % 4 == 3 else "train"
        target = root / side / film.parent.name / film.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(film, target)
    shutil.copy(root / "train/Covid/phantom-0000.png", root / "test/Covid/again.png")
    return root


def test_one_command_gives_one_table_and_keeps_finished_runs(
    split_folders: Path, tmp_path: Path
) -> None:
    command = ["baseline", "--data", str(split_folders), "--panel", "own", "--runs", str(tmp_path)]
    command += ["--model", "scnn", "--epochs", "1", "--side", "32"]
    assert main(command) == 0
    page = (tmp_path / "baseline.md").read_text()
    assert "| own | SCNN |" in page
    kept = json.loads((tmp_path / "baseline.json").read_text())
    assert kept["data"]["own"]["leaked_test_films"] >= 1
    assert np.sum(kept["confusions"]["own-scnn"]["counts"]) == 10
    assert kept["data"]["own"]["test_films"] == 10
    assert kept["scores"]["own-scnn"]["accuracy_without_leaked"]["n"] < 10
    # Thirty training films are a small set: five times the epochs.
    assert len(kept["curves"]["own-scnn"]["val_loss"]) == 5
    (row,) = kept["rows"]
    assert dict(zip(kept["columns"], row, strict=True))["augmentation"] == "off"
    written = (tmp_path / "own-scnn" / "result.json").stat().st_mtime_ns
    assert main(command) == 0
    assert (tmp_path / "own-scnn" / "result.json").stat().st_mtime_ns == written


def test_folders_without_a_test_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = smoke.draw_films(tmp_path / "films", films_a_class=2)
    command = ["baseline", "--data", str(root), "--panel", "own", "--runs", str(tmp_path / "r")]
    assert main(command) == 1
    assert "make a test folder" in capsys.readouterr().err


def test_plain_networks_have_the_layers_of_the_report() -> None:
    def convolutions(model: str) -> int:
        layers = build_plain(model, 3, 32).layers
        return sum(type(layer).__name__ == "Conv2D" for layer in layers)

    assert [convolutions(name) for name in ("scnn", "ccnn", "daccnn")] == [2, 4, 4]
    with pytest.raises(ValueError, match="No plain network"):
        build_plain("vgg", 3, 32)


def test_macro_f1_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    probabilities = np.eye(2)[[0, 0, 1, 1, 1]]
    # Class 0: precision 1, recall 2/3; class 1: precision 2/3, recall 1; F1 0.8 each.
    assert macro_f1(labels, probabilities) == pytest.approx(0.8)


def test_macro_specificity_by_hand() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.eye(3)[[0, 1, 1, 1, 2, 0]]
    # Not called 0 though other: 3 of 4; not called 1: 3 of 4; not called 2: 4 of 4.
    assert macro_specificity(labels, probabilities) == pytest.approx((0.75 + 0.75 + 1) / 3)


def test_resnet50_gets_half_and_a_small_set_more_epochs() -> None:
    assert plain_epochs("scnn", 5000, 6) == 6
    assert plain_epochs("resnet50", 5000, 6) == 3
    assert plain_epochs("ccnn", 250, 6) == 30
    assert plain_epochs("resnet50", 250, 1) == 2
