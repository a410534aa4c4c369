"""DICOM: every common syntax bit-exact, and the standard's steps in the standard's order."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.encaps import encapsulate

from desktop.core.errors import ImageRefused
from desktop.core.imaging.decode import Radiograph, eight_bit, look_up_table, read_radiograph
from desktop.core.imaging.dicom_codecs import Dataset, dcmread, get_frame
from desktop.core.system.quiet_warnings import quiet
from tests.helpers import film_files as films

LOSSLESS = {
    "implicit little": films.IMPLICIT_LITTLE,
    "explicit little": films.EXPLICIT_LITTLE,
    "explicit big": films.EXPLICIT_BIG,
    "deflated": films.DEFLATED,
    "RLE": films.RLE,
    "JPEG lossless": films.JPEG_LOSSLESS,
    "JPEG lossless SV1": films.JPEG_LOSSLESS_SV1,
    "JPEG-LS": films.JPEG_LS,
    "JPEG 2000 lossless": films.JPEG_2000_LOSSLESS,
}
LOSSY = {
    "JPEG baseline": (films.JPEG_BASELINE, 8),
    "JPEG extended": (films.JPEG_EXTENDED, 12),
    "JPEG-LS near lossless": (films.JPEG_LS_NEAR, 12),
    "JPEG 2000": (films.JPEG_2000, 12),
}


def read(tmp_path: Path, data: bytes, name: str = "film") -> Radiograph:
    """Read bytes as a file without an extension."""
    path = tmp_path / name
    path.write_bytes(data)
    return read_radiograph(path)


def code_of(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(ImageRefused) as refusal:
        read(tmp_path, data)
    assert "film" in str(refusal.value)
    return refusal.value.code


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_lossless_syntax_gives_the_stored_values(name: str, bits: int, tmp_path: Path) -> None:
    values = films.grey_film() if bits == 8 else films.deep_film(bits)
    radiograph = read(tmp_path, films.dicom(values, syntax=LOSSLESS[name], BitsStored=bits))
    assert radiograph.values.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert radiograph.bits == bits
    np.testing.assert_array_equal(radiograph.values, values)


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_syntax_comes_close(name: str, tmp_path: Path) -> None:
    syntax, bits = LOSSY[name]
    values = films.grey_film() if bits == 8 else films.deep_film(bits)
    radiograph = read(tmp_path, films.dicom(values, syntax=syntax, BitsStored=bits))
    difference = radiograph.values.astype(float) - values
    assert np.abs(difference).mean() < 0.02 * 2**bits


@pytest.mark.parametrize("implicit", [True, False])
def test_a_data_set_without_preamble_and_meta_header_is_read(
    implicit: bool, tmp_path: Path
) -> None:
    values = films.deep_film()
    data = films.bare_data_set(values, implicit=implicit, BitsStored=12)
    np.testing.assert_array_equal(read(tmp_path, data).values, values)


def reference(item: Dataset) -> npt.NDArray[np.float64]:
    """pydicom's own float path: modality, VOI, then inversion; scaled to 0..1."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    shown = apply_voi_lut(apply_modality_lut(item.pixel_array, item), item).astype(np.float64)
    if "VOILUTSequence" in item:
        low, high = 0.0, 2.0 ** item.VOILUTSequence[0].LUTDescriptor[2] - 1
    else:
        bits = item.BitsStored
        signed = item.PixelRepresentation
        slope = float(item.get("RescaleSlope", 1))
        intercept = float(item.get("RescaleIntercept", 0))
        codes = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        # With a falling slope pydicom's black end is the larger number.
        low, high = (code * slope + intercept for code in codes)
    shown = np.clip((shown - low) / (high - low), 0, 1)
    return 1 - shown if item.PhotometricInterpretation == "MONOCHROME1" else shown


def voi_lut(values: npt.NDArray[np.uint16], first: int, bits: int) -> list[Dataset]:
    item = Dataset()
    item.LUTDescriptor = [len(values), first, bits]
    item.LUTData = values.tobytes()
    item["LUTData"].VR = "OW"
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    return [item]


