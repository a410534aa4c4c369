"""Films written in every format that the decoder reads, for tests."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.imaging.dicom_codecs import Dataset, dcmread
from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom

HEIGHT, WIDTH = 120, 100

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@functools.cache
def phantom(kind: str, seed: int, size: tuple[int, int] = (512, 512)) -> npt.NDArray[np.uint8]:
    """``draw_phantom``, drawn once; not writable, as all tests share it."""
    film = draw_phantom(kind, seed, size)
    film.setflags(write=False)
    return film


def draw_films(
    folder: Path, count: int, first: int = 1, size: tuple[int, int] = (160, 144)
) -> list[Path]:
    """Write ``count`` drawn films named ``film_01.png`` and on, in a folder that may be missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"film_{number:02d}.png" for number in range(first, first + count)]
    for number, path in enumerate(paths, start=first):
        kind = FILM_KINDS[number % len(FILM_KINDS)]
        Image.fromarray(draw_phantom(kind, number, size)).save(path)
    return paths


def blur_films(folder: Path, count: int, *, seed: int, size: tuple[int, int]) -> Path:
    """Write ``count`` films of blurred noise named ``film0.png`` and on; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        grey = random.integers(0, 256, (9, 9)).astype(np.uint8)
        picture = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)
        picture.save(folder / f"film{number}.png")
    return folder


def noise_pixels(count: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Model pixels of noise, uint8 [count, 64, 64, 1]."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 64, 64, 1)).astype(np.uint8)


def phantom_pixels(count: int, side: int) -> npt.NDArray[np.uint8]:
    """Model pixels of drawn chests, uint8 [count, side, side, 1]."""
    drawn = [draw_phantom("normal", seed, (side, side)) for seed in range(count)]
    return np.stack(drawn)[..., np.newaxis]


def grey_film() -> npt.NDArray[np.uint8]:
    """uint8 [HEIGHT, WIDTH], a drawn chest; not writable."""
    return phantom("normal", 7, (HEIGHT, WIDTH))


def deep_film(bits: int = 12) -> npt.NDArray[np.uint16]:
    """uint16 [HEIGHT, WIDTH] that uses ``bits`` bits, finer than 8 bits can show."""
    slope = np.arange(WIDTH, dtype=np.float64)[np.newaxis] / WIDTH
    values = (grey_film() + slope) / 256 * (2**bits - 1)
    return values.astype(np.uint16)


def encoded(image: Image.Image | npt.NDArray[Any], kind: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    stream = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(stream, kind, **options)
    return stream.getvalue()


def data_set(values: npt.NDArray[Any], **elements: Any) -> Dataset:
    """A computed radiograph, uncompressed.

    Args:
        values: Integers [H, W], or uint8 [H, W, 3] in RGB.
        elements: Keyword -> value; None leaves the element out.
    """
    colour = values.ndim == 3
    item = Dataset()
    bits = values.dtype.itemsize * 8
    known: dict[str, Any] = {
        "SOPClassUID": COMPUTED_RADIOGRAPHY,
        "SOPInstanceUID": "1.2.3.4",
        "Modality": "CR",
        "PatientName": "Doe^Jane",
        "PatientID": "12345",
        "Rows": values.shape[0],
        "Columns": values.shape[1],
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "PixelRepresentation": int(values.dtype.kind == "i"),
    }
    if colour:
        known["PlanarConfiguration"] = 0
    known |= elements
    known.setdefault("HighBit", known["BitsStored"] - 1)
    for keyword, value in known.items():
        if value is not None:
            setattr(item, keyword, value)
    if "PixelData" not in elements:
        item.PixelData = values.tobytes()
        item["PixelData"].VR = "OW" if bits > 8 else "OB"
    return item


def dicom(values: npt.NDArray[Any], *, syntax: str = EXPLICIT_LITTLE, **elements: Any) -> bytes:
    """A computed radiograph as a DICOM file in any transfer syntax."""
    return dicom_bytes(data_set(values, **elements), syntax)


def dicom_bytes(item: Dataset, syntax: str = EXPLICIT_LITTLE) -> bytes:
    """Any data set as a DICOM file."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE)
    if syntax in (RLE, JPEG_LS, JPEG_2000_LOSSLESS):
        item.compress(UID(syntax), generate_instance_uid=False)
    elif syntax == JPEG_LS_NEAR:
        item.compress(UID(syntax), jls_error=2, generate_instance_uid=False)
    elif syntax == JPEG_2000:
        item.compress(UID(syntax), j2k_cr=[4], generate_instance_uid=False)
    elif syntax in (JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1):
        # Otherwise GDCM writes the time of day and new UIDs, and no film is like the last.
        item.StudyDate, item.StudyTime = item.get("StudyDate", "20200101"), "000000"
        item.StudyInstanceUID, item.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
        return _through_gdcm(dicom_bytes(item), syntax)
    elif syntax == EXPLICIT_BIG:
        if item.BitsAllocated == 16:
            item.PixelData = np.frombuffer(item.PixelData, "<u2").astype(">u2").tobytes()
        item.file_meta.TransferSyntaxUID = UID(syntax)
    else:
        item.file_meta.TransferSyntaxUID = UID(syntax)
    stream = io.BytesIO()
    item.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def bare_data_set(values: npt.NDArray[Any], *, implicit: bool, **elements: Any) -> bytes:
    """A data set without preamble and meta header, as old exports wrote it."""
    stream = io.BytesIO()
    data_set(values, **elements).save_as(stream, implicit_vr=implicit, little_endian=True)
    return stream.getvalue()


def _through_gdcm(data: bytes, syntax: str) -> bytes:
    import tempfile

    import gdcm

    kinds = {
        JPEG_BASELINE: gdcm.TransferSyntax.JPEGBaselineProcess1,
        JPEG_EXTENDED: gdcm.TransferSyntax.JPEGExtendedProcess2_4,
        JPEG_LOSSLESS: gdcm.TransferSyntax.JPEGLosslessProcess14,
        JPEG_LOSSLESS_SV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    }
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.dcm"), Path(folder, "out.dcm")
        source.write_bytes(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(source))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(kinds[syntax]))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(target))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        written = target.read_bytes()
    assert str(dcmread(io.BytesIO(written)).file_meta.TransferSyntaxUID) == syntax
    return written
