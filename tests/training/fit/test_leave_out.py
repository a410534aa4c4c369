"""A hospital that is left out is never learnt from, and its films are answered all the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import tiny_config
from training.data.split import TRAIN, VALIDATION, SplitData
from training.fit.leave_out import LeftOut, hospitals_of, leave_out, left_out_scores, without


@pytest.fixture(scope="module")
def two_places(drawn: SplitData) -> SplitData:
    """The drawn films as if they came from three hospitals in turn."""
    places = ("films", "montgomery", "other")
    films = tuple(
        dataclasses.replace(film, source=places[index % 3])
        for index, film in enumerate(drawn.films)
    )
    return dataclasses.replace(drawn, films=films)


def test_films_of_hannover_are_known_in_every_set(two_places: SplitData) -> None:
    films = list(two_places.films)
    films[0] = dataclasses.replace(films[0], source="covid19-radiography-224", group="hannover")
    names = hospitals_of(dataclasses.replace(two_places, films=tuple(films)))
    assert names[:3] == ["hannover", "montgomery", "other"]


def test_no_film_of_the_hospital_stays_in_training_or_validation(two_places: SplitData) -> None:
    left = without(two_places, ["montgomery"])
    for side in (TRAIN, VALIDATION):
        assert all(left.films[index].source != "montgomery" for index in left.indices(side))
    # Tests stay tests: nothing of them is asked here.
    assert len(left.indices("left out")) == sum(
        film.source == "montgomery" and side in (TRAIN, VALIDATION)
        for film, side in zip(two_places.films, two_places.sides, strict=True)
    )


def test_an_unknown_hospital_is_named(two_places: SplitData) -> None:
    with pytest.raises(ValueError, match="atlantis"):
        without(two_places, ["atlantis"])


def test_every_fold_answers_and_finished_folds_are_not_trained_again(
    two_places: SplitData, tmp_path: Path
) -> None:
    config = tiny_config("scnn", stages=((1, 32),), epoch_images=32)
    told: list[str] = []
    folds = [["montgomery"], ["other"]]
    first = leave_out(config, two_places, tmp_path, folds, told.append)
    assert told == ["without montgomery", "without other"]
    assert set(first["hospitals"]) == {"other", "montgomery"}
    (tmp_path / "other" / "left_out.npz").unlink()
    told.clear()
    again = leave_out(config, two_places, tmp_path, folds, told.append)
    assert told == ["without other"]
    assert again["hospitals"].keys() == first["hospitals"].keys()


def test_scores_of_answers_that_are_known() -> None:
    names = ("Covid", "Normal", "Viral Pneumonia")
    labels = np.repeat([0, 1, 2, 3], 20)
    logits = np.full((80, 4), -5.0, np.float32)
    logits[np.arange(80), labels] = 5.0
    logits[20:25] = [5.0, -5.0, -5.0, -5.0]  # A quarter of the normal films is called COVID-19.
    found = left_out_scores(LeftOut(("a",) * 40 + ("b",) * 40, labels, logits), names)
    assert found["hospitals"]["a"]["Normal"]["called Covid"] == 0.25
    assert found["hospitals"]["a"]["Covid"]["called Covid"] == 1.0
    assert found["worst"] == {"share": 0.75, "of": "a: Normal"}
    assert found["mean"] == pytest.approx((1 + 0.75 + 1) / 3)
    assert found["auc"]["Covid"] == pytest.approx(1 - 0.25 / 2)
    assert found["found"]["Covid"] == 0.0  # No limit keeps 97 % of the normal films out.
    assert found["auc"]["Viral Pneumonia"] > 0.8
    assert found["none_auc"] == 1.0
