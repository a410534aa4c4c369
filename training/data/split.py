"""Split films so that no person, no block of neighbours and no copy stands on two sides."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.duplicates.perceptual_hash import near_pairs
from training.data.corrections import read_corrections
from training.data.datasets import NONE, DatasetSpec, Source
from training.data.films import Film, data_hash, films_in, number_in
from training.data.image_cache import decode_films
from training.data.tone_free_copies import tone_free_pairs

TRAIN, VALIDATION = "train", "validation"
OFFICIAL_TEST = "test"
UNSEEN_PREFIX = "unseen "
LEAKED, GUARD, DROPPED = "leaked test", "guard", "dropped"
#: Before the side of a film that is none of the panel's classes: never scored as one of them.
NONE_PREFIX = "none: "
TRAIN_NONE, VALIDATION_NONE = NONE_PREFIX + TRAIN, NONE_PREFIX + VALIDATION


@dataclass(frozen=True)
class SplitData:
    """All films of a recipe with their side.

    Attributes:
        recipe: The recipe.
        films: N films.
        pixels: uint8 [N, H, W, 1].
        labels: int64 [N], index in ``recipe.class_names``; K for none of these; -1 for guards.
        sides: N names: ``train``, ``validation``, ``test``, ``unseen <set>``, ``leaked test``,
            ``guard`` or ``dropped``; for films that are none of the classes ``none: train`` and so
            on.
        weights: float64 [N], how often a film is drawn.
        notes: What was counted and left out, for the model card.
        findings: N names, finer than the labels.
    """

    recipe: DatasetSpec
    films: tuple[Film, ...]
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    sides: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    notes: dict[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()

    def indices(self, side: str) -> npt.NDArray[np.int64]:
        """Indices of the films on one side."""
        return np.flatnonzero(np.array(self.sides) == side)

    @property
    def test_sides(self) -> tuple[str, ...]:
        """The sides that a frozen model is scored on, the official one first."""
        names = set(self.sides)
        unseen = sorted(name for name in names if name.startswith(UNSEEN_PREFIX))
        return (*((OFFICIAL_TEST,) if OFFICIAL_TEST in names else ()), *unseen)

    @property
    def training_hash(self) -> str:
        """Hash of the films trained on."""
        return data_hash([self.films[index] for index in self.indices(TRAIN)])


def _share(text: str) -> float:
    """A number in [0, 1) that depends on the text only: equal on every machine and in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def side_of_groups(groups: Iterable[str], source: Source) -> dict[str, str]:
    """Side of each group of a pool.

    By hash of the group's name, so that the same patient is on the same side in every recipe; or,
    with ``first_groups``, the lowest numbers to validation.
    """
    names = sorted(set(groups), key=lambda name: (number_in(name), name))
    sides = {}
    first = round(len(names) * source.validation) if source.first_groups else 0
    for position, name in enumerate(names):
        share = _share(name)
        if share < source.unseen:
            sides[name] = UNSEEN_PREFIX + source.source
        elif source.first_groups:
            sides[name] = VALIDATION if position < first else TRAIN
        elif share >= 1 - source.validation:
            sides[name] = VALIDATION
        else:
            sides[name] = TRAIN
    return sides


def split(recipe: DatasetSpec, data_root: Path, size: tuple[int, int] = (224, 224)) -> SplitData:
    """Scan, decode, split and purge.

    Labels that the publisher contradicts are corrected, a person in a held-out test is in no
    training set. Copies (perceptual hash within 18 of 144 bits, for the shipped recipes also by
    :mod:`training.data.tone_free_copies`) are handled in this order: an official test film
    with a copy in its own training folder is *leaked* and left out of the scores; a pool film with
    a copy in any test or guard is dropped; a training film with a copy in validation is dropped;
    films that cannot be read are dropped.

    Args:
        recipe: The recipe.
        data_root: Folder that its sources are relative to.
        size: (height, width) of the model input.
    """
    films: list[Film] = []
    sides: list[str] = []
    weights: list[float] = []
    official: list[bool] = []
    earlier: list[bool] = []
    findings: list[str] = []
    for source in recipe.sources:
        found = films_in(
            data_root / source.folder, source.label, source.source, containing=source.containing
        )
        if source.role in ("pool", "official", "earlier"):
            by_group = side_of_groups((film.group for film in found), source)
            sides += [by_group[film.group] for film in found]
        else:
            sides += [OFFICIAL_TEST if source.role == "test" else GUARD] * len(found)
        films += found
        weights += [source.weight] * len(found)
        official += [source.role == "official"] * len(found)
        earlier += [source.role == "earlier"] * len(found)
        findings += [source.finding or source.label] * len(found)
    if not films:
        raise ValueError(f"No image files below {data_root} for recipe {recipe.panel}.")

    pixels, hashes, problems = decode_films(films, size)
    sides = [DROPPED if problem else side for side, problem in zip(sides, problems, strict=True)]
    notes = {"unreadable": sum(bool(problem) for problem in problems)}
    notes |= _correct(recipe, data_root, films, sides, findings)
    notes |= _keep_people_together(films, sides)
    # The second measure is for the sets that are known to hold changed copies: it takes a while.
    changed = tone_free_pairs(pixels) if recipe.label_of else {}
    notes |= _purge(sides, official, earlier, hashes, sorted(changed))
    names = {name: index for index, name in enumerate(recipe.class_names)}
    names[NONE] = len(recipe.class_names)
    labels = np.array([names.get(film.label, -1) for film in films], np.int64)
    kept = (DROPPED, GUARD, LEAKED)
    sides = [
        NONE_PREFIX + side if film.label == NONE and side not in kept else side
        for film, side in zip(films, sides, strict=True)
    ]
    return SplitData(
        recipe,
        tuple(films),
        pixels,
        labels,
        tuple(sides),
        np.array(weights),
        notes,
        tuple(findings),
    )


