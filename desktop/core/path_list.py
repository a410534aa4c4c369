"""A list of films in a text file: one path or address a line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from desktop.core.errors import UsageError
from desktop.core.names import shown

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def is_address(word: str) -> bool:
    """Whether a word is an address such as ``s3://bucket/film.png``, not a path."""
    return _ADDRESS.match(word) is not None


def place(word: str) -> Path | str:
    """A word of the command line: an address as it is, anything else as a path."""
    return word if is_address(word) else Path(word)


def read_path_list(file: Path) -> list[Path | str]:
    """The places that a list names, in its order; empty lines are left out.

    A path that is not absolute is relative to the folder in which the program runs, as on the
    command line.

    Raises:
        UsageError: USAGE-01 where the list cannot be read or names nothing.
    """
    try:
        # Not splitlines: a name may hold what Unicode counts as the end of a line.
        lines = os.fsdecode(file.read_bytes()).replace("\r\n", "\n").split("\n")
    except OSError as error:
        raise UsageError(
            "USAGE-01",
            f"The list {shown(file)} cannot be read ({error.strerror}). Check its path.",
        ) from error
    places = [place(line) for line in lines if line.strip()]
    if not places:
        raise UsageError("USAGE-01", f"The list {shown(file)} is empty. Put one path on each line.")
    return places


def refuse_addresses(places: Iterable[Path | str]) -> None:
    """For what only reads files of this machine.

    Raises:
        UsageError: USAGE-05 where an address is among them.
    """
    for one in places:
        if isinstance(one, str):
            raise UsageError(
                "USAGE-05",
                f"{shown(one, 200)} is an address; only --engine ray reads those. Copy the films "
                "to this machine, or use that engine.",
            )
