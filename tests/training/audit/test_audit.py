"""What makes a score meaningless is found in folders that hold it, and only there."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from desktop.core.duplicates.perceptual_hash import perceptual_hash
from desktop.core.errors import UsageError
from desktop.core.imaging.phantoms import draw_phantom
from tests.helpers.data_location import shared_data
from training.__main__ import main
from training.audit.audit import audit_split, refuse_leaks
from training.audit.copies import find_sameness, sides_leak
from training.audit.shortcut_probe import cues_of, find_marks, probe
from training.data.datasets import RECIPES, recipe_for_folder
from training.data.split import split

SIZE = (64, 64)
KINDS = {"Ill": "covid", "Well": "normal"}


def _film(path: Path, kind: str, seed: int, **save: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_phantom(kind, seed, (128, 128))).save(path, **save)


def _folders(root: Path, films: int = 5) -> Path:
    """Train and test folders of phantoms; some drawn chests are near-duplicates, these are not."""
    kept: list[np.ndarray] = []
    for label, kind in KINDS.items():
        seeds = iter(range(900))
        for side, letter in (("train", "a"), ("test", "b")):
            for number in range(films):
                while True:
                    seed = next(seeds)
                    code = perceptual_hash(draw_phantom(kind, seed, (128, 128)))
                    if all((code != other).sum() > 30 for other in kept):
                        break
                kept.append(code)
                _film(root / side / label / f"{label.lower()}-{letter}{number:03}.png", kind, seed)
    return root


def _audit_json(root: Path, output: Path, *extra: str) -> tuple[int, dict[str, object]]:
    code = main(["audit", "--data", str(root), "--output", str(output), *extra])
    (panel,) = json.loads(output.with_suffix(".json").read_text())["panels"]
    return code, panel


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _folders(tmp_path_factory.mktemp("clean"))


def test_clean_folders_pass(clean: Path, tmp_path: Path) -> None:
    code, panel = _audit_json(clean, tmp_path / "a.md")
    assert code == 0
    assert panel["leaks_on_disk"] == panel["leaks_in_use"] == {"copies": 0, "people": 0}
    assert "It does not leak" in (tmp_path / "a.md").read_text()


def test_copies_in_training_and_test_fail_and_both_files_are_named(
    clean: Path, tmp_path: Path
) -> None:
    root = tmp_path / "films"
    shutil.copytree(clean, root)
    shutil.copy(root / "train/Ill/ill-a000.png", root / "test/Ill/ill-b900.png")
    with Image.open(root / "train/Well/well-a003.png") as film:
        film.save(root / "test/Well/well-b901.jpg", quality=70)
    code, panel = _audit_json(root, tmp_path / "a.md")
    assert code == 1
    assert panel["leaks_on_disk"]["copies"] == 2
    # Training takes them out by itself, and says so.
    assert panel["leaks_in_use"]["copies"] == 0
    assert panel["left_out"]["dropped_near_test"] == 2
    assert (panel["copies"]["exact"], panel["copies"]["near"]) == (1, 1)
    page = (tmp_path / "a.md").read_text()
    for name in ("train/Ill/ill-a000.png", "test/Ill/ill-b900.png", "test/Well/well-b901.jpg"):
        assert name in page
    assert _audit_json(root, tmp_path / "a.md", "--repaired")[0] == 0


def test_one_film_with_two_labels_is_a_conflict(clean: Path, tmp_path: Path) -> None:
    root = tmp_path / "films"
    shutil.copytree(clean, root)
    shutil.copy(root / "train/Ill/ill-a001.png", root / "train/Well/well-a901.png")
    code, panel = _audit_json(root, tmp_path / "a.md")
    assert code == 0
    assert panel["copies"]["label_conflicts"] == 1


def test_a_person_in_training_and_test_stops_the_fit_unless_allowed(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "films"
    shutil.copytree(clean, root)
    _film(root / "train/Ill/person7_virus_1.png", "covid", 901)
    _film(root / "test/Ill/person7_virus_2.png", "covid", 902)
    data = split(recipe_for_folder(root, "own"), root, SIZE)
    side = next(
        side
        for film, side in zip(data.films, data.sides, strict=True)
        if film.path.name == "person7_virus_1.png"
    )
    assert side in ("train", "validation")
    with pytest.raises(UsageError, match="virus7") as refusal:
        refuse_leaks(data, root)
    assert refusal.value.code == "SPLIT-01"
    refuse_leaks(data, root, allow=True)
    fit = ["fit", "--data", str(root), "--panel", "own", "--model", "scnn"]
    assert main([*fit, "--runs", str(tmp_path / "runs")]) == 1
    assert "--allow-leaks" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_equal_counters_in_two_folders_name_nobody(clean: Path, tmp_path: Path) -> None:
    root = tmp_path / "films"
    shutil.copytree(clean, root)
    _film(root / "train/Ill/096.png", "covid", 901)
    _film(root / "test/Well/096.png", "normal", 902)
    data = split(recipe_for_folder(root, "own"), root, SIZE)
    refuse_leaks(data, root)
    (alike,) = audit_split(data, root).sameness.people
    assert alike.only_alike
    assert not alike.leaks_on_disk


def test_blank_films_are_listed_and_are_no_copies_of_each_other(
    clean: Path, tmp_path: Path
) -> None:
    root = tmp_path / "films"
    shutil.copytree(clean, root)
    for number, grey in enumerate((0, 90)):
        place = root / ("train", "test")[number] / "Ill" / f"blank-{number}.png"
        Image.fromarray(np.full((80, 80), grey, np.uint8)).save(place)
    code, panel = _audit_json(root, tmp_path / "a.md")
    assert code == 0
    assert len(panel["blank_or_unreadable"]) == 2


@pytest.mark.parametrize(
    ("one", "other", "leaks"),
    [
        ("train", "validation", True),
        ("train", "test", True),
        ("unseen x", "validation", True),
        ("test", "unseen x", False),
        ("train", "dropped", False),
        ("train", "train", False),
        ("none: train", "test", True),
        ("none: train", "none: validation", True),
        ("none: train", "train", False),
    ],
)
def test_which_sides_must_not_share_a_film(one: str, other: str, leaks: bool) -> None:
    assert sides_leak(one, other) is sides_leak(other, one) is leaks


def _with_letter(film: np.ndarray, place: tuple[int, int], text: str = "R") -> np.ndarray:
    picture = Image.fromarray(film)
    ImageDraw.Draw(picture).text(place, text, fill=245, font=ImageFont.load_default(18))
    return np.asarray(picture)


def _without_letter(seed: int) -> np.ndarray:
    """The middle of a phantom on black margins: nothing burnt in."""
    film = np.zeros((224, 224), np.uint8)
    film[40:184, 40:184] = draw_phantom("normal", seed, (224, 224))[40:184, 40:184]
    return film


def test_letters_in_the_margin_are_found_with_their_corner() -> None:
    for seed in range(8):
        bare = _without_letter(seed)
        assert find_marks(bare).count == 0
        top = find_marks(_with_letter(bare, (8, 8)))
        assert (top.count, top.corner) == (1, 0)
        bottom = find_marks(_with_letter(bare, (195, 195), "L"))
        assert (bottom.count, bottom.corner) == (1, 3)


def _probed(films: np.ndarray, labels: np.ndarray, tmp_path: Path) -> dict[str, float]:
    path = tmp_path / "any.png"
    Image.fromarray(films[0]).save(path)
    cues = cues_of(films[..., np.newaxis], [path] * len(films))
    answer = probe(cues, labels, np.arange(len(films)), ("a", "b"), what="films")
    assert not answer.why_not
    return answer.auc


@pytest.fixture(scope="module")
def same_kind() -> np.ndarray:
    """Normal films only: nothing but chance can tell two halves of them apart."""
    return np.stack([draw_phantom("normal", seed, (64, 64)) for seed in range(80)])


def test_the_probe_sees_a_brighter_border_and_nothing_in_equal_films(
    same_kind: np.ndarray, tmp_path: Path
) -> None:
    labels = np.arange(80) % 2
    fair = _probed(same_kind, labels, tmp_path)
    assert fair["low"] < 0.6
    marked = same_kind.copy()
    marked[labels == 1, :3, :] = 130
    unfair = _probed(marked, labels, tmp_path)
    assert unfair["low"] > 0.95


def test_the_probe_never_sees_a_lung_pixel(same_kind: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "any.png"
    Image.fromarray(same_kind[0]).save(path)
    other = same_kind.copy()
    # All but the outer 18 %, which holds the corner squares, the border and every mark.
    other[:, 12:52, 12:52] = 60
    before = cues_of(same_kind[..., np.newaxis], [path] * 80)
    after = cues_of(other[..., np.newaxis], [path] * 80)
    own = [kind != "marks" for kind in before.kinds]
    np.testing.assert_array_equal(before.values[:, own], after.values[:, own])


def test_too_few_films_are_no_answer(same_kind: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "any.png"
    Image.fromarray(same_kind[0]).save(path)
    cues = cues_of(same_kind[:30, ..., np.newaxis], [path] * 30)
    labels = np.arange(30) % 2
    answer = probe(cues, labels, np.arange(30), ("a", "b"), what="films")
    assert answer.why_not
    assert not answer.auc


def test_films_of_none_of_the_classes_are_no_class_of_the_probe(tmp_path: Path) -> None:
    for number, level in enumerate(np.random.default_rng(5).integers(0, 256, (80, 9, 9), np.uint8)):
        folder = tmp_path / ("Ill" if number % 2 else "Well")
        folder.mkdir(exist_ok=True)
        film = Image.fromarray(level).resize(SIZE, Image.Resampling.BICUBIC)
        film.save(folder / f"person{number}_virus_1.png")
    data = split(recipe_for_folder(tmp_path, "own"), tmp_path, SIZE)
    none = np.arange(80) % 3 == 2
    sides = ["none: train" if other else "train" for other in none]
    data = replace(data, labels=np.where(none, 2, data.labels), sides=tuple(sides))
    whole = audit_split(data, tmp_path).probes[0]
    assert not whole.why_not
    assert set(whole.per_class) == {"Ill", "Well"}


@pytest.mark.data
@pytest.mark.slow
def test_the_known_leaks_of_the_three_class_set_are_found() -> None:
    root = shared_data()
    assert root is not None
    found = audit_split(split(RECIPES["covid19"], root), root)
    leaked = {
        Path(name).name
        for item in found.sameness.copies
        if item.leaks_on_disk
        for name in (item.first, item.second)
    }
    assert {"COVID-00003b.jpg", "COVID-00012.jpg"} <= {Path(name).stem + ".jpg" for name in leaked}
    assert not found.leaks_in_use


def test_a_cropped_copy_inside_one_folder_is_found_by_the_second_measure_only(
    tmp_path: Path,
) -> None:
    levels = np.random.default_rng(4).integers(0, 256, (14, 9, 9), np.uint8)
    for number, level in enumerate(levels):
        film = Image.fromarray(level).resize((256, 256), Image.Resampling.BICUBIC)
        folder = tmp_path / ("Ill" if number % 2 else "Well")
        folder.mkdir(exist_ok=True)
        film.save(folder / f"film{number:03}.png")
        if number == 0:
            dark = film.crop((20, 20, 236, 236)).point(lambda value: value * value // 255)
            dark.save(folder / "film900.png")
    data = split(recipe_for_folder(tmp_path, "cropped"), tmp_path, (128, 128))
    assert find_sameness(data, tmp_path, second_measure=False).copies == ()
    (copy,) = find_sameness(data, tmp_path, second_measure=True).copies
    assert (copy.first, copy.second) == ("Well/film000.png", "Well/film900.png")
    assert copy.missed_by_hash
    assert copy.correlation >= 0.985
