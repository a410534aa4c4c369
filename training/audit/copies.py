"""Copies, contradicting labels and people on two sides of a split: what makes a score too good.

Nothing is changed here; :func:`training.data.split.split` repairs what this module finds on the
disk, and the audit looks at both: the folders as they came, and the sides that training uses.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.duplicates.perceptual_hash import (
    NEAR_DISTANCE,
    joined,
    near_pairs,
    perceptual_hash,
)
from training.data.split import (
    DROPPED,
    GUARD,
    LEAKED,
    NONE_PREFIX,
    OFFICIAL_TEST,
    TRAIN,
    UNSEEN_PREFIX,
    VALIDATION,
    SplitData,
)
from training.data.tone_free_copies import tone_free_pairs

#: File names that name a person: the forms of Kermany et al. and of the NIH, and plain words.
_PERSON = re.compile(
    r"(?:person|patient|subject|subj|pat)[-_ ]?\d+|^(?:NORMAL2-)?IM-\d+-|^\d{8}_\d{3}\b",
    re.IGNORECASE,
)
_LEARNT_FROM = (TRAIN, VALIDATION)


@dataclass(frozen=True)
class Copy:
    """Two files that show one film.

    Attributes:
        first: File below the data root, POSIX separators.
        second: The other file.
        exact: The very same bytes.
        distance: Bits of 144 in which their perceptual hashes differ.
        correlation: Rank correlation of their thumbnails, whole or cropped, where it is 0.985 or
            more; 0 where only the hash found them.
        labels: Class of each.
        sources: Data set of each.
        on_disk: Side of each in the folders as they came, ``train``, ``test`` or ``guard``.
        used: Side of each in the split that training uses.
    """

    first: str
    second: str
    exact: bool
    distance: int
    correlation: float
    labels: tuple[str, str]
    sources: tuple[str, str]
    on_disk: tuple[str, str]
    used: tuple[str, str]

    @property
    def missed_by_hash(self) -> bool:
        """Found by the second measure only: cropped, or with another tone curve."""
        return self.distance > NEAR_DISTANCE

    @property
    def contradicts(self) -> bool:
        """One film with two classes: at least one label is wrong."""
        return self.labels[0] != self.labels[1]

    @property
    def leaks_on_disk(self) -> bool:
        """The folders put one film into training and into a test."""
        return set(self.on_disk) == {TRAIN, OFFICIAL_TEST}

    @property
    def leaks_in_use(self) -> bool:
        """The split that training uses has the film on two sides that must not share one."""
        return sides_leak(*self.used)


@dataclass(frozen=True)
class SharedPerson:
    """One person, read from file names, with films on several sides.

    Attributes:
        person: Group of :func:`training.data.films.group_of`.
        only_alike: The file names are counters (``096.png``, ``image-3.png``) or a block of
            neighbours, which folders number anew: alike names, not one person.
        on_disk: Sides in the folders, with the number of films.
        used: Sides in the split that training uses, with the number of films.
        labels: Classes of the films.
    """

    person: str
    only_alike: bool
    on_disk: dict[str, int]
    used: dict[str, int]
    labels: tuple[str, ...]

    @property
    def leaks_on_disk(self) -> bool:
        """By name, one person is in training and in a test."""
        return not self.only_alike and {TRAIN, OFFICIAL_TEST} <= self.on_disk.keys()

    @property
    def leaks_in_use(self) -> bool:
        """The split that training uses has a person on two sides."""
        sides = list(self.used)
        return not self.only_alike and any(
            sides_leak(one, other) for i, one in enumerate(sides) for other in sides[:i]
        )


@dataclass(frozen=True)
class Sameness:
    """All of it.

    Attributes:
        copies: Pairs, closest first.
        people: Groups on more than one side, on the disk or in use.
        families: int64 [N]: films of one person, or copies of one film, share a number.
        empty: Files that are blank or could not be read; they are no copies of each other.
    """

    copies: tuple[Copy, ...]
    people: tuple[SharedPerson, ...]
    families: npt.NDArray[np.int64]
    empty: tuple[str, ...]


def sides_leak(one: str, other: str) -> bool:
    """True for two sides that must not share a film: what is learnt from, and what judges it.

    Two tests may share one (their scores are never added up), and what is left out cannot leak.
    Films of none of the classes are learnt from, and judge, like the others.
    """
    one, other = one.removeprefix(NONE_PREFIX), other.removeprefix(NONE_PREFIX)

    def judges(side: str) -> bool:
        return side == OFFICIAL_TEST or side.startswith(UNSEEN_PREFIX)

    if {one, other} == {TRAIN, VALIDATION}:
        return True
    return (one in _LEARNT_FROM and judges(other)) or (other in _LEARNT_FROM and judges(one))


def sides_on_disk(data: SplitData, root: Path) -> list[str]:
    """The side that each film's folder means: ``train``, ``test`` or ``guard``."""
    marked = {
        root / source.folder: OFFICIAL_TEST if source.role == "test" else GUARD
        for source in data.recipe.sources
        if source.role in ("test", "guard")
    }
    folders = {film.path.parent for film in data.films}
    of_folder = {
        folder: next((marked[up] for up in (folder, *folder.parents) if up in marked), TRAIN)
        for folder in folders
    }
    return [of_folder[film.path.parent] for film in data.films]


