"""The evaluation set of odd images, and what a panel's score makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import open_panel
from tests.helpers.tiny_models import write_panel
from training.__main__ import main
from training.data.split import SplitData
from training.evaluation.lungs import chosen_films
from training.ood.evaluation import measure_ood, odd_kinds
from training.ood.outlier_images import KINDS, draw_other_radiograph


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_are_reproducible_and_differ(kind: str) -> None:
    first = draw_other_radiograph(kind, 1, (96, 80))
    assert first.shape == (96, 80)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, draw_other_radiograph(kind, 1, (96, 80)))
    assert (first != draw_other_radiograph(kind, 2, (96, 80))).mean() > 0.2
    assert first.std() > 20


def test_an_unknown_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="kind is one of"):
        draw_other_radiograph("knee", 1)


def test_every_kind_has_the_shape_of_the_models_and_changes_the_film(drawn: SplitData) -> None:
    films = drawn.pixels[:3]
    kinds = odd_kinds(films)
    names = [kind.name for kind in kinds]
    assert len(set(names)) == len(names)
    assert {"inverted", "turned by 90 degrees", "drawn hand", "drawn CT slice"} <= set(names)
    for kind in kinds:
        assert kind.pixels.shape[1:] == films.shape[1:]
        assert kind.pixels.dtype == np.uint8
        if kind.origin == "made from films":
            assert len(kind.pixels) == 3
            assert (kind.pixels != films).any((1, 2, 3)).all()
        if kind.origin == "real":
            assert len(kind.pixels) > kind.originals >= 1


def test_a_score_of_brightness_ranks_white_pages_first(drawn: SplitData, tmp_path: Path) -> None:
    # The tiny panel's score is the mean grey level: which kinds it must tell is known.
    panel = open_panel(write_panel(tmp_path, name="drawn", models=("scnn",), ood_limit=0.75))
    films = chosen_films(drawn, 5)
    found = measure_ood(PanelSession(panel, "cpu"), drawn, films, made_from=4)
    assert set(found["usual"]) == {"validation", "unseen films"}
    assert found["odd"]["small on a white page"]["auroc"]["value"] == 1.0
    assert found["odd"]["small on a white page"]["flagged"]["value"] == 1.0
    assert found["odd"]["drawn hand"]["auroc"]["value"] < 0.1
    # A turn does not change the mean.
    assert found["odd"]["upside down"]["auroc"]["value"] == pytest.approx(0.5, abs=0.35)
    assert found["usual"]["unseen films"]["value"] == 0.0
    assert found["usual"]["unseen films"]["high"] > 0.1


def test_the_command_writes_a_page_and_the_same_numbers(films: Path, tmp_path: Path) -> None:
    folder = write_panel(tmp_path, name="drawn", models=("scnn",))
    page = tmp_path / "ood.md"
    arguments = ["ood", str(folder), "--data", str(films), "--films", "3", "--made-from", "2"]
    assert main([*arguments, "--output", str(page)]) == 0
    (panel,) = json.loads(page.with_suffix(".json").read_text())["panels"]
    assert f"Mean AUROC over all kinds {panel['mean_auroc']:.3f}" in page.read_text()


def test_films_of_other_classes_are_refused(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_panel(tmp_path, name="other", class_names=("Cat", "Dog"), models=("scnn",))
    assert main(["ood", str(folder), "--data", str(films), "--output", str(tmp_path / "o.md")]) == 1
    assert "Give films of the panel's classes" in capsys.readouterr().err
