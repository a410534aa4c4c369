"""Whose film it is, as far as the name tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from training.data.films import data_hash, films_in, group_of, number_in


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("person12_virus_1.jpeg", "person12_virus_30.jpeg", True),
        ("person12_virus_1.jpeg", "person12_bacteria_1.jpeg", False),  # two counters, two people
        ("person1_virus_1.jpeg", "person12_virus_1.jpeg", False),
        ("IM-0115-0001.jpeg", "IM-0115-0002.jpeg", True),
        ("IM-0115-0001.jpeg", "NORMAL2-IM-0115-0001.jpeg", False),
        ("00002658_001.jpeg", "00002658_014.jpeg", True),
        ("00002658_001.jpeg", "00002659_001.jpeg", False),
        ("COVID-101.png", "COVID-149.png", True),  # neighbours
        ("COVID-101.png", "COVID-151.png", False),
        ("COVID-101.png", "Normal-101.png", False),
        ("jkms-35-e79-g001-l-a.jpeg", "jkms-35-e79-g001-l-b.jpeg", True),
        ("nejmc2001573_f1a.jpeg", "nejmc2001573_f1b.jpeg", True),
        ("patient7_2.png", "patient7_3.png", True),
        ("image-1.png", "image-2.png", False),
        ("scan1.png", "scan2.png", False),
    ],
)
def test_films_of_one_person_share_a_group(first: str, second: str, same: bool) -> None:
    assert (group_of(first, "set") == group_of(second, "set")) is same


def test_person_7_of_one_set_is_not_person_7_of_another() -> None:
    assert group_of("person7_virus_1.jpeg", "here") != group_of("person7_virus_1.jpeg", "there")


def test_the_number_orders_films_as_they_were_collected() -> None:
    assert number_in(group_of("NORMAL2-IM-0383-0001.jpeg", "chest-xray-pneumonia-224")) == 383


def test_a_name_shared_by_a_whole_folder_names_nobody(tmp_path: Path) -> None:
    for number in range(8):
        Image.new("L", (20, 20), number).save(tmp_path / f"COVID-19_{number}.png")
    films = films_in(tmp_path, "Sick", "mine")
    assert len({film.group for film in films}) == 8


def test_other_files_are_no_films(tmp_path: Path) -> None:
    Image.new("L", (20, 20)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("x")
    assert [film.path.name for film in films_in(tmp_path, "x", "y")] == ["a.png"]
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        films_in(tmp_path / "missing", "x", "y")


def test_the_data_hash_depends_on_the_films_and_not_on_their_order(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("L", (20, 20), number).save(tmp_path / f"{number}.png")
    films = films_in(tmp_path, "x", "y")
    assert data_hash(films) == data_hash(films[::-1])
    assert data_hash(films) != data_hash(films[:2])
