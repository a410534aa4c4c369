"""THE decoder: file -> radiograph at full bit depth -> the 8-bit film -> model tensor.

Training, the command line and the window all read pixels here and nowhere else.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.error_codes import IMAGE_REFUSALS, refused
from desktop.core.imaging import file_type
from desktop.core.imaging.file_reader import FileBytes, read_file
from desktop.core.imaging.radiograph import (
    DicomMetadata,
    Radiograph,
    Window,
    look_up_table,
    looked_up,
    value_range,
    window_presets,
)
from desktop.core.imaging.raster import decode_raster

__all__ = [
    "IMAGE_REFUSALS",
    "DicomMetadata",
    "Radiograph",
    "Window",
    "decode",
    "eight_bit",
    "look_up_table",
    "model_pixels",
    "read_radiograph",
    "value_range",
    "window_presets",
]


def read_radiograph(path: Path, *, at_least: int | None = None) -> Radiograph:
    """Read and decode one file, whatever its name says it is.

    Args:
        at_least: Shortest side in pixels that the caller needs; lets the JPEG decoder skip detail
            (DCT scaling) as long as both sides stay at or above it. None decodes all of it.

    Raises:
        ImageRefused: With a code of ``IMAGE_REFUSALS`` and a sentence; no other exception comes
            from the content of a file.
    """
    return decode(read_file(path), at_least=at_least)


def decode(file: FileBytes, *, at_least: int | None = None) -> Radiograph:
    """As ``read_radiograph``, from bytes that were read before.

    Raises:
        ImageRefused: TYPE, DECODE, SIZE and DICOM codes.
    """
    kind = file_type.sniff(file.data[:512])
    if not kind.readable:
        raise refused("TYPE-01", file.path, kind.name or "unknown content")
    if kind is file_type.DICOM:
        # Imported late: pydicom costs a quarter of a second that folders of JPEGs need not pay.
        from desktop.core.imaging.dicom import decode_dicom

        radiograph = decode_dicom(file.data, file.path)
    else:
        radiograph = decode_raster(file.data, kind, file.path, at_least=at_least)
    return dataclasses.replace(radiograph, sha256=file.sha256)


def eight_bit(radiograph: Radiograph) -> npt.NDArray[np.uint8]:
    """The film as the models see it: uint8 [H, W], 0 = black, through the file's first window."""
    window = radiograph.windows[0]
    plain = window.curve is None and (window.low, window.high) == (0, 255)
    if plain and radiograph.values.dtype == np.uint8:
        return radiograph.values.astype(np.uint8, copy=False)
    return looked_up(look_up_table(radiograph, window), radiograph.values)


def model_pixels(film: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize an 8-bit film to a model's input: uint8 [h, w, 1].

    The film is stretched to (height, width), as the public data sets are; Pillow's bilinear filter
    with its support scaled to the reduction, so that it averages instead of skipping.
    """
    height, width = size
    resized = Image.fromarray(film).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)[..., np.newaxis]
