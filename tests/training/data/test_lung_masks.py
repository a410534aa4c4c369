"""Films with drawn lungs are found with their sources, and a figure's parts stay on one side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.lung_masks import find_drawn_films, read_lung_films


def _save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    film = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:50, 8:28] = 255
    _save(tmp_path / "montgomery/Normal/MCU_1.jpeg", film)
    _save(tmp_path / "montgomery/masks/MCU_1.png", mask)
    _save(tmp_path / "montgomery/masks/MCU_2.png", mask)  # its film is not here
    for part in "ab":
        _save(tmp_path / f"covid/film-{part}.jpeg", film)
        _save(tmp_path / f"lung-masks/cohen/article.pdf-001-fig1{part}.png", mask)
    (tmp_path / "lung-masks/masks.csv").write_text(
        "mask,film,certainty\n"
        "cohen/article.pdf-001-fig1a.png,covid/film-a.jpeg,hash\n"
        "cohen/article.pdf-001-fig1b.png,covid/film-b.jpeg,hash\n"
        "cohen/gone.png,covid/gone.jpeg,hash\n"
    )
    return tmp_path


def test_only_films_that_are_there_count(root: Path) -> None:
    found = find_drawn_films(root)
    assert [(film.source, film.film.name) for film in found] == [
        ("montgomery", "MCU_1.jpeg"),
        ("cohen", "film-a.jpeg"),
        ("cohen", "film-b.jpeg"),
    ]


def test_parts_of_one_figure_are_one_group_on_one_side(root: Path) -> None:
    _, first, second = find_drawn_films(root)
    assert first.group == second.group
    assert first.held_out == second.held_out


def test_film_and_mask_come_at_the_networks_size(root: Path) -> None:
    films = read_lung_films(find_drawn_films(root), 32)
    assert films.pixels.shape == (3, 32, 32, 1)
    assert films.masks.shape == (3, 32, 32)
    assert films.masks[0, 15, 8] == 255
    assert films.masks[0, 1, 30] == 0
    assert len(films.training_hash) == 64


def test_a_folder_without_masks_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="lung masks"):
        find_drawn_films(tmp_path)
