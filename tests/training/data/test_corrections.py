"""Publishers are believed over folders, tests lose such films, and films of none have own sides."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.data_location import shared_data
from training.data.corrections import read_corrections
from training.data.datasets import COVID19, NONE, PNEUMONIA, DatasetSpec, Source
from training.data.films import HANNOVER, group_of
from training.data.split import OFFICIAL_TEST, TRAIN, SplitData, split

LABELS = {"Covid": "Covid", "Normal": "Normal", "Viral": "Viral", "Other": NONE, "Bacterial": NONE}
RECIPE = DatasetSpec(
    "p",
    "p",
    ("Covid", "Normal", "Viral"),
    (
        Source("train/Covid", "Covid", finding="Covid", validation=0.0),
        Source("train/Normal", "Normal", finding="Normal", validation=0.3),
        Source("train/Viral", "Viral", finding="Viral", validation=0.0),
        Source("train/Other", NONE, finding="Other", validation=0.6),
        Source("test/Covid", "Covid", "test"),
    ),
    label_of=LABELS,
)


def _draw(path: Path, seed: int) -> None:
    """A picture like no other one: drawn phantoms are too alike for the second measure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    Image.fromarray(levels).resize((96, 96), Image.Resampling.BICUBIC).save(path)


def _write(root: Path) -> None:
    for place, label in enumerate(("train/Covid", "train/Normal", "train/Viral", "train/Other")):
        for number in range(8):
            _draw(root / label / f"{place}-{number}.png", 40 * place + number)
    for number in range(3):
        _draw(root / "test/Covid" / f"t{number}.png", 500 + number)
    (root / "label_corrections.csv").write_text(
        "film,folder_says,publisher_says,how_matched,patient,note\n"
        'train/Covid/0-1.png,Covid,SARS,0,p,"words, and more"\n'
        "train/Covid/0-2.png,Covid,No Finding,0,p,\n"
        "train/Covid/0-3.png,Covid,Streptococcus,0,p,\n"
        "test/Covid/t1.png,Covid,Streptococcus,0,p,\n"
    )


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> SplitData:
    root = tmp_path_factory.mktemp("corrected")
    _write(root)
    return split(RECIPE, root, (64, 64))


def _film(data: SplitData, name: str) -> tuple[str, str, int, str]:
    index = next(i for i, film in enumerate(data.films) if film.path.name == name)
    return (
        data.sides[index],
        data.films[index].label,
        int(data.labels[index]),
        data.findings[index],
    )


def test_training_films_get_the_label_of_their_publisher(corrected: SplitData) -> None:
    assert _film(corrected, "0-1.png") == (TRAIN, "Viral", 2, "Viral")
    assert _film(corrected, "0-2.png") == (TRAIN, "Normal", 1, "Normal")
    assert _film(corrected, "0-3.png") == ("none: train", NONE, 3, "Bacterial")
    assert _film(corrected, "0-4.png") == (TRAIN, "Covid", 0, "Covid")
    assert corrected.notes["relabelled_by_publisher"] == 3


def test_a_test_film_with_a_wrong_label_leaves_the_test_and_is_counted(
    corrected: SplitData,
) -> None:
    assert _film(corrected, "t1.png")[0] == "dropped"
    assert len(corrected.indices(OFFICIAL_TEST)) == 2
    assert corrected.notes["test_films_with_wrong_label"] == 1


def test_films_of_none_of_the_classes_are_on_no_side_that_is_scored(corrected: SplitData) -> None:
    sides = Counter(
        side
        for side, label in zip(corrected.sides, corrected.labels, strict=True)
        if label == len(RECIPE.class_names)
    )
    assert set(sides) == {"none: train", "none: validation"}
    assert corrected.test_sides == (OFFICIAL_TEST,)


def test_a_word_that_nobody_knows_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "label_corrections.csv").write_text(
        "film,folder_says,publisher_says\na.png,Covid,Something new\n"
    )
    with pytest.raises(ValueError, match="Something new"):
        read_corrections(tmp_path)


def test_hannover_is_one_group_in_both_sets() -> None:
    assert group_of("COVID-1300.jpeg", "covid19-radiography-224") == HANNOVER
    assert group_of("COVID-1796.jpeg", "covid19-radiography-224") == HANNOVER
    assert group_of("COVID-1797.jpeg", "covid19-radiography-224") != HANNOVER
    assert group_of("Normal-1300.jpeg", "covid19-radiography-224") != HANNOVER
    assert group_of("006f3a8a.jpeg", "hannover") == HANNOVER


def test_a_patient_of_the_nih_is_one_person_in_both_sets() -> None:
    assert group_of("00000129_000.jpeg", "nih-adults") == group_of(
        "00000129_003.jpeg", "adult-supplement"
    )


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("recipe", [COVID19, PNEUMONIA], ids=["covid19", "pneumonia"])
def test_the_shipped_recipes_hold_no_person_on_two_sides_and_drop_test_film_0113(
    recipe: DatasetSpec,
) -> None:
    data = split(recipe, shared_data())
    groups: dict[str, set[str]] = {}
    for film, side in zip(data.films, data.sides, strict=True):
        plain = side.removeprefix("none: ")
        if plain in ("train", "validation") or plain.startswith("unseen"):
            groups.setdefault(film.group, set()).add(plain)
    assert [group for group, sides in groups.items() if len(sides) > 1] == []
    wrong = [
        side
        for film, side in zip(data.films, data.sides, strict=True)
        if film.path.name == "0113.jpeg" and film.path.parent.parent.name == "test"
    ]
    assert wrong == (["dropped"] if recipe is COVID19 else ["guard"])
    assert data.notes["relabelled_by_publisher"] >= 15
