"""Thumbnails of a real folder, decoded by the real child process."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.gui import thumbnails
from desktop.gui.thumbnails import Thumbnails


@pytest.fixture
def files(tmp_path: Path) -> list[tuple[int, Path]]:
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for number, path in enumerate(paths):
        Image.new("L", (160, 140), 10 * number + 20).save(path)
    return list(enumerate(paths))


def test_the_latest_are_kept_and_the_oldest_go(
    files: list[tuple[int, Path]], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "CAPACITY", 5)
    kept = Thumbnails()
    try:
        for case, path in files:
            with qtbot.waitSignal(kept.thumbnail_arrived, timeout=20_000):
                kept.want([(case, path)])
        assert len(kept) == 5
        assert kept.picture(6) is None
        last = kept.picture(11)
        assert last is not None
        assert last.pixelColor(64, 64).lightness() == 130
        # What was looked at last stays longest.
        assert kept.picture(7) is not None
        with qtbot.waitSignal(kept.thumbnail_arrived, timeout=20_000):
            kept.want([files[0]])
        assert kept.picture(7) is not None
        assert kept.picture(8) is None
    finally:
        kept.close()


def test_a_long_session_keeps_some_megabytes_of_them(
    files: list[tuple[int, Path]], qtbot: QtBot
) -> None:
    kept = Thumbnails()
    try:
        with qtbot.waitSignal(kept.thumbnail_arrived, timeout=20_000):
            kept.want(files[:1])
        picture = kept.picture(0)
        assert picture is not None
        assert thumbnails.CAPACITY * picture.sizeInBytes() < 12e6
    finally:
        kept.close()
