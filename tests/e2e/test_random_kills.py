"""The real window, killed at random in the middle of labelling and of the batch: nothing is lost.

`quick_reader` presses keys in the window as a user starts it and tells what the list shows after
each; what it has told was acknowledged on screen. Seeds are in the names of the tests and fixed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.test_full_disk import fill
from tests.helpers.film_files import draw_films

PATIENCE_S = 120.0
FILMS = 30
# (revision, words) of each image
Shown = dict[str, tuple[int, str]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films") / "ward"
    draw_films(folder, FILMS, first=0)
    return folder


class Reader:
    """A window with quick fingers, and everything that it has told."""

    def __init__(
        self, films: Path, panel_folder: Path, home: Path, seed: int, *options: str
    ) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _bury
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.e2e.quick_reader"),
                *(str(films), str(panel_folder), str(seed), *options),
            ],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "CXR_QUORUM_HOME": str(home)},
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            # A group of its own: whether its engine and decoders end with it can be asked.
            start_new_session=True,
        )
        self.opened: Shown | None = None
        self.shown: Shown = {}
        self.told: list[str] = []
        self.presses = 0
        self.answered = 0
        self._news = threading.Condition()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # the kill came in the middle of it
            with self._news:
                for kind, value in json.loads(line).items():
                    if kind == "opened":
                        self.opened = _rows(value)
                        self.shown = dict(self.opened)
                    elif kind == "shown":
                        self.shown.update(_rows(value))
                        self.answered += 1
                    elif kind == "told":
                        self.told.append(value)
                    else:
                        self.presses += 1
                self._news.notify_all()

    @property
    def in_flight(self) -> bool:
        """A key was pressed and what came of it was not told."""
        return self.presses > self.answered

    def wait(self, until: Callable[[], bool], what: str) -> None:
        with self._news:
            if not self._news.wait_for(
                lambda: until() or self.process.poll() is not None, PATIENCE_S
            ):
                pytest.fail(f"waited {PATIENCE_S:.0f} s in vain for {what}: {self._words()}")
        assert until(), f"it ended with {self.process.poll()} before {what}: {self._words()}"

    def _words(self) -> str:
        self._complaints.seek(0)
        return f"{self.told} {self._complaints.read()[-3000:].decode(errors='replace')}"

    def wait_for_presses(self, count: int) -> None:
        self.wait(lambda: self.presses >= count, f"{count} presses")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self._bury()

    def end(self) -> int:
        """As a user would: the close button's way."""
        self.process.terminate()
        self._bury()
        return self.process.returncode

    def _bury(self) -> None:
        self.process.wait(PATIENCE_S)
        # The pipe ends when the last child that inherited it has gone.
        self._listener.join(PATIENCE_S)
        assert not self._listener.is_alive(), "a child of the killed window lives on"
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._complaints.close()

    def children_are_gone(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def _rows(told: dict[str, list[object]]) -> Shown:
    return {image: (int(str(row[0])), str(row[1])) for image, row in told.items()}


Start = Callable[..., Reader]


@pytest.fixture
def start(films: Path, panel_folder: Path, tmp_path: Path) -> Iterator[Start]:
    readers: list[Reader] = []

    def begin(seed: int, *options: str, home: Path | None = None) -> Reader:
        readers.append(Reader(films, panel_folder, home or tmp_path / "home", seed, *options))
        return readers[-1]

    yield begin
    for reader in readers:
        if reader.process.poll() is None:
            reader.kill()
    deadline = time.monotonic() + PATIENCE_S
    while not all(reader.children_are_gone() for reader in readers):
        assert time.monotonic() < deadline, "engine or decoders outlive the killed window"
        time.sleep(0.05)


def merged(readers: list[Reader], before: Shown) -> Shown:
    """The latest that any window has acknowledged for each image."""
    newest = dict(before)
    for reader in readers:
        for image, row in reader.shown.items():
            newest[image] = max(newest.get(image, row), row)
    return newest


def lost(acknowledged: Shown, found: Shown, in_flight: int) -> list[str]:
    """What was on a screen and is no more; each key in flight may have changed one image."""
    wrong = []
    newer = 0
    for image, (revision, words) in acknowledged.items():
        revision_now, words_now = found.get(image, (0, ""))
        if revision_now < revision or (revision_now == revision and words_now != words):
            wrong.append(f"{image}: {words!r} is {words_now!r}")
        elif words_now != words:
            newer += 1
    newer += len([image for image in found if image not in acknowledged and found[image][1]])
    if newer > in_flight:
        wrong.append(f"{newer} decisions that nobody was told of, {in_flight} keys in flight")
    return wrong


def kill_at_random(start: Start, seed: int, kills: int, *options: str) -> list[str]:
    """Open, press, kill, again and again; gives what was lost."""
    chance = random.Random(seed)
    acknowledged: Shown = {}
    in_flight = 0
    wrong: list[str] = []
    for number in range(kills):
        reader = start(chance.randrange(2**31), *options)
        if number and chance.random() < 0.15:
            # While it starts: nothing was pressed, so nothing may change.
            time.sleep(chance.uniform(0, 1))
            reader.kill()
            continue
        reader.wait_for_presses(chance.randrange(1, 40))
        time.sleep(chance.uniform(0, 0.03))
        reader.kill()
        assert reader.opened is not None
        wrong += lost(acknowledged, reader.opened, in_flight)
        acknowledged = merged([reader], {})
        in_flight = int(reader.in_flight)
    last = start(0)
    last.wait(lambda: last.opened is not None, "the last opening")
    assert last.opened is not None
    wrong += lost(acknowledged, last.opened, in_flight)
    assert last.end() == 0
    assert acknowledged, "the test pressed nothing that counts"
    return wrong


def test_what_was_on_the_screen_survives_two_kills(start: Start) -> None:
    assert kill_at_random(start, seed=1, kills=2) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [2, 3])
