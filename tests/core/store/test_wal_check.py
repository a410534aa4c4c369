"""A log that is not the store's own never gets into it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from desktop.core.store.connection import set_aside
from desktop.core.store.recovery import latest_aside
from tests.helpers.review_cases import case, labelling, open_store, record


def reviewed(place: Path, prefix: str, count: int) -> tuple[Path, bytes]:
    """A closed store with ``count`` decisions, and the log it had before it was closed."""
    place.mkdir(exist_ok=True)
    with open_store(place) as store:
        for number in range(count):
            record(store, case(f"{prefix}{number:03}.png"))
            store.apply(labelling(store, f"{prefix}{number:03}.png"))
        path = store.path
        log = log_of(path).read_bytes()
    return path, log


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


@pytest.mark.parametrize("theirs", [1, 5, 60])
def test_another_stores_log_is_not_taken_for_ours(tmp_path: Path, theirs: int) -> None:
    # Without a look at whose it is, SQLite shows their decisions and overwrites ours at closing.
    path, _ = reviewed(tmp_path / "ours", "a", 40)
    _, log = reviewed(tmp_path / "theirs", "b", theirs)
    log_of(path).write_bytes(log)
    before = path.read_bytes()
    with open_store(tmp_path / "ours") as store:
        assert store.notice is not None
        assert "log of another review" in store.notice.sentence
        assert store.notice.set_aside.read_bytes() == log
        assert sorted(store.decisions()) == [f"a{number:03}.png" for number in range(40)]
        assert path.read_bytes()[100:] == before[100:]
        store.apply(labelling(store, "new.png"))
    with open_store(tmp_path / "ours") as store:
        assert store.notice is None
        assert len(store.decisions()) == 41


def test_the_log_of_another_database_is_not_used_either(tmp_path: Path) -> None:
    path, _ = reviewed(tmp_path / "ours", "a", 10)
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE holidays (day TEXT)")
    other.commit()
    log = log_of(tmp_path / "other.sqlite").read_bytes()
    other.close()
    log_of(path).write_bytes(log)
    with open_store(tmp_path / "ours") as store:
        assert store.notice is not None
        assert store.notice.set_aside.read_bytes() == log
        assert len(store.decisions()) == 10


def test_an_old_log_of_the_same_store_does_not_take_later_decisions_away(tmp_path: Path) -> None:
    path, log = reviewed(tmp_path / "ours", "a", 5)
    reviewed(tmp_path / "ours", "later", 20)
    log_of(path).write_bytes(log)
    with open_store(tmp_path / "ours") as store:
        assert store.notice is not None
        assert len(store.decisions()) == 25


def test_ones_own_log_is_read_without_a_word(tmp_path: Path) -> None:
    path, _ = reviewed(tmp_path / "ours", "a", 5)
    with open_store(tmp_path / "ours") as store:
        store.apply(labelling(store, "latest.png"))
        copy = tmp_path / "copy"
        database, log = path.read_bytes(), log_of(path).read_bytes()
        # A second window sees a log in use and leaves it alone.
        with open_store(tmp_path / "ours") as second:
            assert second.notice is None
    copied, _ = reviewed(copy, "b", 1)
    copied.write_bytes(database)
    log_of(copied).write_bytes(log)
    with open_store(copy) as store:
        assert store.notice is None
        assert len(store.decisions()) == 6


def test_a_store_of_an_earlier_version_gets_its_name(tmp_path: Path) -> None:
    path, _ = reviewed(tmp_path / "ours", "a", 5)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM meta")
    connection.commit()
    connection.close()
    with open_store(tmp_path / "ours") as store:
        assert store.notice is None
        assert len(store.decisions()) == 5
    _, log = reviewed(tmp_path / "theirs", "b", 1)
    log_of(path).write_bytes(log)
    with open_store(tmp_path / "ours") as store:
        assert store.notice is not None
        assert len(store.decisions()) == 5


def test_the_store_set_aside_last_is_the_latest_also_when_the_clock_went_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "review.sqlite"
    earlier = path.with_name("review.damaged-20990101T000000Z.sqlite")
    earlier.write_bytes(b"set aside while the clock was ahead")
    for number in range(1, 12):
        path.write_bytes(b"%d" % number)
        assert latest_aside(path) == earlier
        earlier = set_aside(path)
        assert latest_aside(path) == earlier
    assert earlier.read_bytes() == b"11"
