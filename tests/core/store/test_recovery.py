"""What happens to a review when its file is damaged or its process is killed."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.core.cases import OPEN, CaseResult, Decision
from desktop.core.errors import StoreFailed
from desktop.core.store.recovery import latest_aside, rebuild
from desktop.core.store.review_store import ReviewStore
from tests.helpers.review_cases import case, fact, failed, labelling, open_store, raw_store, record

PAGE = 4096


def reviewed_store(tmp_path: Path, count: int = 300) -> Path:
    """A closed store with decisions on ``count`` images; gives its file."""
    with open_store(tmp_path) as store:
        record(store, *(case(f"{number:03}.png") for number in range(count)))
        for start in range(0, count, 100):
            images = [f"{number:03}.png" for number in range(start, min(start + 100, count))]
            store.apply(labelling(store, images))
    # Closing may leave the last rows in the log, where no damage of the file would reach them.
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.path


def test_a_sound_store_gives_no_notice(tmp_path: Path) -> None:
    reviewed_store(tmp_path)
    with open_store(tmp_path) as store:
        assert store.notice is None


@pytest.mark.parametrize(
    ("damage", "at_least"),
    [
        ("first page zeroed", 300),
        ("header overwritten", 300),
        ("cut after three quarters", 90),
        ("every third page zeroed", 240),
        ("a state that does not exist", 299),
        ("a comment that is no text", 299),
        ("text instead", 0),
        ("every page but the first zeroed", 0),
    ],
)
def test_a_damaged_store_is_set_aside_told_and_its_decisions_saved(
    tmp_path: Path, damage: str, at_least: int
) -> None:
    path = reviewed_store(tmp_path)
    sound = path.read_bytes()
    broken = {
        "first page zeroed": bytes(PAGE) + sound[PAGE:],
        "header overwritten": b"garbage!" * 4 + sound[32:],
        "cut after three quarters": sound[: len(sound) * 3 // 4 // PAGE * PAGE],
        "every third page zeroed": b"".join(
            bytes(PAGE) if number > 18 and number % 3 == 0 else sound[start : start + PAGE]
            for number, start in enumerate(range(0, len(sound), PAGE))
        ),
        "a state that does not exist": sound.replace(b"labelledown", b"lab\x00lledown", 1),
        "a comment that is no text": sound.replace(b"Dr. W", b"D\xff. W", 1),
        "text instead": b"this was a database once\n" * 100,
        "every page but the first zeroed": sound[:PAGE] + bytes(len(sound) - PAGE),
    }[damage]
    path.write_bytes(broken)
    with open_store(tmp_path) as store:
        notice = store.notice
        assert notice is not None
        assert notice.code == "STORE-01"
        assert notice.set_aside.read_bytes() == broken
        assert notice.set_aside.name in str(notice.sentence)
        assert notice.salvaged == len(store.decisions()) >= at_least
        assert all(item.label == "Covid" for item in store.decisions().values())
        # The new store is a whole one.
        store.apply(labelling(store, "new.png"))
        assert store.undo() is not None
        assert store.undo() is None
    with open_store(tmp_path) as store:
        assert store.notice is None


def test_somebody_elses_database_is_not_written_to(tmp_path: Path) -> None:
    path = reviewed_store(tmp_path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE holidays (day TEXT)")
    other.execute("INSERT INTO holidays VALUES ('2026-12-24')")
    other.commit()
    other.close()
    with open_store(tmp_path) as store:
        assert store.notice is not None
        aside = sqlite3.connect(store.notice.set_aside)
        assert aside.execute("SELECT day FROM holidays").fetchall() == [("2026-12-24",)]
        aside.close()


def test_the_log_of_a_damaged_store_goes_with_it_and_is_read(tmp_path: Path) -> None:
    path = reviewed_store(tmp_path, count=100)
    # A copy taken while the store is open has its latest decisions only in the -wal file.
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "latest.png", "Normal"))
        database = path.read_bytes()
        log = path.with_name("review.sqlite-wal").read_bytes()
    path.write_bytes(b"garbage!" * 4 + database[32:])
    path.with_name("review.sqlite-wal").write_bytes(log)
    with open_store(tmp_path) as store:
        assert store.notice is not None
        aside = store.notice.set_aside
        assert aside.with_name(aside.name + "-wal").read_bytes() == log
        assert len(store.decisions()) == 101
        assert store.decision("latest.png").label == "Normal"


def test_a_damaged_file_is_set_aside_as_it_was_although_its_log_is_sound(tmp_path: Path) -> None:
    # SQLite writes the log into the file when it is closed, also into a damaged one.
    path = reviewed_store(tmp_path, count=100)
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "latest.png", "Normal"))
        database = path.read_bytes()
        log = path.with_name("review.sqlite-wal").read_bytes()
    broken = database[: len(database) // PAGE // 2 * PAGE]
    path.write_bytes(broken)
    path.with_name("review.sqlite-wal").write_bytes(log)
    with open_store(tmp_path) as store:
        assert store.notice is not None
        aside = store.notice.set_aside
        assert aside.read_bytes() == broken
        assert aside.with_name(aside.name + "-wal").read_bytes() == log
        assert store.decision("latest.png").label == "Normal"


def test_two_damaged_stores_in_one_second_are_both_kept(tmp_path: Path) -> None:
    path = reviewed_store(tmp_path, count=1)
    for text in (b"first" * 100, b"second" * 100):
        path.write_bytes(text)
        open_store(tmp_path).close()
    kept = {item.read_bytes() for item in path.parent.glob("review.damaged-*.sqlite")}
    assert kept == {b"first" * 100, b"second" * 100}


def test_a_rebuilding_that_was_interrupted_is_taken_up_again(tmp_path: Path) -> None:
    path = reviewed_store(tmp_path, count=20)
    # As a kill leaves it: set aside, the new store not there yet, an older one set aside before.
    path.with_name("review.damaged-20200101T000000Z.sqlite").write_bytes(b"older")
    aside = path.with_name("review.damaged-20261123T000000Z-2.sqlite")
    path.rename(aside)
    with open_store(tmp_path) as store:
        assert store.notice is not None
        assert store.notice.set_aside == aside
        assert len(store.decisions()) == 20
    with open_store(tmp_path) as store:
        assert store.notice is None
        assert len(store.decisions()) == 20
    assert sorted(item.name for item in path.parent.glob(".*")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_without_room_to_save_from_the_damage_nothing_is_begun_and_nothing_lost(
    tmp_path: Path,
) -> None:
    import resource

    path = reviewed_store(tmp_path, count=200)
    damaged = bytes(PAGE) + path.read_bytes()[PAGE:]
    path.write_bytes(damaged)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(damaged) // 2, hard))
    try:
        with pytest.raises(StoreFailed) as refused:
            open_store(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert refused.value.code == "STORE-03"
    with open_store(tmp_path) as store:
        assert store.notice is not None
        assert store.notice.set_aside.read_bytes() == damaged
        assert len(store.decisions()) == 200


def test_damage_found_while_working_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = reviewed_store(tmp_path)
    with open_store(tmp_path) as store:
        with path.open("r+b") as stream:
            stream.seek(PAGE)
            stream.write(os.urandom(path.stat().st_size - PAGE))
        # As if other pages had been read meanwhile: nothing of the file is in memory any more.
        store._connection.execute("PRAGMA shrink_memory")
        with pytest.raises(StoreFailed) as refused:
            store.load_table()
        assert refused.value.code == "STORE-02"
        assert "open the folder again" in str(refused.value)
    with open_store(tmp_path) as store:
        assert store.notice is not None


def test_a_log_line_that_makes_no_sense_is_told_as_damage(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        store._connection.execute('UPDATE log SET before = \'{"state": "purple"}\'')
        with pytest.raises(StoreFailed) as refused:
            store.undo()
        assert refused.value.code == "STORE-02"
        assert store.decision("a.png").label == "Covid"


@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    places=st.lists(st.integers(0, 10**6), min_size=1, max_size=30),
    cut=st.one_of(st.none(), st.integers(0, 10**6)),
)
def test_no_damage_ends_in_anything_but_a_store_and_a_notice(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], cut: int | None
) -> None:
    tmp_path = tmp_path_factory.mktemp("damage")
    path = reviewed_store(tmp_path, count=40)
    data = bytearray(path.read_bytes())
    for place in places:
        data[place % len(data)] ^= 0xFF
    if cut is not None:
        data = data[: max(1, cut % len(data))]
    path.write_bytes(data)
    with open_store(tmp_path) as store:
        if store.notice is None:
            # The damage lies where nothing is kept.
            assert len(store.decisions()) == 40
            assert {item.label for item in store.decisions().values()} == {"Covid"}
        else:
            assert store.notice.set_aside.read_bytes() == bytes(data)
        store.apply(labelling(store, "new.png"))


def look(store: ReviewStore) -> tuple[dict[str, Decision], dict[str, CaseResult]]:
    """Decisions and results, without the revisions, which saving counts anew."""
    decided = {
        image: replace(item, revision=0)
        for image, item in store.decisions().items()
        if replace(item, revision=0) != OPEN
    }
    return decided, {item.image: item for item in store.case_results()}


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the review of sixty films of every kind of decision."""
    home = tmp_path_factory.mktemp("flipped")
    path = reviewed_store(home, count=60)
    with open_store(home) as store:
        record(store, failed("cut.png"))
        store.apply(labelling(store, "007.png", "Normal"))
        store.apply(labelling(store, ["001.png", "002.png"], "Viral Pneumonia"))
        store.undo()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return home


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_is_told_or_changes_nothing(flipped: Path, tmp_path: Path, seed: int) -> None:
    with open_store(flipped) as store:
        decisions, results = look(store)
        path = store.path
    sound = path.read_bytes()
    chance = random.Random(seed)
    data = bytearray(sound)
    for _ in range(chance.choice((1, 1, 1, 3))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    try:
        with open_store(flipped) as store:
            if store.notice is None:
                assert look(store) == (decisions, results)
            else:
                assert store.notice.set_aside.read_bytes() == bytes(data)
                kept, known = look(store)
                assert kept.items() <= decisions.items()
                assert len(kept) >= len(decisions) - 10
                assert known.items() <= results.items()
    finally:
        for left in path.parent.glob("review*"):
            left.unlink()
        path.write_bytes(sound)


@pytest.mark.parametrize(
    ("written", "damaged"),
    [(b"Dr. W\xc3", b"Mr. W\xc3"), (b"060.png", b"060.pnf"), (b"Normal\x00", b"Normbl\x00")],
)
def test_sound_rows_stay_where_others_are_damaged(
    tmp_path: Path, written: bytes, damaged: bytes
) -> None:
    path = reviewed_store(tmp_path, count=100)
    with open_store(tmp_path) as store:
        decisions, results = look(store)
    sound = path.read_bytes()
    broken = sound.replace(written, damaged, 1)
    if broken == sound:  # inside a probability
        place = sound.rindex(np.float64(0.8).tobytes())
        broken = sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]
    path.write_bytes(broken)
    with open_store(tmp_path) as store:
        assert store.notice is not None
        assert store.notice.code == "STORE-01"
        kept, known = look(store)
        assert kept == decisions
        assert known.items() <= results.items()
        assert len(known) >= 98
        assert store.undo() is None
        assert store.history("099.png")
        store.apply(labelling(store, "099.png", "Normal"))
        assert store.undo() is not None
    with open_store(tmp_path) as store:
        assert store.notice is None
        assert len(store.decisions()) == 100


