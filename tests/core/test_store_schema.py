"""A store of an earlier version is brought up to date and keeps everything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.review_cases import case, fact, failed, labelling, open_store


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
