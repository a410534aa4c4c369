"""Texts for sentences, lists and files: names of any bytes, moments, natural order."""

from __future__ import annotations

import datetime

import pytest

from desktop.core.system.text import utc_stamp


def test_a_stamp_needs_a_zone() -> None:
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    moment = datetime.datetime(2026, 11, 23, 10, 30, tzinfo=berlin)
    assert utc_stamp(moment) == "2026-11-23T09:30:00Z"
    with pytest.raises(ValueError, match="zone"):
        utc_stamp(moment.replace(tzinfo=None))