def _correct(
    recipe: DatasetSpec,
    data_root: Path,
    films: list[Film],
    sides: list[str],
    findings: list[str],
) -> dict[str, int]:
    """Believe the publishers, in place: training films get their true label, test films leave."""
    corrections = read_corrections(data_root) if recipe.label_of else {}
    relabelled = left = 0
    for index, film in enumerate(films):
        correction = corrections.get(film.path)
        if correction is None or sides[index] in (DROPPED, GUARD):
            continue
        if sides[index] == OFFICIAL_TEST:
            sides[index] = DROPPED
            left += 1
        else:
            findings[index] = correction.finding
            label = recipe.label_of[correction.finding]
            relabelled += label != film.label
            films[index] = dataclasses.replace(film, label=label)
    return {"relabelled_by_publisher": relabelled, "test_films_with_wrong_label": left}


def _keep_people_together(films: list[Film], sides: list[str]) -> dict[str, int]:
    """Leave out training films of people who are in a held-out test of another data set."""
    tested = {
        film.group
        for film, side in zip(films, sides, strict=True)
        if side.startswith(UNSEEN_PREFIX)
    }
    dropped = 0
    for index, film in enumerate(films):
        if film.group in tested and sides[index] in (TRAIN, VALIDATION):
            sides[index] = DROPPED
            dropped += 1
    return {"dropped_same_person": dropped}


def _purge(
    sides: list[str],
    official: list[bool],
    earlier: list[bool],
    hashes: npt.NDArray[np.bool_],
    changed: list[tuple[int, int]],
) -> dict[str, int]:
    """Change ``sides`` in place so that no copy stands on two sides; count what was changed."""
    by_hash = {(first, second) for first, second, _ in near_pairs(hashes)}
    pairs = sorted(by_hash | set(changed))
    both_ways = pairs + [(second, first) for first, second in pairs]
    before = list(sides)

    def is_test(side: str) -> bool:
        return side in (OFFICIAL_TEST, GUARD, LEAKED) or side.startswith(UNSEEN_PREFIX)

    def is_pool(side: str) -> bool:
        return side in (TRAIN, VALIDATION)

    for test, other in both_ways:
        learnt = (official[other] and is_pool(before[other])) or earlier[other]
        if before[test] == OFFICIAL_TEST and learnt:
            sides[test] = LEAKED
    leaked = sides.count(LEAKED)
    dropped = sides.count(DROPPED)
    for pool, other in both_ways:
        # An official pool keeps what its own test copies; that test film is the leaked one.
        unseen = before[other].startswith(UNSEEN_PREFIX) or before[other] == GUARD
        if is_pool(before[pool]) and (unseen if official[pool] else is_test(before[other])):
            sides[pool] = DROPPED
    near_test = sides.count(DROPPED) - dropped
    for train, other in both_ways:
        if sides[train] == TRAIN and sides[other] == VALIDATION:
            sides[train] = DROPPED
    near_validation = sides.count(DROPPED) - dropped - near_test
    twins = 0
    if changed:
        # One film saved twice would be drawn twice as often.
        for first, second in pairs:
            if sides[first] == sides[second] == TRAIN:
                sides[second] = DROPPED
                twins += 1
    # Two tests may hold copies of each other: scores are never added up across tests.
    return {
        "leaked_test": leaked,
        "dropped_near_test": near_test,
        "dropped_near_validation": near_validation,
        "dropped_twins_in_training": twins,
        "found_by_second_measure_only": len(set(changed) - by_hash),
    }
