"""Ways in which a disk, a copy or a hand damages the file of a journal; seeded."""

from __future__ import annotations

from random import Random

PAGE = 4096


def damaged(content: bytes, random: Random) -> bytes:
    """The content with one kind of damage; may be equal to it by chance."""
    data = bytearray(content)
    where = random.randrange(len(data))
    kind = random.randrange(10)
    if kind == 0:  # cut off
        del data[where:]
    elif kind == 1:  # cut off inside the last page
        del data[len(data) - random.randrange(1, PAGE) :]
    elif kind == 2:  # one bit
        data[where] ^= 1 << random.randrange(8)
    elif kind == 3:  # a few bytes anywhere
        for _ in range(random.randrange(1, 50)):
            data[random.randrange(len(data))] = random.randrange(256)
    elif kind == 4:  # a stretch of zeros, as a lost sector is
        length = random.choice((512, PAGE))
        start = where // length * length
        data[start : start + length] = bytes(len(data[start : start + length]))
    elif kind == 5:  # one page over another
        source, target = (random.randrange(len(data) // PAGE) * PAGE for _ in range(2))
        data[target : target + PAGE] = data[source : source + PAGE]
    elif kind == 6:  # bytes lost in the middle
        del data[where : where + random.randrange(1, 100)]
    elif kind == 7:  # bytes that came in
        data[where:where] = random.randbytes(random.randrange(1, 100))
    elif kind == 8:  # the header of the file or the names of its tables
        data[random.randrange(min(len(data), 800))] = random.randrange(256)
    else:  # a letter or digit of a value, as a hand in an editor would do
        marks = [i for i, byte in enumerate(data) if chr(byte).isalnum()]
        data[random.choice(marks)] = ord(random.choice("0123456789abcdef"))
    return bytes(data)
