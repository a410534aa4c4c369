"""The engine process answers, obeys a new order at once, survives death and closes quickly."""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.engine.process import (
    CaseDone,
    EngineEvent,
    EngineFailed,
    EngineIdle,
    EnginePaused,
    EngineProcess,
    EngineReady,
    EngineRequest,
    EngineRestarted,
    _Child,
)
from desktop.core.imaging.phantoms import draw_phantom
from tests.hostile.panels import hostile_panel, years_of_work_at_one_grey_level

WAIT_S = 60.0


class Heard:
    """Events in the order in which they came."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self.at_first_case: Callable[[], None] | None = None
        self._queue: queue.Queue[EngineEvent] = queue.Queue()

    def __call__(self, event: EngineEvent) -> None:
        if isinstance(event, CaseDone) and self.at_first_case is not None:
            act, self.at_first_case = self.at_first_case, None
            act()
        self._queue.put(event)

    def until(self, wanted: Callable[[EngineEvent], bool]) -> EngineEvent:
        deadline = time.monotonic() + WAIT_S
        while True:
            event = self._queue.get(timeout=max(0.01, deadline - time.monotonic()))
            self.events.append(event)
            if wanted(event):
                return event

    def until_a(self, kind: type[EngineEvent]) -> EngineEvent:
        return self.until(lambda event: isinstance(event, kind))

    def forget(self) -> None:
        self.events.clear()
        while not self._queue.empty():
            self._queue.get()

    @property
    def answered(self) -> list[str]:
        return [event.result.image for event in self.events if isinstance(event, CaseDone)]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film = Image.fromarray(draw_phantom("normal", 1, (128, 128)))
    for number in range(40):
        film.save(folder / f"film{number:02}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    return folder


@pytest.fixture(scope="module")
def shared(panel_folder: Path, films: Path) -> Iterator[tuple[EngineProcess, Heard]]:
    """One engine for the tests that leave it as they found it: starting one takes a second."""
    heard = Heard()
    with EngineProcess(EngineRequest(panel_folder), root=films, on_event=heard) as running:
        heard.until_a(EngineIdle)
        yield running, heard


@pytest.fixture
def idle(shared: tuple[EngineProcess, Heard]) -> tuple[EngineProcess, Heard]:
    """The shared engine, with what it told before forgotten."""
    shared[1].forget()
    return shared


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def engine(panel_folder: Path, films: Path, heard: Heard) -> Iterator[EngineProcess]:
    with EngineProcess(EngineRequest(panel_folder), root=films, on_event=heard) as running:
        yield running


def listed(folder: Path) -> list[Path]:
    return sorted(folder.glob("film*.png"))


def test_every_file_is_answered_once_and_a_broken_one_has_its_reason(
    idle: tuple[EngineProcess, Heard], films: Path
) -> None:
    engine, heard = idle
    engine.add([*listed(films), films / "broken.png"])
    heard.until_a(EngineIdle)
    assert sorted(heard.answered) == ["broken.png", *(path.name for path in listed(films))]
    cases = {event.result.image: event.result for event in heard.events if type(event) is CaseDone}
    assert cases["broken.png"].code.startswith("DECODE-")
    good = cases["film00.png"]
    assert (good.status, len(good.predictions)) == ("ok", 4)
    assert good.verdict is not None
    assert all(prediction.cams is not None for prediction in good.predictions)
    assert engine.waiting == 0


def test_what_the_reader_looks_at_overtakes_the_queue(
    idle: tuple[EngineProcess, Heard], films: Path
) -> None:
    engine, heard = idle
    files = listed(films)
    engine.pause()
    engine.add(files)
    heard.until_a(EnginePaused)
    engine.bring_forward([files[30], files[31]])
    engine.resume()
    heard.until_a(EngineIdle)
    assert heard.answered[0] == "film30.png"
    assert heard.answered.index("film31.png") <= 2
    assert sorted(heard.answered) == [path.name for path in files]


def test_cancel_keeps_what_is_answered_and_a_later_order_is_served(
    idle: tuple[EngineProcess, Heard], films: Path
) -> None:
    engine, heard = idle
    files = listed(films)
    heard.at_first_case = engine.cancel
    engine.add(files)
    heard.until_a(EngineIdle)
    before = len(heard.answered)
    assert 1 <= before < len(files)
    engine.bring_forward([files[-1]])
    heard.until_a(EngineIdle)
    assert heard.answered[before:] == ["film39.png"]


def test_pause_begins_nothing_and_resume_goes_on(
    idle: tuple[EngineProcess, Heard], films: Path
) -> None:
    engine, heard = idle
    engine.pause()
    engine.add(listed(films))
    heard.until_a(EnginePaused)
    assert heard.answered == []
    assert engine.waiting == 40
    engine.remove(listed(films)[5:])
    engine.resume()
    heard.until_a(EngineIdle)
    assert len(heard.answered) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_killed_engine_is_replaced_and_no_image_is_lost(
    engine: EngineProcess, heard: Heard, films: Path
) -> None:
    heard.until_a(EngineReady)
    engine.add(listed(films))
    heard.until_a(CaseDone)
    os.kill(child_of(engine), signal.SIGKILL)
    heard.until_a(EngineRestarted)
    heard.until_a(EngineIdle)
    assert sorted(heard.answered) == [path.name for path in listed(films)]


def test_an_image_that_ends_the_engine_twice_is_a_failed_case(
    panel_folder: Path, films: Path, heard: Heard
) -> None:
    """Its bookkeeping alone: no picture is known that makes ONNX Runtime crash."""
    engine = EngineProcess(EngineRequest(panel_folder), root=films, on_event=heard)
    guilty, innocent = films / "film00.png", films / "film01.png"
    child = _Child(engine._request, 0)
    engine.add([guilty, innocent])
    for _ in range(2):
        engine._loaded = True
        engine._hand_out(child)
        keys = {order.source.path: key for key, order in engine._in_progress.items()}
        child._clock[0], child._clock[1] = 1, keys[guilty]
        child.kill()
        child.wait()
        child = engine._replace(child)
    child.close()
    assert list(engine._front) == [innocent]
    assert engine.waiting == 1
    (case,) = (event for event in drained(heard) if isinstance(event, CaseDone))
    assert (case.path, case.result.status, case.result.code) == (guilty, "failed", "ENGINE-01")
    engine.close()


@pytest.mark.slow
def test_an_image_that_a_foreign_model_never_answers_is_a_failed_case(
    films: Path, heard: Heard, tmp_path: Path
) -> None:
    folder = hostile_panel(tmp_path, years_of_work_at_one_grey_level)
    grey = np.full((64, 64), 120, np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    grey[:8, :8] = 77
    Image.fromarray(grey).save(tmp_path / "b.png")
    request = EngineRequest(folder, answer_limit_s=3.0)
    with EngineProcess(request, root=tmp_path, on_event=heard) as running:
        running.add([tmp_path / "b.png", tmp_path / "a.png"])
        heard.until_a(EngineReady)
        heard.until_a(EngineIdle)
    cases = {
        event.result.image: event.result for event in heard.events if isinstance(event, CaseDone)
    }
    assert cases["a.png"].status == "ok"
    assert (cases["b.png"].status, cases["b.png"].code) == ("failed", "ENGINE-01")


def drained(heard: Heard) -> list[EngineEvent]:
    heard._queue.put(EngineIdle())
    heard.until_a(EngineIdle)
    return heard.events


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_an_engine_that_always_dies_gives_up_with_a_code(
    engine: EngineProcess, heard: Heard
) -> None:
    for _ in range(3):
        heard.until_a(EngineReady)
        os.kill(child_of(engine), signal.SIGKILL)
    failed = heard.until_a(EngineFailed)
    assert isinstance(failed, EngineFailed)
    assert failed.problem.code == "ENGINE-02"


def test_a_panel_that_is_refused_is_told_in_its_own_words(films: Path, heard: Heard) -> None:
    with EngineProcess(EngineRequest(films), root=films, on_event=heard):
        failed = heard.until_a(EngineFailed)
    assert isinstance(failed, EngineFailed)
    assert failed.problem.code == "MODEL-01"


def test_closing_mid_run_leaves_no_process_and_tells_nothing_more(
    panel_folder: Path, films: Path
) -> None:
    heard = Heard()
    engine = EngineProcess(EngineRequest(panel_folder), root=films, on_event=heard)
    engine.start()
    engine.add(listed(films))
    heard.until_a(CaseDone)
    family = descendants(child_of(engine))
    engine.close()
    known = heard._queue.qsize()
    engine.close()
    assert heard._queue.qsize() == known
    wait_until_gone(family)


def test_closing_before_the_models_are_loaded_works(panel_folder: Path, films: Path) -> None:
    heard = Heard()
    engine = EngineProcess(EngineRequest(panel_folder), root=films, on_event=heard)
    engine.start()
    engine.close()
    assert engine.waiting == 0


def child_of(engine: EngineProcess) -> int:
    assert engine.pid is not None
    return engine.pid


def descendants(pid: int) -> set[int]:
    """The process and its children, from /proc; only itself where there is none."""
    found = {pid}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.add(int(status.parent.name))
    return found


def wait_until_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + 10
    while left := {pid for pid in pids if Path(f"/proc/{pid}").exists()}:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


@pytest.mark.parametrize("micro_batch", [0, 10_000])
def test_a_micro_batch_that_could_not_be_in_progress_is_refused(micro_batch: int) -> None:
    with pytest.raises(ValueError, match="micro-batch"):
        EngineRequest(panel_folder=Path(), micro_batch=micro_batch)
