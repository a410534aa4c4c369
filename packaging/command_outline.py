"""The command line as plain data, read from its own ``argparse`` parser.

The man page, the shell completions and the manual's command page are all made from this, so none of
them can name an option that does not exist or miss one that does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One option or positional argument.

    Attributes:
        flags: Spellings such as ``--output``; empty for a positional argument.
        value: Name of the value it takes, empty for a switch.
        choices: Values it accepts, empty where anything goes.
        help: Sentence for people, without markup.
        wants_path: The value is a file or folder, for completion.
    """

    flags: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    help: str
    wants_path: bool

    @property
    def positional(self) -> bool:
        return not self.flags


@dataclass(frozen=True)
class Command:
    """One subcommand, or the program itself (empty name).

    Attributes:
        name: Words after the program, e.g. ``label``.
        help: One line.
        description: Paragraphs, may be empty.
        options: In the order of the help text.
        usage: Usage line without ``usage:``.
    """

    name: str
    help: str
    description: str
    options: tuple[Option, ...]
    usage: str


_PATH_WORDS = (
    "folder",
    "file",
    "dir",
    "path",
    "output",
    "csv",
    "image",
    "heatmaps",
    "log",
    "panels",
)


def read_commands(parser: argparse.ArgumentParser, program: str) -> tuple[Command, ...]:
    """The program itself first, then its subcommands in the order of the help text.

    Args:
        parser: The complete parser.
        program: Name to use in usage lines.
    """
    return tuple(_walk(parser, program, "", parser.description or ""))


def _walk(
    parser: argparse.ArgumentParser, program: str, name: str, summary: str
) -> Iterator[Command]:
    parser.prog = f"{program} {name}".strip()
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
    yield Command(
        name=name,
        help=_plain(summary, parser),
        description=_plain(parser.description or "", parser),
        options=tuple(_options(parser)),
        usage=usage,
    )
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {item.dest: item.help or "" for item in action._choices_actions}
            for child, child_parser in action.choices.items():
                if child in summaries:  # not an alias, not hidden
                    yield from _walk(
                        child_parser, program, f"{name} {child}".strip(), summaries[child]
                    )


def _options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        takes_value = action.nargs != 0
        value = ""
        if takes_value:
            metavar = action.metavar
            if isinstance(metavar, tuple):
                metavar = " ".join(metavar)
            value = metavar or ("" if action.choices else action.dest.upper())
        choices = tuple(str(choice) for choice in action.choices or ())
        yield Option(
            flags=tuple(action.option_strings),
            value=value or "|".join(choices),
            choices=choices if takes_value else (),
            help=_plain(action.help or "", parser, action),
            wants_path=takes_value
            and not choices
            and any(word in f"{action.dest} {value}".lower() for word in _PATH_WORDS),
        )


def _plain(
    text: str, parser: argparse.ArgumentParser, action: argparse.Action | None = None
) -> str:
    """Help text with argparse's ``%`` place holders filled, on one line."""
    values = {"prog": parser.prog}
    if action is not None:
        values |= {key: value for key, value in vars(action).items() if value is not None}
        if "default" not in values:
            values["default"] = "none"
    return " ".join((text % values if "%" in text and action is not None else text).split())
