"""The command line: everything the window's batch does, without a window. Never imports Qt.

Exit codes are in ``desktop.cli.common``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from desktop.cli.arguments import COMMANDS, parse
from desktop.cli.common import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from desktop.core.errors import CxrError, UsageError
from desktop.core.system.text import printable

__all__ = ["COMMANDS", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: Words after the program's name; None = those of this process.
    """
    arguments = parse(sys.argv[1:] if argv is None else list(argv))
    try:
        return int(arguments.run(arguments))
    except CxrError as problem:
        print(f"cxr-quorum: {printable(str(problem))} [{problem.code}]", file=sys.stderr)
        wrong_words = isinstance(problem, UsageError) or problem.code == "MODEL-01"
        return EXIT_USAGE if wrong_words else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (| head). What is still buffered goes nowhere, else
        # Python fails again when it flushes at exit, with a code of its own (120).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
