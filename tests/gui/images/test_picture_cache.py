"""Thumbnails of a real folder, decoded by the real child process."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decode import Radiograph
from desktop.gui.images import picture_cache
from desktop.gui.images.picture_cache import FilmLoader, Thumbnails


@pytest.fixture
def files(tmp_path: Path) -> list[tuple[int, Path]]:
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for number, path in enumerate(paths):
        Image.new("L", (160, 140), 10 * number + 20).save(path)
    return list(enumerate(paths))


def test_the_latest_are_kept_and_the_oldest_go(
    files: list[tuple[int, Path]], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_cache, "THUMBNAILS", 5)
    kept = Thumbnails()
    try:
        for case, path in files:
            with qtbot.waitSignal(kept.arrived, timeout=20_000):
                kept.want([(case, path)])
        assert len(kept) == 5
        assert kept.picture(6) is None
        last = kept.picture(11)
        assert last is not None
        assert last.pixelColor(64, 64).lightness() == 130
        # What was looked at last stays longest.
        assert kept.picture(7) is not None
        with qtbot.waitSignal(kept.arrived, timeout=20_000):
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
        with qtbot.waitSignal(kept.arrived, timeout=20_000):
            kept.want(files[:1])
        picture = kept.picture(0)
        assert picture is not None
        assert picture_cache.THUMBNAILS * picture.sizeInBytes() < 12e6
    finally:
        kept.close()


def test_what_is_decoded_late_is_not_taken_for_a_film_of_the_next_folder(
    files: list[tuple[int, Path]], qtbot: QtBot
) -> None:
    small, large = Thumbnails(), FilmLoader()
    for kept in (small, large):
        try:
            kept.want([(0, files[3][1])])
            # Decoded, and not yet reported: no event of this thread runs meanwhile.
            deadline = time.monotonic() + 20
            while kept.waiting and time.monotonic() < deadline:
                time.sleep(0.01)
            kept.forget_all()
            with qtbot.waitSignal(kept.arrived, timeout=20_000):
                kept.want([(0, files[9][1])])
        finally:
            kept.close()
    picture, film = small.picture(0), large.outcome(0)
    assert picture is not None
    assert picture.pixelColor(64, 64).lightness() == 110
    assert isinstance(film, Radiograph)
    assert film.values.max() == 110
