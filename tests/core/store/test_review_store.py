"""The review on disk: what is kept, undone, shared between windows and found again."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from desktop.core.cases import OPEN, CaseResult
from desktop.core.errors import StoreFailed
from desktop.core.review import decisions
from desktop.core.review.case_table import FAILED, READ, WAITING
from desktop.core.store.decision_log import DecisionConflict
from desktop.core.store.location import known_reviews
from desktop.core.store.review_store import ReviewStore, SessionState
from tests.helpers.review_cases import (
    STAMP,
    case,
    changing,
    content,
    fact,
    failed,
    labelling,
    manifest,
    open_store,
    raw_store,
    record,
)


def test_a_result_comes_back_exactly_as_it_was(tmp_path: Path) -> None:
    results = [
        case("a.png", "CCNV", certainty=1 / 3 + 1e-9),
        case("b/ü.png", "NN-N"),
        case("none.png", "----"),
        case("odd.png", "NNNN", ood_score=None),
        failed("c.dcm"),
    ]
    with open_store(tmp_path) as store:
        record(store, *results)
    with open_store(tmp_path) as store:
        assert list(store.case_results()) == results
        assert store.case_result("b/ü.png") == results[1]
        assert store.case_result("unknown.png") is None
        assert list(store.case_results(["c.dcm", "x", "a.png"])) == [results[4], results[0]]


def test_maps_come_back_without_running_the_models(tmp_path: Path) -> None:
    given = case("a.png", "CCNV", map_seed=1)
    with open_store(tmp_path) as store:
        record(store, given, case("b.png"))
    with open_store(tmp_path) as store:
        kept = store.case_result("a.png", maps=True)
        assert kept is not None
        for before, after in zip(given.predictions, kept.predictions, strict=True):
            assert before.cams is not None
            assert after.cams is not None
            assert after.cams.dtype == np.float32
            peaks = before.cams.max(axis=(1, 2), keepdims=True)
            assert (np.abs(after.cams - before.cams) <= peaks * 5e-4).all()
        without = store.case_result("b.png", maps=True)
        assert without is not None
        assert all(prediction.cams is None for prediction in without.predictions)


def test_a_damaged_map_cache_costs_no_decision_and_is_not_deleted(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png", map_seed=1))
        store.apply(labelling(store, "a.png"))
        maps = store.path.with_name("maps.sqlite")
    maps.write_bytes(b"no database at all" * 1000)
    with open_store(tmp_path) as store:
        kept = store.case_result("a.png", maps=True)
        assert kept is not None
        assert kept.predictions[0].cams is None
        assert store.decision("a.png").label == "Covid"
        record(store, case("a.png", map_seed=1))
        again = store.case_result("a.png", maps=True)
        assert again is not None
        assert again.predictions[0].cams is not None
    assert maps.with_name("maps.damaged.sqlite").read_bytes().startswith(b"no database")


def test_other_models_or_another_limit_do_not_see_the_old_results(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png"), failed("b.png"))
        store.apply(labelling(store, "a.png"))
    other = manifest(model_hash="b" * 64)
    with ReviewStore.open(tmp_path / "films", other, home=tmp_path / "home") as store:
        assert store.finished() == {}
        assert store.case_result("a.png") is None
        assert store.decision("a.png").label == "Covid"
        assert store.images() == ["a.png", "b.png"]


def test_panels_have_their_own_decisions_and_undo(tmp_path: Path) -> None:
    with open_store(tmp_path) as three, open_store(tmp_path, panel="pneumonia") as two:
        three.apply(labelling(three, "a.png", "Covid"))
        assert two.decision("a.png") == OPEN
        assert two.undo() is None
        two.apply(labelling(two, "a.png", "Normal"))
        three.undo()
        assert two.decision("a.png").label == "Normal"


def test_names_that_are_not_unicode_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"scan_\xff.png")
    with open_store(tmp_path) as store:
        store.record_files([fact(name)])
        bad = CaseResult(name, "", "failed", "DECODE-01", f"{name} is empty.")
        record(store, bad)
        store.apply(labelling(store, name))
    with open_store(tmp_path) as store:
        assert store.images() == [name]
        assert store.decisions()[name].label == "Covid"
        assert next(iter(store.case_results())).image == name
        assert store.load_table().images == [name]


def test_resuming_knows_finished_files_and_forgets_changed_ones(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png"), case("b.png"), failed("c.png"))
        store.record_files([fact("a.png"), fact("b.png", mtime_ns=6), fact("c.png", size=2)])
        store.record_files([fact("new.png")])
        assert store.finished() == {"a.png": fact("a.png").stamp}
        table = store.load_table()
        assert table.images == ["a.png", "b.png", "c.png", "new.png"]
        assert table.column("status").tolist() == [READ, WAITING, WAITING, WAITING]


def test_one_film_under_two_names_is_two_cases(tmp_path: Path) -> None:
    same = content("film")
    with open_store(tmp_path) as store:
        record(store, case("a.png", sha256=same), case("b.png", sha256=same))
        store.record_results(
            [(CaseResult("c.png", same, "failed", "DECODE-09", "Took too long."), fact("c.png"))]
        )
        assert [item.status for item in store.case_results()] == ["ok", "ok", "failed"]
        assert store.result_columns().images == ["a.png", "b.png", "c.png"]
        assert store.load_table().column("status").tolist() == [READ, READ, FAILED]


def test_the_table_holds_what_was_recorded_and_decided(tmp_path: Path) -> None:
    results = [case("a.png", "CCNV"), case("b.png", "NNNN"), failed("c.png"), case("d.png", "C---")]
    with open_store(tmp_path) as store:
        record(store, *results)
        store.apply(labelling(store, "b.png", "Normal"))
        loaded = store.load_table()
        built = store.load_table()
    for result in results:
        built.set_result(result)
    for name in ("status", "votes", "consensus", "agreement", "split", "entropy", "ood", "label"):
        np.testing.assert_array_equal(loaded.column(name), built.column(name), err_msg=name)
    np.testing.assert_array_equal(loaded.column("probabilities"), built.column("probabilities"))
    assert loaded.refusal(2) == ("DECODE-02", "c.png ends early and was skipped.")
    assert loaded.sha256(0) == content("a.png")
    assert loaded.decision(1).label == "Normal"


# undo ------------------------------------------------------------------------------------------


def test_undo_and_redo_go_on_after_a_restart_without_limit(tmp_path: Path) -> None:
    images = [f"{number}.png" for number in range(30)]
    with open_store(tmp_path) as store:
        for image in images:
            store.apply(labelling(store, image))
    with open_store(tmp_path) as store:
        for image in reversed(images):
            undone = store.undo()
            assert undone is not None
            assert list(undone.decisions) == [image]
        assert store.undo() is None
        assert all(item == OPEN or item.state == "open" for item in store.decisions().values())
    with open_store(tmp_path) as store:
        for image in images:
            redone = store.redo()
            assert redone is not None
            assert list(redone.decisions) == [image]
            assert redone.decisions[image].label == "Covid"
        assert store.redo() is None


def test_a_bulk_action_is_one_undo_step(tmp_path: Path) -> None:
    images = [f"{number}.png" for number in range(1200)]
    with open_store(tmp_path) as store:
        store.apply(labelling(store, images[0], "Normal"))
        step = labelling(store, images, "Covid")
        applied = store.apply(step)
        assert len(applied.decisions) == 1200
        assert store.undo_next() == ("label", "Covid", 1200)
        assert len({item.revision for item in applied.decisions.values()}) == 1200
        undone = store.undo()
        assert undone is not None
        assert undone.decisions[images[0]].label == "Normal"
        assert undone.decisions[images[1]].label is None
        assert store.redo_next() == ("label", "Covid", 1200)


def test_a_new_act_drops_what_could_be_redone_but_not_the_history(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png", "Covid"))
        store.undo()
        store.apply(labelling(store, "a.png", "Normal"))
        assert store.redo() is None
        acts = [(entry.act, entry.after.label) for entry in store.history("a.png")]
        assert acts == [("do", "Covid"), ("undo", None), ("do", "Normal")]


def test_undo_passes_over_the_note_that_votes_were_seen_and_keeps_it(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png", "Covid", shown=False))
        store.apply(changing(store, "a.png", decisions.reveal, "reveal"))
        undone = store.undo()
        assert undone is not None
        after = undone.decisions["a.png"]
        assert (after.state, after.blind_label, after.votes_seen) == ("open", None, True)
        assert store.undo() is None


def test_an_empty_step_is_no_undo_step(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        store.apply(labelling(store, "a.png"))
        assert store.undo() is not None
        assert store.undo() is None


# files that change underfoot -------------------------------------------------------------------


def test_a_changed_file_opens_again_and_its_old_decision_stays_in_the_log(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png", sha256=content(1)), case("b.png"))
        store.apply(labelling(store, "a.png", "Covid"))
        assert record(store, case("a.png", sha256=content(2)), case("b.png")) == {"a.png"}
        assert store.decision("a.png").state == "open"
        assert store.changed_files() == {"a.png"}
        table = store.load_table()
        assert table.column("changed").tolist() == [True, False]
        entry = store.history("a.png")[-1]
        assert (entry.kind, entry.before.label) == ("file_changed", "Covid")
        assert entry.sha256 == content(1)
        store.apply(labelling(store, "a.png", "Normal"))
        assert store.changed_files() == frozenset()


def test_the_old_decision_comes_back_with_the_old_content(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png", sha256=content(1)))
        store.apply(labelling(store, "a.png", "Covid"))
        record(store, case("a.png", sha256=content(2)))
        assert record(store, case("a.png", sha256=content(1))) == {"a.png"}
        assert store.decision("a.png").label == "Covid"
        assert store.changed_files() == frozenset()


def test_each_content_keeps_its_own_decision(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png", sha256=content(1)))
        store.apply(labelling(store, "a.png", "Covid"))
        record(store, case("a.png", sha256=content(2)))
        store.apply(labelling(store, "a.png", "Normal"))
        for number, label in ((1, "Covid"), (2, "Normal"), (1, "Covid"), (3, None)):
            record(store, case("a.png", sha256=content(number)))
            assert store.decision("a.png").label == label
        assert store.changed_files() == {"a.png"}


def test_undo_passes_over_an_image_whose_file_changed_and_names_it(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png"), case("b.png"))
        store.apply(labelling(store, ["a.png", "b.png"]))
        record(store, case("a.png", sha256=content("new")))
        undone = store.undo()
        assert undone is not None
        assert (list(undone.decisions), undone.skipped) == (["b.png"], ("a.png",))


def test_a_decision_made_before_the_content_was_known_belongs_to_the_first_content(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        assert record(store, case("a.png", sha256=content(1))) == frozenset()
        assert record(store, case("a.png", sha256=content(2))) == {"a.png"}


def test_a_file_that_was_only_touched_keeps_its_decision(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, case("a.png"))
        store.apply(labelling(store, "a.png"))
        store.record_files([fact("a.png", mtime_ns=99)])
        assert record(store, case("a.png"), mtime_ns=99) == frozenset()
        assert store.decision("a.png").label == "Covid"


# windows ---------------------------------------------------------------------------------------


def test_a_second_window_sees_the_decisions_of_the_first(tmp_path: Path) -> None:
    with open_store(tmp_path) as first, open_store(tmp_path) as second:
        revision = second.revision()
        assert second.changes_since(revision) == (revision, {})
        first.apply(labelling(first, "a.png"))
        latest, changed = second.changes_since(revision)
        assert latest > revision
        assert changed["a.png"].label == "Covid"
        assert second.changes_since(latest) == (latest, {})


def test_a_window_can_tell_that_it_missed_another_windows_decision(tmp_path: Path) -> None:
    with open_store(tmp_path) as first, open_store(tmp_path) as second:
        seen = first.apply(labelling(first, "a.png")).revision
        second.apply(labelling(second, "b.png"))
        own = first.apply(labelling(first, "c.png"))
        assert own.revision_before > seen
        assert set(first.changes_since(seen)[1]) == {"b.png", "c.png"}
        following = first.apply(labelling(first, "d.png"))
        assert following.revision_before == own.revision


def test_a_decision_computed_from_an_old_state_is_refused_whole(tmp_path: Path) -> None:
    with open_store(tmp_path) as first, open_store(tmp_path) as second:
        step = labelling(second, ["a.png", "b.png"], "Normal")
        first.apply(labelling(first, "b.png", "Covid"))
        with pytest.raises(DecisionConflict) as refused:
            second.apply(step)
        assert refused.value.code == "STORE-06"
        assert "b.png" in str(refused.value)
        assert second.decision("a.png") == OPEN
        assert second.decision("b.png").label == "Covid"
        second.apply(labelling(second, ["a.png", "b.png"], "Normal"))
        assert first.decision("b.png").label == "Normal"


def _decide_many(tmp_path: Path, worker: int, count: int) -> None:
    with open_store(tmp_path, busy_timeout_ms=60_000) as store:
        for number in range(count):
            store.apply(labelling(store, f"{worker}_{number}.png"))


def test_windows_in_other_processes_cannot_lose_each_others_decisions(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_decide_many, args=(tmp_path, worker, 20)) for worker in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    with open_store(tmp_path) as store:
        found = store.decisions()
        assert len(found) == 40
        assert len({item.revision for item in found.values()}) == 40
        integrity = raw_store(store.path)
        assert integrity.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        integrity.close()


def test_a_store_belongs_to_its_thread(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with open_store(tmp_path) as store, ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(store.decisions)
        with pytest.raises(sqlite3.ProgrammingError):
            elsewhere.result()


# trouble ---------------------------------------------------------------------------------------


def test_a_locked_store_says_so_and_keeps_the_old_state(tmp_path: Path) -> None:
    with open_store(tmp_path, busy_timeout_ms=50) as store:
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        step = labelling(store, "a.png")
        with pytest.raises(StoreFailed) as refused:
            store.apply(step)
        assert refused.value.code == "STORE-04"
        assert store.decision("a.png") == OPEN
        other.execute("ROLLBACK")
        other.close()
        store.apply(step)
        assert store.decision("a.png").label == "Covid"


def test_a_full_disk_says_so_and_keeps_everything_before(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "first.png"))
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        many = labelling(store, [f"{'long' * 30}{number}.png" for number in range(400)])
        with pytest.raises(StoreFailed) as refused:
            store.apply(many)
        assert refused.value.code == "STORE-03"
        assert set(store.decisions()) == {"first.png"}
        assert store.undo_next() == ("label", "Covid", 1)
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.apply(many)
        assert len(store.decisions()) == 401


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_a_file_system_that_takes_no_more_bytes_is_told_as_a_full_disk(tmp_path: Path) -> None:
    import resource
    import signal

    with open_store(tmp_path) as store:
        store.apply(labelling(store, "first.png"))
        step = labelling(store, [f"{'long' * 30}{number}.png" for number in range(400)])
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        written = store.path.with_name("review.sqlite-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (written + 8192, hard))
        try:
            with pytest.raises(StoreFailed) as refused:
                store.apply(step)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)
        assert refused.value.code in {"STORE-03", "STORE-09"}
        assert set(store.decisions()) == {"first.png"}
        store.apply(step)
        assert len(store.decisions()) == 401


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StoreFailed) as refused:
        ReviewStore.open(tmp_path / "films", manifest(), home=tmp_path / "home")
    assert refused.value.code == "STORE-05"


def test_a_store_that_is_moved_away_takes_no_more_decisions(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.path.rename(store.path.with_name("elsewhere.sqlite"))
        with pytest.raises(StoreFailed) as refused:
            store.apply(labelling(store, "a.png"))
        assert refused.value.code == "STORE-08"


def test_a_store_of_a_newer_app_is_not_touched(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        path = store.path
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreFailed) as refused:
        open_store(tmp_path)
    assert refused.value.code == "STORE-07"
    assert path.read_bytes() == before


# session and place -----------------------------------------------------------------------------


def test_a_commit_is_on_the_disk_and_not_in_a_cache(tmp_path: Path) -> None:
    # No test can cut the power; these two settings are what makes SQLite survive it.
    with open_store(tmp_path) as store:
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_session_comes_back_per_panel(tmp_path: Path) -> None:
    there = SessionState("b.png", "is:split", "-entropy", {"zoom": 1.5, "window": [10, 300]})
    with open_store(tmp_path) as store:
        assert store.session() == SessionState()
        store.save_session(there)
    with open_store(tmp_path) as store:
        assert store.session() == there
    with open_store(tmp_path, panel="pneumonia") as store:
        assert store.session() == SessionState()


def test_a_damaged_session_is_no_reason_not_to_open(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store._connection.execute("INSERT INTO session VALUES ('covid19', '{\"cur')")
        assert store.session() == SessionState()
        store._connection.execute("UPDATE session SET state = '{\"other\": 1}'")
        assert store.session() == SessionState()


def test_reviews_are_listed_latest_first_and_links_lead_to_the_same(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        path = store.path
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "films")
    with ReviewStore.open(link, manifest(), home=tmp_path / "home") as store:
        assert store.path == path
    found = known_reviews(tmp_path / "home")
    assert [review.folder for review in found] == [(tmp_path / "films").resolve()]


def test_a_renamed_folder_keeps_its_review(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
    (tmp_path / "films").rename(tmp_path / "renamed")
    with ReviewStore.open(tmp_path / "renamed", manifest(), home=tmp_path / "home") as store:
        assert store.decision("a.png").label == "Covid"
    with open_store(tmp_path) as store:
        assert store.decisions() == {}


def test_a_new_folder_does_not_inherit_the_review_of_one_that_is_gone(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
    (tmp_path / "other").mkdir()  # while the old one still exists, so that it is another inode
    (tmp_path / "films").rmdir()
    with ReviewStore.open(tmp_path / "other", manifest(), home=tmp_path / "home") as store:
        assert store.decisions() == {}


def test_two_folders_of_one_name_have_two_reviews(tmp_path: Path) -> None:
    for parent in ("one", "two"):
        (tmp_path / parent / "films").mkdir(parents=True)
    home = tmp_path / "home"
    with ReviewStore.open(tmp_path / "one" / "films", manifest(), home=home) as store:
        store.apply(labelling(store, "a.png"))
    with ReviewStore.open(tmp_path / "two" / "films", manifest(), home=home) as store:
        assert store.decisions() == {}


def test_the_environment_moves_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "elsewhere"))
    (tmp_path / "films").mkdir()
    with ReviewStore.open(tmp_path / "films", manifest()) as store:
        assert store.path.is_relative_to(tmp_path / "elsewhere")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_nobody_else_can_read_the_review(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.apply(labelling(store, "a.png"))
        for path in store.path.parent.glob("review.sqlite*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
        assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_every_command_survives_the_way_through_the_store(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        commands = [
            lambda item: decisions.label(item, "Covid", STAMP, votes_shown=False),
            lambda item: decisions.set_comment(item, "Zwei\nZeilen 🫁 =SUM(A1)", STAMP),
            lambda item: decisions.set_flag(item, True, STAMP),
            lambda item: decisions.label(item, "Normal", STAMP, votes_shown=True),
        ]
        for command in commands:
            expected = command(store.decision("a.png"))
            given = store.apply(changing(store, "a.png", command)).decisions["a.png"]
            assert decisions.same_decision(given, expected)
    with open_store(tmp_path) as store:
        assert store.decision("a.png") == given
        assert store.decision("a.png").flipped
