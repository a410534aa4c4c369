"""The long attack on the decoders: ``make attack TIME=600 SEED=1``.

usage: python -m tests.hostile.attack [--time SECONDS] [--seed NUMBER] [--write FILE]

Films with random and structured wounds and bombs go through the real decoder processes, sound films
between them, until the time is over. Whatever happens to a file that should not (a decoder that
crashes or hangs, memory beyond the limit, a sentence that is none, harm to a sound film) is kept in
``attack-findings`` and ends the attack with exit code 1. The same seed makes the same files.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.cases import ImageFile
from desktop.core.error_codes import IMAGE_REFUSALS
from desktop.core.imaging.decoders.child import ROOM_BYTES
from desktop.core.imaging.decoders.decoder import Decoded, decode_file
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.system.cage import try_cage
from tests.helpers import film_files as films
from tests.hostile.bombs import bombs
from tests.hostile.files import mutations
from tests.hostile.structures import structured

SIZE = (64, 64)
ROUND = 200
FOUND = Path("attack-findings")
KNOWN_CRASHES = ("dicom-jpeg-lossless", "dicom-jpeg-extended")
"""GDCM 3.2.6 ends its process at some damaged lossless and 12-bit JPEGs: an exception that it does
not catch. It costs the image, and no other decoder of them has a licence that fits."""

MOST_MEGABYTES = ROOM_BYTES // 2**20 + 300
"""Limit of a decoder and what its process starts with."""


@dataclass
class Tally:
    """What became of the files of one format."""

    files: int = 0
    read: int = 0
    refused: int = 0
    codes: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)


def rounds(seed: int) -> Iterator[list[tuple[str, bytes, frozenset[str] | None]]]:
    """Files with the codes that are right for them, None = any but those of crash and hang."""
    yield [(f"bomb-{name}", content, codes) for name, content, codes in bombs()]
    for number in itertools.count():
        one = seed * 1_000_003 + number
        yield [
            *((f"{name}-r", content, None) for name, content in mutations(ROUND, one)),
            *((f"{name}-s", content, None) for name, content in structured(ROUND, one)),
        ]


def verdict(result: Decoded, codes: frozenset[str] | None) -> str:
    """What is wrong with a result, empty where nothing is."""
    code, name = result.code, result.source.path.name
    if codes is not None and code not in codes:
        return f"{code or 'read'}, expected {', '.join(sorted(codes))}"
    if not code:
        return "" if result.pixels[SIZE].shape == (*SIZE, 1) else "no pixels"
    if code == "DECODE-07" and name.startswith(KNOWN_CRASHES):
        return ""
    if code not in IMAGE_REFUSALS or (codes is None and code in ("DECODE-06", "DECODE-07")):
        return code
    if not result.reason.startswith(name[:40]) or not result.reason.isprintable():
        return f"{code} with the sentence {result.reason!r}"
    return ""


def peak_megabytes(pid: int | None) -> int:
    """Most memory that a living process has had, 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def attack(seconds: float, seed: int) -> tuple[dict[str, Tally], int]:
    """Tallies by format, and the most megabytes that a decoder took."""
    tallies: dict[str, Tally] = collections.defaultdict(Tally)
    peak, end = 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as scratch, DecodePool(2, sizes=(SIZE,)) as pool:
        folder = Path(scratch)
        sound = folder / "sound.png"
        sound.write_bytes(films.encoded(films.grey_film(), "PNG"))
        expected = decode_file(ImageFile(sound, sound.name), (SIZE,), film=False).pixels[SIZE]
        for files in rounds(seed):
            right = {}
            for name, content, codes in files:
                right[folder / name] = codes
                (folder / name).write_bytes(content)
            sources = [ImageFile(path, path.name) for path in right]
            mixed = itertools.chain.from_iterable(
                [one, ImageFile(sound, sound.name)] if number % 10 == 0 else [one]
                for number, one in enumerate(sources)
            )
            for result in pool.decode(mixed, (SIZE,)):
                path = result.source.path
                peak = max([peak, *(peak_megabytes(worker.pid) for worker in pool._workers)])
                if path == sound:
                    wrong = "" if (result.pixels.get(SIZE) == expected).all() else "harmed"
                else:
                    wrong = verdict(result, right[path])
                tally = tallies[path.name.split("-")[0].split(".")[0]]
                tally.files += 1
                tally.read += not result.code
                tally.refused += bool(result.code)
                tally.codes[result.code] += 1
                if wrong:
                    FOUND.mkdir(exist_ok=True)
                    (FOUND / path.name).write_bytes(path.read_bytes())
                    tally.wrong.append(f"{path.name}: {wrong}")
                    print(f"{path.name}: {wrong}", flush=True)
            for path in right:
                path.unlink()
            if time.monotonic() > end:
                return dict(tallies), peak
    raise AssertionError("the rounds never end")


def table(tallies: dict[str, Tally], peak: int, seconds: float, seed: int) -> str:
    """The summary as the manual shows it."""
    total = sum(tally.files for name, tally in tallies.items() if name != "sound")
    wrong = sum(len(tally.wrong) for tally in tallies.values())
    held = ", ".join(try_cage()) or "none"
    lines = [
        f"{datetime.date.today():%d %B %Y}, seed {seed}, {seconds / 60:.0f} minutes, two decoders: "
        f"{total:,} hostile files, {wrong} findings. Most memory of a decoder: {peak:,} MB. "
        f"Protections that held: {held}.",
        "",
        "| format | files | read | refused | crashed | hung | out of memory | findings |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, one in sorted(tallies.items()):
        counts = [one.codes[code] for code in ("DECODE-07", "DECODE-06", "DECODE-08")]
        cells = [name, one.files, one.read, one.refused, *counts, len(one.wrong)]
        lines.append(
            "| " + " | ".join(f"{cell:,}" if cell != name else name for cell in cells) + " |"
        )
    return "\n".join(lines)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=float, default=600.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="also write the summary here")
    arguments = parser.parse_args()
    tallies, peak = attack(arguments.time, arguments.seed)
    text = table(tallies, peak, arguments.time, arguments.seed)
    print(text)
    if arguments.write:
        arguments.write.write_text(text + "\n", encoding="utf-8")
    if peak > MOST_MEGABYTES:
        print(f"A decoder took {peak} MB, more than {MOST_MEGABYTES}.")
    return 1 if peak > MOST_MEGABYTES or any(tally.wrong for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
