"""What the command lines of training and of the studies share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.core.errors import CxrError
from training.models import MODELS

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


class Command(argparse.ArgumentParser):
    """The parser of one subcommand, with the kinds of options that these have."""

    def path(
        self, flag: str, text: str, default: str | None = None, *, metavar: str = "DIR", **more: Any
    ) -> None:
        value = default and Path(default)
        self.add_argument(
            flag, type=Path, default=value, metavar=metavar, help=_help(text, default), **more
        )

    def number(self, flag: str, text: str, default: int | None = None, **more: Any) -> None:
        values = {"metavar": "N", **more}
        self.add_argument(flag, type=int, default=default, help=_help(text, default), **values)

    def name(self, flag: str, text: str, **more: Any) -> None:
        self.add_argument(flag, help=text, **{"metavar": "NAME", **more})

    def data(self, *, required: bool = True) -> None:
        self.path(
            "--data",
            "folder with one folder a class, directly or below train/ and test/; for the panels "
            "covid19 and pneumonia the folder that holds their data sets",
            required=required,
        )

    def models(self) -> None:
        """``--model``, several times or never for all."""
        text = "only this one (repeatable; default: all)"
        self.add_argument("--model", choices=MODELS, action="append", help=text)


def _help(text: str, default: object) -> str:
    return text if default is None else f"{text} (default: {default})"
