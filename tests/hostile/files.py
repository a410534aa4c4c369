"""Files made to hurt: mutations of every format, and the worst cases somebody could think of.

Nothing here is a malicious sample from elsewhere; all of it is made on the spot, from a seed.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers import film_files as films


@dataclass(frozen=True)
class WorstCase:
    """A file and the codes that are right for it; the empty code means that it is read."""

    path: Path
    codes: frozenset[str]


def seeds() -> dict[str, bytes]:
    """One sound film in every format and compression; the keys name them."""
    film, deep = films.grey_film(), films.deep_film(12)
    colour = np.dstack([film] * 3)
    made = {
        "jpeg": films.encoded(film, "JPEG"),
        "jpeg-colour": films.encoded(colour, "JPEG"),
        "jpeg-progressive": films.encoded(film, "JPEG", progressive=True),
        "png": films.encoded(film, "PNG"),
        "png-16": films.encoded(deep, "PNG"),
        "png-palette": films.encoded(Image.fromarray(colour).quantize(64), "PNG"),
        "tiff": films.encoded(film, "TIFF"),
        "tiff-16": films.encoded(deep, "TIFF"),
        "tiff-lzw": films.encoded(film, "TIFF", compression="tiff_lzw"),
        "tiff-deflate": films.encoded(deep, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": films.encoded(film, "TIFF", compression="jpeg"),
        "tiff-fax": films.encoded(Image.fromarray(film > 90), "TIFF", compression="group4"),
        "bmp": films.encoded(film, "BMP"),
        "webp": films.encoded(colour, "WEBP"),
        "webp-lossless": films.encoded(colour, "WEBP", lossless=True),
        "dicom-bare": films.bare_data_set(deep, implicit=True, BitsStored=12),
    }
    for name, syntax in (
        ("explicit", films.EXPLICIT_LITTLE),
        ("implicit", films.IMPLICIT_LITTLE),
        ("big", films.EXPLICIT_BIG),
        ("deflated", films.DEFLATED),
        ("rle", films.RLE),
        ("jpeg-lossless", films.JPEG_LOSSLESS_SV1),
        ("jpeg-extended", films.JPEG_EXTENDED),
        ("jpeg-ls", films.JPEG_LS),
        ("jpeg-2000", films.JPEG_2000_LOSSLESS),
    ):
        made[f"dicom-{name}"] = films.dicom(
            deep,
            syntax=syntax,
            BitsStored=12,
            WindowCenter=2000,
            WindowWidth=1500,
            PhotometricInterpretation="MONOCHROME1",
        )
    made["dicom-jpeg-baseline"] = films.dicom(film, syntax=films.JPEG_BASELINE)
    return made


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One to eight wounds: flipped bits, foreign bytes, holes, repeats, cuts, absurd numbers."""
    body = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 5, 8))):
        if not body:
            break
        # Half of the wounds hit the header, where lengths and sizes are.
        place = dice.randrange(min(len(body), 600) if dice.random() < 0.5 else len(body))
        wound = dice.randrange(8)
        if wound == 0:
            body[place] ^= 1 << dice.randrange(8)
        elif wound == 1:
            body[place] = dice.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif wound == 2:
            length = dice.randrange(1, 40)
            body[place : place + length] = dice.randbytes(length)
        elif wound == 3:
            del body[place : place + dice.randrange(1, 200)]
        elif wound == 4:
            body[place:place] = body[place : place + dice.randrange(1, 300)]
        elif wound == 5:
            del body[place:]
        elif wound == 6:
            number = dice.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
            order = dice.choice("<>")
            packed = struct.pack(order + "I", number)[: dice.choice((2, 4))]
            body[place : place + len(packed)] = packed
        else:
            body[place : place + dice.randrange(1, 2000)] = bytes(dice.randrange(1, 2000))
    return bytes(body)


def mutations(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` mutated films, every format in turn; the names say which, and are unique."""
    dice = random.Random(seed)
    sound = sorted(seeds().items())
    for number in range(count):
        name, data = sound[number % len(sound)]
        yield f"{name}-{number}", mutated(data, dice)


def write_worst_cases(folder: Path) -> list[WorstCase]:
    """Write the hand-made worst cases into ``folder``; what this system cannot hold is left out."""
    cases: list[WorstCase] = []
    good = films.encoded(films.grey_film(), "PNG")

    def add(name: str | bytes, data: bytes | None, *codes: str) -> None:
        path = folder / (os.fsdecode(name) if isinstance(name, bytes) else name)
        if data is not None:
            try:
                path.write_bytes(data)
            except OSError:
                return
        cases.append(WorstCase(path, frozenset(codes)))

    add("empty.png", b"", "TYPE-02")
    add("empty.dcm", b"", "TYPE-02")
    add("one byte.jpg", b"\xff", "TYPE-01")
    add("text.png", b"not a film\n" * 100, "TYPE-01")
    add("a png.jpg", good, "")
    add("a dicom.png", films.dicom(films.grey_film()), "")
    add("a jpeg", films.encoded(films.grey_film(), "JPEG"), "")
    add("zeros.dcm", bytes(10_000), "TYPE-01")
    add("DICM only.dcm", bytes(128) + b"DICM", "DICOM-05")
    add(
        "preamble of a jpeg.dcm",
        b"\xff\xd8\xff".ljust(128, b"\0") + b"DICM" + bytes(50),
        "DICOM-05",
        "DICOM-01",
    )
    add("=cmd|' /C calc'!A0.png", good, "")
    add("new\nline.png", good, "")
    add("tab\tand\rreturn.png", good, "")
    add(b"not utf-8 \xff\xfe.png", good, "")
    add("right-to-left \u202egnp.png", good, "")
    add("emoji \U0001fac1.png", good, "")
    add("spaces at the end .png", good, "")
    add("n" * 250 + ".png", good, "")
    add("-rf.png", good, "")
    add("%s%n%x.png", good, "")
    add("60000 wide.png", films.encoded(np.tile(films.grey_film()[:70], (1, 600)), "PNG"), "")
    add("gone.png", None, "READ-02")
    add("x" * 4000, None, "READ-06")
    (folder / "folder.png").mkdir()
    add("folder.png", None, "READ-03", "READ-01")
    if os.name == "posix":
        os.mkfifo(folder / "pipe.png")
        add("pipe.png", None, "READ-03")
        for name, target, code in (
            ("circle.png", "circle.png", "READ-06"),
            ("dangling.png", "nowhere.png", "READ-02"),
            ("endless.png", "/dev/zero", "READ-03"),
            ("nothing.png", "/dev/null", "READ-03"),
            ("good link.png", "a png.jpg", ""),
        ):
            (folder / name).symlink_to(target)
            add(name, None, code)
        with (folder / "sparse terabyte.png").open("wb") as file:
            file.truncate(2**40)
        add("sparse terabyte.png", None, "READ-04")
    deep = folder
    for _ in range(15):  # together longer than a path may usually be in other programs
        deep = deep / ("d" * 200)
    try:
        deep.mkdir(parents=True)
        (deep / "deep.png").write_bytes(good)
        cases.append(WorstCase(deep / "deep.png", frozenset({""})))
    except OSError:
        pass
    return cases
