"""File names made safe to show: any bytes may be a name, not every name may be printed."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import PurePath


def display_name(name: str | PurePath, limit: int = 80) -> str:
    """A name for a sentence or a list: one line, printable, at most ``limit`` characters.

    Bytes that are not UTF-8 become ``\\xNN``, control and direction characters their escapes, and a
    long name loses its middle.
    """
    text = printable(name.name or str(name) if isinstance(name, PurePath) else name)
    if len(text) > limit:
        kept = limit - 1
        text = f"{text[: kept - kept // 2]}…{text[-(kept // 2) :]}"
    return text


def printable(text: str) -> str:
    """One line that no terminal acts on; what is printable stays as it is."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) for character in text
    )


_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: this was the byte code - 0xDC00
        return f"\\x{code - 0xDC00:02x}"
    # By hand, as the codec is loaded from a file at its first use, which a caged decoder cannot.
    if character in _SHORT:
        return _SHORT[character]
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


# Control and direction characters, line separators and what is no Unicode at all; not line feeds.
_CONTROLS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def saved_text(text: str) -> str:
    """Text for a saved file: valid Unicode without control characters other than line feeds.

    Each of them becomes its escape, and so does each byte of a name that is not UTF-8.
    """
    return _CONTROLS.sub(lambda found: _escape(found[0]), text)


_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> str:
    """Sort key under which ``film2`` comes before ``film10`` and case does not matter.

    One string, because strings compare four times as fast as lists: each number becomes a mark
    below every letter, its count of digits and the digits. The name itself breaks ties.
    """
    parts = _DIGITS.split(name.casefold())
    for index in range(1, len(parts), 2):
        digits = parts[index].lstrip("0")
        parts[index] = f"\0{chr(len(digits) + 1)}{digits}"
    return f"{''.join(parts)}\0\0{name}"


# As Python itself does for names that are not Unicode, whatever the locale says.
NAME_ERRORS = "surrogatepass" if os.name == "nt" else "surrogateescape"


def path_bytes(path: str) -> bytes:
    """The bytes of a path: any bytes may be a name, so it may hold surrogates."""
    return path.encode("utf-8", NAME_ERRORS)


def utc_stamp(moment: datetime.datetime) -> str:
    """Write a moment as ISO 8601 UTC with seconds.

    Args:
        moment: Time with a zone.

    Raises:
        ValueError: The time has no zone, so nobody knows when it was.
    """
    if moment.tzinfo is None:
        raise ValueError("a stamp needs a time with a zone")
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
