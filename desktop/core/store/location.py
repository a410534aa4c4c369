"""Where the reviews lie: one folder a reviewed folder, found by its path, or again after a move.

``<data home>/reviews/<name>-<hash of the resolved path>/`` holds ``review.sqlite``, ``maps.sqlite``
and ``folder.json``, which says what was reviewed, so that the app can list earlier sessions without
opening every store.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from desktop.core.system.app_dirs import data_home, make_private_folder
from desktop.core.system.atomic_write import atomic_write, remove_leftovers
from desktop.core.system.text import path_bytes, utc_stamp

STORE_NAME = "review.sqlite"
MAPS_NAME = "maps.sqlite"
_FACTS_NAME = "folder.json"


@dataclass(frozen=True)
class KnownReview:
    """A folder that was reviewed before.

    Attributes:
        folder: The reviewed folder, resolved.
        opened_at: Last opening, ISO 8601 UTC.
        store_folder: Folder of its store.
        identity: (device, inode) of the reviewed folder when it was last opened.
    """

    folder: Path
    opened_at: str
    store_folder: Path
    identity: tuple[int, int]


def known_reviews(home: Path | None = None) -> tuple[KnownReview, ...]:
    """Earlier reviews, the latest first; what cannot be read is left out."""
    found = []
    with suppress(OSError):
        for facts in (data_home(home) / "reviews").glob(f"*/{_FACTS_NAME}"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                values = json.loads(facts.read_bytes())
                device, inode = values["identity"]
                found.append(
                    KnownReview(
                        Path(values["folder"]),
                        str(values["opened_at"]),
                        facts.parent,
                        (int(device), int(inode)),
                    )
                )
    return tuple(sorted(found, key=lambda review: review.opened_at, reverse=True))


def review_folder(folder: Path, home: Path | None = None) -> Path:
    """Folder of the store for ``folder``, made if need be; notes the opening.

    A folder that was moved or renamed on its disk keeps its review: if there is none under its
    path, one whose folder is gone and had the same device and inode is taken over.

    Args:
        folder: The opened folder; must exist.
        home: See `app_dirs.data_home`.

    Raises:
        OSError: The data folder cannot be written or ``folder`` cannot be looked at.
        OutputFailed: The facts cannot be written.
    """
    resolved = folder.resolve()
    status = resolved.stat()
    identity = (status.st_dev, status.st_ino)
    store_folder = data_home(home) / "reviews" / _folder_id(resolved)
    if not (store_folder / STORE_NAME).exists():
        moved = _moved_here(resolved, identity, home)
        if moved is not None and not store_folder.exists():
            moved.rename(store_folder)
    # The review says what is in the films: nobody else on a shared machine may read it.
    make_private_folder(store_folder)
    facts = {
        "folder": str(resolved),
        "opened_at": utc_stamp(datetime.datetime.now(datetime.UTC)),
        "identity": identity,
    }
    remove_leftovers(store_folder / _FACTS_NAME)
    with atomic_write(store_folder / _FACTS_NAME) as stream:
        stream.write(json.dumps(facts, indent=2).encode())
    return store_folder


def _folder_id(resolved: Path) -> str:
    digest = hashlib.sha256(path_bytes(resolved.as_posix())).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9]+", "-", resolved.name).strip("-")[:40]
    return f"{name or 'folder'}-{digest}"


def _moved_here(resolved: Path, identity: tuple[int, int], home: Path | None) -> Path | None:
    for review in known_reviews(home):
        if review.identity == identity and review.folder != resolved:
            with suppress(OSError):
                if not review.folder.exists() and (review.store_folder / STORE_NAME).exists():
                    return review.store_folder
    return None
