"""Listing of a folder that may hold a hundred thousand films: incremental, in natural order.

What is listed: files whose extension is an image's, whatever they hold (a broken one is a row with
its reason, not silence), and files without a known extension whose first bytes are an image's, as
DICOM exports have them. Documents, hidden files and the litter of file managers are left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from desktop.core.cases import ImageFile
from desktop.core.errors import UsageError
from desktop.core.imaging.file_type import sniff
from desktop.core.system.text import display_name, natural_key

IMAGE_EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .tif .tiff .bmp .dib .webp .dcm .dicom .dic".split()  # noqa: SIM905
)
# Pictures that are not read here. Listed, so that a reader who expects them is told why.
UNREAD_EXTENSIONS = frozenset(
    ".gif .pgm .ppm .pnm .pbm .jp2 .j2k .jpx .jxl .avif .heic .heif .psd".split()  # noqa: SIM905
)
OTHER_EXTENSIONS = frozenset(
    (  # noqa: SIM905
        ".txt .csv .tsv .json .jsonl .xml .html .htm .md .rst .log .pdf .doc .docx .xls .xlsx .odt"
        " .ods .ppt .pptx .zip .gz .tar .7z .rar .xz .py .ipynb .r .m .sh .bat .exe .dll .so .ini"
        " .cfg .toml .yaml .yml .sqlite .db .parquet .onnx .npy .npz .h5 .mp4 .avi .mov .mp3 .wav"
        " .svg .ico .lnk .url .tmp .part .crdownload .bak"
    ).split()
)
_JUNK = frozenset({"thumbs.db", "desktop.ini", "dicomdir", "ehthumbs.db"})
JUNK_FOLDERS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information"})
_SNIFFED_BYTES = 256


def wanted_by_name(name: str) -> bool | None:
    """Whether a file is listed, as far as its name tells; None where its first bytes decide."""
    if name.startswith(".") or name.casefold() in _JUNK:
        return False
    extension = os.path.splitext(name)[1].casefold()  # noqa: PTH122 - 100,000 times
    if extension in IMAGE_EXTENSIONS or extension in UNREAD_EXTENSIONS:
        return True
    return False if extension in OTHER_EXTENSIONS else None


def list_folder(
    folder: Path, *, recursive: bool = False, batch: int = 2000
) -> Iterator[list[ImageFile]]:
    """Candidates of a folder in natural order, a batch at a time; a folder's files before its
    folders.

    Folders below are entered once each, so links in a circle end. A folder below that cannot be
    opened is listed itself: reading it gives the reason as its row. Files may come and go
    meanwhile.

    Raises:
        UsageError: FOLDER-01 where ``folder`` does not exist, FOLDER-02 where it is no folder,
            FOLDER-03 where it may not or cannot be read; with the first batch, not at the call.
    """
    try:
        entered = {_identity(folder.stat())}
        waiting = [(folder, "")]
        entries = _entries(folder)
    except FileNotFoundError as error:
        raise UsageError(
            "FOLDER-01", f"The folder {display_name(folder)} does not exist. Check the path."
        ) from error
    except NotADirectoryError as error:
        raise UsageError(
            "FOLDER-02",
            f"{display_name(folder)} is not a folder. Choose the folder that it lies in.",
        ) from error
    except OSError as error:
        raise UsageError(
            "FOLDER-03",
            f"The folder {display_name(folder)} cannot be read ({error.strerror}). Check its "
            "permissions.",
        ) from error
    found: list[ImageFile] = []
    first = True
    while waiting:
        parent, prefix = waiting.pop()
        if not first:
            try:
                entries = _entries(parent)
            except OSError:
                found.append(ImageFile(parent, prefix.rstrip("/")))
                continue
        first = False
        below: list[tuple[Path, str]] = []
        for entry in entries:
            if recursive and _is_folder(entry):
                if entry.name.casefold() not in JUNK_FOLDERS and _enter(entry, entered):
                    below.append((parent / entry.name, f"{prefix}{entry.name}/"))
            elif _is_candidate(entry):
                found.append(ImageFile.found(parent / entry.name, prefix + entry.name, entry))
                if len(found) >= batch:
                    yield found
                    found = []
        waiting.extend(reversed(below))
    if found:
        yield found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        seen = [entry for entry in scan if not entry.name.startswith(".")]
    return sorted(seen, key=lambda entry: natural_key(entry.name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or gone
        return False


def _enter(entry: os.DirEntry[str], entered: set[tuple[int, int]]) -> bool:
    try:
        identity = _identity(entry.stat())
    except OSError:
        return True  # listing it will say why
    if identity in entered:
        return False
    entered.add(identity)
    return True


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_candidate(entry: os.DirEntry[str]) -> bool:
    if _is_folder(entry):
        return False
    wanted = wanted_by_name(entry.name)
    return _looks_like_image(entry) if wanted is None else wanted


def _looks_like_image(entry: os.DirEntry[str]) -> bool:
    """Ask the first bytes; what cannot be asked is listed, so that its reason is told."""
    try:
        if not stat.S_ISREG(entry.stat().st_mode):
            return False
        with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123
            start = file.read(_SNIFFED_BYTES)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return not start or sniff(start).readable
