"""File names made safe to show: any bytes may be a name, not every name may be printed."""

from __future__ import annotations

from pathlib import PurePath


def shown(name: str | PurePath, limit: int = 80) -> str:
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


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: this was the byte code - 0xDC00
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
