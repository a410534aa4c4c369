"""Runs that are stopped, repeated and compared: real files, real models, one process."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.batch.journal import RunJournal
from desktop.core.batch.journal_file import journal_failed
from desktop.core.batch.pipeline import LabelledCase, label
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.cases import ImageFile
from desktop.core.errors import OutputFailed, UsageError
from desktop.core.export.table import TableRow
from desktop.core.files.inputs import list_inputs, nothing_found
from desktop.core.heatmaps.sheet import picture_name
from desktop.core.imaging.decoders.decoder import ThreadDecoder, decode_file
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.system.cancel_token import CancelToken
from tests.helpers.film_files import blur_films
from tests.helpers.tiny_models import write_panel


@pytest.fixture(scope="module")
def session(panel: Panel) -> PanelSession:
    return PanelSession(panel, "cpu", 2, streams=2)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Eleven films and two files that are none."""
    folder = blur_films(tmp_path / "films", 11, seed=5, size=(300, 280))
    (folder / "film5b.png").write_bytes(b"no picture at all")
    (folder / "film7b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def run_all(
    run: LabelRun, films: Path, session: PanelSession, cancel_after: int | None = None
) -> list[TableRow]:
    token = CancelToken()
    rows = []
    for row in run.results(list_inputs([films]), session, cancel=token):
        rows.append(row)
        if cancel_after is not None and len(rows) >= cancel_after:
            token.cancel()
    return rows


def complete(output: Path, films: Path, panel: Panel, session: PanelSession) -> bytes:
    with LabelRun(panel, RunSettings(output, batch=3)) as run:
        run_all(run, films, session)
        run.write_table()
    return output.read_bytes()


def test_cases_come_in_order_and_one_bad_file_costs_only_itself(
    films: Path, session: PanelSession
) -> None:
    cases = list(label(list_inputs([films]), session, batch=3))
    names = [case.result.image for case in cases]
    assert names == [file.image for file in list_inputs([films])]
    failed = [case.result.image for case in cases if case.result.status == "failed"]
    assert failed == ["film5b.png", "film7b.png"]
    assert all(case.result.code and case.result.reason for case in cases if case.result.code)


def test_maps_are_kept_only_where_asked_for(films: Path, session: PanelSession) -> None:
    def cams(cases: Iterator[LabelledCase]) -> set[bool]:
        return {item.cams is not None for case in cases for item in case.result.predictions}

    assert cams(label(list_inputs([films]), session, maps=True)) == {True}
    assert cams(label(list_inputs([films]), session, maps=False)) == {False}


def test_the_listing_is_read_a_bounded_way_ahead(films: Path, session: PanelSession) -> None:
    read = 0

    def endless() -> Iterator[ImageFile]:
        nonlocal read
        files = list(list_inputs([films]))
        while True:
            for file in files:
                read += 1
                yield file

    cases = label(endless(), session, batch=2, decoder=ThreadDecoder(ahead=4))
    for _ in range(10):
        next(cases)
    assert read < 60
    cases.close()


def test_cancelling_finishes_what_is_in_progress(films: Path, session: PanelSession) -> None:
    token = CancelToken()
    done = 0
    for _ in label(
        list_inputs([films]), session, batch=1, decoder=ThreadDecoder(ahead=2), cancel=token
    ):
        done += 1
        token.cancel()
    assert 1 <= done < 13


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    expected = complete(tmp_path / "whole.csv", films, panel, session)
    output = tmp_path / "parts.csv"
    for stop in (1, 4, None):
        with LabelRun(panel, RunSettings(output, batch=1)) as run:
            rows = run_all(run, films, session, cancel_after=stop)
            assert len(rows) + run.counts.resumed == run.counts.images
            run.write_table()
    assert output.read_bytes() == expected