def test_a_large_store_is_checked_as_a_whole_once_a_row_was_found_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = reviewed_store(tmp_path, count=100)
    with open_store(tmp_path) as store:
        results = look(store)[1]
    sound = path.read_bytes()
    place = sound.rindex(np.float64(0.8).tobytes())
    path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
    monkeypatch.setattr("desktop.core.store.connection._CHECKED_BYTES", 0)
    with open_store(tmp_path) as store:
        assert store.notice is None
        assert len(store.decisions()) == 100
        with pytest.raises(StoreFailed) as refused:
            store.result_columns()
        assert refused.value.code == "STORE-02"
    with open_store(tmp_path) as store:
        assert store.notice is not None
        assert len(store.decisions()) == 100
        assert look(store)[1].items() <= results.items()
    with open_store(tmp_path) as store:
        assert store.notice is None


@pytest.mark.parametrize("between", [1, 30, 400])
def test_a_restored_backup_with_a_later_log_is_told(tmp_path: Path, between: int) -> None:
    # SQLite puts the log's pages among the backup's without a word, and what lies between is lost.
    path = reviewed_store(tmp_path, count=60)
    backup = path.read_bytes()
    for start in range(0, between, 100):
        images = [f"later {number}.png" for number in range(start, min(start + 100, between))]
        with open_store(tmp_path) as store:
            record(store, *map(case, images))
            store.apply(labelling(store, images))
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "latest.png", "Normal"))
        log = path.with_name("review.sqlite-wal").read_bytes()
    path.write_bytes(backup)
    path.with_name("review.sqlite-wal").write_bytes(log)
    with open_store(tmp_path) as store:
        # Unless the log happens to hold every page that has changed since.
        assert store.notice is not None or len(store.decisions()) == 60 + between + 1
        assert (between == 1) == (store.notice is None)
        assert len(store.decisions()) >= 60
        assert all(item.label in ("Covid", "Normal") for item in store.decisions().values())
    with open_store(tmp_path) as store:
        assert store.notice is None


