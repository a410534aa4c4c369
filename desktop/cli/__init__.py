"""The command line: everything the window's batch does, without a window. Never imports Qt.

Exit codes are in ``desktop.cli.common``.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop.cli.arguments import COMMANDS, parse
from desktop.cli.common import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from desktop.core.errors import CxrError, UsageError
from desktop.core.system.atomic_write import output_failed
from desktop.core.system.text import printable

__all__ = ["COMMANDS", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command (``argv``, None = the words of this process) and return its exit code."""
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except CxrError as problem:
        wrong_words = isinstance(problem, UsageError) or problem.code == "MODEL-01"
        return _say(problem, EXIT_USAGE if wrong_words else EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away (| head)
        _drop_output()
        return EXIT_FAILED
    except OSError as error:
        # Files have their own sentences; what is left is standard output on a full disk.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        _drop_output()
        return _say(output_failed(Path("standard output"), error), EXIT_FAILED)


def _run(words: Sequence[str]) -> int:
    try:
        arguments = parse(words)
        try:
            Path.cwd()
        except OSError as error:
            raise UsageError(
                "FOLDER-01",
                "The folder in which this command was given was moved or deleted. Change into "
                "another one.",
            ) from error
        return int(arguments.run(arguments))
    finally:
        if sys.stdout is not None:  # a program without a console has none
            sys.stdout.flush()


def _say(problem: CxrError, code: int) -> int:
    print(f"cxr-quorum: {printable(str(problem))} [{problem.code}]", file=sys.stderr)
    return code


def _drop_output() -> None:
    """What is still buffered goes nowhere, else Python fails again when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
