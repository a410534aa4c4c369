"""A store of an earlier version is brought up to date and keeps everything."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from desktop.core.store.review_store import ReviewStore, SessionState
from desktop.core.store.schema import migrate, row_checksum
from tests.helpers.review_cases import (
    case,
    fact,
    failed,
    labelling,
    make_old,
    manifest,
    old_fingerprint,
    open_store,
    raw_store,
)


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_of_an_earlier_version_opens_with_all_it_held(tmp_path: Path, version: int) -> None:
    with open_store(tmp_path) as store:
        store.record_results(
            [(case("a.png", "CCCC", map_seed=1), fact("a.png")), (failed("b.png"), fact("b.png"))],
            device="cpu",
        )
        store.apply(labelling(store, "a.png"))
        store.apply(labelling(store, "a.png", "Normal"))
        store.undo()
        store.save_session(SessionState("a.png"))
        held, path = everything(store), store.path
    make_old(path, version)
    # Maps lie in a file of their own, under the fingerprint that the panel had then.
    with closing(sqlite3.connect(path.with_name("maps.sqlite"))) as maps, maps:
        maps.execute("UPDATE maps SET panel = ?", (old_fingerprint(manifest()),))
    with open_store(tmp_path) as store:
        assert store.notice is None
        assert everything(store) == held
        device = "cpu" if version > 1 else ""  # version 1 kept none
        assert store.devices() == {"a.png": device, "b.png": device}
        answer = store.case_result("a.png", maps=True)
        assert answer is not None
        assert answer.predictions[0].cams is not None
        assert store.redo() is not None
    with closing(raw_store(path)) as connection:
        assert connection.execute("SELECT fingerprint FROM panel").fetchall() == [
            (manifest().fingerprint,)
        ]


@pytest.mark.parametrize("damage", ["first page zeroed", "Dr. W", "labelledown"])
def test_a_store_of_an_earlier_version_that_is_damaged_is_saved_as_well(
    tmp_path: Path, damage: str
) -> None:
    with open_store(tmp_path) as store:
        for number in range(40):
            store.record_results([(case(f"{number}.png"), fact(f"{number}.png"))])
            store.apply(labelling(store, f"{number}.png"))
        path = store.path
    make_old(path, 2)
    sound = path.read_bytes()
    spoilt = damage[:1].encode() + b"\xff" + damage[2:].encode()
    broken = bytes(4096) + sound[4096:] if damage.endswith("zeroed") else b""
    path.write_bytes(broken or sound.replace(damage.encode(), spoilt, 1))
    with open_store(tmp_path) as store:
        assert store.notice is not None
        assert len(store.decisions()) >= 39


def test_the_first_page_of_a_store_that_was_brought_up_to_date_can_be_replaced(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path) as store:
        for number in range(40):
            store.record_results([(case(f"{number}.png"), fact(f"{number}.png"))])
            store.apply(labelling(store, f"{number}.png"))
        path = store.path
    make_old(path, 2)
    open_store(tmp_path).close()
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    with open_store(tmp_path) as store:
        assert store.notice is not None
        assert len(store.decisions()) == 40


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


def test_windows_that_open_an_old_store_at_once_all_find_what_it_held(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        for number in range(200):
            store.apply(labelling(store, f"{number}.png"))
        path = store.path
    make_old(path, 2)
    script = (
        "import sys; from pathlib import Path; from tests.helpers.review_cases import *\n"
        "store = open_store(Path(sys.argv[1])); number = sys.argv[2]\n"
        "store.apply(labelling(store, f'new {number}.png'))\n"
        "print(store.notice, len(store.history('7.png')))\n"
    )
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path, str(number)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for number in range(4)
    ]
    assert [window.communicate(timeout=120)[0] for window in windows] == ["None 1\n"] * 4
    with open_store(tmp_path) as store:
        assert store.notice is None
        assert len(store.decisions()) == 204


def test_bringing_a_store_up_to_date_is_all_or_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        path = store.path
    make_old(path, 1)
    connection = raw_store(path)
    connection.execute("CREATE TABLE old_log (in_the_way)")
    tables = connection.execute("SELECT * FROM sqlite_schema").fetchall()
    with pytest.raises(sqlite3.DatabaseError, match="old_log"):
        migrate(connection, "ward")
    assert not connection.in_transaction
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == tables
    connection.close()


def test_a_header_with_an_older_version_than_the_tables_is_damage_and_costs_nothing(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path) as store:
        store.record_results([(case("a.png", "CCCC"), fact("a.png"))])
        store.apply(labelling(store, "a.png"))
        decisions, results, path = store.decisions(), list(store.case_results()), store.path
    for version in (0, 1, 2):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        with open_store(tmp_path) as store:
            assert store.notice is not None
            assert store.decisions() == decisions
            assert list(store.case_results()) == results


def everything(store: ReviewStore) -> tuple[object, ...]:
    """What a store says of its images, but for the devices."""
    return (
        list(store.case_results()),
        store.decisions(),
        store.history("a.png"),
        store.undo_next(),
        store.redo_next(),
        store.session(),
        store.finished(),
        store.revision(),
    )


def test_the_checksum_of_a_row_is_the_same_in_every_version_of_python() -> None:
    # Stores are read by other Pythons than wrote them: another value would make all rows damaged.
    assert row_checksum(3, 1, 0.1, None, b"a.png", b"\xff\x00") == 3_954_082_744
