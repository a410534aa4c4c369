"""A damaged JPEG is known by its decoder's warnings; a sound one is read whatever it looks like."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.errors import ImageRefused
from desktop.core.imaging.decode import Radiograph, decode
from desktop.core.imaging.file_reader import FileBytes
from tests.helpers import film_files as films
from tests.helpers.data_location import shared_data

FILM = films.phantom("normal", 1, (900, 700))
END = b"\xff\xd9"
KINDS = {
    "grey": lambda: films.encoded(FILM, "JPEG"),
    "grey, progressive": lambda: films.encoded(FILM, "JPEG", progressive=True),
    "colour": lambda: films.encoded(np.dstack([FILM] * 3), "JPEG"),
    "CMYK": lambda: films.encoded(Image.fromarray(np.dstack([FILM] * 3)).convert("CMYK"), "JPEG"),
    "restarts": lambda: films.encoded(FILM, "JPEG", restart_marker_rows=4),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def read(data: bytes, at_least: int | None = None) -> Radiograph:
    return decode(FileBytes(Path("film.jpg"), data, "0" * 64), at_least=at_least)


def code_of(data: bytes, at_least: int | None = None) -> str:
    with pytest.raises(ImageRefused) as refusal:
        read(data, at_least)
    return refusal.value.code


@pytest.mark.parametrize("at_least", [None, 128])
def test_a_sound_film_padded_in_middle_grey_is_read(at_least: int | None) -> None:
    padded = np.pad(FILM, ((0, 300), (0, 0)), constant_values=128)
    assert read(films.encoded(padded, "JPEG", quality=95), at_least).source_format == "JPEG"
    assert read(films.encoded(np.full((300, 300), 128, np.uint8), "JPEG")).values.max() == 128


@kinds
@pytest.mark.parametrize("at_least", [None, 128])
def test_half_a_film_is_refused_however_it_ends(kind: str, at_least: int | None) -> None:
    whole = KINDS[kind]()
    half = whole[: len(whole) // 2]
    assert code_of(half, at_least) == "DECODE-02"
    assert code_of(half + END, at_least) in ("DECODE-01", "DECODE-02")
    # Its last rows are some other film's, so that nothing at the end is grey.
    assert code_of(half + whole[-len(whole) // 5 :], at_least) in ("DECODE-01", "DECODE-02")


@kinds
@pytest.mark.parametrize("count", [3000, 300])
def test_random_bytes_inside_are_noticed(kind: str, count: int) -> None:
    whole = KINDS[kind]()
    begin = whole.index(b"\xff\xda") + 100
    for seed in range(5):
        dice = random.Random(seed)
        hurt = bytearray(whole)
        at = dice.randrange(begin, len(whole) - count - 100)
        hurt[at : at + count] = dice.randbytes(count)
        for at_least in (None, 128):
            assert code_of(bytes(hurt), at_least) in ("DECODE-01", "DECODE-02"), seed


@kinds
def test_what_follows_the_film_does_no_harm(kind: str) -> None:
    whole = KINDS[kind]()
    expected = read(whole).values
    for rest in (b"\0" * 500, b"camera maker's notes" * 50, END):
        np.testing.assert_array_equal(read(whole + rest).values, expected)


@pytest.mark.parametrize("at_least", [None, 90, 128, 224, 448, 900])
@pytest.mark.parametrize("kind", ["grey", "grey, progressive", "colour", "restarts"])
def test_values_are_those_of_pillow(kind: str, at_least: int | None) -> None:
    """Training and panels were made with Pillow's: the same library, reduced in the same steps."""
    data = KINDS[kind]()
    image = Image.open(io.BytesIO(data))
    image.draft("L" if image.mode == "L" else "YCbCr", (at_least or 10_000,) * 2)
    expected = np.asarray(image if image.mode == "L" else image.getchannel("Y"))
    np.testing.assert_array_equal(read(data, at_least).values, expected)


@pytest.mark.data
@pytest.mark.skipif(shared_data() is None, reason="the shared films are not here")
def test_no_sound_film_of_the_hospitals_is_refused() -> None:
    folder = shared_data()
    assert folder is not None
    paths = sorted(folder.rglob("*.jpeg"))
    for path in random.Random(7).sample(paths, min(200, len(paths))):
        read(path.read_bytes(), 448)
