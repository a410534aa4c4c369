"""From the paths a person names to the files of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from desktop.core.errors import UsageError
from desktop.core.folder import FoundFile, list_folder
from desktop.core.names import shown


def gather(paths: Sequence[Path], *, recursive: bool = False) -> Iterator[FoundFile]:
    """Files of a run in a fixed order, each once.

    One folder: its files, named relative to it. Anything else: all files and folders in the order
    given, named relative to the folder that holds them all. A file that was named is taken whatever
    its extension.

    Raises:
        UsageError: USAGE-01 where a path does not exist, FOLDER-01 to 03 where a folder cannot be
            listed; at the call, before the first file.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError("USAGE-01", f"{shown(path, 200)} does not exist. Check the path.")
    return _files(paths, recursive)


def nothing_found(paths: Sequence[Path], *, recursive: bool) -> UsageError:
    """The sentence for a run without a single image."""
    where = shown(paths[0], 200) if len(paths) == 1 else f"the {len(paths)} folders"
    below = not recursive and any(_has_folders(path) for path in paths)
    advice = (
        "It has folders below it: add --recursive to look there too."
        if below
        else "Images are JPEG, PNG, TIFF, BMP, WebP and DICOM files."
    )
    return UsageError(
        "FOLDER-04", f"There is no image in {where}, so nothing was written. {advice}"
    )


def _files(paths: Sequence[Path], recursive: bool) -> Iterator[FoundFile]:
    if len(paths) == 1 and paths[0].is_dir():
        for batch in list_folder(paths[0], recursive=recursive):
            yield from batch
        return
    base = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    met: set[str] = set()
    for path in paths:
        for file in _below(path, recursive):
            image = file.path.absolute().relative_to(base).as_posix()
            if image not in met:
                met.add(image)
                yield FoundFile(file.path, image, file.size, file.mtime_ns)


def _below(path: Path, recursive: bool) -> Iterator[FoundFile]:
    if path.is_dir():
        for batch in list_folder(path, recursive=recursive):
            yield from batch
        return
    try:
        status = path.stat()
    except OSError:
        yield FoundFile(path, path.name, -1, -1)
    else:
        yield FoundFile(path, path.name, status.st_size, status.st_mtime_ns)


def _has_folders(path: Path) -> bool:
    try:
        with os.scandir(path) as entries:
            return any(entry.is_dir() for entry in entries)
    except OSError:
        return False
