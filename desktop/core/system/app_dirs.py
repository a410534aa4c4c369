"""Where the app keeps what is its own: the user's data and config folders, or one given folder.

``CXR_QUORUM_HOME`` puts everything below one folder: tests, portable installs, shared machines.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "CXR_QUORUM_HOME"
_APP = "cxr-quorum"


def data_home(home: Path | None = None) -> Path:
    """Folder of review stores and caches, not created here; ``home`` instead of everything else."""
    chosen = home or _from_environment()
    return chosen / "data" if chosen else platformdirs.user_data_path(_APP, appauthor=False)


def config_home(home: Path | None = None) -> Path:
    """Folder of the settings file; not created here."""
    chosen = home or _from_environment()
    return chosen / "config" if chosen else platformdirs.user_config_path(_APP, appauthor=False)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, and so every missing one above it.

    ``Path.mkdir`` gives parents the umask's permissions: where others may write into one, they
    could put another folder in the place of ours.

    Raises:
        OSError: It cannot be made; NotADirectoryError where a file is in its place or above it.
    """
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from error


def _from_environment() -> Path | None:
    value = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None
