"""Words of the command line to a window or to a command."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop.cli import COMMANDS
from desktop.cli import main as command_line
from desktop.cli.common import EXIT_USAGE, has_display

_COMMAND_LINE_OPTIONS = ("-h", "--help", "--version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, or open the window: without words, or with a folder or files.

    Args:
        argv: Words after the program's name; None = those of this process.
    """
    # Child processes of a frozen app start here as well.
    multiprocessing.freeze_support()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and (words[0] in COMMANDS or words[0] in _COMMAND_LINE_OPTIONS):
        return command_line(words)
    # Qt draws without a screen where it is told to.
    if not (has_display() or os.environ.get("QT_QPA_PLATFORM")):
        print(
            "cxr-quorum: There is no display, so the window cannot open. Use a command instead, "
            "such as cxr-quorum label FOLDER; cxr-quorum --help lists them. [WINDOW-01]",
            file=sys.stderr,
        )
        return EXIT_USAGE
    try:
        Path.cwd()
    except OSError:  # moved or deleted: child processes could not start in it
        os.chdir(os.sep)
    # Only here: commands must work where Qt is not installed.
    from desktop.gui.app import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
