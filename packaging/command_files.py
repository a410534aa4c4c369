"""Writes the man page and the shell completions into a folder.

usage: python packaging/command_files.py FOLDER
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from command_outline import Command, read_commands
from man_page import man_page
from shell_completion import PROGRAM, bash_completion, fish_completion, zsh_completion

import desktop


def app_commands() -> tuple[Command, ...]:
    """The commands of the app, from its real parser."""
    from desktop.cli.arguments import build_parser

    return read_commands(build_parser(), PROGRAM)


def window_command() -> Command:
    """What the window takes instead of a command."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from desktop.gui.app import window_parser

    (window,) = read_commands(window_parser(), PROGRAM)
    return window


def command_files() -> Mapping[str, str]:
    """Installed path below ``/usr/share`` -> text."""
    commands = app_commands()
    return {
        "man/man1/cxr-quorum.1": man_page(commands, window_command(), desktop.__version__),
        "bash-completion/completions/cxr-quorum": bash_completion(commands),
        "zsh/vendor-completions/_cxr-quorum": zsh_completion(commands),
        "fish/vendor_completions.d/cxr-quorum.fish": fish_completion(commands),
    }


def write_command_files(folder: Path) -> None:
    """Write them all below ``folder``."""
    for name, text in command_files().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write_command_files(parser.parse_args().folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
