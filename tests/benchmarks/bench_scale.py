"""Whether a folder's size matters: time an image, memory and the first row, at 1,000 and 100,000.

The real command on folders of hard links to a few drawn films, with tiny models: what listing,
decoding processes, journal and table cost is then most of the work, so a part that grows with the
folder shows sooner than behind large models. The first row is timed with the shipped models.

    python tests/benchmarks/bench_scale.py [--few 1000] [--many 100000] [--json FILE]
    python tests/benchmarks/bench_scale.py --films DIR [--json FILE]
    python tests/benchmarks/bench_scale.py --without-decoding

The second form takes real films and the shipped models, as people do: half an hour on two cores.
The third has no decoding at all: listing, models, journal and table, by this process's own
processor time, so that 100,000 files take a minute and a part that grows has nowhere to hide.

What a run of the originals alone costs (start, loading) is taken off: only the image counts.
Processor time is told beside the clock: on a machine that does other work only that means
something.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PIL import Image

from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.cases import ImageFile
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.decoders.decoder import Decoded
from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import open_panel
from tests.benchmarks.gauge import family_mb
from tests.helpers.tiny_models import write_panel

ROOT = Path(__file__).resolve().parents[2]
FILMS = 40
LOOK_SECONDS = 1.0
LEAD_IN = 0.1
"""Share of the memory readings that are left out: the run has not settled."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--films", type=Path, help="real films, and the shipped models with them")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--without-decoding", action="store_true", help="only what is not decoding")
    arguments = parser.parse_args()
    if arguments.without_decoding:
        without_decoding(arguments.few, arguments.many)
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        panel = "covid19" if arguments.films else write_panel(scratch / "panel")
        originals = _films(arguments.films, scratch / "films")
        found: dict[str, Any] = {
            "measured": datetime.date.today().isoformat(),
            "load_before": round(load, 2),
            "clock": load < 0.7,
            "first_row_seconds": round(_first_row(originals, scratch), 2),
        }
        print(f"first row after {found['first_row_seconds']:.2f} s", flush=True)
        start = _run(originals[0].parent, panel, scratch, len(originals))
        for word, count in (("few", arguments.few), ("many", arguments.many)):
            folder = _links(originals, scratch / word, count)
            whole = _run(folder, panel, scratch, count)
            found[word] = {
                "files": count,
                "ms_wall": round(
                    1000 * (whole["wall"] - start["wall"]) / (count - len(originals)), 3
                ),
                "ms_cpu": round(1000 * (whole["cpu"] - start["cpu"]) / (count - len(originals)), 3),
                **whole,
            }
            print(word, found[word], flush=True)
    for kind in ("wall", "cpu"):
        ratio = found["many"][f"ms_{kind}"] / found["few"][f"ms_{kind}"]
        print(f"time an image, {kind}: {ratio:.3f} of that of the small folder")
    if arguments.json:
        kept = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
        name = "scale_of_films" if arguments.films else "scale"
        arguments.json.write_text(json.dumps({**kept, name: found}, indent=2) + "\n")


class _Nothing:
    """A decoder that has every film already."""

    def decode(
        self, sources: Iterable[ImageFile], sizes: tuple[tuple[int, int], ...], *, film: bool
    ) -> Iterator[Decoded]:
        pixels = {size: np.full((*size, 1), 128, np.uint8) for size in sizes}
        for number, source in enumerate(sources):
            yield Decoded(source, f"{number:064x}", pixels)


def without_decoding(few: int, many: int) -> None:
    """Print processor time a file of listing, tiny models, journal and table at both sizes."""
    each = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        panel = open_panel(write_panel(scratch / "panel"))
        session = PanelSession(panel, "cpu", 1)
        originals = _films(None, scratch / "films")
        for count in (few, few, many):  # the first is to warm up
            folder = _links(originals, scratch / f"{count} {time.monotonic_ns()}", count)
            begun = time.process_time()
            output = scratch / f"{folder.name}.csv"
            with LabelRun(panel, RunSettings(output)) as run:
                for _ in run.results(list_inputs([folder]), session, decoder=_Nothing()):
                    pass
                listed = time.process_time()
                assert run.write_table() == count
            done = time.process_time()
            each[count] = 1000 * (done - begun) / count
            table = 1000 * (done - listed) / count
            print(
                f"{count:,} files: {each[count]:.3f} ms a file, {table:.3f} of it the table",
                flush=True,
            )
    print(f"{each[many] / each[few]:.3f} of that of the small folder")


def _films(real: Path | None, folder: Path) -> list[Path]:
    """Copies of real films, or else drawn ones, in a folder that hard links can be made to."""
    folder.mkdir()
    if real is not None:
        for number, file in enumerate(list_inputs([real], recursive=True)):
            shutil.copyfile(file.path, folder / f"film{number:02}.jpg")
        return sorted(folder.iterdir())
    for number in range(FILMS):
        film = draw_phantom(FILM_KINDS[number % len(FILM_KINDS)], number, (320, 320))
        Image.fromarray(film).save(folder / f"film{number:02}.jpg", quality=90)
    return sorted(folder.iterdir())


def _links(originals: list[Path], folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"film{number:06}.jpg").hardlink_to(originals[number % len(originals)])
    return folder


def _command(folder: Path, *words: str | Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "desktop",
        "label",
        str(folder),
        "--device",
        "cpu",
        *map(str, words),
    ]


def _environment(scratch: Path) -> dict[str, str]:
    return os.environ | {"CXR_QUORUM_HOME": str(scratch / "home"), "PYTHONPATH": str(ROOT)}


def _first_row(originals: list[Path], scratch: Path) -> float:
    """Seconds from the start of the command to its first row, shipped models; the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        process = subprocess.Popen(
            _command(originals[0].parent, "--output", "-", "--format", "jsonl", "--quiet"),
            stdout=subprocess.PIPE, cwd=scratch, env=_environment(scratch),
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        best = min(best, time.perf_counter() - start)
        process.stdout.read()
        process.wait()
    return best


def _run(folder: Path, panel: Path | str, scratch: Path, count: int) -> dict[str, Any]:
    """One run: seconds, and what memory the whole family of processes took."""
    output = scratch / f"{folder.name}.csv"
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen(
        _command(folder, "--panel", panel, "--output", output, "--quiet"),
        cwd=scratch, env=_environment(scratch),
    )  # fmt: skip
    readings = []
    while process.poll() is None:
        memory = sum(family_mb(process.pid).values())
        if memory:
            readings.append(memory)
        time.sleep(LOOK_SECONDS)
    wall, after = time.perf_counter() - start, os.times()
    assert process.returncode == 0
    rows = len(output.read_text("utf-8-sig").splitlines()) - 1
    assert rows == count, rows
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    settled = readings[int(LEAD_IN * len(readings)) :] or [0.0]
    tenth = max(1, len(settled) // 10)
    return {
        "wall": round(wall, 3),
        "cpu": round(cpu, 3),
        "largest_mb": round(max(settled), 1),
        "early_mb": round(sum(settled[:tenth]) / tenth, 1),
        "late_mb": round(sum(settled[-tenth:]) / tenth, 1),
    }


if __name__ == "__main__":
    main()
