"""What a run must not write over: films, models, files of other runs, and what is no file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from desktop.core.errors import OutputFailed, UsageError
from desktop.core.files.listing import IMAGE_EXTENSIONS, UNREAD_EXTENSIONS
from desktop.core.imaging.file_type import sniff
from desktop.core.panels.contract import MANIFEST_NAME
from desktop.core.system.atomic_write import output_failed
from desktop.core.system.text import display_name

LOG_OPTION = "--log-json"

_SNIFFED_BYTES = 256
_BESIDE_A_TABLE = re.compile(r"\.(run\.json|journal(-journal)?(\.damaged-\d+(-journal)?)?)$")
_DATABASE = b"SQLite format 3"
_LOG_START = b'{"time": '
_TABLE_STARTS = (b"image,", b'{"image": ', b"PAR1")


def refuse_to_write_over(target: Path, option: str, *, inputs: Iterable[Path] = ()) -> None:
    """Refuse a file to write that would cost a film, a model, a list or another run's file.

    Before any work; by name and by content, because a slip of the shell puts a film where the
    output should be, and a link may lead to one. A log is added to a log or any other text.

    Args:
        target: What is to be written; may not exist yet.
        option: The option that named it, for the sentence.
        inputs: Files that the run reads.

    Raises:
        UsageError: USAGE-05 where it is a film by name or content, something the run reads, or a
            journal, manifest, table or log of another run that would be damaged.
        OutputFailed: OUTPUT-05 where something is there that is no file, OUTPUT-03 where a link
            leads into a folder that does not exist.
    """
    name = display_name(target.name)
    real = Path(os.path.realpath(target))
    if target.suffix.casefold() in IMAGE_EXTENSIONS | UNREAD_EXTENSIONS:
        raise UsageError(
            "USAGE-05",
            f"{name} has the name of an image, which {option} would replace or be taken for. "
            "Choose another name, such as votes.csv.",
        )
    if any(_BESIDE_A_TABLE.search(path.name.casefold()) for path in (target, real)):
        raise UsageError(
            "USAGE-05",
            f"{name} has the name of a file that runs keep beside their tables. Choose another "
            "name, such as votes.csv.",
        )
    try:
        found = real.stat()
    except OSError:
        if target.is_symlink() and not real.parent.is_dir():
            raise output_failed(target, FileNotFoundError(2, "")) from None
        return
    if stat.S_ISDIR(found.st_mode):
        raise OutputFailed("OUTPUT-05", f"{name} is a folder. Give {option} the name of a file.")
    if not stat.S_ISREG(found.st_mode):
        if option == LOG_OPTION and not stat.S_ISBLK(found.st_mode):
            return  # lines can go to a pipe or a terminal
        raise OutputFailed(
            "OUTPUT-05",
            f"{name} is a pipe or a device. Give {option} the name of a file, or - for a stream.",
        )
    if any(_same(found, path) for path in inputs) or _is_precious(real, option):
        raise UsageError(
            "USAGE-05",
            f"{name} is a film, a model, a list or a file of another run, and {option} would "
            "damage it. Choose another name.",
        )


def _same(found: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(found, path.stat())
    except (OSError, ValueError):
        return False


def _is_precious(path: Path, option: str) -> bool:
    """One of a panel's files, or a film or another run's file by its first bytes."""
    if path.suffix == ".onnx" or (path.name == MANIFEST_NAME and any(path.parent.glob("*.onnx"))):
        return True
    try:
        with path.open("rb") as stream:
            start = stream.read(_SNIFFED_BYTES)
    except OSError:
        return False  # writing it will say why
    if start.startswith(_DATABASE) or sniff(start).readable:
        return True
    if option == LOG_OPTION:  # a table is replaced by a table, but nothing is added to it
        return start.removeprefix(b"\xef\xbb\xbf").startswith(_TABLE_STARTS)
    return start.startswith(_LOG_START)
