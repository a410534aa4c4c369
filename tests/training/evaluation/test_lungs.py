"""A model that votes without lungs is told from one that looks at them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from desktop.core.imaging.phantoms import _Chest, _random
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import open_panel
from tests.helpers.tiny_models import write_panel
from training.__main__ import main
from training.data.split import SplitData
from training.evaluation.lungs import (
    COVERS,
    TIGHT,
    WIDE,
    chosen_films,
    covered,
    heatmap_share,
    measure_lungs,
)


def _gradient() -> np.ndarray:
    return np.add.outer(np.arange(100), np.arange(100)).astype(np.uint8)


@pytest.mark.parametrize("how", ["mean", "smooth"])
def test_covering_changes_the_box_and_nothing_else(how: str) -> None:
    film = np.random.default_rng(1).integers(0, 256, (100, 100), dtype=np.uint8)
    changed = covered(film, WIDE, how)
    rows, columns = WIDE.slices(100, 100)
    outside = np.ones(film.shape, bool)
    outside[rows, columns] = False
    np.testing.assert_array_equal(changed[outside], film[outside])
    other = film.copy()
    other[rows, columns] = 255 - film[rows, columns]
    # What stood in the box cannot be told from what stands there now.
    np.testing.assert_array_equal(covered(other, WIDE, how), changed)


def test_a_smooth_cover_meets_its_surroundings_without_a_step() -> None:
    film = _gradient()
    rows, columns = WIDE.slices(100, 100)
    smooth = covered(film, WIDE, "smooth").astype(int)
    assert np.abs(smooth - film)[rows, columns].max() <= 12


def test_only_lungs_keeps_the_box_and_hides_the_rest() -> None:
    film = _gradient()
    rows, columns = WIDE.slices(100, 100)
    changed = covered(film, WIDE, "only lungs")
    np.testing.assert_array_equal(changed[rows, columns], film[rows, columns])
    other = film.copy()
    other[:3] = 255
    np.testing.assert_array_equal(covered(other, WIDE, "only lungs"), changed)


def test_an_unknown_cover_is_refused() -> None:
    with pytest.raises(ValueError, match="how is"):
        covered(_gradient(), WIDE, "lungs")


def test_the_wide_box_holds_the_lungs_of_drawn_chests() -> None:
    for seed in range(12):
        lungs = _Chest(_random("normal", seed), (112, 112)).lungs > 0.5
        rows, columns = WIDE.slices(112, 112)
        assert lungs[rows, columns].sum() / lungs.sum() > 0.97
        rows, columns = TIGHT.slices(112, 112)
        assert lungs[rows, columns].sum() / lungs.sum() > 0.85


def test_share_of_a_heatmap() -> None:
    even = heatmap_share(np.ones((14, 14), np.float32))
    assert even == pytest.approx(TIGHT.area, abs=0.02)
    middle = np.zeros((14, 14), np.float32)
    middle[6:8, 4:6] = 3
    assert heatmap_share(middle) > 0.97
    corner = np.zeros((14, 14), np.float32)
    corner[0, 0] = 3
    assert heatmap_share(corner) < 0.1
    assert np.isnan(heatmap_share(np.zeros((7, 7), np.float32)))


def test_a_model_that_never_looks_keeps_all_its_votes(drawn: SplitData, tmp_path: Path) -> None:
    panel = open_panel(
        write_panel(tmp_path, name="drawn", models=("scnn", "ccnn"), favours={"scnn": 1})
    )
    films = chosen_films(drawn, 4)
    assert set(films) == {"validation", "unseen films"}
    found = measure_lungs(PanelSession(panel, "cpu"), drawn, films)
    for rows in found["sides"].values():
        blind = rows["scnn"]["covered"]
        assert [blind[how]["votes_survive"]["value"] for how in COVERS] == [1.0, 1.0, 1.0]
        assert blind["mean"]["votes_given"]["Normal"] == 1.0
        # The other one really asks the pixels.
        assert rows["ccnn"]["covered"]["mean"]["auc"] != rows["ccnn"]["auc_intact"]
        assert 0 < rows["ccnn"]["heatmap_share"]["all"]["value"] < 1


def test_the_command_writes_a_page_and_the_same_numbers(films: Path, tmp_path: Path) -> None:
    folder = write_panel(tmp_path, name="drawn", models=("scnn", "resnet50"))
    page = tmp_path / "lungs.md"
    arguments = ["lungs", str(folder), "--data", str(films), "--films", "3"]
    assert main([*arguments, "--output", str(page)]) == 0
    (panel,) = json.loads(page.with_suffix(".json").read_text())["panels"]
    value = panel["sides"]["validation"]["resnet50"]["auc_intact"]["value"]
    assert f"{value:.2f} (" in page.read_text()
    assert "| ResNet50 |" in page.read_text()
