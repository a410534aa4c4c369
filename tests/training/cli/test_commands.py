"""``cxr-train`` as a newcomer meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.panels.registry import open_panel, shipped_panels_folder
from training.__main__ import main
from training.cli.commands import smoke_all
from training.export.panel import read_scores
from training.models import TITLES


@pytest.mark.parametrize("command", ["fit", "export", "evaluate", "run-all"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--data" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["fit", "--panel", "x", "--model", "vgg"], ["run-all"], ["nothing"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_a_folder_without_classes_ends_with_1_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(tmp_path), "--panel", "mine"]
    assert main(["fit", *arguments, "--model", "scnn", "--runs", str(tmp_path / "runs")]) == 1
    assert "at least two class folders" in capsys.readouterr().err


def test_an_export_before_any_fit_says_what_to_do(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(films), "--panel", "mine", "--runs", str(tmp_path)]
    assert main(["export", *arguments]) == 1
    assert "Run cxr-train fit first" in capsys.readouterr().err


def test_a_user_fits_exports_and_evaluates_an_own_panel(films: Path, tmp_path: Path) -> None:
    data = ["--data", str(films)]
    own = [*data, "--panel", "mine", "--runs", str(tmp_path / "runs")]
    assert main(["fit", *own, "--model", "scnn", "--epochs", "1", "--epoch-films", "64"]) == 0
    assert main(["export", *own, "--output", str(tmp_path / "panels"), "--version", "1.0"]) == 0
    opened = open_panel(tmp_path / "panels" / "mine")
    assert opened.class_names == ("Covid", "Normal", "Viral Pneumonia")
    assert opened.models[0].card.version == "1.0"
    scores = tmp_path / "scores.json"
    assert main(["evaluate", str(tmp_path / "panels" / "mine"), *data, "--json", str(scores)]) == 0
    assert '"n": 48' in scores.read_text()


@pytest.mark.slow
def test_smoke_training_gives_a_panel_of_four(tmp_path: Path) -> None:
    opened = open_panel(smoke_all(tmp_path))
    assert opened.model_names == tuple(TITLES)


@pytest.mark.parametrize("name", ["covid19", "pneumonia"])
def test_shipped_panels_are_whole_and_their_pages_agree(name: str) -> None:
    folder = shipped_panels_folder() / name
    opened = open_panel(name)
    page = (folder / "README.md").read_text()
    for values in read_scores(folder).values():
        assert f"{values['value']:.3f} ({values['low']:.3f} to {values['high']:.3f})" in page
    for model in opened.models:
        text = (folder / f"{model.name}.md").read_text()
        for values in model.card.metrics.values():
            assert f"{values['value']:.3f} ({values['low']:.3f}" in text
        assert model.card.training_data_sha256 in text
        assert "not a diagnosis" in text.lower()
