"""The one decoder: each raster format at full depth, the model path bit for bit, coded refusals."""

from __future__ import annotations

import colorsys
import hashlib
import io
import os
import socket
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.datasets
from PIL import Image, ImageDraw

from desktop.core.errors import ImageRefused
from desktop.core.imaging.decode import (
    Radiograph,
    Window,
    decode,
    eight_bit,
    look_up_table,
    model_pixels,
    read_radiograph,
    window_presets,
)
from desktop.core.imaging.file_reader import FileBytes
from desktop.core.imaging.phantoms import draw_not_a_film
from tests.helpers import film_files as films
from tests.helpers.data_location import shared_data


def read(data: bytes, name: str = "film.png", **options: Any) -> Radiograph:
    return decode(FileBytes(Path(name), data, "0" * 64), **options)


def code_of(data: bytes) -> str:
    with pytest.raises(ImageRefused) as refusal:
        read(data)
    sentence = str(refusal.value)
    assert sentence.startswith("film.png ")
    assert "{" not in sentence
    assert sentence.endswith(".")
    return refusal.value.code


def png_of(values: npt.NDArray[Any], depth: int, colour_type: int = 0) -> bytes:
    """A PNG of 1, 2, 4, 8 or 16 bits, written by hand: Pillow writes only some of them.

    Args:
        values: [H, W], or [H, W, channels] with 16 bits.
        depth: Bits a sample.
        colour_type: 0 grey, 2 RGB, 4 grey and alpha.
    """
    height, width = values.shape[:2]
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in values]
    else:
        bits = np.unpackbits(values.astype(np.uint8)[..., np.newaxis], axis=2)[..., 8 - depth :]
        rows = [np.packbits(row.reshape(-1)).tobytes() for row in bits]

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_png_of_any_depth_gives_its_values(depth: int) -> None:
    values = films.grey_film() >> (8 - depth) if depth < 16 else films.deep_film(16)
    radiograph = read(png_of(values, depth))
    expected = values if depth > 4 else values * (255 // (2**depth - 1))
    np.testing.assert_array_equal(radiograph.values, expected)
    assert radiograph.bits == (16 if depth == 16 else 8)


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2)])
def test_16_bit_colour_or_alpha_comes_at_8_bits(colour_type: int, channels: int) -> None:
    film = films.grey_film()
    values = np.repeat(film[..., np.newaxis].astype(np.uint16) * 257, channels, axis=2)
    if colour_type == 4:
        values[..., 1] = 65535
    np.testing.assert_array_equal(read(png_of(values, 16, colour_type)).values, film)


