"""kill -9 at random moments of real runs: the same command goes on and gives the same bytes."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.system.atomic_write import atomic_write
from tests.helpers import command
from tests.helpers.tiny_models import write_panel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
STAMP_NS = 1_700_000_000_000_000_000
FILMS = 44
SECOND_CONTENT = "film7.bmp"
"""A film that changes during the kills, to a content of the same size with the same time."""


@dataclass
class Ground:
    """A folder of films, a panel and the tables of runs that nobody disturbed.

    Attributes:
        folder: Where the command runs.
        words: The command, without the output.
        output: Name of the table.
        expected: Bytes of the table for each content of the film that changes.
        moments: How far the killed runs had come.
    """

    folder: Path
    words: list[str | Path]
    output: str
    expected: list[bytes] = field(default_factory=list)
    moments: Counter[str] = field(default_factory=Counter)

    def change(self, content: int) -> None:
        path = self.folder / "films" / SECOND_CONTENT
        draw(path, 100 + content, (320, 320))
        os.utime(path, ns=(STAMP_NS, STAMP_NS))

    def undisturbed(self) -> None:
        for content in (0, 1):
            self.change(content)
            done = command.run([*self.words, "-o", f"{content}-{self.output}"], self.folder)
            assert done.returncode == 1, done.stderr.decode()  # one film is broken
            assert (self.folder / f"{content}-{self.output}").exists(), done.stderr.decode()
            self.expected.append((self.folder / f"{content}-{self.output}").read_bytes())
        assert self.expected[0] != self.expected[1]

    def kill(self, images: int, after: float) -> None:
        """Start the run, kill it so many seconds after so many new rows; its decoders go too.

        Rows, not seconds alone: a busy machine would otherwise kill all runs before their first.
        """
        log = self.folder / "run.log"
        log.unlink(missing_ok=True)
        process = command.start(
            [*self.words, "-o", self.output, "--log-json", "run.log"], self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        while process.poll() is None and images and rows_in(log) < images:
            time.sleep(0.002)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=after)
        if process.poll() is None:
            rows = rows_in(log)
            self.moments["between rows" if rows else "before the first row"] += 1
        else:
            self.moments["after the end"] += 1
        process.kill()
        process.wait()
        deadline = time.monotonic() + 30
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(process.pid, 0)
                time.sleep(0.01)
            raise AssertionError("a process outlived its run")

    def finish(self, content: int) -> None:
        done = command.run([*self.words, "-o", self.output], self.folder)
        assert done.returncode == 1, done.stderr.decode()
        self.moments["resumed"] += b"taken over" in done.stderr
        table = self.folder / self.output
        assert table.read_bytes() == self.expected[content]
        assert not list(self.folder.glob(".cxr-quorum-*"))
        assert not list(self.folder.glob("*.damaged-*"))

    def begin_again(self) -> None:
        for path in self.folder.glob(f"{self.output}*"):
            path.unlink()


def rows_in(log: Path) -> int:
    try:
        return log.read_bytes().count(b'"event": "image"')
    except FileNotFoundError:
        return 0


def draw(path: Path, seed: int, size: tuple[int, int]) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (9, 9)).astype(np.uint8)
    Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC).save(path)


def prepared(tmp_path: Path, output: str, *more: str) -> Ground:
    films = tmp_path / "films"
    films.mkdir()
    for number in range(FILMS):
        draw(films / f"film{number}.png", number, (280, 260))
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1000)).astype(np.uint8)
    for number in range(0, FILMS, 2):  # these take a while
        Image.fromarray(noise + np.uint8(number)).save(films / f"film{number}.png")
    (films / "film20b.png").write_bytes(b"broken")
    panel = write_panel(tmp_path / "panels")
    ground = Ground(tmp_path, ["label", films, "--panel", panel, "--batch", "2", *more], output)
    ground.undisturbed()
    return ground


def kill_and_resume(ground: Ground, kills: int, seed: int) -> None:
    """Rounds of one to six kills, a content that may change between them, and a run to the end."""
    dice = random.Random(seed)
    left = kills
    while left > 0:
        ground.begin_again()
        content = dice.randrange(2)
        ground.change(content)
        for _ in range(min(left, dice.randint(1, 6))):
            left -= 1
            # One in six before the first row, while processes start and models load, one in six
            # towards the end, where the table is written; the others leave rows to later runs.
            few = [dice.randrange(1, 6) for _ in range(4)]
            images = dice.choice((0, *few, dice.randrange(6, FILMS + 2)))
            ground.kill(images, dice.uniform(0, 0.1 if images else 1.5))
            table = ground.folder / ground.output
            if table.exists():  # whole, or not there
                assert table.read_bytes() in ground.expected
            if dice.random() < 0.3:
                content = 1 - content
                ground.change(content)
        ground.finish(content)


def test_runs_killed_at_any_moment_go_on_and_give_the_same_bytes(tmp_path: Path) -> None:
    ground = prepared(tmp_path, "votes.csv")
    kill_and_resume(ground, 8, seed=3)


def test_what_a_kill_left_of_table_and_manifest_is_removed(tmp_path: Path) -> None:
    ground = prepared(tmp_path, "votes.csv")
    for name in ("votes.csv", "votes.csv.run.json"):
        with atomic_write(tmp_path / name):
            (half,) = (path for path in tmp_path.glob(".cxr-quorum-*") if "left" not in path.name)
            (tmp_path / f"{half.name[:21]}left.tmp").write_bytes(b"half a file")
    for name in ("votes.csv", "votes.csv.run.json"):
        (tmp_path / name).unlink()
    ground.finish(1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("output", "shape", "kills"),
    [
        ("votes.csv", "wide", 40),
        ("votes.jsonl", "long", 20),
        ("votes.parquet", "wide", 20),
        ("votes.csv", "long", 20),
    ],
)
def test_a_hundred_kills_cost_nothing_but_time(
    tmp_path: Path, output: str, shape: str, kills: int
) -> None:
    if output.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    ground = prepared(tmp_path, output, "--shape", shape)
    kill_and_resume(ground, kills, seed=kills + len(output) + len(shape))
    print(dict(ground.moments))
    assert ground.moments["between rows"] > 0.3 * kills
    assert ground.moments["resumed"] > 0
