"""Mutations that keep a file's structure: right checksums and lengths around wrong contents.

Random damage of bytes (``files``) mostly ends at a checksum or a magic number. These go
further in: a PNG with impossible dimensions and a right CRC, a TIFF whose directory points to
itself, a JPEG whose components do not fit each other, a DICOM whose header lies about its pixels.
"""

from __future__ import annotations

import functools
import io
import random
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from desktop.core.imaging.dicom_codecs import Dataset, dcmread
from tests.helpers import film_files as films
from tests.hostile.files import mutated, seeds

SYNTAXES = (
    films.EXPLICIT_LITTLE, films.IMPLICIT_LITTLE, films.EXPLICIT_BIG, films.DEFLATED, films.RLE,
    films.JPEG_BASELINE, films.JPEG_EXTENDED, films.JPEG_LOSSLESS, films.JPEG_LS,
    films.JPEG_2000_LOSSLESS, films.JPEG_2000, "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.100", "1.2.3.4.5", "", "1.2.840.10008.1.2.1.99.1",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 32, 63, 64, 255, 256, 4096, 32767, 32768, 60_000, 65535)
LARGE = (*NUMBERS, 100_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


@functools.cache
def more_seeds() -> dict[str, bytes]:
    """Sound films of rarer kinds, beside ``files.seeds``."""
    film, deep = films.grey_film(), films.deep_film(12)
    picture = Image.fromarray(film)
    colour = Image.fromarray(np.dstack([film] * 3))
    pages = [Image.fromarray(np.roll(film, shift, 0)) for shift in (0, 9)]
    return {
        "jpeg-cmyk": films.encoded(colour.convert("CMYK"), "JPEG"),
        "jpeg-420": films.encoded(colour, "JPEG", subsampling=2),
        "png-1bit": films.encoded(picture.convert("1"), "PNG"),
        "png-rgba": films.encoded(colour.convert("RGBA"), "PNG"),
        "png-grey-alpha": films.encoded(picture.convert("LA"), "PNG"),
        "png-animated": films.encoded(pages[0], "PNG", save_all=True, append_images=pages[1:]),
        "tiff-float": films.encoded(Image.fromarray(film.astype(np.float32)), "TIFF"),
        "tiff-32bit": films.encoded(Image.fromarray(deep.astype(np.int32)), "TIFF"),
        "tiff-1bit": films.encoded(picture.convert("1"), "TIFF"),
        "tiff-palette": films.encoded(colour.quantize(64), "TIFF"),
        "tiff-pages": films.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]),
        "tiff-cmyk": films.encoded(colour.convert("CMYK"), "TIFF"),
        "tiff-tiled": tiled_tiff(film),
        "tiff-big-endian": films.encoded(Image.fromarray(deep.astype(">u2")), "TIFF"),
        "bmp-1bit": films.encoded(picture.convert("1"), "BMP"),
        "bmp-palette": films.encoded(colour.quantize(16), "BMP"),
        "webp-animated": films.encoded(
            colour, "WEBP", save_all=True, append_images=[colour.rotate(9)]
        ),
        "webp-alpha": films.encoded(colour.convert("RGBA"), "WEBP"),
        "dicom-jpeg-2000-lossy": films.dicom(deep, syntax=films.JPEG_2000, BitsStored=12),
        "dicom-jpeg-ls-near": films.dicom(deep, syntax=films.JPEG_LS_NEAR, BitsStored=12),
        "dicom-rgb": films.dicom(np.dstack([film] * 3)),
        "dicom-signed": films.dicom(deep.astype(np.int16) - 2000),
    }


def tiled_tiff(film: np.ndarray) -> bytes:
    """A grey TIFF of 16 x 16 tiles, written by hand: Pillow writes strips only."""
    height, width = film.shape
    across, down = -(-width // 16), -(-height // 16)
    padded = np.zeros((down * 16, across * 16), np.uint8)
    padded[:height, :width] = film
    tiles = [
        padded[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16].tobytes()
        for row in range(down)
        for column in range(across)
    ]
    count = len(tiles)
    entries = 11
    start = 8 + 2 + entries * 12 + 4
    pixels = start + 8 * count
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (277, 3, 1, 1), (284, 3, 1, 1), (322, 4, 1, 16), (323, 4, 1, 16), (324, 4, count, start),
        (325, 4, count, start + 4 * count),
    ]  # fmt: skip
    body = b"II*\0" + struct.pack("<IH", 8, entries)
    body += b"".join(struct.pack("<HHII", *tag) for tag in tags) + struct.pack("<I", 0)
    body += b"".join(struct.pack("<I", pixels + 256 * number) for number in range(count))
    body += struct.pack("<I", 256) * count
    return body + b"".join(tiles)


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kinds and contents of a sound PNG's chunks."""
    found, place = [], 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG with right lengths and checksums."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in chunks:
        parts += [struct.pack(">I", len(content)), kind, content]
        parts += [struct.pack(">I", zlib.crc32(kind + content))]
    return b"".join(parts)