LOSSLESS: dict[str, Callable[[npt.NDArray[np.uint8]], bytes]] = {
    "PNG RGB": lambda film: films.encoded(np.dstack([film] * 3), "PNG"),
    "PNG RGBA": lambda film: films.encoded(np.dstack([film] * 3 + [film * 0 + 255]), "PNG"),
    "PNG grey and alpha": lambda film: films.encoded(Image.fromarray(film).convert("LA"), "PNG"),
    "PNG palette": lambda film: films.encoded(
        Image.fromarray(np.dstack([film] * 3)).quantize(256, dither=Image.Dither.NONE), "PNG"
    ),
    "PNG empty alpha": lambda film: films.encoded(np.dstack([film] * 3 + [film * 0]), "PNG"),
    "TIFF": lambda film: films.encoded(film, "TIFF"),
    "TIFF, big": lambda film: films.encoded(film, "TIFF", big_tiff=True),
    "TIFF LZW": lambda film: films.encoded(film, "TIFF", compression="tiff_lzw"),
    "TIFF deflate": lambda film: films.encoded(film, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF white is zero": lambda film: films.encoded(film, "TIFF", tiffinfo={262: 0}),
    "TIFF RGB": lambda film: films.encoded(np.dstack([film] * 3), "TIFF"),
    "BMP": lambda film: films.encoded(film, "BMP"),
    "BMP RGB": lambda film: films.encoded(np.dstack([film] * 3), "BMP"),
    "WebP lossless": lambda film: films.encoded(np.dstack([film] * 3), "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_grey_film_in_any_lossless_dress_gives_its_values(name: str) -> None:
    film = films.grey_film()
    radiograph = read(LOSSLESS[name](film))
    assert radiograph.values.dtype == np.uint8
    np.testing.assert_array_equal(radiograph.values, film)
    np.testing.assert_array_equal(eight_bit(radiograph), film)
    assert radiograph.source_format == name.split()[0].rstrip(",")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("big_endian", [False, True])
def test_a_16_bit_tiff_keeps_its_depth_and_fills_8_bits_linearly(
    compression: str, big_endian: bool
) -> None:
    values = films.deep_film(14) + np.uint16(300)
    image = Image.fromarray(values)
    if big_endian:
        image = Image.frombytes("I;16B", image.size, values.astype(">u2").tobytes())
    radiograph = read(films.encoded(image, "TIFF", compression=compression))
    np.testing.assert_array_equal(radiograph.values, values)
    assert radiograph.values.dtype.isnative
    low, high = int(values.min()), int(values.max())
    exact = (values.astype(float) - low) / (high - low) * 255
    assert np.abs(eight_bit(radiograph) - exact).max() <= 0.5


def test_a_white_is_zero_16_bit_tiff_is_turned_over() -> None:
    values = films.deep_film(16)
    data = films.encoded(Image.fromarray(values), "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(read(data).values, 65535 - values)


def test_a_signed_16_bit_tiff_keeps_its_order() -> None:
    values = films.deep_film(12).astype(np.int32) - 2000
    image = Image.fromarray(values.astype(np.int32))
    data = films.encoded(image, "TIFF")
    assert code_of(data) == "TYPE-03"  # Pillow writes it as 32 bit
    signed = data.replace(
        struct.pack("<HHIHH", 258, 3, 1, 32, 0), struct.pack("<HHIHH", 258, 3, 1, 16, 0)
    )
    start = signed.index(values[0].astype("<i4").tobytes())
    body = values.astype("<i2").tobytes()
    signed = signed[:start] + body + signed[start + len(body) :]
    radiograph = read(signed)
    np.testing.assert_array_equal(radiograph.values, values + 32768)


JPEGS: dict[str, dict[str, Any]] = {
    "grey": {},
    "colour": {"subsampling": 0},
    "colour, subsampled": {"subsampling": 2},
    "stored as RGB": {"keep_rgb": True},
    "progressive": {"progressive": True},
    "CMYK": {},
}


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("at_least", [None, 100, 200])
def test_a_jpeg_of_any_kind_comes_close_at_any_reduction(name: str, at_least: int | None) -> None:
    film = films.phantom("covid", 2, (480, 400))
    image = Image.fromarray(film)
    if name != "grey":
        image = image.convert("CMYK" if name == "CMYK" else "RGB")
    data = films.encoded(image, "JPEG", quality=92, **JPEGS[name])
    radiograph = read(data, at_least=at_least)
    scale = {None: 1, 100: 4, 200: 2}[at_least]
    assert radiograph.values.shape == (480 // scale, 400 // scale)
    expected = np.asarray(Image.fromarray(film).reduce(scale)).astype(float)
    assert np.abs(radiograph.values - expected).mean() < 2.5


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("at_least", [None, 128, 448])
def test_the_model_path_is_bit_for_bit_what_models_were_trained_on(
    mode: str, at_least: int | None
) -> None:
    """A change here makes every trained model see other pixels than in training."""
    data = films.encoded(
        Image.fromarray(films.phantom("viral", 3, (700, 900))).convert(mode), "JPEG", quality=90
    )
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", image.size if at_least is None else (at_least, at_least))
        luminance = image.convert("L")
    expected = np.asarray(luminance.resize((224, 224), Image.Resampling.BILINEAR))
    pixels = model_pixels(eight_bit(read(data, at_least=at_least)), (224, 224))
    assert (pixels.shape, pixels.dtype) == ((224, 224, 1), np.uint8)
    np.testing.assert_array_equal(pixels[..., 0], expected)


@pytest.mark.data
def test_real_films_give_the_pixels_models_were_trained_on() -> None:
    data = shared_data()
    if data is None:
        pytest.skip("no real X-rays here")
    folders = sorted(
        {path.parent for path in data.rglob("*.jpeg")}
        | {path.parent for path in data.rglob("*.jpg")}
    )
    for folder in folders:
        for path in sorted(folder.glob("*.jp*g"))[:3]:
            with Image.open(path) as image:
                image.draft("L", (448, 448))
                expected = image.convert("L").resize((224, 224), Image.Resampling.BILINEAR)
            pixels = model_pixels(eight_bit(read_radiograph(path, at_least=448)), (224, 224))
            np.testing.assert_array_equal(pixels[..., 0], np.asarray(expected))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_honoured(kind: str, orientation: int) -> None:
    film = films.grey_film()
    turns = {
        1: film,
        2: np.fliplr(film),
        3: np.rot90(film, 2),
        4: np.flipud(film),
        5: film.T,
        6: np.rot90(film, -1),
        7: np.rot90(film.T, 2),
        8: np.rot90(film, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    radiograph = read(films.encoded(film, kind, exif=exif, **options))
    assert radiograph.values.shape == turns[orientation].shape
    difference = np.abs(radiograph.values.astype(float) - turns[orientation]).mean()
    assert difference < (2 if kind == "JPEG" else 1e-9)


def test_damaged_exif_leaves_the_film_as_it_is() -> None:
    film = films.grey_film()
    data = films.encoded(film, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffrubbish")
    assert read(data).values.shape == film.shape


def test_transparency_is_laid_on_black() -> None:
    film = films.grey_film()
    alpha = np.full_like(film, 255)
    alpha[:30] = 0
    alpha[30:60] = 128
    values = read(films.encoded(np.dstack([film] * 3 + [alpha]), "PNG")).values
    assert not values[:30].any()
    assert np.abs(values[30:60] - film[30:60] / 2).max() <= 1
    np.testing.assert_array_equal(values[60:], film[60:])


def marked(colour: tuple[int, int, int]) -> Image.Image:
    """A film with a coloured side marker and an arrow, under 5 % of its pixels."""
    image = Image.fromarray(films.phantom("normal", 5, (600, 500))).convert("RGB")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 20, 100, 80), fill=colour)
    pen.line((400, 500, 300, 400), fill=colour, width=6)
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_a_colour_photograph_is_refused_and_a_film_with_coloured_marks_is_not(kind: str) -> None:
    assert code_of(films.encoded(draw_not_a_film("photograph", 1), kind)) == "DECODE-05"
    assert read(films.encoded(marked((255, 220, 0)), kind)).values.shape == (600, 500)


def test_a_false_colour_map_and_two_tints_are_no_films() -> None:
    film = films.phantom("normal", 1)
    heat = np.dstack([film, 255 - film, film // 2])
    assert code_of(films.encoded(heat, "PNG")) == "DECODE-05"
    warm = np.dstack([film, (film * 0.85).astype(np.uint8), (film * 0.6).astype(np.uint8)])
    two = np.vstack([warm[: len(warm) // 2], warm[len(warm) // 2 :, :, ::-1]])
    assert code_of(films.encoded(two, "PNG")) == "DECODE-05"


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_a_photograph_is_no_film(name: str) -> None:
    photograph = sklearn.datasets.load_sample_image(name)
    assert code_of(films.encoded(photograph, "JPEG")) == "DECODE-05"
    assert code_of(films.encoded(photograph, "PNG")) == "DECODE-05"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("hue", [0.05, 0.12, 0.45, 0.6, 0.9])
def test_a_film_tinted_in_one_hue_is_read_as_grey(hue: float, kind: str) -> None:
    film = films.phantom("normal", 1, (512, 400))
    tint = np.array(colorsys.hls_to_rgb(hue, 0.5, 0.6))
    share = film[..., np.newaxis] / 255
    washed = (film[..., np.newaxis] * tint / tint.max()).astype(np.uint8)
    toned = np.where(share < 0.5, share * 2 * tint, tint + (1 - tint) * (share * 2 - 1))
    for tinted in (washed, (toned * 255).astype(np.uint8)):
        values = read(films.encoded(tinted, kind)).values
        assert values.shape == film.shape
        assert np.corrcoef(values.reshape(-1), film.reshape(-1))[0, 1] > 0.99


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_chroma_noise_of_jpeg_is_no_colour(quality: int) -> None:
    noise = np.random.default_rng(1).integers(0, 12, (300, 300, 3))
    film = (films.phantom("normal", 1, (300, 300))[..., np.newaxis] * 0.9 + noise).astype(np.uint8)
    read(films.encoded(film, "JPEG", quality=quality, subsampling=2))


def chunk_cut(kind: str, **options: Any) -> bytes:
    data = films.encoded(films.phantom("normal", 1, (300, 300)), kind, **options)
    return data[: len(data) * 2 // 3]


@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_whose_pixels_end_before_its_last_row_is_refused(depth: int) -> None:
    """Closed and with right checksums: Pillow leaves the missing rows black without a word."""
    film = films.phantom("normal", 1, (300, 300)).astype(np.uint8 if depth == 8 else np.uint16)
    short, black = film[:200], np.vstack([film[:200], np.zeros_like(film[:100])])
    header = struct.pack(">II", 300, 300)
    cut = png_of(short, depth).replace(struct.pack(">II", 300, 200), header, 1)
    crc = struct.pack(">I", zlib.crc32(cut[12:29]))
    assert code_of(cut[:29] + crc + cut[33:]) == "DECODE-02"
    np.testing.assert_array_equal(read(png_of(black, depth)).values, black)
    rgb = films.encoded(np.dstack([black.astype(np.uint8)] * 3), "PNG")
    assert read(rgb).values[-1].max() == 0


def two_frames(kind: str) -> bytes:
    image = Image.fromarray(films.grey_film())
    return films.encoded(image, kind, save_all=True, append_images=[image.rotate(10)])


def mpo() -> bytes:
    image = Image.fromarray(films.grey_film())
    return films.encoded(image, "MPO", save_all=True, append_images=[image.rotate(10)])


def tiff_of_size(width: int, height: int) -> bytes:
    data = films.encoded(films.grey_film(), "TIFF")
    for tag, old, new in ((256, films.WIDTH, width), (257, films.HEIGHT, height)):
        for kind in (3, 4):
            before = struct.pack("<HHII", tag, kind, 1, old)
            data = data.replace(before, struct.pack("<HHII", tag, 4, 1, new))
    return data


def png_of_size(width: int, height: int) -> bytes:
    data = bytearray(films.encoded(films.grey_film(), "PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def jpeg_of_size(width: int, height: int) -> bytes:
    data = bytearray(films.encoded(films.grey_film(), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_of_size(width: int, height: int) -> bytes:
    data = bytearray(films.encoded(films.grey_film(), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def webp_bomb() -> bytes:
    data = bytearray(films.encoded(films.grey_film(), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", 0x3FFF | 0x3FFF << 14)
    return bytes(data)


def jpeg_filled_up() -> bytes:
    """Cut in the middle and closed with an end marker, as some recovery tools do."""
    return chunk_cut("JPEG") + b"\xff\xd9"


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"Patient list\n" * 40, "TYPE-01"),
    "PDF": (lambda: b"%PDF-1.7\n" + bytes(500), "TYPE-01"),
    "GIF": (lambda: films.encoded(films.grey_film(), "GIF"), "TYPE-01"),
    "JPEG 2000": (lambda: films.encoded(films.grey_film(), "JPEG2000"), "TYPE-01"),
    "zeros": (lambda: bytes(5000), "TYPE-01"),
    "one byte": (lambda: b"\xff", "TYPE-01"),
    "32-bit integer TIFF": (
        lambda: films.encoded(films.deep_film().astype(np.int32), "TIFF"),
        "TYPE-03",
    ),
    "floating-point TIFF": (
        lambda: films.encoded(films.deep_film().astype(np.float32), "TIFF"),
        "TYPE-03",
    ),
    "12-bit JPEG": (
        lambda: films.encoded(films.grey_film(), "JPEG").replace(
            b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c"
        ),
        "TYPE-03",
    ),
    "JPEG marker only": (lambda: b"\xff\xd8\xff\xe0", "DECODE-02"),
    "JPEG of rubbish": (lambda: b"\xff\xd8\xff" + b"rubbish" * 50 + b"\xff\xd9", "DECODE-01"),
    "PNG with a wrong checksum": (
        lambda: png_of(films.grey_film(), 8).replace(b"IDAT\x78", b"IDAT\x79"),
        "DECODE-01",
    ),
    "JPEG cut": (lambda: chunk_cut("JPEG"), "DECODE-02"),
    "JPEG, progressive, cut": (lambda: chunk_cut("JPEG", progressive=True), "DECODE-02"),
    "JPEG without its last marker": (
        lambda: films.encoded(films.grey_film(), "JPEG")[:-2],
        "DECODE-02",
    ),
    "JPEG cut and closed": (jpeg_filled_up, "DECODE-02"),
    "PNG cut": (lambda: chunk_cut("PNG"), "DECODE-02"),
    "BMP cut": (lambda: chunk_cut("BMP"), "DECODE-02"),
    "TIFF cut": (lambda: chunk_cut("TIFF")[:-2000], "DECODE-02"),
    "WebP cut": (lambda: chunk_cut("WEBP"), "DECODE-02"),
    "PNG bomb": (lambda: png_of_size(60000, 60000), "DECODE-03"),
    "JPEG bomb": (lambda: jpeg_of_size(60000, 60000), "DECODE-03"),
    "TIFF bomb": (lambda: tiff_of_size(100000, 100000), "DECODE-03"),
    "BMP bomb": (lambda: bmp_of_size(100000, 100000), "DECODE-03"),
    "WebP bomb": (webp_bomb, "DECODE-03"),
    "TIFF pages": (lambda: two_frames("TIFF"), "DECODE-04"),
    "PNG animation": (lambda: two_frames("PNG"), "DECODE-04"),
    "WebP animation": (lambda: two_frames("WEBP"), "DECODE-04"),
    "JPEG of several pictures": (mpo, "DECODE-04"),
    "photograph": (lambda: films.encoded(draw_not_a_film("photograph", 3), "JPEG"), "DECODE-05"),
    "tiny": (lambda: films.encoded(films.grey_film()[:20, :20], "PNG"), "SIZE-01"),
    "one row": (lambda: films.encoded(films.grey_film()[:1], "PNG"), "SIZE-01"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_readable_film_is_refused_with_its_code(name: str) -> None:
    make, code = REFUSED[name]
    assert code_of(make()) == code


def test_the_smallest_film_has_64_pixels_a_side() -> None:
    film = films.phantom("normal", 1, (64, 64))
    assert read(films.encoded(film, "PNG")).values.shape == (64, 64)
    assert code_of(films.encoded(film[:63], "PNG")) == "SIZE-01"
    assert code_of(films.encoded(film[:, :63], "PNG")) == "SIZE-01"


def test_a_jpeg_with_bytes_behind_its_end_is_whole() -> None:
    data = films.encoded(films.grey_film(), "JPEG")
    np.testing.assert_array_equal(read(data + bytes(500)).values, read(data).values)


def test_a_picture_60000_pixels_wide_is_read_if_it_is_no_bomb() -> None:
    strip = np.tile(films.grey_film()[:70, :100], (1, 600))
    assert read(films.encoded(strip, "PNG")).values.shape == (70, 60000)


def test_the_type_comes_from_the_bytes_never_from_the_name(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    path.write_bytes(films.encoded(films.grey_film(), "PNG"))
    assert read_radiograph(path).source_format == "PNG"


def test_the_hash_is_of_the_bytes_that_were_decoded(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    data = films.encoded(films.grey_film(), "PNG")
    path.write_bytes(data)
    assert read_radiograph(path).sha256 == hashlib.sha256(data).hexdigest()


def test_no_warning_leaks_and_the_filters_are_as_before() -> None:
    before = list(warnings.filters)
    with pytest.raises(ImageRefused):
        read(png_of_size(60000, 60000))
    read(films.encoded(films.grey_film(), "TIFF") + bytes(10))
    assert warnings.filters == before


def test_threads_can_decode_at_once() -> None:
    data = [films.encoded(films.grey_film(), kind) for kind in ("PNG", "TIFF", "BMP")] * 8
    found: list[npt.NDArray[np.uint8]] = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(eight_bit(read(one)))) for one in data
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(data)
    assert all((film == films.grey_film()).all() for film in found)


def reading(path: Path) -> str:
    with pytest.raises(ImageRefused) as refusal:
        read_radiograph(path)
    return refusal.value.code


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    assert reading(tmp_path / "empty.png") == "TYPE-02"
    assert reading(tmp_path / "gone.png") == "READ-02"
    assert reading(tmp_path / "empty.png" / "below.png") == "READ-02"
    assert reading(Path("a\0b.png")) == "READ-02"
    assert reading(tmp_path / ("x" * 4000)) == "READ-06"
    assert reading(tmp_path / "folder.png") == ("READ-03" if os.name == "posix" else "READ-01")


@pytest.mark.skipif(os.name != "posix", reason="POSIX files")
def test_pipes_devices_sockets_and_link_circles_never_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    assert reading(tmp_path / "pipe.png") == "READ-03"
    assert reading(tmp_path / "device.png") == "READ-03"
    assert reading(tmp_path / "circle.png") == "READ-06"
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        assert reading(tmp_path / "socket.png") == "READ-03"


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="POSIX users")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        for parent in (tmp_path, *tmp_path.parents[:-2]):
            parent.chmod(parent.stat().st_mode | 0o711)
        os.seteuid(65534)
    try:
        assert reading(path) == "READ-01"
    finally:
        os.seteuid(user)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: it takes no space
    assert reading(path) == "READ-04"


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing.png"
    path.write_bytes(films.encoded(films.grey_film(), "PNG"))
    read_once = os.read

    def read_and_grow(handle: int, count: int) -> bytes:
        with path.open("ab") as file:
            file.write(b"more")
        return read_once(handle, count)

    monkeypatch.setattr(os, "read", read_and_grow)
    assert reading(path) == "READ-05"


def test_names_that_cannot_be_printed_are_shown_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(b"=\xff\nfilm.png") if sys.platform != "win32" else "=film.png"
    path = tmp_path / name
    path.touch()
    with pytest.raises(ImageRefused) as refusal:
        read_radiograph(path)
    assert str(refusal.value).isprintable()
    if sys.platform != "win32":
        assert str(refusal.value).startswith("=\\xff\\nfilm.png ")


def test_a_window_maps_low_to_black_high_to_white_and_its_curve_between() -> None:
    radiograph = Radiograph(films.deep_film(12), bits=12)
    straight = look_up_table(radiograph, Window("", 1000, 3000))
    assert straight.shape == (4096,)
    assert (straight[1000], straight[2000], straight[3000]) == (0, 128, 255)
    assert (straight[:1000] == 0).all()
    assert (straight[3000:] == 255).all()
    curved = look_up_table(
        radiograph, Window("", 1000, 3000, np.array([0.5, 0.25, 0.5], np.float32))
    )
    assert (curved[1000], curved[2000], curved[3000]) == (128, 64, 128)


@pytest.mark.parametrize("limits", [(5, 5), (6, 5), (float("nan"), 5), (0, float("inf"))])
def test_a_window_that_is_none_cannot_be_made(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        Window("", *limits)


def test_presets_cover_the_share_of_pixels_they_name() -> None:
    values = np.random.default_rng(2).normal(2000, 300, (400, 400)).clip(1, 4095).astype(np.uint16)
    values[:40] = 0
    radiograph = Radiograph(values, 12, (Window("Lung", 1500, 2500),), padded=True)
    presets = {window.name: window for window in window_presets(radiograph)}
    assert list(presets) == ["Lung", "Full range", "1–99 %", "5–95 %"]
    exposed = values[40:]
    assert presets["Full range"].low == exposed.min()
    for name, share in (("1–99 %", 1), ("5–95 %", 5)):
        low, high = np.percentile(exposed, (share, 100 - share))
        assert abs(presets[name].low - low) <= 1
        assert abs(presets[name].high - high) <= 1


@pytest.mark.parametrize("grey", [0, 255])
def test_a_blank_film_is_shown_without_an_error(grey: int) -> None:
    blank = np.full((100, 100), grey * 200, np.uint16)
    radiograph = read(png_of(blank, 16))
    assert eight_bit(radiograph).max() in (0, 255)
    assert window_presets(radiograph)


# what the models see of a film's window ----------------------------------------------------------
def test_a_plain_film_is_handed_on_without_a_copy() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.shares_memory(eight_bit(Radiograph(values)), values)


@pytest.mark.parametrize(
    "window",
    [
        Window("narrow", 50, 100),
        Window("from 1", 1, 255),
        Window("to 256", 0, 256),
        Window("inverted", 0, 255, np.linspace(1, 0, 256, dtype=np.float32)),
    ],
)
def test_any_other_window_is_put_on_an_eight_bit_film_too(window: Window) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    film = Radiograph(values, windows=(window,))
    assert np.array_equal(eight_bit(film), look_up_table(film, window)[values])
    assert not np.array_equal(eight_bit(film), values)


def test_deep_values_in_a_plain_window_are_cut_off_and_never_wrap() -> None:
    values = np.array([[0, 255, 256, 4095]], np.uint16)
    assert eight_bit(Radiograph(values, bits=12)).tolist() == [[0, 255, 255, 255]]


def test_reading_a_file_skips_detail_only_where_the_caller_allows_it(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    shades = np.linspace(0, 255, 1200).astype(np.uint8)
    Image.fromarray(np.tile(shades, (1000, 1))).save(path, quality=90)
    assert read_radiograph(path).values.shape == (1000, 1200)
    reduced = read_radiograph(path, at_least=448).values.shape
    assert 448 <= min(reduced) < 1000


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"%PDF-1.7 " + bytes(200), "PDF"), (b"once upon a time " * 20, "unknown content")],
)
def test_a_refusal_names_what_the_file_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(content)
    with pytest.raises(ImageRefused, match=words) as refusal:
        read_radiograph(path)
    assert refusal.value.code == "TYPE-01"
