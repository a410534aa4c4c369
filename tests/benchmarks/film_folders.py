"""Large folders of links to a few hundred films, with compressed DICOM among them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PIL import Image

from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom

_MOST_SOURCES = 1000
_DICOM_EVERY = 50


def make_folder(folder: Path, films: Path | None, count: int, scratch: Path) -> None:
    """Fill ``folder`` with ``count`` links.

    Args:
        folder: Made here.
        films: Folder of real films to link to; None draws phantoms below ``scratch``.
        count: Links; every fiftieth is a compressed DICOM film where one is at hand.
        scratch: Takes drawn films.
    """
    folder.mkdir(parents=True)
    sources: list[Path] = []
    if films is not None:
        found = sorted(path for path in films.rglob("*.*") if path.is_file())
        # From all over the folder: its first thousand may be one kind of film.
        sources = found[:: max(1, len(found) // _MOST_SOURCES)][:_MOST_SOURCES]
    if not sources:
        drawn = scratch / "drawn"
        drawn.mkdir()
        for number in range(64):
            path = drawn / f"{number}.png"
            film = draw_phantom(FILM_KINDS[number % len(FILM_KINDS)], number, (512, 512))
            Image.fromarray(film).save(path)
            sources.append(path)
    dicom = compressed_dicom()
    for number in range(count):
        if dicom is not None and number % _DICOM_EVERY == _DICOM_EVERY // 2:
            (folder / f"film_{number:06d}.dcm").symlink_to(dicom)
        else:
            source = sources[number % len(sources)]
            (folder / f"film_{number:06d}{source.suffix}").symlink_to(source)


def compressed_dicom() -> Path | None:
    """A JPEG 2000 chest film of pydicom-data."""
    with contextlib.suppress(Exception):
        from pydicom.data import get_testdata_file

        found = get_testdata_file("RG1_J2KR.dcm", download=False)
        return Path(str(found)) if found else None
    return None