_READER = """
import sys
from pathlib import Path
from tests.helpers.review_cases import labelling, open_store, record, case
tmp_path, first = Path(sys.argv[1]), int(sys.argv[2])
with open_store(tmp_path) as store:
    for number in range(first, first + 100_000):
        record(store, case(f"{number}.png"))
        store.apply(labelling(store, f"{number}.png"))
        print(number, flush=True)
"""


def kill_while_deciding(tmp_path: Path, first: int, seconds: float) -> int:
    """Let a real process decide, kill it after ``seconds``; gives its last acknowledged number."""
    process = subprocess.Popen(
        [sys.executable, "-c", _READER, str(tmp_path), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    line = process.stdout.readline()  # it has begun
    assert line.strip() == str(first)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split("\n")
    process.wait(30)
    process.stdout.close()
    return max(int(number) for number in [line, *rest[:-1]] if number.strip())


def check_after_kills(tmp_path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    first = 0
    for _ in range(kills):
        last = kill_while_deciding(tmp_path, first, chance.uniform(0.0, 0.3))
        acknowledged |= {f"{number}.png" for number in range(first, last + 1)}
        with open_store(tmp_path) as store:
            assert store.notice is None
            decided = store.decisions()
            assert acknowledged <= decided.keys()
            # At most the one decision that was being written when the kill came is there as well.
            assert len(decided) <= len(acknowledged) + 1
            acknowledged |= decided.keys()
            assert store.undo_next() == ("label", "Covid", 1)
            assert len(store.load_table()) >= len(decided)
        first = last + 2
    connection = raw_store(next(tmp_path.glob("home/data/reviews/*/review.sqlite")))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_no_acknowledged_decision_is_lost_to_a_kill(tmp_path: Path) -> None:
    check_after_kills(tmp_path, kills=2, seed=1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_no_acknowledged_decision_is_lost_to_many_kills(tmp_path: Path) -> None:
    check_after_kills(tmp_path, kills=25, seed=2)


def test_the_store_set_aside_last_is_found_among_files_of_other_names(tmp_path: Path) -> None:
    for name in (
        "review.damaged-20261123T090000.sqlite",
        "review.damaged-20261123T090000-2.sqlite",
        "review.damaged-20261123T090000-copy.sqlite",
    ):
        (tmp_path / name).touch()
    found = latest_aside(tmp_path / "review.sqlite")
    assert found is not None
    assert found.name == "review.damaged-20261123T090000-2.sqlite"


@pytest.mark.parametrize("faster", [False, True])
def test_a_damaged_store_is_replaced_where_links_are_unknown_but_never_a_new_one(
    faster: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path) as store:
        store.record_results([(case("a.png", "CCCC"), fact("a.png"))])
        store.apply(labelling(store, "a.png"))
        path = store.path

    def no_links(self: Path, target: Path) -> None:
        if faster:
            self.write_bytes(b"another window's")
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    _, saved = rebuild(path, "ward")
    assert saved == 1
    assert (path.read_bytes() == b"another window's") == faster
