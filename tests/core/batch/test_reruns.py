"""What a rerun reads again, and what keeps two runs off one table."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.batch import run as run_module
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.errors import OutputFailed
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.decoders.decoder import file_sha256
from desktop.core.imaging.file_reader import MAX_FILE_BYTES
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.system.cancel_token import CancelToken
from tests.helpers.tiny_models import write_panel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sparse files and links")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return open_panel(write_panel(tmp_path_factory.mktemp("panel")))


@pytest.fixture(scope="module")
def session(panel: Panel) -> PanelSession:
    return PanelSession(panel, "cpu")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two films, a text that is called a film, and a file of a terabyte that holds nothing."""
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(2):
        grey = np.random.default_rng(number).integers(0, 256, (9, 9)).astype(np.uint8)
        Image.fromarray(grey).resize((300, 280)).save(folder / f"film{number}.png")
    (folder / "text.png").write_bytes(b"no picture at all")
    with (folder / "x.png").open("wb") as huge:
        huge.truncate(1 << 40)
    return folder


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that reruns hash."""
    names: list[str] = []

    def record(path: Path, cancel: CancelToken | None = None) -> str:
        names.append(path.name)
        return file_sha256(path, cancel)

    monkeypatch.setattr(run_module, "file_sha256", record)
    return names


def label(
    output: Path, films: Path, panel: Panel, session: PanelSession, token: CancelToken | None = None
) -> LabelRun:
    with LabelRun(panel, RunSettings(output)) as run:
        list(run.results(list_inputs([films]), session, cancel=token))
        run.write_table()
    return run


def test_a_rerun_hashes_what_was_labelled_and_nothing_that_was_refused(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession, hashed: list[str]
) -> None:
    output = tmp_path / "votes.csv"
    label(output, films, panel, session)
    table = output.read_bytes()
    assert hashed == []
    began = time.monotonic()
    assert label(output, films, panel, session).counts.resumed == 3
    assert time.monotonic() - began < 20  # reading the terabyte would take minutes
    assert hashed == ["film0.png", "film1.png"]
    assert output.read_bytes() == table


def test_a_refused_file_that_changed_is_tried_again(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    output = tmp_path / "votes.csv"
    label(output, films, panel, session)
    (films / "text.png").write_bytes((films / "film0.png").read_bytes())
    assert label(output, films, panel, session).counts.failed == 1


def test_nothing_larger_than_a_film_is_hashed(tmp_path: Path, films: Path) -> None:
    assert file_sha256(films / "x.png") == ""
    with (tmp_path / "largest.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert file_sha256(tmp_path / "largest.png") == ""


class _AfterReads(CancelToken):
    """A token that is set when it has been looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    @property
    def cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_hashing_stops_at_the_first_ctrl_c(tmp_path: Path) -> None:
    with (tmp_path / "film.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES)
    token = _AfterReads(3)
    began = time.monotonic()
    assert file_sha256(tmp_path / "film.png", token) == ""
    assert token.looks == -1
    assert time.monotonic() - began < 1


def test_a_run_that_is_stopped_while_it_hashes_labels_nothing_and_keeps_everything(
    tmp_path: Path,
    films: Path,
    panel: Panel,
    session: PanelSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "votes.csv"
    label(output, films, panel, session)
    table = output.read_bytes()
    token = CancelToken()

    def stopped(path: Path, cancel: CancelToken | None = None) -> str:
        token.cancel()
        return file_sha256(path, cancel)

    monkeypatch.setattr(run_module, "file_sha256", stopped)
    run = label(output, films, panel, session, token)
    assert not run.complete
    assert run.counts.resumed == 4
    assert output.read_bytes() == table


@pytest.mark.parametrize("first", ["real.csv", "link.csv"])
def test_a_link_to_a_table_lets_no_second_run_in(tmp_path: Path, panel: Panel, first: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.csv").symlink_to("elsewhere/real.csv")
    names = {"real.csv": tmp_path / "elsewhere" / "real.csv", "link.csv": tmp_path / "link.csv"}
    (second,) = names.keys() - {first}
    with LabelRun(panel, RunSettings(names[first])):
        with pytest.raises(OutputFailed) as caught:
            LabelRun(panel, RunSettings(names[second]))
        assert caught.value.code == "OUTPUT-06"


def test_a_run_through_a_link_goes_on_where_the_table_lies(
    tmp_path: Path, films: Path, panel: Panel, session: PanelSession
) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    label(tmp_path / "real.csv", films, panel, session)
    assert label(tmp_path / "link.csv", films, panel, session).counts.resumed == 3
    assert not (tmp_path / "link.csv.journal").exists()
    assert (tmp_path / "link.csv").is_symlink()


def test_a_journal_that_is_no_file_is_said_in_words(tmp_path: Path, panel: Panel) -> None:
    os.mkfifo(tmp_path / "votes.csv.journal")
    with pytest.raises(OutputFailed) as caught:
        LabelRun(panel, RunSettings(tmp_path / "votes.csv"))
    assert caught.value.code == "OUTPUT-05"
