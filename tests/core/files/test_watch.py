"""A folder that films arrive in: each once, complete ones only, changed ones again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.cases import ImageFile
from desktop.core.errors import UsageError
from desktop.core.files.inputs import list_inputs
from desktop.core.files.watch import FolderWatch
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel
from desktop.core.system.cancel_token import CancelToken


@pytest.fixture(scope="module")
def session(panel: Panel) -> PanelSession:
    return PanelSession(panel, "cpu", 1)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def draw(path: Path, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (9, 9)).astype(np.uint8)
    Image.fromarray(grey).resize((90, 80)).save(path)


def names(watch: FolderWatch) -> list[str]:
    return [file.image for file in watch.look()]


def test_a_file_is_given_once_after_two_equal_looks(inbox: Path) -> None:
    watch = FolderWatch([inbox])
    assert names(watch) == []
    draw(inbox / "a.png", 1)
    assert names(watch) == []
    assert watch.unsettled == 1
    assert names(watch) == ["a.png"]
    assert names(watch) == []
    assert watch.unsettled == 0


def test_a_file_that_grows_is_not_given_until_it_has_stopped(inbox: Path) -> None:
    watch = FolderWatch([inbox])
    film = inbox / "a.png"
    for size in (10, 20, 30):
        film.write_bytes(b"\0" * size)
        assert names(watch) == []
    # Written again to the same size: the time tells.
    film.write_bytes(b"\1" * 30)
    os.utime(film, ns=(1, 1))
    assert names(watch) == []
    assert names(watch) == ["a.png"]


def test_a_changed_file_is_given_again_also_when_its_time_goes_back(inbox: Path) -> None:
    watch = FolderWatch([inbox])
    draw(inbox / "a.png", 1)
    watch.look()
    watch.look()
    os.utime(inbox / "a.png", ns=(5, 5))
    assert names(watch) == []
    assert names(watch) == ["a.png"]


def test_a_folder_that_goes_away_and_comes_back_gives_nothing_twice(
    inbox: Path, tmp_path: Path
) -> None:
    watch = FolderWatch([inbox])
    draw(inbox / "a.png", 1)
    watch.look()
    watch.look()
    inbox.rename(tmp_path / "away")
    with pytest.raises(UsageError):
        watch.look()
    (tmp_path / "away").rename(inbox)
    draw(inbox / "b.png", 2)
    assert names(watch) == []
    assert names(watch) == ["b.png"]


def test_a_share_that_drops_during_a_look_is_said_and_nothing_is_forgotten(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = FolderWatch([inbox])
    draw(inbox / "a.png", 1)
    draw(inbox / "b.png", 2)
    watch.look()

    def dropping(paths: object, *, recursive: bool) -> Iterator[ImageFile]:
        yield next(list_inputs([inbox], recursive=recursive))
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr("desktop.core.files.watch.list_inputs", dropping)
        with pytest.raises(UsageError, match="Stale file handle"):
            watch.look()
    assert names(watch) == ["a.png", "b.png"]


def test_a_look_that_is_stopped_gives_nothing_and_forgets_nothing(inbox: Path) -> None:
    watch = FolderWatch([inbox])
    draw(inbox / "a.png", 1)
    watch.look()
    token = CancelToken()
    token.cancel()
    assert watch.look(token) == []
    assert names(watch) == ["a.png"]


def test_the_table_of_a_watch_keeps_what_was_moved_away_and_the_order_of_arrival(
    inbox: Path, tmp_path: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    settings = RunSettings(output, watching=True)

    def images() -> list[bytes]:
        return [line.split(b",")[0] for line in output.read_bytes().splitlines()[1:]]

    with LabelRun(panel, settings) as run:
        watch = FolderWatch([inbox])
        for name in ("m.png", "z.png", "a.png"):
            draw(inbox / name, len(name) + ord(name[0]))
            watch.look()
            assert [row.result.image for row in run.results(watch.look(), session)] == [name]
        run.write_table()
    assert images() == [b"m.png", b"z.png", b"a.png"]
    (inbox / "z.png").unlink()
    draw(inbox / "m.png", 99)
    with LabelRun(panel, settings) as run:
        watch = FolderWatch([inbox])
        watch.look()
        assert [row.result.image for row in run.results(watch.look(), session)] == ["m.png"]
        run.write_table()
        assert (run.counts.images, run.counts.resumed, run.counts.ok) == (3, 2, 3)
    assert images() == [b"z.png", b"a.png", b"m.png"]


def test_an_image_that_comes_again_is_one_row_and_counted_once(
    inbox: Path, tmp_path: Path, panel: Panel, session: PanelSession
) -> None:
    with LabelRun(panel, RunSettings(tmp_path / "votes.csv", watching=True)) as run:
        watch = FolderWatch([inbox])
        for seed in (1, 2):
            draw(inbox / "a.png", seed)
            os.utime(inbox / "a.png", ns=(seed, seed))
            watch.look()
            assert len(list(run.results(watch.look(), session))) == 1
        assert run.write_table() == 1
        assert (run.counts.images, run.counts.resumed) == (1, 0)
        assert run.counts.infer_seconds > 0


def test_an_emptied_folder_is_no_reason_to_lose_rows(
    inbox: Path, tmp_path: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    with LabelRun(panel, RunSettings(output, watching=True)) as run:
        draw(inbox / "a.png", 1)
        watch = FolderWatch([inbox])
        watch.look()
        list(run.results(watch.look(), session))
        run.write_table()
    before = output.read_bytes()
    shutil.rmtree(inbox)
    inbox.mkdir()
    with LabelRun(panel, RunSettings(output, watching=True)) as run:
        assert run.write_table() == 1
    assert output.read_bytes() == before
