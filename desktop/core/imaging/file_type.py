"""What a file is by its first bytes, never by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FileType:
    """A kind of file.

    Attributes:
        name: For people, e.g. ``JPEG`` or ``PDF document``; empty where nothing is recognised.
        readable: True where the decoder reads it.
    """

    name: str
    readable: bool = False


JPEG = FileType("JPEG", True)
PNG = FileType("PNG", True)
TIFF = FileType("TIFF", True)
BMP = FileType("BMP", True)
WEBP = FileType("WebP", True)
DICOM = FileType("DICOM", True)
UNKNOWN = FileType("")

_STARTS: tuple[tuple[bytes, FileType], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
    (b"GIF8", FileType("GIF image")),
    *((b"P%d" % kind, FileType("portable grey or colour map (PGM, PPM)")) for kind in range(1, 8)),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", FileType("JPEG 2000 image")),
    (b"\xff\x4f\xff\x51", FileType("JPEG 2000 image")),
    (b"\x00\x00\x00\x0cJXL ", FileType("JPEG XL image")),
    (b"%PDF", FileType("PDF document")),
    (b"%!PS", FileType("PostScript document")),
    (b"PK\x03\x04", FileType("ZIP archive or office document")),
    (b"\x1f\x8b", FileType("gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", FileType("7-Zip archive")),
    (b"Rar!", FileType("RAR archive")),
    (b"NRRD", FileType("NRRD volume")),
    (b"\x93NUMPY", FileType("NumPy array")),
    (b"\x89HDF", FileType("HDF5 file")),
    (b"SQLite format 3", FileType("SQLite database")),
    (b"8BPS", FileType("Photoshop image")),
    (b"\x7fELF", FileType("program")),
    (b"<svg", FileType("SVG drawing")),
    (b"<?xml", FileType("XML text")),
    (b"<!DOCTYPE", FileType("web page")),
    (b"<html", FileType("web page")),
)


def sniff(start: bytes) -> FileType:
    """Recognise a file by its beginning; 256 bytes are enough.

    A DICOM file is known by ``DICM`` after its preamble, or, as old exports omit both, by a data
    set that begins with a plausible element of group 0002 or 0008.
    """
    if start[128:132] == b"DICM":
        return DICOM
    for magic, kind in _STARTS:
        if start.startswith(magic):
            return kind
    if start[:4] == b"RIFF":
        return WEBP if start[8:12] == b"WEBP" else FileType("RIFF sound or film")
    if start[:2] == b"BM" and len(start) >= 18 and start[14:18] in _BMP_HEADERS:
        return BMP
    if start[4:8] == b"ftyp":
        return FileType("HEIF, AVIF or film file")
    if len(start) >= 348 and start[344:347] in (b"n+1", b"ni1"):
        return FileType("NIfTI volume")
    if _is_bare_data_set(start):
        return DICOM
    return UNKNOWN


_BMP_HEADERS = frozenset(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))
_EXPLICIT_VRS = frozenset(b"AE AS CS DA DT LO OB PN SH SQ TM UI UL UN US".split())


def _is_bare_data_set(start: bytes) -> bool:
    if len(start) < 12:
        return False
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        group = int.from_bytes(start[0:2], order)
        element = int.from_bytes(start[2:4], order)
        if group in (2, 8) and element <= 0x0070:
            if start[4:6] in _EXPLICIT_VRS:
                return True
            length = int.from_bytes(start[4:8], order)
            if order == "little" and 0 < length <= 64 and length % 2 == 0:
                return True
    return False
