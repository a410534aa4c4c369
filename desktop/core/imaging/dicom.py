"""DICOM bytes -> radiograph: header, pixels, and one table that folds every step between.

Order of the standard (PS3.4 N.2): stored value -> modality (rescale or LUT) -> VOI (window or LUT)
-> inversion for MONOCHROME1. ``Radiograph.values`` are the stored values, shifted to begin at 0 and
turned so that larger is brighter, so no precision is lost; the VOI steps become its windows.
"""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from desktop.core.error_codes import refused
from desktop.core.errors import ImageRefused
from desktop.core.imaging.dicom_codecs import (
    JPEG_2000,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    UID,
    Dataset,
    apply_color_lut,
    codestream,
    dcmread,
    decode_extended_jpeg,
    encapsulate,
    get_decoder,
    get_frame,
    pixel_array,
)
from desktop.core.imaging.dicom_metadata import film_facts, number, spacing, text, warns_of_text
from desktop.core.imaging.dicom_voi import first_lut, own_windows
from desktop.core.imaging.luminance import grey_values
from desktop.core.imaging.radiograph import FilmValues, Radiograph, Window, exposed_range, looked_up
from desktop.core.imaging.raster import MAX_PIXELS, check_size
from desktop.core.system.quiet_warnings import quiet

DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT_LITTLE, _EXPLICIT_LITTLE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_EXPLICIT_BIG, _RLE = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"

FILM_MODALITIES = frozenset({"CR", "DX", "DR", "RG", "OT", ""})
"""Modalities that are read. RG and DR are old or wrong names for a film; OT (other) and none at all
are what digitised films and secondary captures say. With the last two the object's class
decides."""

_UNNAMED = frozenset({"OT", ""})
_UNKNOWN_CLASS = "an object of an unknown class"
_OTHER_MODALITIES = re.compile(
    "AR|AU|BDUS|BI|BMD|CT|DG|DOC|ECG|EM|ES|FID|GM|HC|HD|IO|IVOCT|IVUS|KER|KO|LEN|LS|MA|MG|MR|MS|NM"
    "|OAM|OCT|OP|OPM|OPR|OPT|OPV|PLAN|PR|PT|PX|REG|RESP|RF|RTDOSE|RTIMAGE|RTPLAN|RTRECORD|RTSTRUCT"
    "|SEG|SM|SMR|SR|STAIN|TG|US|VA|XA|XC"
)
"""Those that a refusal names (PS3.3, C.7.3.1.1.1); anything else there could be a patient's."""
_FILM_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography Image Storage
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray Image Storage - For Presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray Image Storage - For Processing
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture Image Storage
    "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame Grayscale Word Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame True Color Secondary Capture
)
_PLUGINS = ("pylibjpeg", "pyjpegls", "pillow", "gdcm")
"""Preferred decoders; only the first that knows a syntax is asked. GDCM comes last, because it ends
the whole process at some damaged JPEG 2000 pictures that the others merely refuse."""

MAX_INFLATED_BYTES = 2 * MAX_PIXELS + 2**24
"""Most bytes that a deflated data set may unpack to: the largest picture and its header."""

MAX_HEADER_READS = 300_000
"""Most reads of a header, about three an element; films have some hundred elements."""

MAX_ELEMENT_BYTES = 2**16
"""Longest element that is looked at, but for the picture and tables; longer ones are left out."""

_TABLES = {0x00283000, 0x00283010, 0x00281201, 0x00281202, 0x00281203}  # modality, VOI, palette
_LARGE_ELEMENTS = {0x7FE00010: 2**40} | dict.fromkeys(_TABLES, 2**22 + 2**19)


