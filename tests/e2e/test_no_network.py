"""Nothing leaves the computer: the system calls of real runs are watched.

Also the libraries' own: ONNX Runtime 1.29 and later report to their maker unless told not to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from tests.helpers.tiny_models import write_panel

ROOT = Path(__file__).resolve().parents[2]
# A socket that is only made, or bound to this machine (a library asking "is there IPv6?"), sends
# nothing; a connection, a datagram or a name that is looked up does.
_MAKES = re.compile(
    r'(?:mkdir(?:at)?|open(?:at)?|creat)\((?:AT_FDCWD, )?"(?P<path>[^"]*)"'
    r"(?:, [A-Z_|]*O_CREAT[A-Z_|]*)?, (?P<mode>0[0-7]{3})\)"
)
_SENDS = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*(?:AF_INET|htons)")


def watched(
    command: list[str], home: Path, log: Path, calls: str = "network", umask: int = 0o022
) -> str:
    """Run a command under strace; returns its network calls, or others."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    # Libraries keep quiet in CI and in tests; a user's machine is neither.
    quiet = ("CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")
    environment = {name: value for name, value in os.environ.items() if name not in quiet} | {
        "CXR_QUORUM_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run(
        [strace, "-f", "-qq", "-e", f"trace={calls}", "-o", str(log), *command],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
        umask=umask,
    )  # fmt: skip
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine does not let a program be watched")
    assert done.returncode == 0, done.stderr
    return log.read_text(errors="replace")


def test_labelling_films_contacts_nobody(tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for number, kind in enumerate(FILM_KINDS):
        Image.fromarray(draw_phantom(kind, number)).save(films / f"film_{number}.png")
    calls = watched(
        [sys.executable, "-m", "desktop", "label", str(films), "--output", str(tmp_path / "v.csv")],
        tmp_path / "home",
        tmp_path / "strace.log",
    )
    assert [line for line in calls.splitlines() if _SENDS.search(line)] == []


_FILES = "network,open,openat,creat,mkdir,mkdirat,mknod,memfd_create"


def draw_films(folder: Path, numbers: range) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        film = draw_phantom("normal", number, (96, 96))
        Image.fromarray(film).save(folder / f"film_{number}.png")
    return folder


def assert_closed(calls: str, out: Path, table: str) -> None:
    """Nothing was sent, and what was made for a while was made for its owner only."""
    assert [line for line in calls.splitlines() if _SENDS.search(line)] == []
    made = [
        (found["path"], int(found["mode"], 8))
        for line in calls.splitlines()
        if (found := _MAKES.search(line))
    ]
    names = {path for path, _ in made}
    assert any(".cxr-quorum-" in name for name in names)  # the watch sees temporary files
    journal = str(out / f"{table}.journal")  # SQLite opens what we made for its owner
    assert any(name.startswith(journal) for name in names)
    outputs = (str(out / "maps"), str(out / "log"))
    open_to_others = [
        (path, oct(mode))
        for path, mode in made
        if mode & 0o077 and path not in outputs and path != journal and "__pycache__" not in path
        and not path.startswith("/proc/")
    ]  # fmt: skip
    assert open_to_others == []
    assert Path(journal).stat().st_mode & 0o077 == 0


def ending(folder: Path, table: str) -> set[str]:
    assert not [path.name for path in folder.rglob("*.tmp")]
    return {path.name for path in folder.iterdir()} ^ {
        "log", "maps", table, f"{table}.journal", f"{table}.run.json",
    }  # fmt: skip


@pytest.mark.parametrize("umask", [0o000, pytest.param(0o022, marks=pytest.mark.slow)])
def test_nothing_but_the_outputs_can_be_read_or_changed_by_others(
    tmp_path: Path, umask: int
) -> None:
    """Also with an umask that would allow it, and with a foreign panel, which is tried first."""
    films, panel = draw_films(tmp_path / "films", range(3)), write_panel(tmp_path)
    out, home = tmp_path / "out", tmp_path / "home"
    out.mkdir()
    calls = watched(
        [sys.executable, "-m", "desktop", "label", str(films), "--panel", str(panel),
         "--output", str(out / "v.csv"), "--heatmaps", str(out / "maps"),
         "--log-json", str(out / "log")],
        home, tmp_path / "strace.log", _FILES, umask,
    )  # fmt: skip
    assert_closed(calls, out, "v.csv")
    assert home.stat().st_mode & 0o077 == 0
    assert (out / "v.csv").stat().st_mode & 0o777 == 0o666 & ~umask & out.stat().st_mode
    assert ending(out, "v.csv") == set()


@pytest.mark.slow
@pytest.mark.parametrize("table", ["v.csv", "v.parquet"])
def test_the_same_of_a_watch_that_goes_on_where_a_run_stopped(tmp_path: Path, table: str) -> None:
    if table.endswith("parquet"):
        pytest.importorskip("pyarrow")
    films, panel = draw_films(tmp_path / "films", range(3)), write_panel(tmp_path)
    out, home = tmp_path / "out", tmp_path / "home"
    out.mkdir()
    words = [
        "label", str(films), "--panel", str(panel), "--output", str(out / table),
        "--heatmaps", str(out / "maps"), "--log-json", str(out / "log"),
    ]  # fmt: skip
    calls = watched(
        [sys.executable, "-m", "desktop", *words], home, tmp_path / "a.log", _FILES, 0o000
    )
    assert_closed(calls, out, table)
    draw_films(films, range(3, 6))
    before = (out / table).stat().st_mtime_ns
    script = (
        "import os, signal, sys, threading, time\n"
        "from pathlib import Path\n"
        "from desktop.__main__ import main\n"
        f"table, before = Path({str(out / table)!r}), {before}\n"
        "def stop():\n"
        "    while table.stat().st_mtime_ns == before:\n"
        "        time.sleep(0.05)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=stop, daemon=True).start()\n"
        f"sys.exit(main({[*words, '--watch', '--interval', '0.1']!r}))\n"
    )
    calls = watched([sys.executable, "-c", script], home, tmp_path / "b.log", _FILES, 0o000)
    assert_closed(calls, out, table)
    assert ending(out, table) == set()
    assert len(list((out / "maps").iterdir())) == 6
    assert (out / table).stat().st_mode & 0o777 == 0o666 & out.stat().st_mode


def test_the_watch_notices_a_program_that_does_contact_somebody(tmp_path: Path) -> None:
    script = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    calls = watched([sys.executable, "-c", script], tmp_path, tmp_path / "strace.log")
    assert any(_SENDS.search(line) for line in calls.splitlines())


def test_every_process_of_the_app_switches_the_runtimes_reports_off_first() -> None:
    script = (
        "import sys, os, desktop.core\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)
