"""Copies or links of the films in one folder a class, ready to train from.

Nothing is ever overwritten: a name that is taken by another file gets a number, a file that is
already there is left as it is, so that an export that was stopped can simply be run again. Files
are copied byte for byte: DICOM files keep their patient tags, and `dicom_notice` says so.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from desktop.core.cases import CaseResult, Decision
from desktop.core.errors import OutputFailed, UsageError
from desktop.core.system.atomic_write import sync_folder
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.text import display_name
from desktop.core.vote import NO_CONSENSUS

Basis = Literal["label", "consensus", "label or consensus"]
Mode = Literal["copy", "hard link", "symbolic link"]
BASES: tuple[Basis, ...] = ("label", "consensus", "label or consensus")
MODES: tuple[Mode, ...] = ("copy", "hard link", "symbolic link")
UNSURE = "unsure"
_BLOCK_BYTES = 1 << 20
_BAD = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MAX_NAME_BYTES = 240
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".dic"})


@dataclass(frozen=True)
class PlannedFile:
    """One film and where it goes.

    Attributes:
        image: Path relative to the opened folder.
        class_folder: Name of the folder, safe on every system.
        name: File name in it, unique in the plan.
        sha256: Content that was labelled, empty where unknown; other content is refused.
    """

    image: str
    class_folder: str
    name: str
    sha256: str


@dataclass(frozen=True)
class PlacedFile:
    """What became of one planned file.

    Attributes:
        path: Where it is now, None where it was refused.
        state: ``written``, ``there`` (an equal file was there already) or ``refused``.
        dicom: It is a DICOM file, whose patient tags went along.
        code: Code of the refusal, else empty.
        reason: Sentence of the refusal, else empty.
    """

    plan: PlannedFile
    path: Path | None
    state: Literal["written", "there", "refused"]
    dicom: bool = False
    code: str = ""
    reason: str = ""


def class_of(
    result: CaseResult | None, decision: Decision, class_names: Sequence[str], basis: Basis
) -> str | None:
    """Name of the class that an image goes to.

    Args:
        result: What the panel said, None where it has not voted.
        basis: ``label`` takes the reader's labels only, ``consensus`` the panel's, the third the
            panel's where the reader has not decided.

    Returns:
        A class, ``unsure``, ``no consensus``, or None: the image is left out.
    """
    if basis != "consensus" and decision.reviewed:
        return decision.label or UNSURE
    if basis == "label" or result is None or result.verdict is None:
        return None
    consensus = result.verdict.consensus
    return NO_CONSENSUS if consensus is None else class_names[consensus]


def plan_class_folders(cases: Iterable[tuple[str, str, str]]) -> tuple[PlannedFile, ...]:
    """Choose folder and file names; nothing is written.

    A file in a subfolder gets the subfolder's name in front, joined by two underscores; names that
    still collide, also only by case, get a number. The order of the cases decides, so the same
    cases give the same names.

    Args:
        cases: (image, class, sha256) in a fixed order.
    """
    folders: dict[str, str] = {}
    taken: set[tuple[str, str]] = set()
    planned = []
    for image, class_name, sha256 in cases:
        if class_name not in folders:
            folders[class_name] = _free(safe_name(class_name), set(folders.values()))
        folder = folders[class_name]
        wanted = safe_name("__".join(PurePosixPath(image).parts))
        number = 1
        while (folder, numbered(wanted, number).casefold()) in taken:
            number += 1
        name = numbered(wanted, number)
        taken.add((folder, name.casefold()))
        planned.append(PlannedFile(image, folder, name, sha256))
    return tuple(planned)


def dicom_notice(planned: Sequence[PlannedFile]) -> str:
    """What to know about patient tags before writing, empty where the names show no DICOM."""
    count = sum(Path(item.name).suffix.lower() in _DICOM_SUFFIXES for item in planned)
    if not count:
        return ""
    return (
        f"{count:,} of the files are DICOM and keep their patient tags (name, birth date, "
        "numbers). Pass them on only where that is allowed, or de-identify them first."
    )


def place_files(
    root: Path,
    target: Path,
    planned: Iterable[PlannedFile],
    *,
    mode: Mode = "copy",
    cancel: CancelToken | None = None,
) -> Iterator[PlacedFile]:
    """Write the plan, one file at a time; a refusal is a value and never ends the run.

    Args:
        root: The opened folder.
        target: Folder for the class folders; made if need be.
        planned: From `plan_class_folders`.
        mode: ``copy``, ``hard link`` (no space, same disk only) or ``symbolic link`` (breaks when
            the originals move).
        cancel: When set, no further file is begun.

    Raises:
        UsageError: CLASS-01 where ``target`` lies inside ``root``; with the first file, not at the
            call.
        OutputFailed: OUTPUT-02 where ``target`` cannot be made.
    """
    _check_target(root, target)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(
            "OUTPUT-02",
            f"The folder {display_name(target)} could not be made ({error.strerror}). Choose "
            "another one.",
        ) from error
    for item in planned:
        if cancel is not None and cancel.cancelled:
            return
        yield _place(root / item.image, target / item.class_folder, item, mode)


def safe_name(name: str) -> str:
    """A file or folder name that every system takes, as close to the given one as possible."""
    cleaned = _BAD.sub("_", name).rstrip(". ") or "_"
    if _RESERVED.fullmatch(cleaned):
        cleaned = f"_{cleaned}"
    if len(os.fsencode(cleaned)) <= _MAX_NAME_BYTES:
        return cleaned
    # Too long for the file system: the end tells films apart, a hash keeps it unique.
    digest = hashlib.sha256(os.fsencode(cleaned)).hexdigest()[:12]
    end = os.fsdecode(os.fsencode(cleaned)[-(_MAX_NAME_BYTES - 20) :])
    return f"{digest}_{end.encode('utf-8', 'ignore').decode()}"


def numbered(name: str, number: int) -> str:
    """``scan.png`` as it is for 1, ``scan-2.png`` for 2."""
    if number == 1:
        return name
    path = PurePosixPath(name)
    return f"{path.stem}-{number}{path.suffix}"


def _free(name: str, taken: set[str]) -> str:
    lower = {item.casefold() for item in taken}
    number = 1
    while numbered(name, number).casefold() in lower:
        number += 1
    return numbered(name, number)


def _check_target(root: Path, target: Path) -> None:
    inside, outside = target.resolve(), root.resolve()
    if inside == outside or outside in inside.parents:
        raise UsageError(
            "CLASS-01",
            f"The class folders cannot lie inside {display_name(root)}: its films would be "
            "listed twice. "
            "Choose a folder elsewhere.",
        )


def _place(source: Path, folder: Path, item: PlannedFile, mode: Mode) -> PlacedFile:
    try:
        with source.open("rb") as stream:
            dicom = stream.read(132)[128:] == b"DICM"
        folder.mkdir(exist_ok=True)
        for number in range(1, 10_000):
            path = folder / numbered(item.name, number)
            if not path.is_symlink() and not path.exists():
                return _write(source, path, item, mode, dicom)
            if _same_content(source, path):
                return PlacedFile(item, path, "there", dicom)
    except OSError as error:
        return _refused(item, *_why(item, error, mode))
    return _refused(
        item,
        "CLASS-06",
        f"{display_name(item.image)} was not written: 10,000 other files have its name there "
        "already. "
        "Choose an empty folder.",
    )


def _write(source: Path, path: Path, item: PlannedFile, mode: Mode, dicom: bool) -> PlacedFile:
    if mode == "copy":
        if not _copy(source, path, item.sha256):
            return _changed(item)
    else:
        if item.sha256 and _sha256(source) != item.sha256:
            return _changed(item)
        if mode == "hard link":
            path.hardlink_to(source.resolve())
        else:
            path.symlink_to(source.resolve())
    return PlacedFile(item, path, "written", dicom)


def _copy(source: Path, path: Path, sha256: str) -> bool:
    """Copy whole or not at all; False where the content is not the labelled one."""
    descriptor, name = tempfile.mkstemp(prefix=".cxr-quorum-", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        digest = hashlib.sha256()
        with os.fdopen(descriptor, "wb") as target, source.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        if sha256 and digest.hexdigest() != sha256:
            return False
        status = source.stat()
        temporary.chmod(status.st_mode & 0o777)
        os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
        try:
            # Unlike a rename, a link never replaces a file that appeared meanwhile.
            path.hardlink_to(temporary)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}:
                raise
            if path.exists():
                raise FileExistsError(errno.EEXIST, "appeared meanwhile", str(path)) from error
            temporary.rename(path)
        sync_folder(path.parent)
        return True
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _same_content(source: Path, path: Path) -> bool:
    if not path.is_file():
        return False
    if path.samefile(source):
        return True
    return path.stat().st_size == source.stat().st_size and _sha256(path) == _sha256(source)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(item: PlannedFile) -> PlacedFile:
    return _refused(
        item,
        "CLASS-02",
        f"{display_name(item.image)} was not written because the file has changed since it was "
        "labelled. "
        "Open the folder again and look at it.",
    )


def _why(item: PlannedFile, error: OSError, mode: Mode) -> tuple[str, str]:
    name = display_name(item.image)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "CLASS-03", f"{name} was not written because the disk is full. Free some space."
    if error.errno == errno.EXDEV or (mode != "copy" and error.errno == errno.EPERM):
        return (
            "CLASS-04",
            f"{name} was not written because a {mode} is not possible there. Choose copies.",
        )
    if isinstance(error, FileNotFoundError):
        return "CLASS-05", f"{name} was not written because it is not there any more."
    return "CLASS-05", f"{name} was not written ({error.strerror}). Check the permissions."


def _refused(item: PlannedFile, code: str, reason: str) -> PlacedFile:
    return PlacedFile(item, None, "refused", False, code, reason)
