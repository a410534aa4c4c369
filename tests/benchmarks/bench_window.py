"""How the window feels with a hundred thousand files, measured in the real window.

    python tests/benchmarks/bench_window.py [--files 100000] [--films FOLDER] [--panel FOLDER]

Makes a folder of links (removed afterwards), opens it and prints: time until the list can be used,
the 99th percentile of a jump (key press to the row painted), event-loop lateness while the models
run with compressed DICOM in the folder, the next image when it was prefetched, memory after paging.
The models run on the CPU; give a real panel for the lateness that users see.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.core.phantoms import FILM_KINDS, draw_phantom
from tests.tiny_models import write_panel

TARGETS = {
    "list usable": (1.0, "s"),
    "jump p99": (25.0, "ms"),
    "lateness p99": (16.0, "ms"),
    "next image, prefetched, p95": (50.0, "ms"),
    "memory of the window": (1000.0, "MB"),
}


def main() -> int:
    """Run everything and print a table; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--films", type=Path, default=None, help="folder of real films")
    parser.add_argument("--panel", type=Path, default=None, help="a panel's folder")
    parser.add_argument("--pages", type=int, default=300, help="images to page through")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    scratch = Path(tempfile.mkdtemp(prefix="bench-window-"))
    os.environ["CXR_QUORUM_HOME"] = str(scratch / "home")
    try:
        folder = scratch / "films"
        make_folder(folder, options.films, options.files, scratch)
        panel = options.panel or write_panel(scratch / "panels", name="bench")
        results = measure(folder, panel, options.pages)
    finally:
        shutil.rmtree(scratch)
    missed = False
    for name, value in results.items():
        target, unit = TARGETS.get(name, (float("inf"), "ms"))
        verdict = "" if value <= target else "  MISSED"
        missed |= value > target
        limit = f"(target {target:g} {unit})" if name in TARGETS else ""
        print(f"{name:36s} {value:9.2f} {unit:3s} {limit}{verdict}")
    return int(missed)


def make_folder(folder: Path, films: Path | None, count: int, scratch: Path) -> None:
    """Links to a few hundred films, every fiftieth a compressed DICOM where one is at hand."""
    folder.mkdir(parents=True)
    sources = sorted(path for path in films.rglob("*.*") if path.is_file())[:1000] if films else []
    if not sources:
        drawn = scratch / "drawn"
        drawn.mkdir()
        for number in range(64):
            path = drawn / f"{number}.png"
            film = draw_phantom(FILM_KINDS[number % len(FILM_KINDS)], number, (512, 512))
            Image.fromarray(film).save(path)
            sources.append(path)
    dicom = compressed_dicom()
    for number in range(count):
        if dicom is not None and number % 50 == 25:
            (folder / f"film_{number:06d}.dcm").symlink_to(dicom)
        else:
            source = sources[number % len(sources)]
            (folder / f"film_{number:06d}{source.suffix}").symlink_to(source)


def compressed_dicom() -> Path | None:
    """A JPEG 2000 chest film of pydicom-data."""
    with contextlib.suppress(Exception):
        from pydicom.data import get_testdata_file

        found = get_testdata_file("RG1_J2KR.dcm", download=False)
        return Path(str(found)) if found else None
    return None


def measure(folder: Path, panel: Path, pages: int) -> dict[str, float]:
    """All figures, in the order of the table."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from desktop.gui import theme
    from desktop.gui.app import make_application
    from desktop.gui.main_window import MainWindow
    from desktop.gui.preferences import Preferences

    application = make_application()
    theme.apply_choice(application, "dark")
    preferences = Preferences()
    preferences.change(panel=panel.name, heatmap_shown=True)
    window = MainWindow(preferences, panel_folders=(panel,))
    window.show()
    application.processEvents()
    results: dict[str, float] = {}

    def spin(until: Callable[[], bool], limit: float = 120.0) -> None:
        end = time.perf_counter() + limit
        while not until() and time.perf_counter() < end:
            application.processEvents()
            time.sleep(0.001)

    started = time.perf_counter()
    window.opening.open_folder(folder)
    controller = window.controller
    spin(lambda: controller.current is not None)
    window.desk.list_panel.view.viewport().repaint()
    results["list usable"] = time.perf_counter() - started
    spin(lambda: controller.session is not None and controller.session.scanned)
    results["all files listed"] = 1000 * (time.perf_counter() - started)

    # Event-loop lateness while the models run, thumbnails load and the reader pages.
    spin(lambda: controller.run.progress.done > 20)
    results |= lateness(application, window, 15.0)

    controller.run.stop()
    spin(lambda: controller.run.progress.rate == 0, 20)
    view = window.desk.list_panel.view
    chooser = random.Random(1)
    jumps = []
    for _ in range(300):
        row = chooser.randrange(view.model().rowCount())
        begin = time.perf_counter()
        case = controller.list.model.case_at(row)
        controller.show_case(case)
        application.processEvents()
        view.viewport().repaint()
        jumps.append(1000 * (time.perf_counter() - begin))
    results["jump p50"] = statistics.median(jumps)
    results["jump p99"] = float(np.percentile(jumps, 99))

    controller.show_case(0)
    times = []
    for _ in range(pages):
        following = controller.list.neighbour(controller.current, 1)
        spin(lambda case=following: controller.films.outcome(case) is not None, 20)
        begin = time.perf_counter()
        QTest.keyClick(window, Qt.Key.Key_D)
        application.processEvents()
        window.desk.image.repaint()
        times.append(1000 * (time.perf_counter() - begin))
    results["next image, prefetched, p50"] = statistics.median(times)
    results["next image, prefetched, p95"] = float(np.percentile(times, 95))
    results["memory of the window"] = resident_mb()
    begin = time.perf_counter()
    window.close()
    results["closing"] = 1000 * (time.perf_counter() - begin)
    QApplication.processEvents()
    return results


def lateness(application: object, window: object, seconds: float) -> dict[str, float]:
    """How late a 5 ms timer fires while an image is changed twice a second."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest

    late: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        late.append(max(0.0, 1000 * (now - last[0]) - 5.0))
        last[0] = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(5)
    pages = QTimer()
    pages.timeout.connect(lambda: QTest.keyClick(window, Qt.Key.Key_D))
    pages.start(500)
    end = time.perf_counter() + seconds
    last[0] = time.perf_counter()
    from PySide6.QtCore import QEventLoop

    while time.perf_counter() < end:
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
    timer.stop()
    pages.stop()
    return {
        "lateness p50": statistics.median(late),
        "lateness p99": float(np.percentile(late, 99)),
        "lateness max": max(late),
    }


def resident_mb() -> float:
    """Resident memory of this process in MB, 0 where it cannot be asked."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
