"""Films on disk: where one lies, what it shows, and whose it is."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom"}
)
#: Neighbouring numbers of a set without patient ids may be one patient: so many stay together.
BLOCK_LENGTH = 50

_KERMANY_PERSON = re.compile(r"person(\d+)_")
_KERMANY_NORMAL = re.compile(r"(?:NORMAL2-)?IM-(\d+)-")
_NIH = re.compile(r"(\d{8})_\d{3}")
#: Films of the Hannover Medical School inside the radiography set: one hospital, patients unknown.
_HANNOVER = range(1300, 1797)
HANNOVER = "hannover"
NIH_PATIENTS = "adult-supplement"
_RADIOGRAPHY = re.compile(r"(COVID|Normal|Lung_Opacity|Viral Pneumonia)-(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Film:
    """One labelled image file.

    Attributes:
        path: The file.
        label: Class name.
        source: Name of the data set it comes from, e.g. ``covid19-radiography-224``.
        group: Patient, person or block of neighbours; films of one group stay on one side of a
            split.
        sha256: Hash of the file's bytes.
    """

    path: Path
    label: str
    source: str
    group: str
    sha256: str


def group_of(file_name: str, source: str) -> str:
    """Whose film this is, as far as the file name tells.

    ``personNNN_`` and ``IM-NNNN`` (Kermany et al. 2018), the first number of NIH names, blocks of
    neighbouring numbers for the COVID-19 Radiography Database; otherwise the name without its last
    counting part (``paper-fig-2-a`` and ``paper-fig-2-b`` are one group).

    Args:
        file_name: Name without folders.
        source: Data set; part of the answer, as person 7 of one set is not person 7 of another.
    """
    stem = Path(file_name).stem
    if source == HANNOVER:
        return HANNOVER
    if match := _KERMANY_PERSON.match(stem):
        kind = "bacteria" if "bacteria" in stem else "virus" if "virus" in stem else "person"
        return f"{source}:{kind}{match[1]}"
    if match := _KERMANY_NORMAL.match(stem):
        prefix = "normal2-" if stem.startswith("NORMAL2") else "normal-"
        return f"{source}:{prefix}{match[1]}"
    if match := _RADIOGRAPHY.fullmatch(stem):
        if match[1].lower() == "covid" and int(match[2]) in _HANNOVER:
            return HANNOVER
        return f"{source}:{match[1].lower()}-block{int(match[2]) // BLOCK_LENGTH}"
    if match := _NIH.fullmatch(stem):
        # Both sets of NIH films number their patients alike.
        return f"{NIH_PATIENTS}:patient{match[1]}"
    if stem.isdigit() or len(stem) < 8:
        return f"{source}:{stem.lower()}"
    shorter = re.sub(r"[-_ ]+[A-Za-z]?\d{0,2}[A-Za-z]{0,3}$", "", stem)
    # A beginning without a number (image-1, image-2) names nobody.
    known = shorter if any(character.isdigit() for character in shorter) else stem
    return f"{source}:{known.lower()}"


def number_in(group: str) -> int:
    """Last number in a group's name, 0 without one: the order in which films were collected."""
    numbers = re.findall(r"\d+", group.split(":", 1)[-1])
    return int(numbers[-1]) if numbers else 0


def films_in(folder: Path, label: str, source: str, *, containing: str | None = None) -> list[Film]:
    """The image files of one class folder, sorted by name, subfolders included.

    Args:
        folder: Folder that holds one class.
        label: Its class name.
        source: Name of the data set.
        containing: Keep only names that contain this text.

    Raises:
        FileNotFoundError: The folder does not exist.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; check --data and the recipe.")
    films: list[Film] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
            continue
        if containing is not None and containing not in path.name:
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        films.append(Film(path, label, source, group_of(path.name, source), digest))
    return _without_giants(films)


def _without_giants(films: list[Film]) -> list[Film]:
    """Undo groups of more than half a folder: such a name is the folder's, not a patient's."""
    counts = Counter(film.group for film in films)
    giants = {
        group
        for group, count in counts.items()
        if count > max(3, len(films) / 2) and group != HANNOVER
    }
    return [
        dataclasses.replace(film, group=f"{film.source}:{film.path.stem.lower()}")
        if film.group in giants
        else film
        for film in films
    ]


def data_hash(films: list[Film]) -> str:
    """SHA-256 over the sorted hashes of all films: equal sets give equal hashes, in any order."""
    joined = "\n".join(sorted(film.sha256 for film in films))
    return hashlib.sha256(joined.encode()).hexdigest()
