"""JPEG, PNG, TIFF, BMP and WebP bytes -> grey values at the file's bit depth.

Pillow's format classes are used without ``Image.open``: the type is already known from the bytes,
no other plugin can be reached, and Pillow's global limit on pixels stays as the host program set
it.

JPEG pixels come from simplejpeg, which is the same libjpeg-turbo and says what it had to guess.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import numpy as np
import simplejpeg
from PIL import (
    BmpImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from desktop.core.error_codes import refused
from desktop.core.errors import ImageRefused
from desktop.core.imaging import file_type
from desktop.core.imaging.file_type import FileType
from desktop.core.imaging.luminance import SHORT_SIDE, averaged, grey_values, is_coloured
from desktop.core.imaging.radiograph import FilmValues, Radiograph, Window, exposed_range
from desktop.core.system.quiet_warnings import quiet

MAX_PIXELS = 120_000_000
"""Most pixels a picture may have; the largest plates scanned at 50 micrometres have about 70
million.
"""

MIN_SIDE = 64
"""Shortest side in pixels; below it nothing that the models look at is left."""

_OPEN: dict[FileType, Callable[..., ImageFile.ImageFile]] = {
    file_type.JPEG: JpegImagePlugin.jpeg_factory,
    file_type.PNG: PngImagePlugin.PngImageFile,
    file_type.TIFF: TiffImagePlugin.TiffImageFile,
    file_type.BMP: BmpImagePlugin.BmpImageFile,
    file_type.WEBP: WebPImagePlugin.WebPImageFile,
}
# How Pillow says that a file is sound but of a kind it cannot unpack, such as a 12-bit JPEG.
_UNKNOWN_PIXELS = (
    "-bit layers",
    "unknown pixel mode",
    "unknown data organization",
    "Unsupported BMP",
)
_PHOTOMETRIC, _BITS_PER_SAMPLE, _SAMPLE_FORMAT = 262, 258, 339
# EXIF orientations in which rows are stored as columns.
_LYING = (5, 6, 7, 8)
_CHANNELS, _PIECE = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}, 2**20  # of PNG's types of colour
_SIXTEEN_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})


def decode_raster(
    data: bytes, kind: FileType, path: PurePath, *, at_least: int | None = None
) -> Radiograph:
    """Decode bytes of a known type; hash and path are the caller's to add.

    Args:
        kind: What ``file_type.sniff`` said; not DICOM.
        path: For the sentence of a refusal.
        at_least: Shortest side that is needed; lets JPEG skip detail.

    Raises:
        ImageRefused: TYPE-03, DECODE-01 to DECODE-05, DECODE-08, SIZE-01.
    """
    stored = None
    with quiet():
        try:
            if kind is file_type.WEBP:
                # Its decoder allocates the canvas when it opens.
                check_size(_webp_size(data), path)
            image = _OPEN[kind](io.BytesIO(data))
            check_size(image.size, path)
            if getattr(image, "is_animated", False):
                raise refused("DECODE-04", path)
            if kind is file_type.JPEG:
                values, bits = _jpeg(image, data, path, at_least), 8
                width, height = image.size
                stored = (width, height) if _orientation(image) in _LYING else (height, width)
            else:
                values, bits = _values(image, path)
                if kind is file_type.PNG and _lacks_rows(image, data):
                    raise refused("DECODE-02", path)
        except ImageRefused:
            raise
        except MemoryError as error:
            raise refused("DECODE-08", path) from error
        except Exception as error:  # a decoder given hostile bytes raises anything
            if any(words in str(error) for words in _UNKNOWN_PIXELS):
                raise refused("TYPE-03", path, f"a rare kind of {kind.name}") from error
            raise refused(_ending(error, data, kind), path) from error
    window = Window("Full range", 0, 255)
    if bits > 8:
        window = Window("Full range", *exposed_range(values))
    return Radiograph(values, bits, (window,), source_format=kind.name, stored_size=stored)


def check_size(size: tuple[int, int], path: PurePath) -> None:
    """Refuse a (width, height) that is a bomb or too small, before anything is unpacked.

    Raises:
        ImageRefused: DECODE-03 or SIZE-01.
    """
    width, height = size
    if width * height > MAX_PIXELS:
        raise refused("DECODE-03", path, f"{width} x {height}")
    if min(width, height) < MIN_SIDE:
        raise refused(
            "SIZE-01", path, f"{width} x {height} pixels, at least {MIN_SIDE} a side are needed"
        )


def _jpeg(
    image: ImageFile.ImageFile, data: bytes, path: PurePath, at_least: int | None
) -> FilmValues:
    """Luminance; for a grey file that is its only channel, for a colour one the Y it stores.

    The reduction is the decoder's own DCT scaling by 2, 4 or 8, which keeps both sides at or above
    ``at_least``. Whatever the decoder warns of is damage: it fills what is missing with grey.
    """
    high, wide, space, _ = simplejpeg.decode_jpeg_header(data)
    if (wide, high) != image.size:
        raise ValueError("two sizes in one header")
    height, width = _scaled(image, at_least)
    if space in ("Gray", "YCbCr"):
        values = simplejpeg.decode_jpeg(data, "GRAY", min_height=height, min_width=width)[..., 0]
        if space == "YCbCr":
            rows, columns = _scaled(image, SHORT_SIDE)
            colours = simplejpeg.decode_jpeg(data, "RGB", min_height=rows, min_width=columns)
            if is_coloured(averaged(colours)):
                raise refused("DECODE-05", path)
        return _upright(image, values)
    simplejpeg.decode_jpeg(
        data, "CMYK" if image.mode == "CMYK" else "GRAY", min_height=1, min_width=1
    )
    image.draft(image.mode, (width, height))
    image.load()
    return _upright(image, _grey(image, path))


def _scaled(image: ImageFile.ImageFile, at_least: int | None) -> tuple[int, int]:
    """Height and width of a JPEG after the strongest reduction that keeps this shortest side."""
    shortest = min(image.size)
    wanted = shortest if at_least is None else at_least
    factor = next((one for one in (8, 4, 2) if shortest // one >= wanted), 1)
    return -(-image.height // factor), -(-image.width // factor)


def _values(image: ImageFile.ImageFile, path: PurePath) -> tuple[FilmValues, int]:
    """Grey values of any other format, and their bits; EXIF orientation applied."""
    if image.mode in ("F", "I") and not _is_signed_sixteen(image):
        raise refused("TYPE-03", path, "32 bit or floating point")
    image.load()
    if image.mode in _SIXTEEN_BIT:
        sixteen = np.asarray(image).astype(np.uint16, copy=False)
        bits = int(_tag(image, _BITS_PER_SAMPLE, 16))
        if _tag(image, _PHOTOMETRIC, 1) == 0:  # white is zero
            sixteen = np.uint16(2**bits - 1) - sixteen
        return _upright(image, sixteen), max(bits, int(sixteen.max()).bit_length())
    if image.mode == "I":
        return _upright(image, (np.asarray(image) + 32768).astype(np.uint16)), 16
    if image.mode in ("1", "L"):
        return _upright(image, np.asarray(image.convert("L"))), 8
    return _upright(image, _grey(image, path)), 8


def _lacks_rows(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Whether the pixels of a PNG end before its last row, which Pillow leaves at 0 then.

    They are counted only where that row is empty, and not where rows are interlaced.
    """
    width, height = image.size
    depth, colour, _, _, interlaced = data[24:29]
    if interlaced or np.asarray(image.crop((0, height - 1, width, height))).any():
        return False
    left = height * (1 + (width * depth * _CHANNELS[colour] + 7) // 8)
    unpacker, offset = zlib.decompressobj(), 8
    while left > 0 and not unpacker.eof and offset + 8 <= len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        rest = (
            data[offset + 8 : offset + 8 + length]
            if data[offset + 4 : offset + 8] == b"IDAT"
            else b""
        )
        while rest and left > 0:
            left -= len(unpacker.decompress(rest, _PIECE))
            rest = unpacker.unconsumed_tail
        offset += 12 + length
    return left > 0


def _is_signed_sixteen(image: ImageFile.ImageFile) -> bool:
    return bool(_tag(image, _BITS_PER_SAMPLE, 0) == 16 and _tag(image, _SAMPLE_FORMAT, 1) == 2)


def _tag(image: ImageFile.ImageFile, number: int, default: int) -> Any:
    tags = getattr(image, "tag_v2", None)
    value = default if tags is None else tags.get(number, default)
    return value[0] if isinstance(value, tuple) else value


def _grey(image: Image.Image, path: PurePath) -> FilmValues:
    """Luminance of a picture in colour, with a palette or transparency, that is grey at heart."""
    if image.mode == "L":
        return np.asarray(image)
    values, coloured = grey_values(
        image.size, lambda top, bottom: image.crop((0, top, image.width, bottom))
    )
    if coloured:
        raise refused("DECODE-05", path)
    return values


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 = upright; a damaged EXIF block says nothing."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # Pillow raises anything for a damaged EXIF block
        return 1


def _upright(image: Image.Image, values: FilmValues) -> FilmValues:
    """Turn values as EXIF says (Pillow has done it for TIFF)."""
    orientation = _orientation(image)
    turned = {
        2: lambda v: v[:, ::-1],
        3: lambda v: v[::-1, ::-1],
        4: lambda v: v[::-1],
        5: lambda v: v.T,
        6: lambda v: v.T[:, ::-1],
        7: lambda v: v[::-1, ::-1].T,
        8: lambda v: v.T[::-1],
    }
    if orientation in turned:
        return np.ascontiguousarray(turned[orientation](values))
    return values


def _webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) from the header, without the decoder."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise EOFError("the container is longer than the file")
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    return (
        int.from_bytes(body[6:8], "little") & 0x3FFF,
        int.from_bytes(body[8:10], "little") & 0x3FFF,
    )


def _ending(error: Exception, data: bytes, kind: FileType) -> str:
    """DECODE-02 where the decoder ran out of bytes, DECODE-01 for every other damage."""
    words = str(error).lower()
    if isinstance(error, EOFError) or "truncated" in words or "premature end" in words:
        return "DECODE-02"
    if kind is file_type.PNG and b"IEND" not in data[-16:]:
        return "DECODE-02"
    if kind is file_type.JPEG and b"\xff\xd9" not in data[-64:]:
        return "DECODE-02"
    return "DECODE-01"
