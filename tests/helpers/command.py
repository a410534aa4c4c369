"""The real command in a process of its own, for tests of everything that ends or kills it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(home: Path) -> dict[str, str]:
    """This process's environment with another home, this checkout's code and no display."""
    return os.environ | {
        "CXR_QUORUM_HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "DISPLAY": "",
        "WAYLAND_DISPLAY": "",
        "QT_QPA_PLATFORM": "",
    }


def start(words: list[str | Path], folder: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start ``cxr-quorum`` in ``folder``, with its home there too."""
    return subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, words)],
        cwd=folder,
        env=environment(folder / "home"),
        **options,
    )


def run(words: list[str | Path], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run ``cxr-quorum`` in ``folder`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "desktop", *map(str, words)],
        cwd=folder,
        env=environment(folder / "home"),
        capture_output=True,
        timeout=600,
        check=False,
    )
