"""The search is judged on imitated hospitals, goes on after a kill and never sees a test film."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import optuna
import pytest

from desktop.core.imaging.phantoms import draw_phantom
from studies.layer_variants import SHIPPED
from studies.tune import _committed, another_scanner, shifted, suggested, tune
from tests.training.conftest import tiny_config
from training.configs import WIDE
from training.data.split import SplitData


def test_the_judging_films_are_doubled_and_no_test_film_is_left(drawn: SplitData) -> None:
    judged = shifted(drawn)
    before = drawn.indices("validation")
    assert set(judged.sides) == {"train", "validation"}
    assert len(judged.indices("validation")) == 2 * len(before)
    assert len(judged.indices("train")) == len(drawn.indices("train"))
    names = {film.path for film in judged.films}
    assert not names & {drawn.films[i].path for i in drawn.indices("unseen films")}
    changed = judged.pixels[judged.indices("validation")][len(before) :]
    assert (changed != drawn.pixels[before]).mean() > 0.5
    np.testing.assert_array_equal(changed, shifted(drawn).pixels[-len(before) :])


def test_the_only_data_set_cannot_be_left_out(drawn: SplitData) -> None:
    with pytest.raises(ValueError, match="cannot be left out"):
        shifted(drawn, leave_out="films")


def test_another_scanner_keeps_the_chest() -> None:
    film = draw_phantom("normal", 1, (96, 96))
    for seed in range(10):
        other = another_scanner(film, np.random.default_rng(seed))
        assert other.shape == film.shape
        alike = np.corrcoef(other.ravel().astype(float), film.ravel().astype(float))[0, 1]
        assert 0.5 < alike < 1.0


def _search(drawn: SplitData, folder: Path, trials: int, **more: object) -> dict[str, object]:
    base = tiny_config("scnn")
    return tune(drawn, "scnn", folder, trials=trials, epochs=1, base=base, **more)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_killed_search_goes_on_with_what_it_was_trying(drawn: SplitData, tmp_path: Path) -> None:
    def kill_second(number: int, row: dict[str, float]) -> None:
        if number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _search(drawn, tmp_path, 2, on_epoch=kill_second)
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    tried = optuna.load_study(study_name="drawn-scnn", storage=storage).trials
    assert len(tried) == 2
    best = _search(drawn, tmp_path, 2)
    trials = optuna.load_study(study_name="drawn-scnn", storage=storage).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert trials[2].params == trials[1].params
    assert best["finished"] == 2
    assert best["committed_score"] == trials[0].value
    assert len((tmp_path / "trials.csv").read_text().splitlines()) == 4
    assert "committed settings (trial 0)" in (tmp_path / "tune.md").read_text()
    assert not list(tmp_path.glob("trial-*"))
    # Nothing is left to do, and other rules are another study.
    assert _search(drawn, tmp_path, 2)["trials"] == 3
    with pytest.raises(ValueError, match=r"other rules \(seed"):
        _search(drawn, tmp_path, 3, seed=2)


@pytest.mark.slow
def test_layers_are_searched_of_a_four_convolution_network_only(
    drawn: SplitData, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="only those of CCNN and DACCNN"):
        _search(drawn, tmp_path, 1, search_layers=True)
    base = tiny_config("ccnn")
    best = tune(drawn, "ccnn", tmp_path / "ccnn", trials=2, epochs=1, base=base, search_layers=True)
    assert best["finished"] == 2
    assert best["best_layers"].keys() == SHIPPED.to_dict().keys()
    kept = json.loads((tmp_path / "ccnn" / "tune.json").read_text())
    first = next(row for row in kept["rows"] if row[0] == "0")
    settings = dict(zip(kept["columns"], first, strict=True))
    # The committed settings come first, layers and all.
    assert (settings["kernels"], settings["pool"]) == ("7-5-3-3", "max")
    assert float(settings["learning rate"]) == base.learning_rate


def test_what_tells_hospitals_apart_is_searched_too() -> None:
    base = tiny_config("ccnn", augmentation=WIDE)
    same = suggested(optuna.trial.FixedTrial(_committed(base, search_layers=False)), base, 2)
    assert same.augmentation.frame == pytest.approx(WIDE.frame)
    assert same.augmentation.sharpness == pytest.approx(WIDE.sharpness)
    assert same.augmentation.contrast == pytest.approx(WIDE.contrast)
