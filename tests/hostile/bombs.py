"""Small files that ask for much: memory, time, depth. Each with the codes that are right for it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.helpers import film_files as films
from tests.hostile.structures import png_chunks, png_of

Bomb = tuple[str, bytes, frozenset[str]]
_READ = ""


def bombs() -> Iterator[Bomb]:
    """Name, content and the codes that are right; the empty code means that it is read."""
    yield "png 60000 x 60000.png", png_of_zeros(60_000, 60_000, 1000), frozenset({"DECODE-03"})
    yield "png 60000 x 2000.png", png_of_zeros(60_000, 2000), frozenset({_READ})
    yield "png 2 pixels high.png", png_of_zeros(60_000, 2), frozenset({"SIZE-01"})
    yield "png with more pixels than it says.png", overfull_png(), frozenset({_READ, "DECODE-01"})
    yield "png with a text bomb.png", text_bomb(), frozenset({_READ, "DECODE-01"})
    yield "progressive.jpg", progressive_bomb(), frozenset({_READ, "DECODE-01", "DECODE-06"})
    yield "jpeg 65500 wide.jpg", wide_jpeg(), frozenset({"DECODE-03", "DECODE-01", "DECODE-02"})
    yield "tiff of one strip.tif", tiff_bomb(10_900, 11_000), frozenset({_READ})
    yield "tiff 60000 x 60000.tif", tiff_bomb(60_000, 60_000, 1), frozenset({"DECODE-03"})
    yield "tiff of many pages.tif", pages_bomb(), frozenset({"DECODE-04", "DECODE-01"})
    yield "tiff in a circle.tif", circle(), frozenset({"DECODE-04", "DECODE-01", _READ})
    yield "bmp 60000 x 60000.bmp", bmp(60_000, 60_000), frozenset({"DECODE-03"})
    yield (
        "bmp upside down.bmp",
        bmp(100, -(2**31)),
        frozenset({"DECODE-03", "DECODE-01", "TYPE-03"}),
    )
    yield "webp 16383 x 16383.webp", webp_bomb(), frozenset({"DECODE-03"})
    yield "sequences.dcm", sequences(20_000), frozenset({"DICOM-05", _READ})
    yield "open sequences.dcm", open_sequences(), frozenset({"DICOM-05", "DICOM-01", _READ})
    yield "deflated.dcm", deflated_bomb(), frozenset({"DECODE-03"})
    yield "rle.dcm", rle_bomb(), frozenset({"DICOM-06", "DICOM-05", _READ})
    yield "j2k lies.dcm", lying_jpeg_2000(), frozenset({"DICOM-06", "DECODE-08", "DECODE-06"})
    yield "many items.dcm", many_items(), frozenset({"DICOM-06", "DICOM-05", _READ})
    yield (
        "long text.dcm",
        films.dicom(films.grey_film(), TextValue="x" * 10**7),
        frozenset({_READ}),
    )


def png_of_zeros(width: int, height: int, rows: int | None = None) -> bytes:
    """A grey PNG of zeros, ``rows`` of which are really there."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(width + 1)) for _ in range(height if rows is None else rows)]
    return png_of([(b"IHDR", header), (b"IDAT", b"".join(parts) + packer.flush()), (b"IEND", b"")])


def overfull_png() -> bytes:
    chunks = png_chunks(films.encoded(films.grey_film(), "PNG"))
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(2**22)) for _ in range(100)) + packer.flush()
    return png_of([(b"IDAT", pixels) if kind == b"IDAT" else (kind, it) for kind, it in chunks])


