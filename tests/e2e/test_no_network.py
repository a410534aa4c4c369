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

from desktop.core.phantoms import FILM_KINDS, draw_phantom

ROOT = Path(__file__).resolve().parents[2]
# A socket that is only made, or bound to this machine (a library asking "is there IPv6?"), sends
# nothing; a connection, a datagram or a name that is looked up does.
_SENDS = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*(?:AF_INET|htons)")


def watched(command: list[str], home: Path, log: Path) -> str:
    """Run a command under strace; returns its network calls."""
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
        [strace, "-f", "-qq", "-e", "trace=network", "-o", str(log), *command],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
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
