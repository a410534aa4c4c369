"""The one place that imports pydicom and its decoders, safe from the working directory.

``gdcm.py`` tries ``import dl``, a module of Python 2: a folder or file of that name in the working
directory makes it fail with an AttributeError, and pydicom with it.
"""

from __future__ import annotations

import codecs
import contextlib
import logging
import sys
from encodings.aliases import aliases
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.system.quiet_warnings import quiet

JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in (90, 91, 92, 93, 201, 202, 203))


def _import_gdcm() -> None:
    modules: dict[str, Any] = sys.modules
    missing = object()
    before = modules.get("dl", missing)
    modules["dl"] = None  # makes `import dl` raise ImportError
    try:
        import gdcm
    except ImportError:
        return  # pydicom reads what its other decoders can; the rest is DICOM-03
    finally:
        if before is missing:
            del modules["dl"]
        else:
            modules["dl"] = before
    # Otherwise hostile files make it write to standard error.
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    gdcm.Trace.DebugOff()


with quiet():
    _import_gdcm()
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.encaps import encapsulate, get_frame
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import UID, AllTransferSyntaxes

# It logs tracebacks and values of elements; here a refusal says what matters, without patient data.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

__all__ = [
    "JPEG_2000",
    "JPEG_BASELINE",
    "JPEG_EXTENDED",
    "UID",
    "Dataset",
    "apply_color_lut",
    "codestream",
    "dcmread",
    "decode_extended_jpeg",
    "encapsulate",
    "get_decoder",
    "get_frame",
    "load_all",
    "pixel_array",
]


def load_all() -> None:
    """Import what decoders and headers ask for when a film first needs it; about 50 ms.

    A file may name any of Python's encodings for its texts, and pydicom hands JPEG to Pillow, which
    looks for the format among all that it knows.
    """
    for syntax in AllTransferSyntaxes:
        with contextlib.suppress(NotImplementedError):
            get_decoder(syntax).is_available  # noqa: B018 - it looks for its libraries
    for name in {*aliases.values(), "unicode_escape"}:
        with contextlib.suppress(LookupError):
            codecs.lookup(name)
    Image.init()


def frame_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns that a JPEG's own header says; None where it has no such header."""
    offset = 2
    while offset + 9 <= len(frame) and frame[offset] == 0xFF:
        marker, length = frame[offset + 1], int.from_bytes(frame[offset + 2 : offset + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            rows, columns = frame[offset + 5 : offset + 7], frame[offset + 7 : offset + 9]
            return int.from_bytes(rows, "big"), int.from_bytes(columns, "big")
        offset += 2 + length
    return None


def codestream(frame: bytes, rows: int, columns: int) -> bytes:
    """A JPEG 2000 picture without the container that some exports leave around it.

    The OpenJPEG of pylibjpeg-openjpeg 2.6 (2.5.2) reads containers unsafely (CVE-2025-54874), and
    takes memory for whatever size the picture itself claims.

    Raises:
        ValueError: There is none, or its size is another.
    """
    start = frame.find(_STREAM_START)
    if start < 0 or (start > 0 and frame[4:8] != b"jP  "):
        raise ValueError("no picture where it should begin")
    wide, high, left, top = (
        int.from_bytes(frame[at : at + 4], "big") for at in range(start + 8, start + 24, 4)
    )
    if (high - top, wide - left) != (rows, columns):
        raise ValueError("the header contradicts the picture")
    return frame[start:]


_STREAM_START = b"\xff\x4f\xff\x51"


def decode_extended_jpeg(
    frame: bytes, rows: int, columns: int, bits_stored: int
) -> npt.NDArray[np.uint16]:
    """A grey JPEG of 9 to 12 bits (process 2 and 4), which pydicom leaves to nobody and GDCM can.

    Returns:
        uint16 [rows, columns].

    Raises:
        ValueError: The frame cannot be decoded to that size.
        ImportError: GDCM is not installed.
    """
    import gdcm

    # GDCM believes what it is told: more bits than it has room for end the process.
    if not 8 < bits_stored <= 16 or frame_size(frame) != (rows, columns):
        raise ValueError("the header contradicts the picture")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, bits_stored, bits_stored - 1, 0))
    # GDCM hands its bytes over as text.
    buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(buffer, "<u2").reshape(rows, columns)