def text_bomb() -> bytes:
    chunks = png_chunks(films.encoded(films.grey_film(), "PNG"))
    bomb = zlib.compress(bytes(2 * 10**8), 9)
    texts = [(kind, head + bomb) for kind, head in ((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"))]
    return png_of([chunks[0], *texts, *chunks[1:]])


def progressive_bomb() -> bytes:
    """A large progressive JPEG with one of its refining scans two thousand times."""
    stream = io.BytesIO()
    Image.new("L", (9000, 9000), 90).save(stream, "JPEG", progressive=True, quality=30)
    body = stream.getvalue()
    starts, place = [], 0
    while (place := body.find(b"\xff\xda", place)) >= 0:
        starts.append(place)
        place += 2
    last = body[starts[-1] : -2]
    return body[:-2] + last * 2000 + body[-2:]


def wide_jpeg() -> bytes:
    """A JPEG whose frame says 65,500 x 65,500."""
    body = bytearray(films.encoded(films.grey_film(), "JPEG"))
    frame = body.index(b"\xff\xc0")
    body[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(body)


def tiff_bomb(width: int, height: int, rows: int | None = None) -> bytes:
    """A grey TIFF, one deflated strip of zeros."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(width)) for _ in range(height if rows is None else rows)]
    strip = b"".join(parts) + packer.flush()
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, 1, 0), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(strip)),
    ]  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    tags[5] = (273, 4, 1, start)
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4) + strip


def pages_bomb() -> bytes:
    page = Image.fromarray(films.grey_film())
    return films.encoded(page, "TIFF", save_all=True, append_images=[page] * 400)


def circle() -> bytes:
    """A TIFF whose next directory is its first."""
    body = bytearray(tiff_bomb(100, 120))
    (count,) = struct.unpack_from("<H", body, 8)
    struct.pack_into("<I", body, 10 + 12 * count, 8)
    return bytes(body)


def bmp(width: int, height: int) -> bytes:
    body = bytearray(films.encoded(films.grey_film(), "BMP"))
    struct.pack_into("<ii", body, 18, width, height)
    return bytes(body)


def webp_bomb() -> bytes:
    """An extended WebP whose canvas is as large as one may be."""
    content = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_382).to_bytes(3, "little") * 2
    inner = films.encoded(Image.fromarray(np.dstack([films.grey_film()] * 3)), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(content) + len(inner)) + b"WEBP" + content + inner


def _element(group: int, number: int, kind: bytes, content: bytes) -> bytes:
    head = struct.pack("<HH", group, number) + kind
    if kind in (b"OB", b"OW", b"SQ", b"UN"):
        return head + bytes(2) + struct.pack("<I", len(content)) + content
    return head + struct.pack("<H", len(content)) + content


def sequences(depth: int) -> bytes:
    """A sound film with sequences of undefined length, one within the other."""
    open_one = (
        struct.pack("<HH", 0x0040, 0x0275) + b"SQ\0\0" + b"\xff" * 4
        + struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1)
    )  # fmt: skip
    close_one = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    sound = films.dicom(films.grey_film())
    place = sound.index(struct.pack("<HH", 0x7FE0, 0x0010))
    return sound[:place] + open_one * depth + close_one * depth + sound[place:]


def open_sequences() -> bytes:
    """The same, and none of them ends."""
    sound = sequences(20_000)
    return sound[: sound.index(struct.pack("<HHI", 0xFFFE, 0xE00D, 0))]


def deflated_bomb() -> bytes:
    sound = films.dicom(films.grey_film(), syntax=films.DEFLATED)
    start = 144 + int.from_bytes(sound[140:144], "little")
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    body = packer.compress(_element(0x0008, 0x0060, b"CS", b"CR"))
    body += packer.compress(struct.pack("<HH", 0x0040, 0x0275) + b"OB\0\0" + b"\xf0\xff\xff\x7f")
    body += b"".join(packer.compress(bytes(2**24)) for _ in range(40))
    return sound[:start] + body + packer.flush()


def rle_bomb() -> bytes:
    """A film of 10,900 x 11,000 whose run lengths give each byte again and again."""
    sound = bytearray(films.dicom(films.grey_film(), syntax=films.RLE, Rows=120, Columns=100))
    for number, side in ((0x0010, 10_900), (0x0011, 11_000)):
        place = sound.index(struct.pack("<HH", 0x0028, number) + b"US")
        struct.pack_into("<H", sound, place + 8, side)
    return bytes(sound)


def lying_jpeg_2000() -> bytes:
    """A header of 100 x 120 around a code stream that says 60,000 x 60,000."""
    sound = bytearray(films.dicom(films.deep_film(12), syntax=films.JPEG_2000_LOSSLESS,
                                  BitsStored=12))  # fmt: skip
    size = sound.index(b"\xff\x51")
    struct.pack_into(">II", sound, size + 6, 60_000, 60_000)
    struct.pack_into(">II", sound, size + 22, 60_000, 60_000)
    return bytes(sound)


def many_items() -> bytes:
    """A compressed film whose picture lies in two hundred thousand fragments."""
    sound = films.dicom(films.grey_film(), syntax=films.JPEG_BASELINE)
    place = sound.index(struct.pack("<HH", 0x7FE0, 0x0010))
    start = sound.index(struct.pack("<HHI", 0xFFFE, 0xE000, 0), place)
    fragment = sound.index(struct.pack("<HH", 0xFFFE, 0xE000), start + 8)
    empty = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    return sound[:fragment] + empty * 200_000 + sound[fragment:]
