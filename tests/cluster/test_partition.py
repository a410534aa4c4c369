"""How a listing is cut and what a part's file is: pure, fast, without Ray."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.cluster.inputs import Film
from desktop.cluster.partition import (
    LARGEST_PART,
    SMALLEST_PART,
    FinishedFilm,
    Listing,
    Part,
    decode_part,
    encode_part,
    films_of,
    part_size,
)
from desktop.cluster.storage import AddressStore, FolderStore, PartStore, open_store

NAMES = [f"ward {number % 7}/film{number}.png" for number in range(2000)]


def cut(store: PartStore, names: list[str], size: int = 64) -> list[Part]:
    listing = Listing(store, "listing.jsonl")
    listing.write(Film(name, f"/films/{name}") for name in names)
    return list(listing.parts(size))


def images(store: PartStore, parts: list[Part]) -> list[str]:
    return [film.image for part in parts for film in films_of(store, "listing.jsonl", part)]


@pytest.mark.parametrize("size", [16, 64, 1024])
def test_parts_hold_every_film_once_and_in_order(tmp_path: Path, size: int) -> None:
    store = FolderStore(tmp_path / "parts")
    parts = cut(store, NAMES, size)
    assert images(store, parts) == NAMES
    assert sum(part.count for part in parts) == len(NAMES)
    assert len({part.key for part in parts}) == len(parts)
    assert len(NAMES) / size / 2 < len(parts) < 2 * len(NAMES) / size + 2


def test_a_new_film_changes_one_part_and_not_those_behind_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "parts")
    before = {part.key: part.count for part in cut(store, NAMES)}
    after = {part.key: part.count for part in cut(store, [*NAMES[:700], "new.png", *NAMES[700:]])}
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert 1 <= len(changed) <= 2


def test_a_film_that_goes_changes_at_most_two_parts(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "parts")
    before = {part.key: part.count for part in cut(store, NAMES)}
    for place in random.Random(4).sample(range(len(NAMES)), 20):
        after = {part.key: part.count for part in cut(store, NAMES[:place] + NAMES[place + 1 :])}
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert len(changed) <= 2


def test_parts_of_a_larger_size_begin_where_smaller_ones_do(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "parts")
    small = {part.key for part in cut(store, NAMES, 16)}
    assert {part.key for part in cut(store, NAMES, 256)} <= small


def test_names_that_are_not_unicode_travel_through_the_listing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "parts")
    odd = ["a\udcff.png", "=1+1.png", "two\nlines.png", "\u2028.png", "ü.png"]
    assert images(store, cut(store, odd)) == odd


def test_every_slot_gets_several_parts_but_none_is_huge() -> None:
    assert part_size(300, 2) == SMALLEST_PART
    assert part_size(100_000_000, 200) == LARGEST_PART
    for count in (1, 5_000, 70_000, 10**6):
        size = part_size(count, 8)
        assert size & (size - 1) == 0
        assert SMALLEST_PART <= size <= LARGEST_PART


TEXT = st.text(st.characters(codec=None, categories=("L", "N", "P", "Z", "Cs", "Cc")), max_size=20)
FILMS = st.lists(
    st.builds(
        FinishedFilm,
        TEXT,
        st.integers(-1, 2**40),
        TEXT,
        TEXT,
        st.sampled_from(["cpu", "cuda"]),
        TEXT,
    ),
    max_size=5,
)


@given(films=FILMS)
def test_a_part_gives_back_exactly_what_was_put_in(films: list[FinishedFilm]) -> None:
    data = encode_part("made", films)
    assert decode_part(data, "made") == films
    assert encode_part("made", films) == data
    assert decode_part(data, "made by others") is None


@given(films=FILMS.filter(bool), place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_damaged_or_cut_off_part_counts_as_missing(
    films: list[FinishedFilm], place: int, change: int
) -> None:
    data = bytearray(encode_part("made", films))
    place %= len(data) - 1  # the last line end means nothing
    assert decode_part(bytes(data[:place]), "made") is None
    data[place] ^= change
    assert decode_part(bytes(data), "made") in (None, films)


def write_half(store: PartStore, name: str) -> None:
    with store.writing(name) as stream:
        stream.write(b"half")
        raise RuntimeError


def test_a_store_shows_whole_files_only(tmp_path: Path) -> None:
    for store in (
        open_store(str(tmp_path / "here")),
        open_store(f"file://{tmp_path}/there"),
    ):
        store.write("a", b"one")
        with pytest.raises(RuntimeError):
            write_half(store, "a")
        assert store.read("a") == b"one"
        assert store.names() == ["a"]
        store.write("a", b"two")
        assert store.read_range("a", 1, 3) == b"wo"
        assert store.read("b") is None
        assert not store.exists("b")
        store.remove("a")
        store.remove("a")
        assert store.names() == []
    assert isinstance(store, AddressStore)
