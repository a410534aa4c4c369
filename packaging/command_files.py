"""Writes the man page and the shell completions into a folder, made from the parsers themselves.

usage: python packaging/command_files.py FOLDER
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import shtab
from argparse_manpage.manpage import Manpage

import desktop

COMPLETIONS = {
    "bash": "bash-completion/completions/cxr-quorum",
    "zsh": "zsh/vendor-completions/_cxr-quorum",
    "fish": "fish/vendor_completions.d/cxr-quorum.fish",
}
MAN_PAGE = "man/man1/cxr-quorum.1"
ENVIRONMENT = {
    "CXR_QUORUM_HOME": "Folder that holds everything the app keeps (review stores, settings), "
    "instead of the folders of the desktop.",
    "QT_QPA_PLATFORM": "How Qt reaches the screen: xcb, wayland or offscreen.",
}
_PATHS = {"paths", "list", "panel", "output", "heatmaps", "log_json", "parts", "folders"}


def app_parsers() -> Mapping[str, argparse.ArgumentParser]:
    """The parser of the program (empty name) and those of its commands, in the order of --help."""
    from desktop.cli.arguments import build_parser

    program = build_parser()
    commands = next(a for a in program._actions if isinstance(a, argparse._SubParsersAction))
    return {"": program, **commands.choices}


def window_parser() -> argparse.ArgumentParser:
    """The parser of what the window takes instead of a command."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from desktop.gui.app import window_parser

    return window_parser()


def man_page() -> str:
    """Roff text of section 1."""
    from desktop.cli.common import EXIT_CODES

    program, window = app_parsers()[""], window_parser()
    program.man_short_description = "four neural networks vote on chest X-rays and a human decides"
    # One line each: roff breaks lines itself.
    with patch.dict(os.environ, COLUMNS="9999"):
        page = Manpage(program, format="single-commands-section")
        # No date: equal sources give equal pages.
        page.date, page.source, page.manual = (
            "",
            f"CXR Quorum {desktop.__version__}",
            "User commands",
        )
        usages = [p.format_usage().removeprefix("usage: ").strip() for p in (window, program)]
        page.add_section("synopsis", "=", "\n.br\n".join(map(_escaped, usages)))
        options = str(Manpage(window)).partition(".SH DESCRIPTION\n")[2].replace(".SH", ".SS")
        page.add_section("window", "=", options)
        page.add_section("exit status", "=", _terms({str(k): v for k, v in EXIT_CODES.items()}))
        page.add_section("environment", "=", _terms(ENVIRONMENT))
        manual = "The manual: Help in the window, or /usr/share/doc/cxr-quorum/html/index.html."
        page.add_section("see also", "=", _escaped(manual))
        return str(page)


def completion(shell: str) -> str:
    """Completion script for ``bash``, ``zsh`` or ``fish``."""
    parsers = app_parsers()
    for parser in parsers.values():
        for action in parser._actions:
            if action.dest in _PATHS:
                action.complete = shtab.FILE
    return shtab.complete(parsers[""], shell)


def command_files() -> Mapping[str, str]:
    """Installed path below ``/usr/share`` -> text."""
    return {MAN_PAGE: man_page(), **{path: completion(sh) for sh, path in COMPLETIONS.items()}}


def write_command_files(folder: Path) -> None:
    """Write them all below ``folder``."""
    for name, text in command_files().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _terms(meanings: Mapping[str, str]) -> str:
    return "\n".join(f".TP\n.B {_escaped(k)}\n{_escaped(v)}" for k, v in meanings.items())


def _escaped(text: str) -> str:
    return text.replace("\\", r"\e").replace("-", r"\-")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write_command_files(parser.parse_args().folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
