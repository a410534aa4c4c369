"""What several commands share: exit codes, and whether a window can appear."""

from __future__ import annotations

import os
import sys

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
EXIT_CODES = {
    EXIT_OK: "All images were read and labelled.",
    EXIT_FAILED: "Some images failed (each has a row with its reason), or the output could not be "
    "written.",
    EXIT_USAGE: "The command or one of its options was wrong.",
    EXIT_INTERRUPTED: "Interrupted with Ctrl+C; finished work is kept.",
}


def has_display() -> bool:
    """Whether a person could see a window that opens now."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
