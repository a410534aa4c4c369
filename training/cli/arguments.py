"""What the command lines of training and of the studies share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from desktop.core.errors import CxrError

# Before TensorFlow is imported: its start-up messages would stand between the progress lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def exit_code(program: str, run: Callable[[], int | None]) -> int:
    """Run a command; 0 = done, 1 = refused with a sentence, 130 = interrupted.

    Args:
        program: Its name, before the sentence.
        run: What to do; a number that it returns is the exit code.
    """
    try:
        return run() or 0
    except (CxrError, ValueError, FileNotFoundError, RuntimeError) as problem:
        code = f" ({problem.code})" if isinstance(problem, CxrError) else ""
        print(f"{program}: {problem}{code}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from the last finished epoch.", file=sys.stderr)
        return 130
