"""Numbers, durations and literal text as the window writes them."""

from __future__ import annotations

from PySide6.QtCore import QLocale


def grouped(count: int) -> str:
    """A number with its digits grouped: 4,812."""
    return QLocale().toString(count)


def duration(seconds: float) -> str:
    """``2 min 21 s``, ``3 h 5 min``, ``12 s``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def literal(words: str) -> str:
    """Words of a file or a person for a menu, where & would underline the next letter."""
    return words.replace("&", "&&")
