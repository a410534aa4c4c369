"""Texts for sentences, lists and files: names of any bytes, moments, natural order."""

from __future__ import annotations

import datetime
import sys
import unicodedata

import pytest

from desktop.core.system.text import display_name, saved_text, utc_stamp


def test_a_stamp_needs_a_zone() -> None:
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    moment = datetime.datetime(2026, 11, 23, 10, 30, tzinfo=berlin)
    assert utc_stamp(moment) == "2026-11-23T09:30:00Z"
    with pytest.raises(ValueError, match="zone"):
        utc_stamp(moment.replace(tzinfo=None))


def test_every_character_is_shown_as_itself_or_as_its_escape() -> None:
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if letter.isprintable():
            assert display_name(letter) == letter
        elif 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is not UTF-8
            assert display_name(letter) == f"\\x{code - 0xDC00:02x}"
        else:
            escape = letter.encode("unicode_escape", "surrogatepass").decode("ascii")
            assert display_name(letter) == escape


def test_saved_text_keeps_letters_and_line_feeds_and_nothing_that_controls() -> None:
    kept = saved_text("".join(map(chr, range(0x30000))))
    kept.encode()
    found = {unicodedata.category(letter) for letter in kept if letter != "\n"}
    assert not found & {"Cc", "Cs", "Zl", "Zp"}
    assert saved_text("Wójcik‍\n日本\t\x1b") == "Wójcik‍\n日本\\t\\x1b"