def png(data: bytes, dice: random.Random) -> bytes:
    chunks = png_chunks(data)
    what = dice.randrange(7)
    if what == 0:
        width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
        place = dice.randrange(7)
        values = [width, height, *rest]
        values[place] = dice.choice(LARGE) if place < 2 else dice.randrange(20)
        chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", *values))
    elif what == 1:
        chunks.insert(dice.randrange(len(chunks) + 1), dice.choice(chunks))
    elif what == 2 and len(chunks) > 2:
        del chunks[dice.randrange(1, len(chunks))]
    elif what == 3:
        place = dice.randrange(len(chunks))
        chunks[place] = (chunks[place][0], mutated(chunks[place][1], dice))
    elif what == 4:  # a text or profile that unpacks to very much
        bomb = zlib.compress(bytes(dice.choice((10**6, 3 * 10**7))))
        kind = dice.choice((b"zTXt", b"iCCP", b"iTXt"))
        head = b"a\0\0" if kind != b"iTXt" else b"a\0\1\0\0\0"
        chunks.insert(1, (kind, head + bomb))
    elif what == 5:
        kind = dice.choice((b"PLTE", b"tRNS", b"gAMA", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"sBIT"))
        chunks.insert(1, (kind, dice.randbytes(dice.choice((0, 1, 3, 6, 8, 26, 768, 2000)))))
    else:
        pixels = zlib.compress(bytes(dice.choice((0, 100, 10**5, 10**7))))
        chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
        chunks.insert(-1, (b"IDAT", pixels))
    return png_of(chunks)


