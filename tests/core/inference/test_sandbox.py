"""Foreign panels are tried apart: what hangs, swallows memory or dies there never runs here."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from desktop.core.batch.journal import RunJournal
from desktop.core.errors import ModelRefused
from desktop.core.inference.sandbox import bounded_memory, check_in_sandbox, room_bytes
from desktop.core.panels.registry import open_panel, shipped_panels_folder, survey_panels
from tests.helpers.tiny_models import write_panel
from tests.hostile import panels as hostile

ROOT = Path(__file__).resolve().parents[3]
LINUX = sys.platform == "linux"


def refusal(folder: Path, home: Path, limit_s: float) -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        check_in_sandbox(open_panel(folder), home=home, time_limit_s=limit_s)
    assert not [child for child in multiprocessing.active_children() if child.name == "model-trial"]
    assert not (home / "data" / "tried-panels").exists()
    return caught.value


@pytest.mark.parametrize(
    "change",
    [
        hostile.years_of_work,
        pytest.param(hostile.years_of_work_at_the_first_image, marks=pytest.mark.slow),
    ],
)
def test_a_model_that_works_for_years_is_refused_in_time(
    tmp_path: Path, change: Callable[[onnx.GraphProto], None]
) -> None:
    panel = hostile.hostile_panel(tmp_path, change)
    begun = time.monotonic()
    problem = refusal(panel, tmp_path / "home", 2.0)
    assert time.monotonic() - begun < 20
    assert problem.code == "MODEL-14"
    assert "SCNN of covid19 did not load and answer a test image within 2 seconds" in str(problem)


@pytest.mark.skipif(not LINUX, reason="no limit of address space")
def test_a_model_that_asks_for_more_memory_than_it_may_have_is_refused(tmp_path: Path) -> None:
    panel = hostile.hostile_panel(tmp_path, hostile.forty_gigabytes_of_a_product)
    assert refusal(panel, tmp_path / "home", 60.0).code == "MODEL-12"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_model_that_ends_its_process_is_refused(tmp_path: Path) -> None:
    panel = hostile.hostile_panel(tmp_path, hostile.years_of_work_at_the_first_image)

    def kill_it() -> None:
        while not (found := multiprocessing.active_children()):
            time.sleep(0.01)
        os.kill(found[0].pid or 0, signal.SIGKILL)  # as the kernel does where memory is short

    killer = threading.Thread(target=kill_it)
    killer.start()
    problem = refusal(panel, tmp_path / "home", 60.0)
    killer.join()
    assert problem.code == "MODEL-14"
    assert "ended the process" in str(problem)


def test_a_sound_panel_passes_and_pays_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = open_panel(write_panel(tmp_path))
    check_in_sandbox(panel, home=tmp_path / "home")
    passes = tmp_path / "home" / "data" / "tried-panels"
    assert passes.stat().st_mode & 0o077 == 0
    assert len(list(passes.iterdir())) == 1
    # Now a trial would fail at once.
    monkeypatch.setattr("desktop.core.inference.sandbox._run_trial", None)
    check_in_sandbox(panel, home=tmp_path / "home")
    other = open_panel(write_panel(tmp_path / "other", models=panel.model_names[:3]))
    with pytest.raises(TypeError):
        check_in_sandbox(other, home=tmp_path / "home")


def test_panels_of_the_app_are_not_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("desktop.core.inference.sandbox._run_trial", None)
    shipped = [panel for panel in survey_panels()[0] if panel.shipped]
    assert len(shipped) == len(list(shipped_panels_folder().glob("*/manifest.json")))
    for panel in shipped:
        check_in_sandbox(panel, home=tmp_path)


def test_a_home_that_cannot_be_written_costs_a_trial_and_no_run(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    check_in_sandbox(open_panel(write_panel(tmp_path)), home=tmp_path / "home")


@pytest.mark.skipif(not LINUX, reason="no limit of address space")
def test_memory_is_bounded_while_a_foreign_panel_works_and_free_again_after_it(
    tmp_path: Path,
) -> None:
    import resource

    panel = open_panel(write_panel(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_AS)
    with bounded_memory(panel, 2):
        assert resource.getrlimit(resource.RLIMIT_AS)[0] != before[0]
        with pytest.raises(MemoryError):
            np.empty(room_bytes(panel, 2) + 2**28, np.uint8)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with bounded_memory(replace(panel, shipped=True)), bounded_memory(panel, device="cuda"):
        assert resource.getrlimit(resource.RLIMIT_AS) == before


def films_with_a_trap(folder: Path) -> None:
    folder.mkdir()
    for number in range(6):
        grey = np.random.default_rng(number).integers(80, 200, (64, 64)).astype(np.uint8)
        if number == 4:
            grey[:8, :8] = 77
        Image.fromarray(grey).save(folder / f"film{number}.png")


@pytest.mark.skipif(os.name != "posix", reason="checks that no process is left")
def test_a_model_that_hangs_at_one_image_ends_the_run_with_a_sentence_and_keeps_the_rest(
    tmp_path: Path,
) -> None:
    panel = hostile.hostile_panel(tmp_path, hostile.years_of_work_at_one_grey_level)
    films_with_a_trap(tmp_path / "films")
    words = ["label", str(tmp_path / "films"), "--panel", str(panel), "--batch", "1",
             "--threads", "1", "--device", "cpu", "-o", str(tmp_path / "votes.csv")]  # fmt: skip
    script = (
        "import sys, desktop.core.inference.watchdog as guard\n"
        "import desktop.core.batch.journal as journal\n"
        "guard.ANSWER_LIMIT_S = 3.0\n"
        # No commit is due by itself, so what is kept was kept by the guard.
        "journal.COMMIT_SECONDS = 3600.0\n"
        "from desktop.__main__ import main\n"
        f"sys.exit(main({words!r}))\n"
    )
    environment = os.environ | {"CXR_QUORUM_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "has not answered for 3 seconds" in done.stderr
    assert "[MODEL-14]" in done.stderr
    assert "Traceback" not in done.stderr
    assert "What was finished before it is kept." in done.stderr
    assert not (tmp_path / "votes.csv").exists()
    with sqlite3.connect(tmp_path / "votes.csv.journal") as journal:
        kept = journal.execute("SELECT image FROM cases ORDER BY image").fetchall()
    journal.close()
    assert kept == [(b"film%d.png" % number,) for number in range(4)]
    (tmp_path / "films" / "film4.png").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "desktop", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "votes.csv").read_text("utf-8-sig").splitlines()) == 6


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ("lambda: time.sleep(60)", "may be lost"),
        pytest.param("lambda: 1 / 0", "may be lost", marks=pytest.mark.slow),
    ],
)
def test_last_words_are_exact_and_a_disk_that_hangs_does_not_keep_the_process(
    tmp_path: Path, keep: str, words: str
) -> None:
    panel = hostile.hostile_panel(tmp_path, hostile.years_of_work_at_one_grey_level)
    script = (
        "import sys, time, numpy as np, desktop.core.inference.watchdog as guard\n"
        "from pathlib import Path\n"
        "from desktop.core.panels.registry import open_panel\n"
        "guard.SHUTDOWN_TIMEOUT_S = 1.0\n"
        "def say(problem):\n"
        "    print(problem, flush=True)\n"
        "    time.sleep(60)\n"  # a terminal that was halted
        f"session = guard.WatchedSession(open_panel(Path({str(panel)!r})), 'cpu', 1,\n"
        f"    keep={keep}, on_hang=say, answer_limit_s=1.0)\n"
        "session.predict(np.full((1, 64, 64, 1), 77, np.uint8))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert words in done.stdout


def test_a_journal_that_somebody_is_writing_is_not_waited_for_without_end(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path))
    with RunJournal(tmp_path / "votes.csv", panel) as journal:
        held, done = threading.Event(), threading.Event()

        def write() -> None:
            with journal._translate_errors():
                held.set()
                done.wait(30)

        writer = threading.Thread(target=write)
        writer.start()
        held.wait(30)
        assert not journal.commit_now(0.05)
        done.set()
        writer.join()
        assert journal.commit_now(5.0)
