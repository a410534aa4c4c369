"""Each row changes one thing, no test film is asked, and finished rows are kept and shared."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from studies.__main__ import main
from studies.ablation import Study, rows_of, run_ablation, study_of
from studies.experiment import (
    Experiment,
    area,
    cell,
    difference,
    inside_films,
    outside_films,
    pool_sources,
    restricted,
    run_experiment,
)
from studies.layer_variants import SHIPPED, Layers, build_variant
from studies.leave_one_out import rows_of as rows_left_out
from studies.leave_one_out import run_leave_one_out
from tests.training.conftest import tiny_config
from training.data.datasets import DatasetSpec, Source
from training.data.split import TRAIN, VALIDATION, SplitData
from training.metrics import classification as metrics
from training.models import build


@pytest.fixture(scope="module")
def hospitals(drawn: SplitData) -> SplitData:
    """The drawn films as three data sets: two with all classes, one with Covid and Normal only."""
    names = ("north", "south", "east")
    films, chosen = [], []
    for index, film in enumerate(drawn.films):
        name = names[index % 3]
        if name == "east" and film.label == "Viral Pneumonia":
            continue
        films.append(dataclasses.replace(film, source=name))
        chosen.append(index)
    # Validation of every data set and class, whatever the draw gave.
    sides = ["unseen east" if place % 11 == 10 else TRAIN for place in range(len(films))]
    for name in names:
        for label in drawn.recipe.class_names:
            own = [i for i, film in enumerate(films) if (film.source, film.label) == (name, label)]
            for place in own[:2]:
                sides[place] = VALIDATION
    sources = tuple(Source(name, "Covid", set_name=name) for name in names)
    return SplitData(
        DatasetSpec("drawn", "Drawn", drawn.recipe.class_names, sources),
        tuple(films),
        drawn.pixels[chosen],
        drawn.labels[chosen],
        tuple(sides),
        drawn.weights[chosen],
    )


@pytest.fixture
def study() -> Study:
    return Study("ccnn", tiny_config("ccnn", stages=((1, 32),)), "east")


def test_the_layers_as_shipped_are_the_shipped_network() -> None:
    for side in (32, 56):
        keras.utils.set_random_seed(3)
        ours = build_variant(SHIPPED, 3, side, dropout=0.3)
        theirs = build("ccnn", 3, side, dropout=0.3, weights="none")
        assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
        theirs.set_weights(ours.get_weights())
        film = np.random.default_rng(1).uniform(0, 255, (2, side, side, 1)).astype("float32")
        np.testing.assert_allclose(
            ours(film, training=False)["logits"], theirs(film, training=False)["logits"], atol=1e-5
        )


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        (Layers(standardise=False), "Standardise"),
        (Layers(normalise=False), "BatchNormalization"),
        (Layers(head="flatten"), "GlobalAveragePooling2D"),
        (Layers(pool="average"), "MaxPooling2D"),
        (Layers(pool="stride"), "MaxPooling2D"),
    ],
)
def test_a_layer_taken_away_is_gone_and_the_map_keeps_its_size(changed: Layers, kind: str) -> None:
    def kinds(network: keras.Model) -> set[str]:
        return {type(layer).__name__ for layer in network.layers}

    full = build_variant(SHIPPED, 2, 32, dropout=0.1)
    less = build_variant(changed, 2, 32, dropout=0.1)
    assert kind in kinds(full)
    assert kind not in kinds(less)
    assert less.output["features"].shape == full.output["features"].shape


def test_every_row_differs_from_the_first_and_has_its_own_name(
    hospitals: SplitData, study: Study
) -> None:
    rows = rows_of(hospitals, study)
    assert len({row.name for row in rows}) == len(rows)
    without_names = [dataclasses.replace(row, name="") for row in rows]
    assert len(set(without_names)) == len(rows)
    assert {row.name for row in rows if "east" in row.trained_on} == {"data: with east"}
    # East lacks a class, so that north and south can each be left out, but not both.
    assert "data: without north" in {row.name for row in rows}


def test_a_row_trains_on_its_data_sets_and_on_no_test(hospitals: SplitData, study: Study) -> None:
    mine = restricted(hospitals, Experiment("x", study.config, frozenset({"north"}), balance=False))
    sides = np.array(mine.sides)
    kept = np.flatnonzero(sides != "dropped")
    assert {mine.films[i].source for i in kept} == {"north"}
    assert set(sides[kept]) == {TRAIN, VALIDATION}
    assert not mine.recipe.balance
    assert pool_sources(hospitals) == ["north", "south", "east"]
    held = set(hospitals.indices("unseen east").tolist())
    assert held
    for name in pool_sources(hospitals):
        inside, outside = inside_films(hospitals, name), outside_films(hospitals, name)
        assert set(inside.tolist()) <= set(outside.tolist())
        assert not held & set(outside.tolist())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_ablation_is_one_table_and_goes_on_where_it_was_killed(
    hospitals: SplitData, study: Study, tmp_path: Path
) -> None:
    output = tmp_path / "results" / "ablation.json"
    chosen = ["no batch normalisation", "data: with east"]
    first = run_ablation(hospitals, study, tmp_path / "rows", output, only=chosen[:1])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "rows").rglob("answers.npz")}
    assert len(before) == 2
    table = run_ablation(hospitals, study, tmp_path / "rows", output, only=chosen)
    kept = json.loads(output.read_text())
    assert kept["rows"][:2] == [list(row) for row in first.rows]
    assert [row[0] for row in kept["rows"]] == ["all choices", *chosen]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    heads = list(table.columns)
    change = heads.index("change against the first row")
    assert kept["rows"][0][change] == ""
    assert "trained on it" in kept["rows"][2][change]
    assert "No test film was looked at" in kept["note"]
    assert "| no batch normalisation |" in output.with_suffix(".md").read_text()
    assert not list((tmp_path / "rows").rglob("last.npz"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_leave_one_out_asks_about_what_was_left_out_and_shares_rows(
    hospitals: SplitData, study: Study, tmp_path: Path
) -> None:
    # South has a class that no other data set has, so that it is trained on and never left out.
    films = tuple(
        dataclasses.replace(film, source="south") if film.label == "Viral Pneumonia" else film
        for film in hospitals.films
    )
    data = dataclasses.replace(hospitals, films=films)
    alone = dataclasses.replace(study, outside=None)
    output = tmp_path / "leave_one_out.json"
    table = run_leave_one_out([(data, alone)], tmp_path / "rows", output)
    lines = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [line["left out"] for line in lines] == ["north", "east"]
    assert int(lines[1]["films asked"]) == len(outside_films(data, "east"))
    assert lines[1]["classes"] == "Covid against Normal"
    # The run with all data sets serves both lines, and a second study adds none.
    assert len(list((tmp_path / "rows").rglob("answers.npz"))) == 3
    again = run_leave_one_out([(data, alone)], tmp_path / "rows", output)
    assert [list(row) for row in again.rows] == json.loads(output.read_text())["rows"]
    assert len(list((tmp_path / "rows").rglob("answers.npz"))) == 3


@pytest.mark.slow
def test_answers_about_other_films_are_not_taken(
    hospitals: SplitData, study: Study, tmp_path: Path
) -> None:
    row = Experiment("x", study.config, frozenset({"north"}))
    answered = run_experiment(row, hospitals, tmp_path)
    labels, probabilities = answered.on(outside_films(hospitals, "east"))
    assert probabilities.shape == (len(labels), 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    fewer = list(hospitals.sides)
    fewer[int(outside_films(hospitals, "east")[0])] = "dropped"
    with pytest.raises(ValueError, match="other films"):
        run_experiment(row, dataclasses.replace(hospitals, sides=tuple(fewer)), tmp_path)


def test_a_data_set_with_a_class_of_its_own_is_not_left_out(
    hospitals: SplitData, study: Study
) -> None:
    alone = [
        dataclasses.replace(
            film, source="north" if film.label == "Viral Pneumonia" else film.source
        )
        for film in hospitals.films
    ]
    rows = rows_left_out(dataclasses.replace(hospitals, films=tuple(alone)), study)
    assert set(rows) == {"", "south", "east"}
    one = [dataclasses.replace(film, source="north") for film in hospitals.films]
    with pytest.raises(ValueError, match="needs two data sets"):
        rows_left_out(dataclasses.replace(hospitals, films=tuple(one)), study)


def test_an_unknown_outside_or_row_is_refused_with_what_there_is(
    hospitals: SplitData, study: Study, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="there are: north, south, east"):
        study_of(hospitals, "ccnn", side=32, epochs=1, epoch_films=16, outside="west")
    with pytest.raises(ValueError, match=r"No row dropout.*all choices"):
        run_ablation(hospitals, study, tmp_path, tmp_path / "a.json", only=["dropout"])


def test_a_difference_is_paired() -> None:
    labels = np.repeat([0, 1], 50)
    random = np.random.default_rng(2)
    score = np.clip(labels * 0.3 + random.uniform(0, 0.7, 100), 0, 1)
    one = np.stack([1 - score, score], axis=1)
    assert difference(metrics.macro_auc, labels, one, one) == {
        "value": 0.0,
        "low": 0.0,
        "high": 0.0,
        "n": 100.0,
    }
    worse = np.full_like(one, 0.5)
    change = difference(metrics.macro_auc, labels, worse, one)
    assert change["high"] < 0
    assert cell(change, signed=True).startswith("−0.")


def test_the_area_between_two_of_three_classes_by_hand() -> None:
    labels = np.array([0, 0, 2, 2])
    probabilities = np.array([[0.6, 0.4, 0], [0.3, 0.1, 0.6], [0.4, 0.3, 0.3], [0.1, 0.1, 0.8]])
    # By the probability of the first of the two: 0.6 beats both, 0.3 beats one of two.
    assert area(labels, probabilities) == 0.75


@pytest.mark.slow
def test_the_commands_run_on_any_folder_of_class_folders(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--data", str(films), "--panel", "own", "--side", "32", "--epochs", "1"]
    command += ["--epoch-films", "16", "--runs", str(tmp_path)]
    assert main(["ablation", *command, "--row", "classes not balanced"]) == 0
    kept = json.loads((tmp_path / "ablation.json").read_text())
    assert [row[0] for row in kept["rows"]] == ["all choices", "classes not balanced"]
    assert main(["leave-one-out", *command]) == 1
    assert "it needs two data sets" in capsys.readouterr().err
