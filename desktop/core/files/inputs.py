"""From the paths a person names to the files of a run."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from desktop.core.cases import ImageFile
from desktop.core.errors import UsageError
from desktop.core.files.listing import list_folder
from desktop.core.system.text import display_name


def list_inputs(paths: Collection[Path], *, recursive: bool = False) -> Iterator[ImageFile]:
    """Files of a run in a fixed order, each once.

    One folder: its files, named relative to it. Anything else: all files and folders in the order
    given, named relative to the folder that holds them all. A file that was named is taken whatever
    its extension.

    Raises:
        UsageError: USAGE-01 where a path does not exist, FOLDER-01 to 03 where a folder cannot be
            listed; at the call, before the first file.
    """
    survey = _survey(paths)
    return _files(paths, recursive, survey)


def nothing_found(paths: Collection[Path], *, recursive: bool) -> UsageError:
    """The sentence for a run without a single image."""
    where = display_name(next(iter(paths)), 200) if len(paths) == 1 else f"the {len(paths)} folders"
    below = not recursive and any(_has_folders(path) for path in paths)
    advice = (
        "It has folders below it: add --recursive to look there too."
        if below
        else "Images are JPEG, PNG, TIFF, BMP, WebP and DICOM files."
    )
    return UsageError(
        "FOLDER-04", f"There is no image in {where}, so nothing was written. {advice}"
    )


@dataclass(frozen=True)
class _Survey:
    """What is known of the paths before the first is opened; small, also for ten million.

    Attributes:
        base: The folder that holds them all.
        folders: Some are folders, so which files come twice is not known.
        repeated: Hashes of the files' paths that come more than once, and of no others but by rare
            chance.
    """

    base: Path
    folders: bool
    repeated: frozenset[int]


def _survey(paths: Collection[Path]) -> _Survey:
    base, folders, hashes = "", False, array("q")
    for path in paths:
        try:
            mode = os.lstat(path).st_mode
        except (OSError, ValueError) as error:
            raise UsageError(
                "USAGE-01", f"{display_name(path, 200)} does not exist. Check the path."
            ) from error
        folders = folders or stat.S_ISDIR(mode) or (stat.S_ISLNK(mode) and path.is_dir())
        absolute = path.absolute()
        hashes.append(hash(str(absolute)))
        above = str(absolute.parent)
        if not base:
            base = os.path.commonpath([above])
        elif above != base and not above.startswith(base.rstrip(os.sep) + os.sep):
            base = os.path.commonpath([base, above])
    repeated: frozenset[int] = frozenset()
    if hashes and not folders:
        ordered = np.frombuffer(hashes, np.int64)
        ordered.sort()
        repeated = frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    return _Survey(Path(base), folders, repeated)


def _files(paths: Collection[Path], recursive: bool, survey: _Survey) -> Iterator[ImageFile]:
    if len(paths) == 1 and survey.folders:
        for batch in list_folder(next(iter(paths)), recursive=recursive):
            yield from batch
        return
    seen: set[str] = set()
    for path in paths:
        for file in _below(path, recursive):
            absolute = file.path.absolute()
            if survey.folders or hash(str(absolute)) in survey.repeated:
                if str(absolute) in seen:
                    continue
                seen.add(str(absolute))
            try:
                image = absolute.relative_to(survey.base).as_posix()
            except ValueError as error:
                raise UsageError(
                    "USAGE-01",
                    "The list was changed while it was read. Give the same command again.",
                ) from error
            yield ImageFile(file.path, image, file.size, file.mtime_ns)


def _below(path: Path, recursive: bool) -> Iterator[ImageFile]:
    if path.is_dir():
        for batch in list_folder(path, recursive=recursive):
            yield from batch
        return
    yield ImageFile.found(path, path.name, path)


def _has_folders(path: Path) -> bool:
    try:
        with os.scandir(path) as entries:
            return any(entry.is_dir() for entry in entries)
    except OSError:
        return False
