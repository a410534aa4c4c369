"""Small files that unpack to very much: they are refused, and cost no sound film and no machine."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.cases import ImageFile
from desktop.core.imaging.decode import decode
from desktop.core.imaging.decoders.decoder import Decoded, decode_file
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.imaging.file_reader import FileBytes
from desktop.core.imaging.luminance import grey_values
from tests.helpers import film_files as films
from tests.hostile.attack import peak_megabytes
from tests.hostile.bombs import deflated_bomb, png_of_zeros, rle_bomb

SIZE = (64, 64)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the limit")


def empty_elements(count: int) -> bytes:
    """A film whose header has this many empty private elements."""
    sound = films.dicom(films.grey_film())
    place = sound.index(struct.pack("<HH", 0x0028, 0x0010))
    parts = (struct.pack("<HH", 0x0009, number % 60_000 + 1) + b"LO\0\0" for number in range(count))
    return sound[:place] + b"".join(parts) + sound[place:]


def long_values() -> bytes:
    """A film with a window of a million numbers, each an object once it is looked at."""
    sound = films.dicom(films.grey_film())
    place = sound.index(struct.pack("<HH", 0x7FE0, 0x0010))
    numbers = b"1\\" * 1_000_000
    window = (
        struct.pack("<HH", 0x0028, 0x1050) + b"UN\0\0" + struct.pack("<I", len(numbers)) + numbers
    )
    return sound[:place] + window + sound[place:]


def colour_png(width: int, height: int) -> bytes:
    image = Image.new("RGBA", (width, height), (40, 40, 40, 255))
    return films.encoded(image, "PNG", compress_level=1)


def bombs() -> Iterator[tuple[str, bytes, set[str]]]:
    yield "deflated.dcm", deflated_bomb(), {"DECODE-03"}
    yield "deflated again.dcm", deflated_bomb(), {"DECODE-03"}
    yield "empty elements.dcm", empty_elements(1_500_000), {"DICOM-05"}
    yield "some empty elements.dcm", empty_elements(20_000), {""}
    yield "numbers.dcm", long_values(), {""}
    yield "rle.dcm", rle_bomb(), {"DICOM-06", "DICOM-05"}
    yield "large.png", png_of_zeros(60_000, 2000, 10), {"DECODE-01", "DECODE-02", ""}
    yield "larger.png", png_of_zeros(60_000, 60_000, 10), {"DECODE-03"}
    yield "colour.png", colour_png(11_000, 10_000), {"", "DECODE-08"}
    yield "webp.webp", large_webp(), {"DECODE-08", "DECODE-01"}


def large_webp() -> bytes:
    """A WebP of 120 megapixels in a hundred kilobytes: its decoder takes sixteen bytes a pixel."""
    return films.encoded(Image.new("RGB", (11_000, 10_900)), "WEBP", quality=1, method=0)


@LINUX
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_bombs_in_a_gigabyte_cost_no_sound_film(tmp_path: Path) -> None:
    expected: dict[Path, set[str]] = {}
    sound = films.encoded(films.grey_film(), "PNG")
    for number, (name, content, codes) in enumerate(bombs()):
        expected[tmp_path / f"{number:02} {name}"] = codes
        (tmp_path / f"{number:02} {name}").write_bytes(content)
        expected[tmp_path / f"{number:02} sound.png"] = {""}
        (tmp_path / f"{number:02} sound.png").write_bytes(sound)
    files = [ImageFile(path, path.name) for path in expected]
    got: list[Decoded] = []
    peak = 0
    with DecodePool(2, sizes=(SIZE,), room_bytes=2**30) as pool:
        for result in pool.decode(files, (SIZE,)):
            got.append(result)
            peak = max(peak, *(peak_megabytes(worker.pid) for worker in pool._workers))
    for result in got:
        assert result.code in expected[result.source.path], (result.source.image, result.code)
    assert peak < 1200
    here = decode_file(files[1], (SIZE,), film=False)
    assert all(
        np.array_equal(result.pixels[SIZE], here.pixels[SIZE])
        for result in got
        if "sound" in result.source.image
    )


@LINUX
def test_what_needs_more_than_a_decoder_may_take_is_refused_for_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(colour_png(5000, 5000))
    files = [ImageFile(path, path.name)]
    with DecodePool(1, sizes=(SIZE,), room_bytes=2**26) as pool:
        assert [result.code for result in pool.decode(files, (SIZE,))] == ["DECODE-08"]
    with DecodePool(1, sizes=(SIZE,)) as pool:
        assert [result.code for result in pool.decode(files, (SIZE,))] == [""]


@pytest.mark.parametrize("size", [(256, 256), (700, 300), (3000, 2500), (2500, 3001)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "CMYK", "YCbCr", "L"])
def test_strips_give_what_the_whole_picture_gives(mode: str, size: tuple[int, int]) -> None:
    width, height = size
    dice = np.random.default_rng(1)
    film = Image.fromarray(dice.integers(0, 256, (height // 8 + 1, width // 8 + 1), np.uint8))
    picture = film.resize(size).convert("RGB").convert(mode)
    if mode in ("RGBA", "LA"):
        picture.putalpha(film.resize(size).rotate(180))
    values, coloured = grey_values(size, lambda top, bottom: picture.crop((0, top, width, bottom)))
    if mode in ("RGBA", "LA"):
        black = Image.new(picture.convert("RGB").mode, size)
        black.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
        expected = np.asarray(black.convert("L"))
    elif mode == "YCbCr":
        expected = np.asarray(picture.getchannel("Y"))
    else:
        expected = np.asarray(picture.convert("RGB").convert("L"))
    np.testing.assert_array_equal(values, expected)
    assert not coloured


def test_signed_and_negative_values_are_looked_up_as_before() -> None:
    """Codes of signed films count from the middle of the table."""
    for bits in (9, 12, 16):
        half = 2 ** (bits - 1)
        stored = np.linspace(-half, half - 1, 120 * 100).astype(np.int16).reshape(120, 100)
        data = films.dicom(stored, BitsStored=bits, HighBit=bits - 1)
        values = decode(FileBytes(Path("film.dcm"), data, "")).values
        np.testing.assert_array_equal(values, stored.astype(np.int32) + half)
