"""Progress in a log: a line now and then, with rate and time left."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from desktop.cli import progress as module
from desktop.cli.progress import RunProgress, duration


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_a_log_gets_a_line_every_ten_seconds_with_rate_and_time_left(clock: Clock) -> None:
    said = io.StringIO()
    with RunProgress(Console(file=said, width=200)) as progress:
        progress.total(1000)
        for _ in range(100):
            progress.advance(failed=False, fresh=False)
        for number in range(40):
            clock.now += 0.5
            progress.advance(failed=number == 3)
    lines = said.getvalue().splitlines()
    assert lines == [
        "120 of 1,000 images, 2.0 images/s, 7:20 left, 1 failed",
        "140 of 1,000 images, 2.0 images/s, 7:10 left, 1 failed",
    ]


def test_quiet_says_nothing(clock: Clock) -> None:
    said = io.StringIO()
    with RunProgress(Console(file=said), quiet=True) as progress:
        progress.say("a sentence")
        clock.now += 60
        progress.advance(failed=True)
    assert said.getvalue() == ""


def test_a_terminal_gets_a_bar_and_sentences_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    said = io.StringIO()
    console = Console(file=said, force_terminal=True, width=120)
    with RunProgress(console) as progress:
        progress.total(4)
        progress.say("film [3].png ends early")
        progress.advance(failed=True)
    text = said.getvalue()
    assert "film [3].png ends early" in text
    assert "1/4" in text
    assert "1 failed" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (754, "12:34"), (12310, "3:25:10")]
)
def test_durations_are_written_like_a_clock(seconds: float, text: str) -> None:
    assert duration(seconds) == text
