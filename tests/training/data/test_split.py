"""No person, no block and no copy of a film stands on two sides."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.duplicates.perceptual_hash import near_pairs
from desktop.core.imaging.phantoms import draw_phantom
from tests.helpers.data_location import shared_data
from training.data.datasets import RECIPES, DatasetSpec, Source, recipe_for_folder
from training.data.image_cache import decode_films
from training.data.split import SplitData, side_of_groups, split

SIZE = (64, 64)


def _film(path: Path, kind: str, seed: int, **save: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_phantom(kind, seed, (128, 128))).save(path, **save)


def _side_of(data: SplitData, name: str) -> set[str]:
    return {
        side for film, side in zip(data.films, data.sides, strict=True) if film.path.name == name
    }


def test_every_film_has_one_side_and_every_class_is_trained_and_validated(drawn: SplitData) -> None:
    assert len(drawn.sides) == len(drawn.films) == 48
    for side in ("train", "validation", "unseen films"):
        assert set(drawn.labels[drawn.indices(side)]) == {0, 1, 2}, side


def test_films_of_one_person_stay_together() -> None:
    groups = [f"set:person{number}" for number in range(400)]
    sides = side_of_groups(groups, Source("x", "y", validation=0.2, unseen=0.2))
    counts = Counter(sides.values())
    assert 0.12 < counts["validation"] / 400 < 0.28
    assert 0.12 < counts["unseen x"] / 400 < 0.28
    # The same person is on the same side in any other recipe, whoever else is in it.
    fewer = side_of_groups(groups[::7], Source("x", "other", validation=0.2, unseen=0.2))
    assert all(sides[group] == side for group, side in fewer.items())


def test_the_lowest_numbers_can_be_the_validation() -> None:
    groups = [f"set:{number}" for number in range(10)]
    sides = side_of_groups(groups, Source("x", "y", validation=0.3, first_groups=True))
    assert [number for number in range(10) if sides[f"set:{number}"] == "validation"] == [0, 1, 2]


def test_a_test_film_copied_from_its_own_training_folder_counts_as_leaked(tmp_path: Path) -> None:
    for number in range(12):
        for label, kind in (("Ill", "covid"), ("Well", "normal")):
            _film(tmp_path / "train" / label / f"{label}{number}.png", kind, number)
    _film(tmp_path / "test" / "Ill" / "copy.jpg", "covid", 3, quality=80)
    _film(tmp_path / "test" / "Ill" / "new.png", "covid", 900)
    official = DatasetSpec(
        "p",
        "p",
        ("Ill", "Well"),
        (
            Source("train/Ill", "Ill", "official", set_name="s"),
            Source("train/Well", "Well", "official", set_name="s"),
            Source("test/Ill", "Ill", "test", set_name="s"),
        ),
    )
    data = split(official, tmp_path, SIZE)
    assert _side_of(data, "copy.jpg") == {"leaked test"}
    assert _side_of(data, "new.png") == {"test"}
    assert data.notes["leaked_test"] == 1
    assert _side_of(data, "Ill3.png") <= {"train", "validation"}


def test_a_test_film_that_an_earlier_network_learnt_is_leaked_and_not_learnt_again(
    tmp_path: Path,
) -> None:
    for number in range(12):
        for label, kind in (("Ill", "covid"), ("Well", "normal")):
            _film(tmp_path / "train" / label / f"{label}{number}.png", kind, number)
    _film(tmp_path / "test" / "Ill" / "copy.jpg", "covid", 3, quality=80)
    _film(tmp_path / "test" / "Ill" / "new.png", "covid", 900)
    recipe = DatasetSpec(
        "p",
        "p",
        ("Ill", "Well"),
        (
            Source("train/Ill", "Ill", "earlier", set_name="other"),
            Source("train/Well", "Well", set_name="s"),
            Source("test/Ill", "Ill", "test", set_name="s"),
        ),
    )
    data = split(recipe, tmp_path, SIZE)
    assert _side_of(data, "copy.jpg") == {"leaked test"}
    assert _side_of(data, "Ill3.png") == {"dropped"}
    assert _side_of(data, "new.png") == {"test"}


def test_a_pool_film_with_a_copy_in_a_test_is_never_trained_on(tmp_path: Path) -> None:
    for number in range(12):
        for label, kind in (("Ill", "covid"), ("Well", "normal")):
            _film(tmp_path / "train" / label / f"{label}{number}.png", kind, number)
    _film(tmp_path / "test" / "Ill" / "copy.jpg", "covid", 3, quality=80)
    _film(tmp_path / "test" / "Well" / "new.png", "normal", 900)
    data = split(recipe_for_folder(tmp_path, "p"), tmp_path, SIZE)
    assert _side_of(data, "copy.jpg") == {"test"}
    assert _side_of(data, "Ill3.png") == {"dropped"}


def test_an_unreadable_file_is_counted_and_left_out(tmp_path: Path) -> None:
    for number in range(12):
        for label, kind in (("a", "covid"), ("b", "normal")):
            _film(tmp_path / label / f"{label}{number}.png", kind, number)
    broken = tmp_path / "a" / "broken.png"
    broken.write_bytes((tmp_path / "a" / "a0.png").read_bytes()[:300])
    data = split(recipe_for_folder(tmp_path, "p"), tmp_path, SIZE)
    assert _side_of(data, "broken.png") == {"dropped"}
    assert data.notes["unreadable"] == 1


def test_any_class_names_with_and_without_test_folders(tmp_path: Path) -> None:
    for label in ("Zebra", "apple pie"):
        _film(tmp_path / "Training" / label / "x1.png", "normal", 1)
        _film(tmp_path / "valid" / label / "x2.png", "normal", 2)
        _film(tmp_path / "Test" / label / "x3.png", "normal", 3)
    recipe = recipe_for_folder(tmp_path, "zoo")
    assert recipe.class_names == ("Zebra", "apple pie")
    assert {(source.folder.split("/")[0], source.role) for source in recipe.sources} == {
        ("Training", "pool"),
        ("valid", "pool"),
        ("Test", "test"),
    }
    flat = recipe_for_folder(tmp_path / "Training", "zoo")
    assert all(source.unseen > 0 and source.role == "pool" for source in flat.sources)


def test_a_folder_without_classes_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    with pytest.raises(ValueError, match="at least two class folders"):
        recipe_for_folder(tmp_path, "p")


def test_decoded_arrays_come_back_the_same_from_the_cache(drawn: SplitData) -> None:
    again = decode_films(list(drawn.films), SIZE)
    np.testing.assert_array_equal(again[0], drawn.pixels)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("panel", ["covid19", "pneumonia"])
def test_the_real_panels_have_no_leak(panel: str) -> None:
    root = shared_data()
    if root is None:
        pytest.skip("the real X-rays are not here")
    recipe = RECIPES[panel]
    data = split(recipe, root)
    _, hashes, _ = decode_films(list(data.films), (224, 224))
    sides = data.sides

    def kind(side: str) -> str:
        return "test" if side == "test" or side.startswith("unseen") else side

    trained = {"train", "validation"}
    for first, second, _ in near_pairs(hashes):
        pair = {kind(sides[first]), kind(sides[second])}
        assert pair not in ({"train", "validation"}, {"train", "test"}, {"validation", "test"})
    by_group: dict[str, set[str]] = {}
    for film, side in zip(data.films, sides, strict=True):
        if side in trained or side.startswith("unseen"):
            by_group.setdefault(film.group, set()).add(kind(side))
    assert [group for group, found in by_group.items() if len(found) > 1] == []
    if panel == "covid19":
        assert data.notes["leaked_test"] == 9
        assert len(data.indices("test")) == 57
    else:
        assert len(data.indices("test")) == 624


@pytest.mark.data
@pytest.mark.slow
def test_pretraining_sees_no_test_film_of_either_panel() -> None:
    root = shared_data()
    if root is None:
        pytest.skip("the real X-rays are not here")
    pretrained = split(RECIPES["pretraining"], root)
    seen = {pretrained.films[index].sha256 for index in pretrained.indices("train")}
    groups = {pretrained.films[index].group for index in pretrained.indices("train")}
    for panel in ("covid19", "pneumonia"):
        data = split(RECIPES[panel], root)
        for side in data.test_sides:
            held_out = [data.films[index] for index in data.indices(side)]
            assert not seen & {film.sha256 for film in held_out}
            if side.startswith("unseen"):
                assert not groups & {film.group for film in held_out}