STEPS: dict[str, dict[str, Any]] = {
    "window": {"WindowCenter": 2000, "WindowWidth": 1500},
    "first of several windows": {"WindowCenter": [2000, 100], "WindowWidth": [1500, 50]},
    "exact window": {
        "WindowCenter": 2000,
        "WindowWidth": 1500,
        "VOILUTFunction": "LINEAR_EXACT",
    },
    "sigmoid window": {"WindowCenter": 2000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
    "rescale": {
        "RescaleSlope": "0.5",
        "RescaleIntercept": "-300",
        "WindowCenter": 700,
        "WindowWidth": 750,
    },
    "falling rescale": {
        "RescaleSlope": "-1",
        "RescaleIntercept": "4095",
        "WindowCenter": 2000,
        "WindowWidth": 1500,
    },
    "VOI LUT": {
        "VOILUTSequence": voi_lut(
            (np.linspace(0, 1, 3000) ** 2 * 4095).astype(np.uint16), first=500, bits=12
        )
    },
}


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", STEPS)
def test_the_shown_film_is_the_standards(
    name: str, signed: bool, photometric: str, tmp_path: Path
) -> None:
    values: npt.NDArray[Any] = films.deep_film(12)
    elements = dict(STEPS[name])
    if signed:
        values = (values.astype(np.int32) - 2048).astype(np.int16)
        if "WindowCenter" in elements:
            centre = elements["WindowCenter"]
            shift = 2048 * float(elements.get("RescaleSlope", 1))
            elements["WindowCenter"] = (
                [one - shift for one in centre] if isinstance(centre, list) else centre - shift
            )
        else:
            elements["VOILUTSequence"] = voi_lut(
                (np.linspace(0, 1, 3000) ** 2 * 4095).astype(np.uint16), first=-1500, bits=12
            )
    item = films.data_set(values, BitsStored=12, PhotometricInterpretation=photometric, **elements)
    data = films.dicom_bytes(item)
    shown = eight_bit(read(tmp_path, data))
    expected = reference(dcmread(tmp_path / "film")) * 255
    # Half a grey level of rounding, and the sigmoid's ends cut off at 0.04 %.
    assert np.abs(shown - expected).max() <= 0.62


def test_monochrome1_is_turned_over_in_the_values_and_in_their_unit(tmp_path: Path) -> None:
    values = films.deep_film(12)
    radiograph = read(
        tmp_path, films.dicom(values, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    )
    np.testing.assert_array_equal(radiograph.values, 4095 - values)
    own_unit = radiograph.values * radiograph.slope + radiograph.intercept
    np.testing.assert_array_equal(own_unit, values)


def test_a_modality_lut_comes_before_everything(tmp_path: Path) -> None:
    values = films.deep_film(10)
    table = (np.arange(1024) ** 2 // 256).astype(np.uint16)
    item = films.data_set(values, BitsStored=10)
    item.ModalityLUTSequence = voi_lut(table, first=0, bits=12)
    item.ModalityLUTSequence[0].ModalityLUTType = "US"
    radiograph = read(tmp_path, films.dicom_bytes(item))
    np.testing.assert_array_equal(radiograph.values, table[values])
    assert radiograph.bits == 12


def packed_lut(bits: int, count: int, data: bytes, first: int = 0) -> list[Dataset]:
    item = Dataset()
    item.LUTDescriptor = [count, first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = data
    item["LUTData"].VR = "OW"
    return [item]


def test_a_voi_lut_of_8_bit_entries_is_read_packed_or_in_words(tmp_path: Path) -> None:
    table = (np.arange(256) ** 2 // 255).astype(np.uint8)
    for data in (table.tobytes(), table.astype("<u2").tobytes()):
        item = films.data_set(films.grey_film())
        item.VOILUTSequence = packed_lut(8, 256, data)
        shown = eight_bit(read(tmp_path, films.dicom_bytes(item)))
        assert np.abs(shown.astype(int) - table[films.grey_film()]).max() <= 1


@pytest.mark.parametrize(
    "lut",
    [
        packed_lut(16, 0, b""),
        packed_lut(0, 256, bytes(256)),
        packed_lut(40, 256, bytes(512)),
        [Dataset()],
        [],
    ],
)
def test_a_table_that_is_none_is_passed_over(lut: list[Dataset], tmp_path: Path) -> None:
    item = films.data_set(films.deep_film(), BitsStored=12, WindowCenter=2000, WindowWidth=1000)
    item.VOILUTSequence = lut
    item.ModalityLUTSequence = lut[:1]
    radiograph = read(tmp_path, films.dicom_bytes(item))
    assert radiograph.windows[0].name == "DICOM"
    np.testing.assert_array_equal(radiograph.values, films.deep_film())


@pytest.mark.parametrize(
    "elements",
    [
        {"RescaleSlope": "0", "RescaleIntercept": "5"},
        {"RescaleSlope": "1e-300", "WindowCenter": "1e300", "WindowWidth": "1e300"},
        {"WindowCenter": "10", "WindowWidth": "-5"},
        {"WindowCenter": "10", "WindowWidth": "0", "VOILUTFunction": "SIGMOID"},
        {"WindowCenter": "10", "WindowWidth": "-1", "VOILUTFunction": "LINEAR_EXACT"},
        {"PixelPaddingValue": 60000},
        {"PixelSpacing": ["0.1"], "PatientAge": "old", "StudyDate": "today"},
        {"ImagerPixelSpacing": ["0.1", "-1"], "Modality": ["CR", "DX"]},
    ],
)
def test_absurd_numbers_in_the_header_leave_the_picture(
    elements: dict[str, Any], tmp_path: Path
) -> None:
    with quiet():  # pydicom warns of them while it writes
        data = films.dicom(films.deep_film(), BitsStored=12, **elements)
    radiograph = read(tmp_path, data)
    np.testing.assert_array_equal(radiograph.values, films.deep_film())
    assert eight_bit(radiograph).max() == 255
    assert radiograph.spacing_mm is None


def test_a_grey_film_in_16_bit_colour_or_a_palette_is_read(tmp_path: Path) -> None:
    film = films.grey_film()
    deep = np.repeat(film[..., np.newaxis].astype(np.uint16) * 257, 3, axis=2)
    np.testing.assert_array_equal(read(tmp_path, films.dicom(deep)).values, film)
    steps = (np.arange(256, dtype="<u2") * 257).tobytes()
    item = films.data_set(film, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(item, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(item, f"{colour}PaletteColorLookupTableData", steps)
    for element in item:
        if element.keyword.endswith("Descriptor"):
            element.VR = "US"
    np.testing.assert_array_equal(read(tmp_path, films.dicom_bytes(item)).values, film)


def test_all_windows_are_offered_under_their_own_names(tmp_path: Path) -> None:
    radiograph = read(
        tmp_path,
        films.dicom(
            films.deep_film(),
            BitsStored=12,
            WindowCenter=[2000, 1000, 5],
            WindowWidth=[1000, 800, 0],
            WindowCenterWidthExplanation=["LUNG", "BONE", "NONE"],
        ),
    )
    assert [window.name for window in radiograph.windows] == ["LUNG", "BONE"]
    assert (radiograph.windows[1].low, radiograph.windows[1].high) == (600, 1399)


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": 90000, "WindowWidth": 10},
        {"WindowCenter": 0, "WindowWidth": 0},
        {"WindowCenter": 100},
        {},
    ],
)
def test_without_a_window_that_shows_anything_the_full_range_is_used(
    elements: dict[str, Any], tmp_path: Path
) -> None:
    values = films.deep_film()
    radiograph = read(tmp_path, films.dicom(values, BitsStored=12, **elements))
    shown = eight_bit(radiograph)
    assert (shown.min(), shown.max()) == (0, 255)
    assert [window.name for window in radiograph.windows] == ["Full range"]


def test_a_window_of_width_one_is_a_threshold(tmp_path: Path) -> None:
    values = films.deep_film()
    radiograph = read(
        tmp_path, films.dicom(values, BitsStored=12, WindowCenter=2000, WindowWidth=1)
    )
    np.testing.assert_array_equal(eight_bit(radiograph), np.where(values >= 2000, 255, 0))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_no_measurement(photometric: str, tmp_path: Path) -> None:
    values = np.maximum(films.deep_film(12), 50)
    values[:10] = 4095
    values[-10:] = 4090
    radiograph = read(
        tmp_path,
        films.dicom(
            values,
            BitsStored=12,
            PhotometricInterpretation=photometric,
            PixelPaddingValue=4095,
            PixelPaddingRangeLimit=4090,
        ),
    )
    assert radiograph.padded
    shown = eight_bit(radiograph)
    assert not shown[:10].any()
    assert not shown[-10:].any()
    assert shown[10:-10].max() == 255
    exposed = values[10:-10]
    low, high = int(exposed.min()), int(exposed.max())
    expected = (low, high) if photometric == "MONOCHROME2" else (4095 - high, 4095 - low)
    assert (radiograph.windows[0].low, radiograph.windows[0].high) == expected


def test_overlays_hidden_in_unused_high_bits_do_not_show(tmp_path: Path) -> None:
    values = films.deep_film(12)
    radiograph = read(tmp_path, films.dicom(values | np.uint16(0x8000), BitsStored=12))
    np.testing.assert_array_equal(radiograph.values, values)
    assert radiograph.bits == 12
    assert len(look_up_table(radiograph, radiograph.windows[0])) == 2**12


def test_a_grey_film_stored_in_colour_is_read_and_a_colour_one_is_not(tmp_path: Path) -> None:
    film = films.grey_film()
    grey = np.repeat(film[..., np.newaxis], 3, axis=2)
    radiograph = read(
        tmp_path, films.dicom(grey, Modality="OT", SOPClassUID=films.SECONDARY_CAPTURE)
    )
    np.testing.assert_array_equal(radiograph.values, film)
    grey[:40, :, 2] //= 3
    grey[60:, :, 0] //= 3
    assert code_of(tmp_path, films.dicom(grey)) == "DECODE-05"


@pytest.mark.parametrize("modality", ["CR", "DX", "DR", "RG", "OT", None])
def test_a_plain_radiograph_is_read_whatever_it_calls_itself(
    modality: str | None, tmp_path: Path
) -> None:
    radiograph = read(
        tmp_path,
        films.dicom(films.grey_film(), Modality=modality, SOPClassUID=films.SECONDARY_CAPTURE),
    )
    np.testing.assert_array_equal(radiograph.values, films.grey_film())


@pytest.mark.parametrize("modality", ["CT", "MR", "US", "MG", "NM", "PT", "XA", "RF", "PX", "XC"])
def test_another_modality_is_refused(modality: str, tmp_path: Path) -> None:
    assert code_of(tmp_path, films.dicom(films.grey_film(), Modality=modality)) == "DICOM-02"


def test_an_unnamed_modality_is_judged_by_its_class(tmp_path: Path) -> None:
    ct = "1.2.840.10008.5.1.4.1.1.2"
    data = films.dicom(films.grey_film(), Modality=None, SOPClassUID=ct)
    assert code_of(tmp_path, data) == "DICOM-02"


@pytest.mark.parametrize(
    ("tags", "dropped"),
    [
        ({"Modality": "JANE 1945"}, ()),
        ({"Modality": "", "SOPClassUID": "1.2.3.19450312.77"}, ("PixelData",)),
        ({"NumberOfFrames": "19450312"}, ()),
        ({"BitsAllocated": 19450}, ()),
    ],
)
def test_a_refusal_quotes_nothing_of_the_header(
    tags: dict[str, object], dropped: tuple[str, ...], tmp_path: Path
) -> None:
    item = films.data_set(films.grey_film())
    for name in dropped:
        if name in item:
            delattr(item, name)
    for name, value in tags.items():
        setattr(item, name, value)
    path = tmp_path / "film.dcm"
    path.write_bytes(films.dicom_bytes(item))
    with pytest.raises(ImageRefused) as refused:
        read_radiograph(path)
    assert refused.value.code.startswith("DICOM-")
    assert not re.search("JANE|DOE|1945", str(refused.value))


def without_pixels() -> bytes:
    item = films.data_set(films.grey_film())
    del item.PixelData
    return films.dicom_bytes(item)


def of_unknown_syntax() -> bytes:
    data = films.dicom(films.grey_film())
    return data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0")


def of_32_bits() -> bytes:
    return films.dicom(films.grey_film().astype(np.uint32))


def of_floats() -> bytes:
    item = films.data_set(films.grey_film(), BitsAllocated=32, BitsStored=32)
    del item.PixelData
    item.FloatPixelData = films.grey_film().astype("<f4").tobytes()
    return films.dicom_bytes(item)


def changed(data: bytes, **elements: Any) -> bytes:
    """A sound file whose header says something else."""
    item = dcmread_bytes(data)
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return dicom_of(item)


def two_frames_that_say_one() -> bytes:
    sound = dcmread_bytes(films.dicom(films.grey_film(), syntax=films.JPEG_BASELINE))
    frame = get_frame(sound.PixelData, 0, number_of_frames=1)
    return changed(dicom_of(sound), PixelData=encapsulate([frame, frame]))


def dicom_of(item: Dataset) -> bytes:
    stream = io.BytesIO()
    item.save_as(stream)
    return stream.getvalue()


REFUSED = {
    "without pixels": (without_pixels, "DICOM-01"),
    "unknown transfer syntax": (of_unknown_syntax, "DICOM-03"),
    "several frames": (
        lambda: films.dicom(
            np.vstack([films.grey_film()] * 2), Rows=films.HEIGHT, NumberOfFrames=2
        ),
        "DICOM-04",
    ),
    "header cut off": (lambda: films.dicom(films.grey_film())[:150], "DICOM-05"),
    "no rows": (lambda: films.dicom(films.grey_film(), Rows=None), "DICOM-05"),
    "compressed picture cut off": (
        lambda: films.dicom(films.grey_film(), syntax=films.JPEG_BASELINE)[:-600],
        "DICOM-06",
    ),
    "compressed picture without an end": (
        lambda: films.dicom(films.deep_film(12), syntax=films.JPEG_2000_LOSSLESS, BitsStored=12)[
            :-8
        ],
        "DICOM-06",
    ),
    "one frame in the header, two in the file": (two_frames_that_say_one, "DICOM-04"),
    "pixels cut off": (lambda: films.dicom(films.grey_film())[:-2000], "DICOM-06"),
    "fewer pixels than rows": (lambda: films.dicom(films.grey_film(), Rows=999), "DICOM-06"),
    "32 bits": (of_32_bits, "DICOM-07"),
    "floating point": (of_floats, "DICOM-07"),
    "too small": (lambda: films.dicom(films.grey_film()[:20, :20].copy()), "SIZE-01"),
    "more bits in a 12-bit JPEG than fit": (
        # GDCM ends the process at this where it is asked.
        lambda: changed(
            films.dicom(films.deep_film(12), syntax=films.JPEG_EXTENDED, BitsStored=12),
            BitsStored=17,
        ),
        "DICOM-06",
    ),
    "another size in a 12-bit JPEG": (
        lambda: changed(
            films.dicom(films.deep_film(12), syntax=films.JPEG_EXTENDED, BitsStored=12), Rows=500
        ),
        "DICOM-06",
    ),
    "a bomb": (lambda: films.dicom(films.grey_film(), Rows=60000, Columns=60000), "DECODE-03"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_single_readable_film_is_refused(name: str, tmp_path: Path) -> None:
    make, code = REFUSED[name]
    assert code_of(tmp_path, make()) == code


@pytest.mark.parametrize(
    "syntax",
    [
        films.RLE,
        films.JPEG_BASELINE,
        films.JPEG_LOSSLESS_SV1,
        films.JPEG_LS,
        films.JPEG_2000_LOSSLESS,
    ],
)
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_compressed_picture_that_ends_early_is_never_shown_half(
    syntax: str, share: float, tmp_path: Path
) -> None:
    values = films.grey_film()
    item = dcmread_bytes(films.dicom(values, syntax=syntax))
    from pydicom.encaps import encapsulate, get_frame

    frame = get_frame(item.PixelData, 0, number_of_frames=1)
    item.PixelData = encapsulate([frame[: int(len(frame) * share) // 2 * 2]])
    stream = tmp_path / "cut.dcm"
    item.save_as(stream)
    assert code_of(tmp_path, stream.read_bytes()) == "DICOM-06"


def dcmread_bytes(data: bytes) -> Dataset:
    from io import BytesIO

    return dcmread(BytesIO(data))


def test_a_deflated_bomb_is_refused_before_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The limit as shipped takes five seconds to reach.
    monkeypatch.setattr("desktop.core.imaging.dicom.MAX_INFLATED_BYTES", 2**24)
    plain = films.dicom(films.grey_film(), syntax=films.DEFLATED)
    meta = plain[: 144 + int.from_bytes(plain[140:144], "little")]
    packer = zlib.compressobj(9, wbits=-15)
    bomb = b"".join(packer.compress(bytes(2**22)) for _ in range(8)) + packer.flush()
    assert code_of(tmp_path, meta + bomb) == "DECODE-03"


def test_the_facts_are_for_people_and_name_nobody(tmp_path: Path) -> None:
    radiograph = read(
        tmp_path,
        films.dicom(
            films.grey_film(),
            PatientAge="045Y",
            PatientSex="F",
            StudyDate="20240131",
            ViewPosition="PA",
            ImageLaterality="U",
            Manufacturer="Maker",
            BurnedInAnnotation="YES",
        ),
    )
    facts = radiograph.facts
    assert facts is not None
    assert (facts.age, facts.sex, facts.study_date) == ("45 years", "female", "2024-01-31")
    assert (facts.view, facts.laterality, facts.manufacturer) == ("PA", "", "Maker")
    assert radiograph.burned_in_annotation is True
    assert "Doe" not in repr(radiograph)
    assert "12345" not in repr(facts)


SPACINGS: dict[str, tuple[dict[str, Any], tuple[float, float] | None, str]] = {
    "none": ({}, None, ""),
    "imager": ({"ImagerPixelSpacing": [0.2, 0.25]}, (0.2, 0.25), "at the detector"),
    "own": ({"PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "at the detector"),
    "own, calibrated": (
        {"PixelSpacing": [0.18, 0.18], "ImagerPixelSpacing": [0.2, 0.2]},
        (0.18, 0.18),
        "calibrated",
    ),
    "zeros": ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0, 0]}, None, ""),
    "zeros, then imager": (
        {"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.1, 0.1]},
        (0.1, 0.1),
        "at the detector",
    ),
}


@pytest.mark.parametrize("name", SPACINGS)
def test_spacing_says_where_it_holds_and_zeros_are_none(name: str, tmp_path: Path) -> None:
    elements, expected, kind = SPACINGS[name]
    radiograph = read(tmp_path, films.dicom(films.grey_film(), **elements))
    assert (radiograph.spacing_mm, radiograph.spacing_kind) == (expected, kind)


def test_a_folder_named_dl_does_not_break_the_decoders(tmp_path: Path) -> None:
    """GDCM imports ``dl`` where it can and then fails; a dataset folder is often called so."""
    (tmp_path / "dl").mkdir()
    path = tmp_path / "film.dcm"
    path.write_bytes(films.dicom(films.grey_film(), syntax=films.JPEG_LOSSLESS_SV1))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; sys.path.insert(0, '')\n"
            "from desktop.core.imaging.decode import read_radiograph\n"
            "print(read_radiograph(Path('film.dcm')).values.shape); import dl",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "(120, 100)"), done.stderr


def real(name: str) -> Path:
    get_testdata_file = pytest.importorskip("pydicom.data").get_testdata_file
    pytest.importorskip("data_store")
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return Path(found)


@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "RG1_J2KR.dcm", "RG3_UNCR.dcm", "RG3_J2KR.dcm"])
def test_a_real_radiograph_is_shown_as_the_standard_says(name: str) -> None:
    path = real(name)
    radiograph = read_radiograph(path)
    header = dcmread(path)
    assert header.PhotometricInterpretation == "MONOCHROME1"
    expected = reference(header) * 255
    assert np.abs(eight_bit(radiograph) - expected).max() <= 0.62
    assert radiograph.spacing_mm is None or min(radiograph.spacing_mm) > 0


def test_compressed_and_plain_copies_of_a_real_radiograph_are_equal() -> None:
    plain, packed = read_radiograph(real("RG1_UNCR.dcm")), read_radiograph(real("RG1_J2KR.dcm"))
    np.testing.assert_array_equal(plain.values, packed.values)


def test_a_real_voi_lut_is_honoured() -> None:
    path = real("vlut_04.dcm")
    expected = reference(dcmread(path)) * 255
    assert np.abs(eight_bit(read_radiograph(path)).astype(float) - expected).max() <= 1.1