def decode_dicom(data: bytes, path: PurePath) -> Radiograph:
    """Decode one DICOM object.

    Args:
        data: The whole file, with or without preamble and meta header.
        path: For the sentence of a refusal.

    Raises:
        ImageRefused: DICOM-01 to DICOM-07, DECODE-03, DECODE-05, DECODE-08, SIZE-01.
    """
    with quiet():
        try:
            dataset = _parse(data, path)
            _check_kind(dataset, path)
            return _radiograph(dataset, path)
        except ImageRefused:
            raise
        except MemoryError as error:
            raise refused("DECODE-08", path) from error
        except Exception as error:  # a parser given hostile bytes raises anything
            raise refused("DICOM-05", path) from error


def _parse(data: bytes, path: PurePath) -> Dataset:
    stream = _CountedReads(path)
    deflated = data[128:132] == b"DICM" and DEFLATED.encode() in data[:1024]
    if deflated:
        _inflate(data, stream, path)
    else:
        stream = _CountedReads(path, data)
    dataset = dcmread(stream, force=True)
    meta = dataset.file_meta
    if deflated:
        meta.TransferSyntaxUID = UID(DEFLATED)
    if not meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        plain = _EXPLICIT_LITTLE if little else _EXPLICIT_BIG
        meta.TransferSyntaxUID = UID(_IMPLICIT_LITTLE if implicit else plain)
    if len(dataset) == 0:
        # pydicom gives nothing back where the last element, the picture, has no end.
        header = dcmread(_CountedReads(path, data), force=True, stop_before_pixels=True)
        raise refused("DICOM-06" if "Rows" in header else "DICOM-05", path)
    for tag in list(dataset.keys()):
        most = _LARGE_ELEMENTS.get(int(tag), MAX_ELEMENT_BYTES)
        value = dataset.get_item(tag).value
        if isinstance(value, bytes) and len(value) > most:
            del dataset[tag]
    return dataset


class _CountedReads(BytesIO):
    """A file whose header may have so many elements and no more: each costs memory and time."""

    def __init__(self, path: PurePath, data: bytes = b"") -> None:
        super().__init__(data)
        self._path = path
        self._left = MAX_HEADER_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise refused("DICOM-05", self._path)
        return super().read(size)


def _inflate(data: bytes, stream: BytesIO, path: PurePath) -> None:
    """Unpack a deflated data set piece by piece, no further than a film can be long."""
    start = 144 + int.from_bytes(data[140:144], "little")
    # The same, not deflated, in as many bytes: a UID may be filled up with zeros.
    plain = _EXPLICIT_LITTLE.encode().ljust(len(DEFLATED), b"\0")
    stream.write(data[:start].replace(DEFLATED.encode(), plain))
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    rest = data[start:]
    while rest and not unpacker.eof:
        stream.write(unpacker.decompress(rest, 2**20))
        rest = unpacker.unconsumed_tail
        if stream.tell() > MAX_INFLATED_BYTES:
            raise refused("DECODE-03", path, f"more than {MAX_INFLATED_BYTES // 2**20} MB")
    stream.seek(0)


