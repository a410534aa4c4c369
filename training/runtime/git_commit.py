"""Which commit of this project is running."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

#: Names the commit where the code runs outside its checkout, for instance on a cluster.
COMMIT_VARIABLE = "CXR_QUORUM_COMMIT"


def current_commit() -> str:
    """Hash of the checkout's commit, or what ``CXR_QUORUM_COMMIT`` says; empty if unknown."""
    named = os.environ.get(COMMIT_VARIABLE, "").strip()
    if named:
        return named
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
