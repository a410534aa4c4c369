"""A store of an earlier version is brought up to date and keeps everything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from desktop.core.store.schema import migrate
from tests.helpers.review_cases import case, fact, failed, labelling, open_store


def test_a_store_from_before_devices_were_kept_opens_with_all_it_held(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.record_results(
            [(case("a.png", "CCCC"), fact("a.png")), (failed("b.png"), fact("b.png"))], device="cpu"
        )
        store.apply(labelling(store, "a.png"))
        results, decisions, path = list(store.case_results()), store.decisions(), store.path
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE result DROP COLUMN device")
    connection.execute("ALTER TABLE failure DROP COLUMN device")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with open_store(tmp_path) as store:
        assert list(store.case_results()) == results
        assert store.decisions() == decisions
        assert store.devices() == {"a.png": "", "b.png": ""}


def test_each_answer_keeps_the_device_it_came_from(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.record_files([fact("waiting.png")])
        store.record_results([(case("a.png", "CCCC"), fact("a.png"))], device="cuda")
        store.record_results([(failed("b.png"), fact("b.png"))], device="cpu")
    with open_store(tmp_path) as store:
        assert store.devices() == {"a.png": "cuda", "b.png": "cpu"}


def test_a_store_without_one_of_its_tables_is_damaged_and_what_is_left_is_saved(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path) as store:
        store.record_results([(case("a.png", "CCCC"), fact("a.png"))])
        store.apply(labelling(store, "a.png"))
        decisions, path = store.decisions(), store.path
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE failure")
    connection.close()
    with open_store(tmp_path) as store:
        assert store.decisions() == decisions
        assert store.notice is not None


def test_bringing_a_store_up_to_date_is_all_or_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        path = store.path
    connection = sqlite3.connect(path, isolation_level=None)
    # As if an update had been cut short: the column is there, the version says it is not.
    connection.execute("PRAGMA user_version = 1")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    with pytest.raises(sqlite3.OperationalError, match="duplicate column"):
        migrate(connection, "ward")
    assert not connection.in_transaction
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == tables
    connection.close()