def _check_kind(dataset: Dataset, path: PurePath) -> None:
    """Refuse everything but a single plain radiograph, before a pixel is decoded."""
    modality = text(dataset, "Modality").upper()
    class_uid = text(dataset, "SOPClassUID") or str(
        dataset.file_meta.get("MediaStorageSOPClassUID", "")
    )
    class_name = _known_name(class_uid, _UNKNOWN_CLASS)
    if not any(word in dataset for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise refused("DICOM-01", path, class_name or "no pixel data")
    named_otherwise = class_name != _UNKNOWN_CLASS and class_uid not in _FILM_CLASSES
    if modality not in FILM_MODALITIES or (modality in _UNNAMED and named_otherwise):
        other = modality if _OTHER_MODALITIES.fullmatch(modality) else "of an unknown modality"
        raise refused("DICOM-02", path, class_name if modality in _UNNAMED else other)
    if "PixelData" not in dataset:
        raise refused("DICOM-07", path, "floating point")
    frames = int(number(dataset, "NumberOfFrames") or 1)
    if frames > 1:
        raise refused("DICOM-04", path, f"{_counted(frames, 10_000)} frames")
    bits = int(number(dataset, "BitsAllocated") or 0)
    rows, columns = (int(number(dataset, word) or 0) for word in ("Rows", "Columns"))
    if min(bits, rows, columns) < 1:
        raise refused("DICOM-05", path)
    if bits not in (1, 8, 16):
        raise refused("DICOM-07", path, f"{_counted(bits, 64)} bits allocated")
    check_size((columns, rows), path)


def _counted(value: int, most: int) -> str:
    """A number of the file for a sentence; one that is none of its kind could be a patient's."""
    return str(value) if value <= most else f"more than {most:,}"


def _known_name(uid: str, otherwise: str) -> str:
    """The standard's name of a UID, never what the file says; empty where it says nothing."""
    name = str(UID(uid).name)  # the UID itself where it is not known
    return otherwise if name and name == uid else name


def _radiograph(dataset: Dataset, path: PurePath) -> Radiograph:
    stored = _stored_pixels(dataset, path)
    spacing_mm, spacing_kind = spacing(dataset)
    facts = film_facts(dataset)
    common: dict[str, Any] = {
        "spacing_mm": spacing_mm,
        "spacing_kind": spacing_kind,
        "facts": facts,
        "burned_in_annotation": warns_of_text(dataset),
        "source_format": "DICOM",
    }
    if stored.ndim == 3:
        height, width, _ = stored.shape
        grey, coloured = grey_values((width, height), lambda a, b: Image.fromarray(stored[a:b]))
        if coloured:
            raise refused("DECODE-05", path)
        return Radiograph(grey, **common)
    scale = _Scale(dataset, stored)
    values = scale.values(stored)
    low, high = exposed_range(values, padded=scale.padded)
    windows = own_windows(
        dataset, scale.slope, scale.intercept, inverted=scale.monochrome1, exposed=(low, high)
    )
    return Radiograph(
        values,
        scale.bits,
        windows or (Window("Full range", low, high),),
        scale.slope,
        scale.intercept,
        scale.padded,
        **common,
    )


def _stored_pixels(dataset: Dataset, path: PurePath) -> npt.NDArray[Any]:
    """Integer [H, W] as stored, or uint8 [H, W, 3] in RGB."""
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise refused("DICOM-03", path, _known_name(syntax, "in no known way")) from error
    if not decoder.is_available:
        raise refused("DICOM-03", path, _known_name(syntax, "in no known way"))
    try:
        if syntax.is_encapsulated and syntax != _RLE:
            # Some decoders fill a cut picture with grey without a word.
            frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
            if b"\xff\xd9" not in frame[-64:]:
                raise refused("DICOM-06", path)
            if syntax in JPEG_2000:
                plain = codestream(frame, dataset.Rows, dataset.Columns)
                if len(plain) < len(frame):
                    dataset.PixelData = encapsulate([plain])
            if syntax == JPEG_BASELINE:
                # What it had to guess it does not say to pydicom.
                simplejpeg.decode_jpeg(frame, "GRAY", min_height=1, min_width=1)
            if syntax == JPEG_EXTENDED and dataset.BitsStored > 8:
                size = (dataset.Rows, dataset.Columns, dataset.BitsStored)
                return decode_extended_jpeg(frame, *size)
        plugin = next((name for name in _PLUGINS if name in decoder.available_plugins), "")
        pixels = pixel_array(dataset, decoding_plugin=plugin)
        if text(dataset, "PhotometricInterpretation").upper() == "PALETTE COLOR":
            pixels = apply_color_lut(pixels, dataset)
    except (ImageRefused, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the decoder written in Rust panics beside Exception
        raise refused("DICOM-06", path) from error
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return _eight_bit_colours(pixels, dataset)
    if pixels.ndim > 2:  # more pictures than the header says
        raise refused("DICOM-04", path, f"{len(pixels)} frames")
    if pixels.ndim != 2 or pixels.dtype.kind not in "ui" or pixels.dtype.itemsize > 2:
        raise refused("DICOM-07", path, f"{pixels.dtype}, {pixels.ndim} dimensions")
    if pixels.size > MAX_PIXELS or min(pixels.shape) < 1:
        raise refused("DICOM-06", path)
    return pixels


def _eight_bit_colours(pixels: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    bits = max(int(number(dataset, "BitsStored") or 16), int(pixels.max()).bit_length())
    return (pixels.astype(np.uint32) >> max(bits - 8, 0)).astype(np.uint8)


class _Scale:
    """How stored values become ``Radiograph.values``, and those the file's own unit.

    pydicom has cleared the unused high bits, where old files hid overlays.

    Attributes:
        bits: Bits of the values.
        slope: With ``intercept``: own unit = slope * value + intercept.
        monochrome1: True where larger modality values are to be shown darker.
        padded: True where padding was set to 0.
    """

    def __init__(self, dataset: Dataset, stored: npt.NDArray[Any]) -> None:
        self.monochrome1 = text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1"
        lowest, highest = int(stored.min()), int(stored.max())
        bits = int(number(dataset, "BitsStored") or stored.dtype.itemsize * 8)
        if stored.dtype.kind == "i":
            bits = max(bits, (max(highest, -lowest - 1)).bit_length() + 1)
            self._first = -(2 ** (bits - 1))
        else:
            bits = max(bits, highest.bit_length())
            self._first = 0
        bits = min(max(bits, 1), 16)
        slope = number(dataset, "RescaleSlope") or 1.0
        intercept = number(dataset, "RescaleIntercept") or 0.0
        codes = np.arange(2**bits, dtype=np.int64)
        table = _modality_table(dataset, codes + self._first)
        if table is None:
            self.bits = bits
            flipped = self.monochrome1 != (slope < 0)
            intercept += slope * self._first
        else:
            codes, self.bits = table
            slope, intercept, flipped = 1.0, 0.0, self.monochrome1
        if flipped:
            top = 2**self.bits - 1
            codes = top - codes
            slope, intercept = -slope, intercept + slope * top
        self.slope, self.intercept = slope, intercept
        padding = _padding(dataset, len(codes), self._first)
        self.padded = padding is not None and _occurs(stored, *padding, first=self._first)
        if self.padded and padding is not None:
            codes[padding[0] : padding[1] + 1] = 0
        self._codes = codes
        self._plain = not flipped and not self.padded and table is None and not self._first

    def values(self, stored: npt.NDArray[Any]) -> FilmValues:
        """Values of stored pixels: uint8 up to 8 bits, else uint16."""
        kind = np.uint8 if self.bits <= 8 else np.uint16
        if self._plain:
            return np.ascontiguousarray(stored.astype(kind, copy=False))
        codes = self._codes.astype(kind)
        if self._first:
            # As stored, negative codes count from the end of the table.
            codes = np.roll(codes, self._first)
        return looked_up(codes, stored)


def _modality_table(
    dataset: Dataset, stored: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], int] | None:
    """The modality LUT of every stored code: values and their bits; None without one."""
    lut = first_lut(dataset, "ModalityLUTSequence")
    if lut is None:
        return None
    first, entries = lut
    values = entries[np.clip(stored - first, 0, len(entries) - 1)].astype(np.int64)
    return values, max(1, int(entries.max()).bit_length())


def _padding(dataset: Dataset, codes: int, first: int) -> tuple[int, int] | None:
    """Inclusive range of codes (stored value - first) that mean "outside the exposed field"."""
    value = number(dataset, "PixelPaddingValue")
    if value is None:
        return None
    other = number(dataset, "PixelPaddingRangeLimit")
    ends = sorted(int(end) - first for end in (value, value if other is None else other))
    low, high = max(ends[0], 0), min(ends[1], codes - 1)
    return (low, high) if low <= high else None


def _occurs(stored: npt.NDArray[Any], low: int, high: int, *, first: int) -> bool:
    if low == high:
        return bool((stored == low + first).any())
    return bool(((stored >= low + first) & (stored <= high + first)).any())
