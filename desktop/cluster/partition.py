"""A listing cut into parts that stay the same when films come or go, and the file of a part.

A part begins at every film whose name's hash is a multiple of the part size, so a film that is
added or removed changes one part and not all that follow. A part is called after its first film.
The sizes are powers of two: a part of a larger size begins where one of a smaller size does.

The file of a part is ASCII JSON lines: what made it, one line a film with the file's size, stamp
and hash and the exact answer, and a last line with count and checksum. It is written whole; a
second attempt at the same part, wherever it runs, replaces it by the same rows.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import desktop
from desktop.cluster.inputs import Film
from desktop.cluster.storage import PartStore
from desktop.core.inference.precision import PrecisionPlan
from desktop.core.panels.contract import CONTRACT_VERSION
from desktop.core.panels.registry import Panel

SMALLEST_PART, LARGEST_PART = 16, 1024
PARTS_PER_SLOT = 8
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a listing.

    Attributes:
        key: Name of the part, made from its first film's name.
        start: Where its lines begin in the listing's file, bytes.
        end: Where they end.
        count: Number of films.
    """

    key: str
    start: int
    end: int
    count: int

    @property
    def file(self) -> str:
        """Name of the part's file."""
        return f"part-{self.key}.jsonl"


@dataclass(frozen=True, slots=True)
class FinishedFilm:
    """A finished film: what the file was, and the answer.

    Attributes:
        image: Name in the table.
        size: Bytes, -1 where it could not be asked.
        stamp: Time of the last change or the storage's version mark; empty where unknown.
        sha256: Hash of its bytes, empty where it could not be read.
        device: Device the answer came from.
        answer: Text as in ``batch.result_json``.
    """

    image: str
    size: int
    stamp: str
    sha256: str
    device: str
    answer: str


class Listing:
    """Writes the listing and remembers where parts may begin. Memory: 24 bytes for 16 films."""

    def __init__(self, store: PartStore, name: str) -> None:
        self._store = store
        self._name = name
        self._offsets, self._positions, self._hashes = array("Q"), array("Q"), array("Q")
        self._first = ""
        self._keys: dict[int, str] = {}
        self.count = 0
        self.bytes = 0

    def write(self, films: Iterable[Film]) -> None:
        """Write all films; the file is there when this returns."""
        with self._store.writing(self._name) as stream:
            for film in films:
                number = _hash(film.image)
                if number % SMALLEST_PART == 0 or self.count == 0:
                    self._offsets.append(self.bytes)
                    self._positions.append(self.count)
                    self._hashes.append(number)
                line = json.dumps([film.image, film.location]).encode("ascii") + b"\n"
                stream.write(line)
                self.bytes += len(line)
                self.count += 1

    def parts(self, size: int) -> Iterator[Part]:
        """The parts in the order of the listing.

        Args:
            size: Films in a part on average; a power of two from SMALLEST_PART on.
        """
        begins = [
            index for index, number in enumerate(self._hashes) if index == 0 or number % size == 0
        ]
        offsets = [*(self._offsets[index] for index in begins), self.bytes]
        positions = [*(self._positions[index] for index in begins), self.count]
        for number, index in enumerate(begins):
            yield Part(
                key=part_key(self._hashes[index], first=index == 0),
                start=offsets[number],
                end=offsets[number + 1],
                count=positions[number + 1] - positions[number],
            )


def part_key(number: int, *, first: bool) -> str:
    """Name of the part that begins with the film of this hash.

    The first part of a listing is always called the same, whatever film it begins with.
    """
    return "first" if first else f"{number:016x}"


def part_size(count: int, slots: int) -> int:
    """Films in a part so that every slot gets several, as a power of two.

    Args:
        count: Films in all.
        slots: Parts that are labelled at once.
    """
    wanted = count / max(1, PARTS_PER_SLOT * slots)
    size = SMALLEST_PART
    while size < LARGEST_PART and 2 * size <= wanted:
        size *= 2
    return size


def films_of(store: PartStore, listing: str, part: Part) -> list[Film]:
    """The films of a part, read from the listing's file."""
    data = store.read_range(listing, part.start, part.end)
    films = [Film(*json.loads(line)) for line in data.splitlines()]
    if len(films) != part.count:
        raise ValueError("the listing is not the one that the part was cut from")
    return films


def identity(panel: Panel, precision: PrecisionPlan) -> str:
    """What answers depend on besides the film: answers of another identity are not taken over."""
    facts = [_FORMAT, desktop.__version__, CONTRACT_VERSION, panel.fingerprint, precision.identity]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def encode_part(made_by: str, films: Iterable[FinishedFilm]) -> bytes:
    """The bytes of a part's file; equal films give equal bytes."""
    lines = [json.dumps({"made_by": made_by})]
    lines += [
        json.dumps([one.image, one.size, one.stamp, one.sha256, one.device, one.answer])
        for one in films
    ]
    body = "\n".join(lines).encode("ascii") + b"\n"
    ending = {"films": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    return body + json.dumps(ending).encode("ascii") + b"\n"


def decode_part(data: bytes | None, made_by: str) -> list[FinishedFilm] | None:
    """The films of a part's file; None where it is missing, damaged or made by other models."""
    if data is None:
        return None
    body, _, ending = data.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        sealed = json.loads(ending)
        if sealed["sha256"] != hashlib.sha256(body).hexdigest():
            return None
        first, *lines = body.splitlines()
        if json.loads(first) != {"made_by": made_by}:
            return None
        return [FinishedFilm(*json.loads(line)) for line in lines]
    except (ValueError, TypeError, KeyError):
        return None


def _hash(image: str) -> int:
    digest = hashlib.blake2b(image.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
