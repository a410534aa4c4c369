"""The cache of film hashes: what is lost is computed again, and nobody is troubled."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from desktop.core.duplicates.hash_cache import FilmHashes
from desktop.core.duplicates.perceptual_hash import HASH_BITS

KEY = b"k" * 32
BITS = np.arange(HASH_BITS) % 3 == 0


def interrupted() -> Iterator[tuple[bytes, object]]:
    """Rows of a writer that fails after the first."""
    yield KEY, BITS
    raise RuntimeError("the search was stopped")


def test_hashes_of_films_come_back_and_damage_empties_them(tmp_path: Path) -> None:
    path = tmp_path / "hashes.sqlite"
    kept = FilmHashes(path)
    kept.put([(KEY, BITS)])
    kept.close()
    again = FilmHashes(path)
    assert np.array_equal(again.known()[KEY], BITS)
    again.close()
    path.write_bytes(b"no database at all, but long enough to look at twice")
    empty = FilmHashes(path)
    assert empty.known() == {}
    empty.put([(KEY, BITS)])
    assert set(empty.known()) == {KEY}
    empty.close()
    empty.close()


def test_hashes_that_cannot_be_kept_are_done_without(tmp_path: Path) -> None:
    (tmp_path / "hashes.sqlite").mkdir()
    nowhere = FilmHashes(tmp_path / "hashes.sqlite")
    nowhere.put([(KEY, BITS)])
    assert nowhere.known() == {}
    nowhere.close()


def test_a_hash_of_another_length_is_not_read(tmp_path: Path) -> None:
    kept = FilmHashes(tmp_path / "hashes.sqlite")
    with pytest.raises(RuntimeError, match="stopped"):
        kept.put(interrupted())  # type: ignore[arg-type]
    assert kept.known() == {}
    connection = sqlite3.connect(tmp_path / "hashes.sqlite")
    connection.execute("INSERT INTO hash VALUES (?, ?)", (KEY, b"short"))
    connection.commit()
    connection.close()
    assert kept.known() == {}
    kept.close()
