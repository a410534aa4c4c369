"""JPEG, PNG, TIFF, BMP and WebP bytes -> grey values at the file's bit depth.

Pillow's format classes are used without ``Image.open``: the type is already known from the bytes,
no other plugin can be reached, and Pillow's global limit on pixels stays as the host program set
it.

Is a picture with three channels a grey film or a colour photograph?

The measure: the picture is averaged down to about 256 pixels on its short side, which levels JPEG's
chroma noise; a pixel counts as coloured where its largest and smallest of R, G, B differ by more
than 24 of 255; a picture is coloured where more than 5 % of its pixels are. A side marker, a ruler
or a coloured note stays below that, a photograph, a false-colour map or a tinted scan does not.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
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
_SIXTEEN_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})


def decode_raster(
    data: bytes, kind: FileType, path: PurePath, *, at_least: int | None = None
) -> Radiograph:
    """Decode bytes of a known type; hash and path are the caller's to add.

    Args:
        data: The whole file.
        kind: What ``file_type.sniff`` said; not DICOM.
        path: For the sentence of a refusal.
        at_least: Shortest side that is needed; lets JPEG skip detail.

    Raises:
        ImageRefused: TYPE-03, DECODE-01 to DECODE-05, DECODE-08, SIZE-01.
    """
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
            else:
                values, bits = _values(image, path)
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
    return Radiograph(values, bits, (window,), source_format=kind.name)


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

    The reduction is the decoder's own DCT scaling, which keeps both sides at or above ``at_least``.
    """
    wanted = image.size if at_least is None else (at_least, at_least)
    coloured = image.mode == "RGB"
    if coloured and image.info.get("adobe_transform") != 0:
        image.draft("YCbCr", wanted)
    else:
        image.draft(None, wanted)
    try:
        image.load()
    except OSError as error:
        if not coloured or "truncated" in str(error):
            raise
        # Stored as RGB without saying so: the decoder cannot give YCbCr.
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        image.draft("RGB", wanted)
    values = _grey(image, path)
    # The decoder fills what is missing with zero coefficients: exact middle grey to the last row.
    if (values[-1] == 128).all() and not (values[0] == 128).all():
        raise refused("DECODE-02", path)
    return _upright(image, values)


def _values(image: ImageFile.ImageFile, path: PurePath) -> tuple[FilmValues, int]:
    """Grey values of any other format, and their bits; EXIF orientation applied."""
    if image.mode in ("F", "I") and not _is_signed_sixteen(image):
        raise refused("TYPE-03", path, "32 bit or floating point")
    image.load()
    if image.mode in _SIXTEEN_BIT:
        sixteen = np.asarray(image).astype(np.uint16)
        bits = int(_tag(image, _BITS_PER_SAMPLE, 16))
        if _tag(image, _PHOTOMETRIC, 1) == 0:  # white is zero
            sixteen = np.uint16(2**bits - 1) - sixteen
        return _upright(image, sixteen), max(bits, int(sixteen.max()).bit_length())
    if image.mode == "I":
        return _upright(image, (np.asarray(image) + 32768).astype(np.uint16)), 16
    if image.mode in ("1", "L"):
        return _upright(image, np.asarray(image.convert("L"))), 8
    return _upright(image, _grey(image, path)), 8


def _is_signed_sixteen(image: ImageFile.ImageFile) -> bool:
    return bool(_tag(image, _BITS_PER_SAMPLE, 0) == 16 and _tag(image, _SAMPLE_FORMAT, 1) == 2)


def _tag(image: ImageFile.ImageFile, number: int, default: int) -> Any:
    tags = getattr(image, "tag_v2", None)
    value = default if tags is None else tags.get(number, default)
    return value[0] if isinstance(value, tuple) else value


def _grey(image: Image.Image, path: PurePath) -> FilmValues:
    """Luminance of a picture in colour, with a palette or transparency, that is grey at heart."""
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "PA":
        image = image.convert("RGBA")
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        image = _opaque(image)
    if image.mode == "L":
        return np.asarray(image)
    if is_coloured(image):
        raise refused("DECODE-05", path)
    if image.mode == "YCbCr":
        return np.asarray(image.getchannel("Y"))
    return np.asarray((image if image.mode == "RGB" else image.convert("RGB")).convert("L"))


def _opaque(image: Image.Image) -> Image.Image:
    """Lay a transparent picture on black, the colour of unexposed film.

    Where nothing at all is opaque, the channel was left empty by an exporter and is ignored.
    """
    image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))
    alpha = image.getchannel("A")
    plain = "L" if image.mode == "LA" else "RGB"
    highest = alpha.getextrema()[1]
    if highest == 0:
        return image.convert(plain)
    black = Image.new(plain, image.size)
    black.paste(image.convert(plain), mask=alpha)
    return black


def _upright(image: Image.Image, values: FilmValues) -> FilmValues:
    """Turn values as EXIF says (Pillow has done it for TIFF); a damaged EXIF block says nothing."""
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # Pillow raises anything for a damaged EXIF block
        orientation = 1
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
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "DECODE-02"
    if kind is file_type.PNG and b"IEND" not in data[-16:]:
        return "DECODE-02"
    if kind is file_type.JPEG and b"\xff\xd9" not in data[-64:]:
        return "DECODE-02"
    return "DECODE-01"


COLOUR_DIFFERENCE = 24
"""Grey levels between the largest and smallest channel above which a pixel counts as coloured."""

COLOURED_SHARE = 0.05
"""Share of coloured pixels above which a picture is not a film."""

_SHORT_SIDE = 256


def is_coloured(image: Image.Image) -> bool:
    """True where a picture in any colour mode shows colours beyond noise and small marks."""
    factor = max(1, min(image.size) // _SHORT_SIDE)
    small = image.reduce(factor) if factor > 1 else image
    return coloured_share(np.asarray(small.convert("RGB"))) > COLOURED_SHARE


def coloured_share(colours: npt.NDArray[np.uint8]) -> float:
    """Share in [0, 1] of the pixels of uint8 [H, W, 3] that are coloured."""
    difference = colours.max(axis=2) - colours.min(axis=2)
    return float((difference > COLOUR_DIFFERENCE).mean())
