"""Trouble of the disk in the user's words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from desktop.core.store.connection import store_failed


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "STORE-03"), (errno.EROFS, "STORE-05"), (errno.EIO, "STORE-09")],
)
def test_trouble_of_the_disk_is_told_by_its_kind(number: int, code: str) -> None:
    trouble = OSError(number, os.strerror(number))
    assert store_failed("ward", Path("/reviews/review.sqlite"), trouble).code == code
