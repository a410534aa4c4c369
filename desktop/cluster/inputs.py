"""Where the films of a cluster run are: folders and files on shared storage, or fsspec addresses.

Names, order and choice of files are those of a run on one machine (``core.files.inputs``), so that
the same films give the same table. Nothing is opened except to ask an unknown file for its kind.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

from desktop.core.errors import UsageError
from desktop.core.files.inputs import list_inputs
from desktop.core.files.listing import JUNK_FOLDERS, wanted_by_name
from desktop.core.imaging.file_type import sniff
from desktop.core.system.text import display_name, natural_key

_SNIFFED_BYTES = 256


@dataclass(frozen=True, slots=True)
class Film:
    """One candidate.

    Attributes:
        image: Name in the table, as a run on one machine gives it.
        location: Absolute path, or an fsspec address such as ``s3://bucket/film.dcm``.
    """

    image: str
    location: str


def list_films(paths: Collection[Path | str], *, recursive: bool = False) -> Iterator[Film]:
    """Films of a run in a fixed order, each once.

    Args:
        paths: Folders and files, all of this file system (``Path``) or all addresses (``str``).
        recursive: Also look in the folders below.

    Raises:
        UsageError: USAGE-01, FOLDER-01 to 03 as in ``list_inputs``; USAGE-05 where paths and
            addresses are mixed; CLUSTER-05 where an address cannot be reached.
    """
    kinds = {isinstance(path, str) for path in paths}
    if len(kinds) > 1:
        raise UsageError(
            "USAGE-05",
            "Paths and addresses are mixed, so the images have no common folder to be named after. "
            "Give them to two runs.",
        )
    # Not copied into lists of one kind: a list may have a hundred million lines.
    if True in kinds:
        return _remote(cast("Collection[str]", paths), recursive)
    return _local(cast("Collection[Path]", paths), recursive)


def open_address(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address and the path in it.

    Raises:
        UsageError: CLUSTER-05 where fsspec or what it needs for this kind of address is missing.
    """
    if importlib.util.find_spec("fsspec") is None:
        raise UsageError(
            "CLUSTER-05",
            "Addresses need the package fsspec, which is not installed. Install it with "
            "pip install 'cxr-quorum[cluster]'.",
        )
    fsspec: Any = importlib.import_module("fsspec")
    kind = address.partition("://")[0]
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise UsageError(
            "CLUSTER-05",
            f"Addresses that begin with {display_name(kind)}:// need another package on every node "
            f"({error}).",
        ) from error
    except ValueError as error:
        raise UsageError(
            "CLUSTER-05",
            f"Addresses that begin with {display_name(kind)}:// are not known. Check it.",
        ) from error
    return system, str(path)


def _local(paths: Collection[Path], recursive: bool) -> Iterator[Film]:
    files = list_inputs(paths, recursive=recursive)
    return (Film(file.image, str(file.path.absolute())) for file in files)


def _remote(addresses: Collection[str], recursive: bool) -> Iterator[Film]:
    """Like ``list_inputs``: names relative to the one folder, else to what holds them all."""
    first = next(iter(addresses))
    if len(addresses) == 1 and _is_folder(first):
        yield from _below(first, recursive)
        return
    base = _steps(first)[:-1]
    for address in addresses:
        parent = _steps(address)[:-1]
        while base != parent[: len(base)]:
            base.pop()
    # Digests, because a list may have a hundred million names.
    seen: set[bytes] = set()
    for address in addresses:
        # A name with an image's extension is taken as a file without asking: lists are long.
        if wanted_by_name(_steps(address)[-1]) is None and _is_folder(address):
            films = _below(address, recursive)
        else:
            films = iter([Film("", address)])
        for film in films:
            digest = blake2b(film.location.encode("utf-8", "surrogatepass"), digest_size=16)
            if digest.digest() not in seen:
                seen.add(digest.digest())
                yield Film("/".join(_steps(film.location)[len(base) :]), film.location)


def _is_folder(address: str) -> bool:
    system, path = open_address(address)
    try:
        return bool(system.isdir(path))
    except Exception as error:  # every kind of storage has errors of its own
        raise _unreachable(address, error) from error


def _below(address: str, recursive: bool) -> Iterator[Film]:
    """Films of a folder, listed as ``list_folder`` lists one of this machine."""
    system, root = open_address(address)
    root = root.rstrip("/")
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = system.ls(f"{root}/{prefix}", detail=True)
        except Exception as error:  # every kind of storage has errors of its own
            raise _unreachable(address, error) from error
        named = sorted(
            ((entry["name"].rstrip("/").rpartition("/")[2], entry) for entry in entries),
            key=lambda pair: natural_key(pair[0]),
        )
        below = []
        for name, entry in named:
            # Object storage may list the folder itself, as an object of no size.
            if not name or name.startswith(".") or entry["name"].rstrip("/") == f"{root}/{prefix}":
                continue
            if entry["type"] == "directory":
                if recursive and name.casefold() not in JUNK_FOLDERS:
                    below.append(f"{prefix}{name}/")
                continue
            wanted = wanted_by_name(name)
            if _looks_like_image(system, entry["name"]) if wanted is None else wanted:
                yield Film(f"{prefix}{name}", _child(address, f"{prefix}{name}"))
        waiting.extend(reversed(below))


def _looks_like_image(system: Any, path: str) -> bool:
    try:
        start = system.cat_file(path, start=0, end=_SNIFFED_BYTES)
    except Exception:  # it is listed, so that its reason is told
        return True
    return not start or sniff(start).readable


def _child(address: str, name: str) -> str:
    """``zip://films::file:///a.zip`` and ``1.png`` -> ``zip://films/1.png::file:///a.zip``."""
    head, mark, rest = address.partition("::")
    return f"{head}{'' if head.endswith('/') else '/'}{name}{mark}{rest}"


def _steps(address: str) -> list[str]:
    """The steps to a film, outermost first: archives are folders to it."""
    inner = [part.partition("://") for part in address.split("::")]
    outermost = f"{inner[-1][0]}://{inner[-1][2]}"
    return "/".join([outermost, *(part[2] for part in reversed(inner[:-1]))]).rstrip("/").split("/")


def _unreachable(address: str, error: Exception) -> UsageError:
    return UsageError(
        "CLUSTER-05",
        f"{display_name(address, 200)} cannot be listed ({type(error).__name__}). Check the "
        "address and "
        "the credentials of this machine.",
    )
