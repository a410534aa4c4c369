"""What hours of paging do to the memory: thousands of images in the real window, models loaded.

    python tests/benchmarks/bench_paging.py [--pages 9000] [--films FOLDER] [--panel FOLDER]

A reader who takes 1.2 s an image looks at 3,000 an hour; here the next key comes as soon as the
film is on the screen. Every fourth image is labelled, every tenth windowed and zoomed, the heatmap
is on. Prints the memory of the window and of everything it started (engine with the models,
decoders), and the slope over the last hour's images, when the caches are full. Exit code 1 where a
bar is missed. Linux.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.bench_window import WindowBench
from tests.benchmarks.film_folders import make_folder
from tests.benchmarks.gauge import Figure, family_mb, print_figures, resident_mb
from tests.helpers.tiny_models import write_panel

PAGES_AN_HOUR = 3000
_EVERY = 50
_MOST_MB = 1000.0
# Flat: an hour's growth stays below the noise of the allocator.
_MOST_SLOPE_MB = 10.0


@dataclass(frozen=True)
class Sample:
    """Memory in MB after ``page`` images: the window's own, and with all its children."""

    page: int
    window: float
    family: float


def main() -> int:
    """Page, sample, print; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=9000)
    parser.add_argument("--minutes", type=float, default=60.0, help="end earlier after these")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--films", type=Path, default=None, help="folder of real films")
    parser.add_argument("--folder", type=Path, default=None, help="open this, make no links")
    parser.add_argument("--panel", type=Path, default=None, help="a panel's folder")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    scratch = Path(tempfile.mkdtemp(prefix="bench-paging-"))
    os.environ["CXR_QUORUM_HOME"] = str(scratch / "home")
    try:
        folder = options.folder
        if folder is None:
            folder = scratch / "films"
            make_folder(folder, options.films, options.files, scratch)
        panel = options.panel or write_panel(scratch / "panels", name="bench")
        bench = WindowBench(panel)
        bench.open(folder)
        samples = page_through(bench, options.pages, 60 * options.minutes)
        bench.close()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return int(print_figures(figures_of(samples)))


def page_through(bench: WindowBench, pages: int, seconds: float) -> list[Sample]:
    """Look at ``pages`` images as a reader would, without the pauses."""
    from PySide6.QtCore import QPointF, Qt
    from PySide6.QtTest import QTest

    controller, window = bench.window.controller, bench.window
    bench.spin(lambda: controller.run.progress.done > 0)
    samples: list[Sample] = []
    end = time.monotonic() + seconds
    for page in range(1, pages + 1):
        case = controller.current
        bench.spin(lambda case=case: controller.films.outcome(case) is not None, 60)
        if page % 10 == 0:
            window.review.image.zoom_by(1.5, QPointF(200, 200))
            window.review.image.set_window(3000 + page, 2000)
        QTest.keyClick(window, Qt.Key.Key_1 if page % 4 == 0 else Qt.Key.Key_D)
        if controller.current == case:
            break
        if page % _EVERY == 0:
            gc.collect()
            family = sum(family_mb(os.getpid()).values())
            samples.append(Sample(page, resident_mb(), family))
            if page % (10 * _EVERY) == 0:
                last = samples[-1]
                print(f"{page:6d} images {last.window:7.1f} MB {last.family:7.1f} MB", flush=True)
        if time.monotonic() > end:
            break
    return samples


def slope(pages: np.ndarray, megabytes: np.ndarray) -> float:
    """MB an hour of reading: Theil-Sen, so that one collected page does not count."""
    rises = [
        (megabytes[late] - megabytes[early]) / (pages[late] - pages[early])
        for early in range(len(pages))
        for late in range(early + 1, len(pages))
    ]
    return float(np.median(rises)) * PAGES_AN_HOUR


def figures_of(samples: list[Sample]) -> list[Figure]:
    """The table: most memory, and growth over the last hour's images."""
    begin = samples[-1].page - PAGES_AN_HOUR
    last = [one for one in samples if one.page >= begin]
    pages = np.array([one.page for one in last])
    window = np.array([one.window for one in last])
    family = np.array([one.family for one in last])
    most = _MOST_SLOPE_MB
    largest = max(one.window for one in samples), max(one.family for one in samples)
    return [
        Figure("images looked at", samples[-1].page, unit=""),
        Figure("window, most", largest[0], bar=_MOST_MB, unit="MB"),
        Figure("window and all it started, most", largest[1], unit="MB"),
        Figure("window, growth in the last hour", slope(pages, window), bar=most, unit="MB"),
        Figure("all, growth in the last hour", slope(pages, family), bar=most, unit="MB"),
    ]


if __name__ == "__main__":
    sys.exit(main())
