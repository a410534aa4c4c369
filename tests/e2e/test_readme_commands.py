"""Every command in the README and the manual is run, or is on the list of those that are not.

A command that is neither cheap nor on the list fails here, so nobody can document one that was
never tried. Those that open a window are run too, and closed as a terminal closes them. What
``make demo`` and ``make test`` install is tried on an empty machine (see the page on releasing);
here the first runs on what is installed already.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()
]
SHELL_WORDS = ("sh", "bash", "shell", "console")

# Not run: they change the machine, need a network or hours, or open a window that waits.
NOT_RUN = (
    r"git clone .*",
    r"cd [\w.-]+",
    r"sudo apt install .*",
    r"sudo apt remove .*",
    r"python3 -m venv \w+",
    r"\w+/bin/pip install .*",
    r"pip install .*",
    r"\w+/bin/cxr-quorum .*",
    r"sha256sum --check SHA256SUMS",
    r"cxr-quorum( path/to/folder)?",
    r"cxr-quorum demo",
    r"cxr-train .*",
    r"xvfb-run .*",
    r"cxr-quorum label .* --watch",
    # Whether a panel may run in int8 depends on the processor; test_precision runs it.
    r"cxr-quorum prove .*",
    r"cxr-quorum label .* --address .*",
    r"(\w+=\S+ )+ray start .*",
)
MAKE = re.compile(r"(?:\w+=\S+ )*make((?: [\w-]+)+)")


def documented_commands() -> list[tuple[str, str]]:
    """(page, command) of every line in a fenced shell block."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            if language not in SHELL_WORDS:
                continue
            joined = block.replace("\\\n", " ")
            for line in joined.splitlines():
                command = " ".join(line.split("  #")[0].split()).removeprefix("$ ")
                if command and not command.startswith("#"):
                    found.append((page.name, command))
    return found


# One page a command: the same words need no second run.
COMMANDS = [(page, command) for command, page in {c: p for p, c in documented_commands()}.items()]
TO_MAKE = [(page, command) for page, command in COMMANDS if MAKE.fullmatch(command)]
TO_RUN = [
    (page, command)
    for page, command in COMMANDS
    if not MAKE.fullmatch(command) and not any(re.fullmatch(rule, command) for rule in NOT_RUN)
]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few films under the names that the manual uses."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("films", "shared/part-07"):
        (folder / name).mkdir(parents=True)
        for number, kind in enumerate(FILM_KINDS):
            film = Image.fromarray(draw_phantom(kind, number, (320, 288)))
            film.save(folder / name / f"film_{number}.png")
    return folder


@pytest.mark.parametrize(
    ("page", "command"), TO_RUN, ids=[f"{page}: {command}" for page, command in TO_RUN]
)
def test_a_documented_command_runs(page: str, command: str, desk: Path, tmp_path: Path) -> None:
    first = command.split()[0]
    assert first in ("cxr-quorum", "python", "sh"), f"{page}: nobody has tried {command!r}"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("cxr-quorum", "-m desktop"), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CXR_QUORUM_HOME": str(tmp_path / "home"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    # head closes the pipe early; that must not look like a failure of the page.
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT if first == "python" else desk,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{page}: {command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_demo_labels_the_samples_with_what_is_installed(tmp_path: Path) -> None:
    assert ("README.md", "make demo") in documented_commands()
    (tmp_path / "packaging").symlink_to(ROOT / "packaging")
    (tmp_path / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    environment = ready_environment(tmp_path)
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(display, None)
    done = subprocess.run(
        ["make", f"--makefile={ROOT / 'Makefile'}", "VENV=ready", "demo"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "demo-output" / "votes.csv").is_file()
    assert len(list((tmp_path / "demo-output" / "heatmaps").glob("*.png"))) >= 8


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_the_command_that_opens_the_window_labels_a_folder_and_closes(
    desk: Path, tmp_path: Path
) -> None:
    command = "cxr-quorum path/to/folder"
    assert ("README.md", command) in documented_commands()
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            command.replace("path/to/folder", str(desk / "films")).split(),
            cwd=tmp_path,
            env=ready_environment(tmp_path) | {"QT_QPA_PLATFORM": "offscreen"},
            stdout=output,
            stderr=output,
        )
        try:
            end = time.monotonic() + 200
            while not _answers(tmp_path / "home"):
                assert process.poll() is None, (tmp_path / "output").read_text()
                assert time.monotonic() < end, "the window never labelled a film"
                time.sleep(0.1)
            process.terminate()
            code = process.wait(60)
        finally:
            process.kill()
    assert (code, (tmp_path / "output").read_text()) == (0, "")


def ready_environment(folder: Path) -> dict[str, str]:
    """A virtual environment as ``make demo`` leaves it, with this Python's packages."""
    programs = folder / "ready" / "bin"
    programs.mkdir(parents=True)
    program = programs / "cxr-quorum"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m desktop "$@"\n')
    program.chmod(0o755)
    (folder / "ready" / ".app").touch()
    return os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CXR_QUORUM_HOME": str(folder / "home"),
    }


def _answers(home: Path) -> int:
    """How many films a window with this home has labelled."""
    count = 0
    for store in home.rglob("review.sqlite"):
        try:
            with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
                count += connection.execute("SELECT count(*) FROM result").fetchone()[0]
        except sqlite3.Error:
            pass  # not made yet
    return count


@pytest.mark.parametrize(("page", "command"), TO_MAKE, ids=[command for _, command in TO_MAKE])
def test_a_documented_make_target_exists(page: str, command: str) -> None:
    found = MAKE.fullmatch(command)
    assert found is not None
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(found[1].split()) <= set(targets), f"{page} names a target that does not exist"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_without_a_target_lists_the_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "test", "check", "docs", "package"):
        assert f"make {target}" in done.stdout


def test_the_readme_names_the_two_commands() -> None:
    commands = {command for page, command in documented_commands() if page == "README.md"}
    assert {"make demo", "make test"} <= commands