def test_what_was_on_the_screen_survives_many_kills(start: Start, seed: int) -> None:
    assert kill_at_random(start, seed, kills=15) == []


@pytest.mark.slow
def test_a_window_that_saves_later_would_be_found_out(start: Start) -> None:
    assert kill_at_random(start, 4, 3, "--late", "1500") != []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_windows_killed_together_lose_nothing_of_each_other(start: Start) -> None:
    chance = random.Random(5)
    acknowledged: Shown = {}
    in_flight = 0
    for _ in range(4):
        pair = [start(chance.randrange(2**31)) for _ in range(2)]
        for reader in pair:
            reader.wait_for_presses(chance.randrange(5, 40))
        for reader in chance.sample(pair, 2):
            time.sleep(chance.uniform(0, 0.2))
            reader.kill()
        for reader in pair:
            assert reader.opened is not None
        # The first to open saw what the round before left.
        first = min((reader.opened or {} for reader in pair), key=_latest)
        assert lost(acknowledged, first, in_flight) == []
        acknowledged = merged(pair, {})
        in_flight = sum(reader.in_flight for reader in pair)
    last = start(0)
    last.wait(lambda: last.opened is not None, "the last opening")
    assert last.opened is not None
    assert lost(acknowledged, last.opened, in_flight) == []
    assert last.end() == 0


@pytest.mark.slow
def test_a_clock_that_goes_back_a_year_costs_nothing(start: Start) -> None:
    assert kill_at_random(start, 6, 3, "--clock-back-after", "4") == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of its own with room for a review and its log."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    words = ("-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", str(folder))
    if mount is None or subprocess.run([mount, *words], capture_output=True).returncode:
        pytest.skip("this machine does not let the test make a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_full_disk_is_told_and_keeps_what_was_on_the_screen(disk: Path, start: Start) -> None:
    home = disk / "home"
    reader = start(7, home=home)
    reader.wait_for_presses(15)
    ballast = fill(disk)
    reader.wait(lambda: any("full" in sentence for sentence in reader.told), "a word about it")
    pressed = reader.presses
    reader.wait_for_presses(pressed + 20)
    reader.kill()
    ballast.unlink()
    again = start(8, home=home)
    again.wait(lambda: again.opened is not None, "the next opening")
    assert again.opened is not None
    assert lost(merged([reader], {}), again.opened, int(reader.in_flight)) == []
    # With room again everything goes on.
    again.wait(lambda: any(row[0] > _latest(reader.shown) for row in again.shown.values()), "more")
    assert again.end() == 0


def _noise(data: bytes) -> bytes:
    return random.Random(9).randbytes(len(data))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda data: data[: len(data) // 2],
    "cut to nothing but the header": lambda data: data[:100],
    "noise over the first page": lambda data: _noise(data[:4096]) + data[4096:],
    "noise over the middle": lambda data: data[:8192] + _noise(data[8192:-4096]) + data[-4096:],
    "noise all over": _noise,
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_a_damaged_store_is_told_set_aside_and_never_overwritten(
    start: Start, tmp_path: Path, damage: str, closed: bool
) -> None:
    reader = start(10)
    reader.wait_for_presses(30)
    if closed:
        assert reader.end() == 0
    else:
        reader.kill()
    (path,) = (tmp_path / "home").rglob("review.sqlite")
    broken = DAMAGES[damage](path.read_bytes())
    path.write_bytes(broken)
    again = start(11)
    again.wait(lambda: again.opened is not None, "the opening")
    assert again.opened is not None
    kept = list(path.parent.glob("review.damaged-*.sqlite"))
    if kept:
        assert [aside.read_bytes() for aside in kept] == [broken]
        assert any("set aside" in sentence for sentence in again.told)
    else:
        # The log held everything that the damage hit.
        assert lost(reader.shown, again.opened, int(reader.in_flight)) == []
    again.wait_for_presses(5)
    assert again.end() == 0


def _latest(shown: Shown) -> int:
    return max((revision for revision, _ in shown.values()), default=0)
