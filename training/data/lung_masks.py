"""Films with their lungs drawn: ``montgomery/masks`` and ``lung-masks`` of the data root.

Three sources: adults of a US clinic (drawn by hand without the heart), adults with COVID-19 (drawn
by people, the lung behind the heart included) and children with pneumonia (made by a network and
checked).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.data.image_cache import decode

#: Share of the people whose films are held out, a source.
HELD_OUT: Mapping[str, float] = {"montgomery": 0.25, "cohen": 0.25, "kermany-viral": 0.15}
_PART_OF_FIGURE = re.compile(r"[-_ ]*[a-z]?\d{0,2}(_lrg)?(-?[a-h]\d?)?\.png$")


@dataclass(frozen=True)
class DrawnFilm:
    """A film and the mask that belongs to it.

    Attributes:
        film: The film's file.
        mask: The mask's file, white = lung.
        source: ``montgomery``, ``cohen`` or ``kermany-viral``.
        group: Whose film it is; a group is on one side.
        held_out: True for films that are never trained on.
    """

    film: Path
    mask: Path
    source: str
    group: str
    held_out: bool


@dataclass(frozen=True, eq=False)
class LungFilms:
    """All of them, decoded.

    Attributes:
        drawn: N files.
        pixels: uint8 [N, side, side, 1].
        masks: uint8 [N, side, side], 0 to 255, soft at the edges from the resizing.
    """

    drawn: tuple[DrawnFilm, ...]
    pixels: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.uint8]

    def indices(self, *, held_out: bool, source: str | None = None) -> npt.NDArray[np.int64]:
        """Positions of the films on one side, of one source or of all."""
        return np.flatnonzero(
            [film.held_out == held_out and source in (None, film.source) for film in self.drawn]
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources, in order of appearance."""
        return tuple(dict.fromkeys(film.source for film in self.drawn))

    @property
    def training_hash(self) -> str:
        """SHA-256 over the sorted hashes of the films trained on."""
        films = [self.drawn[index].film for index in self.indices(held_out=False)]
        hashes = sorted(hashlib.sha256(film.read_bytes()).hexdigest() for film in films)
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def find_drawn_films(data_root: Path) -> list[DrawnFilm]:
    """Every film of the data root that has a mask.

    Raises:
        FileNotFoundError: There is none.
    """
    found: list[DrawnFilm] = []
    for mask in sorted((data_root / "montgomery" / "masks").glob("*.png")):
        films = sorted((data_root / "montgomery").glob(f"*/{mask.stem}.*"))
        film = next((path for path in films if path.parent.name != "masks"), None)
        if film is not None:
            name = film.relative_to(data_root).as_posix()
            found.append(_drawn(film, mask, "montgomery", name))
    table = data_root / "lung-masks" / "masks.csv"
    if table.is_file():
        with table.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                film = data_root / row["film"]
                source = row["mask"].split("/")[0]
                if not film.is_file():
                    continue
                group = (
                    _PART_OF_FIGURE.sub("", row["mask"])[:28]
                    if source == "cohen"
                    else row["film"].split("_virus")[0]
                )
                found.append(_drawn(film, table.parent / row["mask"], source, group))
    if not found:
        raise FileNotFoundError(
            f"No films with lung masks below {data_root}: montgomery/masks or lung-masks/masks.csv "
            "is needed."
        )
    return found


def _drawn(film: Path, mask: Path, source: str, group: str) -> DrawnFilm:
    number = int.from_bytes(hashlib.sha256(f"lung:{group}".encode()).digest()[:8], "big") / 2**64
    return DrawnFilm(film, mask, source, group, number < HELD_OUT.get(source, 0.2))


def read_lung_films(drawn: list[DrawnFilm], side: int) -> LungFilms:
    """Decode films and masks at ``side`` x ``side`` pixels, films by the app's own decoder."""
    pixels = np.stack([_squashed(decode(one.film, (224, 224))[..., 0], side) for one in drawn])
    masks = []
    for one in drawn:
        with Image.open(one.mask) as image:
            white = (np.asarray(image.convert("L")) > 127).astype(np.uint8) * 255
        masks.append(_squashed(white, side))
    return LungFilms(tuple(drawn), pixels[..., np.newaxis], np.stack(masks))


def _squashed(values: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    resized = Image.fromarray(values).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def dice(found: npt.NDArray[np.bool_], drawn: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Overlap of each film, 0 to 1: 2 |A and B| / (|A| + |B|) (Dice 1945); 1 where both are empty.

    Args:
        found: bool [N, H, W].
        drawn: bool [N, H, W].
    """
    both = (found & drawn).sum(axis=(1, 2))
    sizes = found.sum(axis=(1, 2)) + drawn.sum(axis=(1, 2))
    return np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0)
