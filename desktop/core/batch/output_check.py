"""What a run must not write over: films, models, and things that are no files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from desktop.core.errors import OutputFailed, UsageError
from desktop.core.files.listing import IMAGE_EXTENSIONS, UNREAD_EXTENSIONS
from desktop.core.imaging.file_type import sniff
from desktop.core.panels.contract import MANIFEST_NAME
from desktop.core.system.atomic_write import output_failed
from desktop.core.system.text import shown

_SNIFFED_BYTES = 256


def refuse_to_write_over(target: Path, option: str, *, inputs: Iterable[Path] = ()) -> None:
    """Refuse a file to write that would cost a film, a model or a list; before any work.

    By name and by content, because a slip of the shell puts a film where the output should be, and
    a link may lead to one.

    Args:
        target: What is to be written; may not exist yet.
        option: The option that named it, for the sentence.
        inputs: Files that the run reads.

    Raises:
        UsageError: USAGE-05 where it is a film by name or content, or something the run reads.
        OutputFailed: OUTPUT-05 where something is there that is no file, OUTPUT-03 where a link
            leads into a folder that does not exist.
    """
    name = shown(target.name)
    if target.suffix.casefold() in IMAGE_EXTENSIONS | UNREAD_EXTENSIONS:
        raise UsageError(
            "USAGE-05",
            f"{name} has the name of an image, which {option} would replace or be taken for. "
            "Choose another name, such as votes.csv.",
        )
    real = Path(os.path.realpath(target))
    try:
        found = real.stat()
    except OSError:
        if target.is_symlink() and not real.parent.is_dir():
            raise output_failed(target, FileNotFoundError(2, "")) from None
        return
    if stat.S_ISDIR(found.st_mode):
        raise OutputFailed("OUTPUT-05", f"{name} is a folder. Give {option} the name of a file.")
    if not stat.S_ISREG(found.st_mode):
        return  # a pipe or device: whoever writes decides
    if any(_same(found, path) for path in inputs) or _is_precious(real):
        raise UsageError(
            "USAGE-05",
            f"{name} is a film, a model or a list that is read, and {option} would damage it. "
            "Choose another name.",
        )


def _same(found: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(found, path.stat())
    except (OSError, ValueError):
        return False


def _is_precious(path: Path) -> bool:
    """A film by its first bytes, or one of a panel's files."""
    if path.suffix == ".onnx" or (path.name == MANIFEST_NAME and any(path.parent.glob("*.onnx"))):
        return True
    try:
        with path.open("rb") as stream:
            return sniff(stream.read(_SNIFFED_BYTES)).readable
    except OSError:
        return False  # writing it will say why