def test_a_rerun_that_is_stopped_early_does_not_shorten_the_table(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    before = complete(output, films, panel, session)
    (films / "film9.png").unlink()
    for stopped_after in (0, 0, 1):
        Image.new("L", (300, 280), 9 + stopped_after).save(films / "film0.png")
        token = CancelToken()
        with LabelRun(panel, RunSettings(output, batch=1)) as run:
            if not stopped_after:
                token.cancel()
            # The first film has changed and is labelled; at the second, which has not, it stops.
            rows = run.results(
                list_inputs([films]),
                session,
                cancel=token,
                on_resumed=lambda _row, token=token: token.cancel(),
            )
            assert len(list(rows)) == stopped_after
            assert run.write_table() == 13
            assert (run.counts.images, run.counts.resumed) == (13, 13 - stopped_after)
        lines = output.read_bytes().splitlines()
        assert lines[2:] == before.splitlines()[2:]
        assert (lines[1] == before.splitlines()[1]) == (stopped_after == 0)
    # A run that comes to the end of the folder knows which films are gone, for good.
    after = complete(output, films, panel, session)
    assert len(after.splitlines()) == len(before.splitlines()) - 1
    token = CancelToken()
    token.cancel()
    with LabelRun(panel, RunSettings(output)) as run:
        list(run.results(list_inputs([films]), session, cancel=token))
        assert run.write_table() == 12
    assert output.read_bytes() == after


def test_a_second_run_labels_nothing_again(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    first = complete(output, films, panel, session)
    taken: list[TableRow] = []
    with LabelRun(panel, RunSettings(output)) as run:
        files = list_inputs([films])
        assert list(run.results(files, session, on_resumed=taken.append)) == []
        run.write_table()
    assert len(taken) == run.counts.resumed == run.counts.images == 13
    assert output.read_bytes() == first


def test_changed_new_and_deleted_files_are_noticed(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    complete(output, films, panel, session)
    (films / "film0.png").unlink()
    Image.new("L", (300, 280), 77).save(films / "film0a.png")
    # Same name, size and time, other content: only the hash can tell.
    target = films / "film3.png"
    before = target.stat()
    content = (films / "film4.png").read_bytes()
    target.write_bytes(content[: before.st_size].ljust(before.st_size, b"\0"))
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    with LabelRun(panel, RunSettings(output)) as run:
        rows = run_all(run, films, session)
        run.write_table()
    assert sorted(row.result.image for row in rows) == ["film0a.png", "film3.png"]
    names = [line.split(b",")[0] for line in output.read_bytes().splitlines()[1:]]
    assert names[0] == b"film0a.png"
    assert b"film0.png" not in names
    assert len(names) == 13


def test_fresh_labels_everything_again(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    complete(output, films, panel, session)
    with LabelRun(panel, RunSettings(output, fresh=True)) as run:
        assert len(run_all(run, films, session)) == 13


def test_other_models_never_reuse_answers(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    complete(output, films, panel, session)
    other = open_panel(write_panel(tmp_path, favours={"scnn": 2}))
    with LabelRun(other, RunSettings(output)) as run:
        assert "other models" in run.notice
        assert len(run_all(run, films, PanelSession(other, "cpu"))) == 13


def test_two_runs_on_one_output_do_not_mix(tmp_path: Path, panel: Panel) -> None:
    output = tmp_path / "votes.csv"
    with LabelRun(panel, RunSettings(output)):
        with pytest.raises(OutputFailed) as caught:
            LabelRun(panel, RunSettings(output))
        assert caught.value.code == "OUTPUT-06"
        assert "votes.csv" in str(caught.value)
    LabelRun(panel, RunSettings(output)).close()


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_journal_is_set_aside_and_told(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession, content: bytes
) -> None:
    output = tmp_path / "votes.csv"
    journal = tmp_path / "votes.csv.journal"
    journal.write_bytes(content)
    with LabelRun(panel, RunSettings(output)) as run:
        assert "damaged" in run.notice
        assert len(run_all(run, films, session)) == 13
    assert (tmp_path / "votes.csv.journal.damaged-1").read_bytes() == content


def test_a_second_damaged_journal_does_not_replace_the_first(tmp_path: Path, panel: Panel) -> None:
    for number in (1, 2):
        (tmp_path / "votes.csv.journal").write_bytes(b"no database %d" % number)
        LabelRun(panel, RunSettings(tmp_path / "votes.csv")).close()
        aside = tmp_path / f"votes.csv.journal.damaged-{number}"
        assert aside.read_bytes() == b"no database %d" % number


def test_somebody_elses_database_of_that_name_is_not_touched(tmp_path: Path, panel: Panel) -> None:
    journal = tmp_path / "votes.csv.journal"
    with sqlite3.connect(journal) as database:
        database.execute("CREATE TABLE cases (patient TEXT)")
    database.close()
    content = journal.read_bytes()
    with LabelRun(panel, RunSettings(tmp_path / "votes.csv")) as run:
        assert run.notice
    assert (tmp_path / "votes.csv.journal.damaged-1").read_bytes() == content


def test_the_journal_is_for_its_owner_only(tmp_path: Path, panel: Panel) -> None:
    with LabelRun(panel, RunSettings(tmp_path / "votes.csv")):
        assert (tmp_path / "votes.csv.journal").stat().st_mode & 0o077 == 0


def test_a_missing_output_folder_is_said_before_any_work(tmp_path: Path, panel: Panel) -> None:
    with pytest.raises(OutputFailed) as caught:
        LabelRun(panel, RunSettings(tmp_path / "no" / "votes.csv"))
    assert caught.value.code == "OUTPUT-03"
    (tmp_path / "file").touch()
    with pytest.raises(OutputFailed, match="Name a folder"):
        LabelRun(panel, RunSettings(heatmaps=tmp_path / "file"))


def test_heatmaps_are_written_and_missing_ones_made_up_for(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    pictures = tmp_path / "pictures"
    settings = RunSettings(tmp_path / "votes.csv", heatmaps=pictures)
    with LabelRun(panel, settings) as run:
        run_all(run, films, session)
    assert len(list(pictures.iterdir())) == 11
    (pictures / picture_name("film2.png")).unlink()
    with LabelRun(panel, settings) as run:
        assert [row.result.image for row in run_all(run, films, session)] == ["film2.png"]
    assert len(list(pictures.iterdir())) == 11


def test_without_an_output_rows_only_stream(
    films: Path, panel: Panel, session: PanelSession
) -> None:
    with LabelRun(panel, RunSettings()) as run:
        assert len(run_all(run, films, session)) == 13
        assert run.counts.failed == 2
        assert run.counts.ok == 11
        assert sum(run.counts.consensus.values()) == 11


def test_files_and_folders_can_be_mixed_and_come_once(tmp_path: Path, films: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Image.new("L", (64, 64)).save(other / "film1.png")
    paths = [films / "film2.png", films, other]
    names = [file.image for file in list_inputs(paths)]
    assert names[0] == "films/film2.png"
    assert len(names) == len(set(names)) == 14
    assert names[-1] == "other/film1.png"


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        list_inputs([tmp_path / "nothing"])
    assert caught.value.code == "USAGE-01"
    (tmp_path / "below").mkdir()
    assert "--recursive" in str(nothing_found([tmp_path], recursive=False))
    assert "--recursive" not in str(nothing_found([tmp_path], recursive=True))


def test_a_refusal_is_a_result(tmp_path: Path) -> None:
    missing = tmp_path / "gone.png"
    decoded = decode_file(ImageFile(missing, "gone.png"), ((64, 64),), film=True)
    assert decoded.code
    assert decoded.sha256 == ""
    assert decoded.film is None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("database or disk is full", "OUTPUT-01"),
        ("attempt to write a readonly database", "OUTPUT-02"),
        ("unable to open database file", "OUTPUT-02"),
        ("disk I/O error", "OUTPUT-05"),
        ("database is locked", "OUTPUT-06"),
        ("database disk image is malformed", "OUTPUT-08"),
    ],
)
def test_every_failure_of_the_journal_is_said_in_words(message: str, code: str) -> None:
    problem = journal_failed(Path("votes.csv"), sqlite3.OperationalError(message))
    assert problem.code == code
    assert "votes.csv" in str(problem)


def test_a_journal_that_was_closed_can_be_closed_again(tmp_path: Path, panel: Panel) -> None:
    journal = RunJournal(tmp_path / "votes.csv", panel)
    journal.close()
    journal.close()


def test_an_image_that_cost_a_model_its_vote_is_tried_again(
    tmp_path: Path, films: Path, panel: Panel
) -> None:
    frail = open_panel(write_panel(tmp_path, name="frail", nan_below={"scnn": 125.0}))
    session = PanelSession(frail, "cpu")
    output = tmp_path / "votes.csv"
    with LabelRun(frail, RunSettings(output)) as run:
        rows = run_all(run, films, session)
        silent = [row.result.image for row in rows if row.result.code == "MODEL-10"]
    assert 0 < len(silent) < 11
    with LabelRun(frail, RunSettings(output)) as run:
        assert [row.result.image for row in run_all(run, films, session)] == silent


@pytest.mark.parametrize("mtime", [0, 10**18, 2**62])
def test_a_clock_that_is_wrong_does_not_matter_to_a_rerun(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession, mtime: int
) -> None:
    for film in films.iterdir():
        os.utime(film, ns=(mtime, mtime))
    output = tmp_path / "votes.csv"
    complete(output, films, panel, session)
    with LabelRun(panel, RunSettings(output)) as run:
        assert run_all(run, films, session) == []
    # The clock went back between two versions of a file: older is changed, too.
    Image.new("L", (300, 280), 5).save(films / "film1.png")
    os.utime(films / "film1.png", ns=(max(0, mtime - 1), max(0, mtime - 1)))
    with LabelRun(panel, RunSettings(output)) as run:
        assert [row.result.image for row in run_all(run, films, session)] == ["film1.png"]


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be deleted there")
def test_a_journal_that_somebody_deletes_is_written_again(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    with LabelRun(panel, RunSettings(output, batch=1)) as run:
        rows = run.results(list_inputs([films]), session)
        next(rows)
        (tmp_path / "votes.csv.journal").unlink()
        assert len(list(rows)) == 12
        with pytest.raises(OutputFailed, match="Another run"):  # it is locked as before
            LabelRun(panel, RunSettings(output))
        run.write_table()
    assert (tmp_path / "votes.csv.journal").stat().st_mode & 0o077 == 0
    with LabelRun(panel, RunSettings(output)) as run:
        assert run_all(run, films, session) == []


@pytest.mark.skipif(os.name == "nt", reason="a folder with an open file cannot be moved there")
def test_an_output_folder_that_disappears_ends_the_run_and_loses_nothing(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    here, away = tmp_path / "share", tmp_path / "disconnected"
    here.mkdir()
    run = LabelRun(panel, RunSettings(here / "votes.csv", batch=1))
    rows = run.results(list_inputs([films]), session)
    for _ in range(4):
        next(rows)
    here.rename(away)
    with pytest.raises(OutputFailed) as caught:
        list(rows)
    with pytest.raises(OutputFailed):
        run.write_table()
    run.close()
    assert caught.value.code == "OUTPUT-07"
    assert not here.exists()
    away.rename(here)
    with LabelRun(panel, RunSettings(here / "votes.csv")) as run:
        assert len(run_all(run, films, session)) <= 13 - 4


def test_stages_are_timed_and_a_slow_reader_is_seen_as_waiting(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    with LabelRun(panel, RunSettings(tmp_path / "votes.csv")) as run:
        run_all(run, films, session)
        run.write_table()
    stages = run.counts.stages
    assert list(stages) == ["decode", "infer", "draw", "write", "wait"]
    assert all(stages[name] > 0 for name in ("decode", "infer", "write", "wait"))
    assert stages["draw"] == 0
