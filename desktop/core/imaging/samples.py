"""Samples that need no patient: drawn phantoms, and a published DICOM where pydicom-data is there.

File names say what each sample is, so nobody can take a drawing for a film; they are chosen so that
the real film comes first in a list and what is no film last.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from desktop.core.imaging.phantoms import draw_not_a_film, draw_phantom
from desktop.core.system.atomic_write import atomic_write, output_failed
from desktop.core.system.cancel_token import CancelToken

SIZE = (512, 512)
_PHANTOMS = (
    ("normal", 1),
    ("normal", 2),
    ("covid", 3),
    ("covid", 4),
    ("viral", 5),
    ("viral", 6),
    ("bacterial", 7),
)
# A chest film of the pydicom test data in two encodings (CR, MONOCHROME1, 15 bit).
_DICOMS = (("RG1_UNCI.dcm", "chest_real_uncompressed"), ("RG1_J2KI.dcm", "chest_real_jpeg2000"))


@dataclass(frozen=True)
class Sample:
    """One sample: its file name and what it is, for people."""

    name: str
    what: str


def write_samples(folder: Path, cancel: CancelToken | None = None) -> tuple[Sample, ...]:
    """Write the samples into ``folder``, made if missing; equal on every machine.

    Args:
        folder: Where to.
        cancel: Ends it after the sample at hand.

    Raises:
        OutputFailed: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_failed(folder, error) from error
    samples: list[Sample] = []
    for kind, seed in _PHANTOMS:
        if cancel is not None and cancel.cancelled:
            return tuple(samples)
        sample = Sample(f"phantom_{kind}_{seed}.png", f"drawn, {kind}")
        _save(folder / sample.name, Image.fromarray(draw_phantom(kind, seed, SIZE)))
        samples.append(sample)
    for kind in ("text", "photograph"):
        sample = Sample(f"something_else_{kind}.png", "drawn, no film")
        _save(folder / sample.name, Image.fromarray(draw_not_a_film(kind, 8, SIZE)))
        samples.append(sample)
    for source, name in _DICOMS:
        found = _published(source)
        if found is not None:
            sample = Sample(f"{name}.dcm", "real, pydicom-data")
            with found.open("rb") as bytes_in, atomic_write(folder / sample.name) as bytes_out:
                shutil.copyfileobj(bytes_in, bytes_out)
            samples.append(sample)
    return tuple(samples)


def _save(path: Path, picture: Image.Image) -> None:
    with atomic_write(path) as stream:
        picture.save(stream, format="PNG")


def _published(name: str) -> Path | None:
    """A file of pydicom-data where that package is installed; never from the network."""
    with contextlib.suppress(ImportError, ValueError):
        found = importlib.util.find_spec("data_store")
        if found is not None and found.submodule_search_locations:
            for folder in found.submodule_search_locations:
                path = Path(folder) / "data" / name
                if path.is_file():
                    return path
    return None
