"""The man page ``cxr-quorum.1``, made from the parser."""

from __future__ import annotations

from collections.abc import Iterable

from command_outline import Command, Option

EXIT_CODES = (
    ("0", "All images were read and labelled."),
    (
        "1",
        "Some images failed (each has a row with its reason), or the output could not be written.",
    ),
    ("2", "The command or one of its options was wrong."),
    ("130", "Interrupted with Ctrl+C; finished work is kept."),
)
ENVIRONMENT = (
    (
        "CXR_QUORUM_HOME",
        "Folder that holds everything the app keeps (review stores, settings), instead of the "
        "folders of the desktop.",
    ),
    ("QT_QPA_PLATFORM", "How Qt reaches the screen: xcb, wayland or offscreen."),
)


def man_page(commands: tuple[Command, ...], window: Command, version: str) -> str:
    """Roff text of section 1.

    Args:
        commands: The program itself first.
        window: What the window takes instead of a command.
        version: Shown in the footer.
    """
    program, *others = commands
    lines = [
        rf'.TH CXR\-QUORUM 1 "" "CXR Quorum {version}" "User commands"',
        ".SH NAME",
        r"cxr\-quorum \- four neural networks vote on chest X\-rays and a human decides",
        ".SH SYNOPSIS",
        *_joined(f".B {_escaped(command.usage)}" for command in (window, *others)),
    ]
    lines += [
        ".SH DESCRIPTION",
        _escaped(program.description),
        ".PP",
        "Without a command the review window opens, on the given folder or files if there are any. "
        "Every command works without a display.",
        ".PP",
        "Research use, not a diagnosis. Does not replace the original image.",
    ]
    lines += [".SH OPTIONS", *_option_lines(program.options)]
    lines += [".SH WINDOW", _escaped(window.description), *_option_lines(window.options)]
    lines.append(".SH COMMANDS")
    for command in others:
        lines += [f".SS {_escaped(command.name)}", _escaped(command.description or command.help)]
        lines += _option_lines(command.options)
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_CODES:
        lines += [".TP", f".B {code}", _escaped(meaning)]
    lines.append(".SH ENVIRONMENT")
    for name, meaning in ENVIRONMENT:
        lines += [".TP", f".B {_escaped(name)}", _escaped(meaning)]
    lines += [
        ".SH SEE ALSO",
        r"The manual: Help in the window, or /usr/share/doc/cxr\-quorum/html/index.html.",
    ]
    return "\n".join(lines) + "\n"


def _joined(usages: Iterable[str]) -> list[str]:
    """Usage lines with a break between them."""
    return [line for usage in usages for line in (".br", usage)][1:]


def _option_lines(options: tuple[Option, ...]) -> list[str]:
    lines = []
    for option in options:
        value = rf" \fI{_escaped(option.value)}\fR" if option.value else ""
        names = ", ".join(rf"\fB{_escaped(flag)}\fR" for flag in option.flags)
        lines += [".TP", f"{names}{value}".strip(), _escaped(option.help) or "Positional argument."]
    return lines


def _escaped(text: str) -> str:
    """Text that roff prints as it stands."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text