def jpeg(data: bytes, dice: random.Random) -> bytes:
    """Change one segment before the scan, or put another there."""
    body = bytearray(data)
    places, place = [], 2
    while place + 4 <= len(body) and body[place] == 0xFF and body[place + 1] != 0xDA:
        places.append(place)
        place += 2 + int.from_bytes(body[place + 2 : place + 4], "big")
    chosen = dice.choice([*places, place])
    length = int.from_bytes(body[chosen + 2 : chosen + 4], "big")
    what = dice.randrange(6)
    if what == 0:
        body[chosen + 1] = dice.choice((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xDB, 0xC4, 0xDD, 0xE1, 0xEE))
    elif what == 1:
        body[chosen + 2 : chosen + 4] = struct.pack(">H", dice.choice((0, 1, 2, 3, 8, 17, 65535)))
    elif what == 2:
        body[chosen:chosen] = body[chosen : chosen + 2 + length] * dice.choice((1, 2, 500))
    elif what == 3:
        frame = next((at for at in places if body[at + 1] in (0xC0, 0xC1, 0xC2)), chosen)
        at = frame + dice.randrange(4, 4 + 14)
        body[at] = dice.choice((0, 1, 2, 3, 4, 8, 12, 16, 0x11, 0x22, 0x41, 0x44, 0xFF))
    elif what == 4:
        marker = dice.choice((0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDC))
        content = dice.choice(
            (b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Adobe\0\x64\0\0\0\0\x02", b"JFIF\0\1\1\0\0\0")
        ) + dice.randbytes(dice.randrange(40))
        segment = struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
        body[2:2] = segment
    else:
        at = dice.randrange(place, len(body))
        body[at:at] = dice.choice((b"\xff\xd9", b"\xff\xd0" * 300, b"\xff\xd8", b"\xff\xda\0\x08"))
    return bytes(body)


def tiff(data: bytes, dice: random.Random) -> bytes:
    """Change one entry of the directory, or where directories lie."""
    body = bytearray(data)
    order = "<" if body[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", body, 4)
    (count,) = struct.unpack_from(order + "H", body, at)
    what = dice.randrange(6)
    entry = at + 2 + 12 * dice.randrange(max(1, count))
    if what == 0:
        struct.pack_into(order + "I", body, entry + 8, dice.choice(LARGE))
    elif what == 1:
        struct.pack_into(order + "I", body, entry + 4, dice.choice(LARGE))
    elif what == 2:
        struct.pack_into(order + "H", body, entry + 2, dice.randrange(20))
    elif what == 3:
        kinds = (
            256,
            257,
            258,
            259,
            262,
            266,
            273,
            277,
            278,
            279,
            284,
            317,
            320,
            322,
            338,
            339,
            347,
        )
        struct.pack_into(order + "H", body, entry, dice.choice(kinds))
    elif what == 4:  # the next directory: itself, the middle of the pixels, nowhere
        target = dice.choice((at, at + 12, len(body) // 2, len(body) - 2, 2**31, 4))
        struct.pack_into(order + "I", body, at + 2 + 12 * count, target)
    else:
        struct.pack_into(order + "H", body, at, dice.choice((0, 1, count * 2, 65535)))
    return bytes(body)


def bmp(data: bytes, dice: random.Random) -> bytes:
    """Change one number of the headers: where pixels lie, sizes, planes, bits, compression."""
    body = bytearray(data)
    at, packed = dice.choice(((2, "<I"), (10, "<I"), (14, "<I"), (18, "<i"), (22, "<i"), (26, "<H"),
                              (28, "<H"), (30, "<I"), (34, "<I"), (46, "<I")))  # fmt: skip
    most = 2 ** (8 * struct.calcsize(packed) - (packed == "<i")) - 1
    value = dice.choice([number for number in LARGE if number <= most])
    if packed == "<i" and dice.random() < 0.3:
        value = -value
    struct.pack_into(packed, body, at, value)
    return bytes(body)


def webp(data: bytes, dice: random.Random) -> bytes:
    """Change, repeat, remove or put in a chunk, with a container that is as long as it says."""
    chunks, place = [], 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        chunks.append((data[place : place + 4], data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    what, chosen = dice.randrange(5), dice.randrange(len(chunks))
    kind, content = chunks[chosen]
    if what == 0:
        chunks[chosen] = (kind, mutated(content, dice))
    elif what == 1:
        chunks.insert(chosen, (kind, content))
    elif what == 2:
        chunks[chosen] = (
            dice.choice((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF")),
            content,
        )
    elif what == 3:
        flags = bytes([dice.randrange(256), 0, 0, 0])
        sides = b"".join(
            dice.choice((0, 99, 16_382, 2**24 - 1)).to_bytes(3, "little") for _ in "ab"
        )
        chunks.insert(0, (b"VP8X", flags + sides))
    else:
        name = dice.choice((b"EXIF", b"ICCP", b"XMP ", b"ALPH", b"ANIM"))
        chunks.insert(
            dice.randrange(len(chunks) + 1), (name, dice.randbytes(dice.choice((0, 9, 900))))
        )
    body = b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def dicom(data: bytes, dice: random.Random) -> bytes:
    """Change what the header says of its pixels, or nest and stretch other elements."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _changed_header(data, dice)


def _changed_header(data: bytes, dice: random.Random) -> bytes:
    item = dcmread(io.BytesIO(data), force=True)
    for _ in range(dice.choice((1, 1, 2, 4))):
        what = dice.randrange(9)
        if what <= 2:
            word = dice.choice(
                ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
                 "PixelRepresentation", "SamplesPerPixel", "PlanarConfiguration")
            )  # fmt: skip
            setattr(item, word, dice.choice(NUMBERS))
        elif what == 3:
            item.NumberOfFrames = str(dice.choice((0, 1, 2, -1, 10**9)))
        elif what == 4:
            item.PhotometricInterpretation = dice.choice(
                ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL_422", "PALETTE COLOR", "YBR_RCT",
                 "ARGB", "", "monochrome2 ")
            )  # fmt: skip
        elif what == 5:
            word = dice.choice(
                ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "PixelSpacing")
            )
            raw = dice.choice(("0", "nan", "1e308", "-1", "inf", "x" * 16, "1\\2\\3", "", "1e-308"))
            item.add_new(word, "LO", raw)  # as DS the writer would not take it
        elif what == 6:
            item.PixelData = dice.choice(
                (b"", b"\0", item.get("PixelData", b"")[: dice.randrange(2000)], bytes(10**6))
            )
        elif what == 7:
            item.VOILUTSequence = [_nested(dice.choice((1, 2, 6)), dice)]
        else:
            item.file_meta.TransferSyntaxUID = dice.choice(SYNTAXES[:-4])
    stream = io.BytesIO()
    try:
        item.save_as(stream, enforce_file_format=False)
    except Exception:  # the writer refuses some nonsense; then damage the bytes
        return mutated(data, dice)
    return stream.getvalue()


def _nested(depth: int, dice: random.Random) -> Dataset:
    inner = Dataset()
    inner.LUTDescriptor = [dice.choice(NUMBERS), dice.choice(NUMBERS), dice.choice(NUMBERS)]
    inner.LUTData = dice.randbytes(dice.choice((0, 2, 300, 512)))
    for _ in range(depth):
        outer = Dataset()
        outer.ModalityLUTSequence = [inner]
        inner = outer
    return inner


def spliced(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: dice.randrange(len(data))] + other[dice.randrange(len(other)) :]


_BY_KIND: tuple[tuple[str, Callable[[bytes, random.Random], bytes]], ...] = (
    ("jpeg", jpeg),
    ("png", png),
    ("tiff", tiff),
    ("bmp", bmp),
    ("webp", webp),
    ("dicom", dicom),
)


def structured(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` films, every seed in turn, with structured wounds; the names are unique."""
    dice = random.Random(seed)
    sound = sorted((seeds() | more_seeds()).items())
    for number in range(count):
        name, data = sound[number % len(sound)]
        chance = dice.random()
        change = next((one for kind, one in _BY_KIND if name.startswith(kind)), mutated)
        if chance < 0.1:
            made = spliced(data, dice.choice(sound)[1], dice)
        elif chance < 0.2 or name == "dicom-bare":
            made = mutated(data, dice)
        else:
            made = change(data, dice)
            if dice.random() < 0.3:
                made = mutated(made, dice)
        yield f"{name}-{number}", made