def find_sameness(data: SplitData, root: Path, *, second_measure: bool | None = None) -> Sameness:
    """Compare every film with every other one, and every person with every side.

    Twelve thousand films take about half a minute.

    Args:
        data: A split, with its decoded films.
        root: The data root that file names are shown relative to.
        second_measure: Also compare ranks of grey levels, whole and cropped; None = for the shipped
            recipes, whose folders are known to hold changed copies. Drawn phantoms are all alike
            to it.
    """
    flat = data.pixels.reshape(len(data.films), -1)
    empty = flat.min(1) == flat.max(1)
    names = [_relative(film.path, root) for film in data.films]
    on_disk = sides_on_disk(data, root)
    whole = np.flatnonzero(~empty)
    hashes = np.array([perceptual_hash(data.pixels[index, ..., 0]) for index in whole], np.bool_)
    second = bool(data.recipe.label_of) if second_measure is None else second_measure
    correlations = tone_free_pairs(data.pixels[whole]) if second else {}
    bits_of = {(a, b): bits for a, b, bits in near_pairs(hashes)}
    for a, b in correlations:
        bits_of.setdefault((a, b), int((hashes[a] != hashes[b]).sum()))
    alike = {(int(whole[a]), int(whole[b])): value for (a, b), value in correlations.items()}
    found = [(int(whole[a]), int(whole[b]), bits) for (a, b), bits in bits_of.items()]
    found.sort(key=lambda pair: (pair[2], names[pair[0]], names[pair[1]]))
    copies = tuple(
        Copy(
            names[a],
            names[b],
            data.films[a].sha256 == data.films[b].sha256,
            bits,
            alike.get((a, b), 0.0),
            (data.films[a].label, data.films[b].label),
            (data.films[a].source, data.films[b].source),
            (on_disk[a], on_disk[b]),
            (data.sides[a], data.sides[b]),
        )
        for a, b, bits in found
    )
    return Sameness(
        copies,
        tuple(_people(data, on_disk)),
        _families([film.group for film in data.films], [(a, b) for a, b, _ in found]),
        tuple(names[index] for index in np.flatnonzero(empty)),
    )


def _people(data: SplitData, on_disk: Sequence[str]) -> Iterable[SharedPerson]:
    members: dict[str, list[int]] = defaultdict(list)
    for index, film in enumerate(data.films):
        members[film.group].append(index)
    out = (DROPPED, LEAKED, GUARD)
    for person, films in sorted(members.items()):
        disk = Counter(on_disk[index] for index in films)
        used = Counter(data.sides[index] for index in films if data.sides[index] not in out)
        if len(disk) > 1 or len(used) > 1:
            labels = tuple(sorted({data.films[index].label for index in films}))
            named = all(_PERSON.search(data.films[index].path.name) for index in films)
            yield SharedPerson(person, not named, dict(disk), dict(used), labels)


def _families(groups: Sequence[str], pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """Number films so that a person's films and copies of one film, also through others, agree."""
    first: dict[str, int] = {}
    same_person = [(first.setdefault(group, index), index) for index, group in enumerate(groups)]
    return np.array(joined(len(groups), [*same_person, *pairs]), np.int64)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
