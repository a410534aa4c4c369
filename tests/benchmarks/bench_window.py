"""How the window feels with a hundred thousand files, measured in the real window.

    python tests/benchmarks/bench_window.py [--files 100000] [--films FOLDER] [--panel FOLDER]

Makes a folder of links (removed afterwards), opens it and prints, each beside its bar: time from
the program's start to the window, time until the list can be used, event-loop lateness while the
models run with compressed DICOM in the folder and the reader pages twice a second, a jump (key
press to the row painted), the next image when it was prefetched, memory. Exit code 1 where a bar is
missed even without the time that no core was free; see `gauge`. The models run on the CPU; give a
real panel for the lateness that users see.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.film_folders import make_folder
from tests.benchmarks.gauge import (
    Figure,
    Spent,
    ThreadGauge,
    percentile,
    print_figures,
    resident_mb,
)
from tests.helpers.tiny_models import write_panel

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from desktop.gui.mainwindow.main_window import MainWindow

PARTS = ("start", "list", "lateness", "jump", "next")
_TICK_MS = 5
_PAGE_MS = 500
_JUMPS = 300


def main() -> int:
    """Run everything and print a table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--films", type=Path, default=None, help="folder of real films")
    parser.add_argument("--folder", type=Path, default=None, help="open this, make no links")
    parser.add_argument("--panel", type=Path, default=None, help="a panel's folder")
    parser.add_argument("--pages", type=int, default=300, help="images to page through")
    parser.add_argument("--seconds", type=float, default=15.0, help="of measuring lateness")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    scratch = Path(tempfile.mkdtemp(prefix="bench-window-"))
    os.environ["CXR_QUORUM_HOME"] = str(scratch / "home")
    try:
        figures = start_of_program() if "start" in options.only else []
        folder = options.folder
        if folder is None:
            folder = scratch / "films"
            make_folder(folder, options.films, options.files, scratch)
        panel = options.panel or write_panel(scratch / "panels", name="bench")
        bench = WindowBench(panel)
        figures += bench.open(folder)
        if "lateness" in options.only:
            figures += bench.lateness(options.seconds)
        bench.stop_models()
        if "jump" in options.only:
            figures += bench.jumps()
        if "next" in options.only:
            figures += bench.next_images(options.pages)
        figures += bench.close()
    finally:
        shutil.rmtree(scratch)
    return int(print_figures(figures))


def start_of_program() -> list[Figure]:
    """Interpreter start to a painted window, in a process of its own; the best of five."""
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from desktop.gui.app import make_application\n"
        "from desktop.gui import theme\n"
        "from desktop.gui.mainwindow.main_window import MainWindow\n"
        "from desktop.gui.settings.preferences import Preferences\n"
        "app = make_application(); theme.apply_choice(app, 'dark')\n"
        "window = MainWindow(Preferences()); window.show(); window.repaint()\n"
        "app.processEvents(); cpu = time.thread_time()\n"
        "print(time.monotonic(), cpu, 'onnxruntime' in sys.modules, flush=True)\n"
        "window.close()"
    )
    walls, cpus = [], []
    for _ in range(5):
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).resolve().parents[2])],
            capture_output=True,
            text=True,
            check=True,
        )
        shown, cpu, _loaded = done.stdout.split()
        walls.append(float(shown) - start)
        cpus.append(float(cpu))
    return [Figure("program start to window, best of 5", min(walls), None, min(cpus), unit="s")]


def paint_counter(widget: QWidget) -> Callable[[], int]:
    """Counts how often a widget is painted from now on."""
    from PySide6.QtCore import QEvent, QObject

    class Counter(QObject):
        painted = 0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
            self.painted += event.type() == QEvent.Type.Paint
            return False

    counter = Counter(widget)
    widget.installEventFilter(counter)
    return lambda: counter.painted


class WindowBench:
    """The real window on a folder, driven as a reader would."""

    def __init__(self, panel: Path) -> None:
        from desktop.gui.app import make_application
        from desktop.gui.mainwindow.main_window import MainWindow
        from desktop.gui.settings.preferences import Preferences
        from desktop.gui.style import theme

        self.application: QApplication = make_application()
        theme.apply_choice(self.application, "dark")
        preferences = Preferences()
        preferences.change(panel=panel.name, heatmap_shown=True)
        self.window: MainWindow = MainWindow(preferences, panel_folders=(panel,))
        self.window.show()
        self.application.processEvents()
        self.gauge = ThreadGauge()

    def spin(self, until: Callable[[], bool], limit: float = 300.0) -> None:
        """Let the window run until something is so."""
        end = time.perf_counter() + limit
        while not until():
            if time.perf_counter() > end:
                raise TimeoutError("the window did not come so far")
            self.application.processEvents()
            time.sleep(0.001)

    def open(self, folder: Path) -> list[Figure]:
        """From opening until the list can be used, and until every file is listed."""
        controller = self.window.controller
        usable: list[Spent] = []
        listed: list[Spent] = []
        with self.gauge.measure(listed):
            with self.gauge.measure(usable):
                self.window.opener.open_folder(folder)
                self.spin(lambda: controller.current is not None)
                self.window.review.list_panel.view.viewport().repaint()
            self.spin(lambda: controller.session is not None and controller.session.scanned)
        return [
            percentile("list usable", usable, 50, 1.0, per=1000),
            percentile("all files listed", listed, 50, per=1000),
        ]

    def lateness(self, seconds: float) -> list[Figure]:
        """How late a 5 ms timer fires while the models run, thumbnails load and images change."""
        from PySide6.QtCore import QEventLoop, Qt, QTimer
        from PySide6.QtTest import QTest

        run = self.window.controller.run
        self.spin(lambda: run.progress.done > 20)
        done = run.progress.done
        ticks: list[Spent] = []
        last = self.gauge.now()

        def tick() -> None:
            nonlocal last
            now = self.gauge.now()
            ticks.append(now - last)
            last = now

        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(tick)
        pages = QTimer()
        pages.timeout.connect(lambda: QTest.keyClick(self.window, Qt.Key.Key_D))
        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        timer.start(_TICK_MS)
        pages.start(_PAGE_MS)
        last = self.gauge.now()
        loop.exec()
        timer.stop()
        pages.stop()
        late = [Spent(max(0.0, one.wall - _TICK_MS), one.cpu, one.waited) for one in ticks]
        answered = (run.progress.done - done) / seconds
        return [
            percentile("lateness p50", late, 50),
            percentile("lateness p99", late, 99, 16.0),
            percentile("lateness p99.9", late, 99.9),
            Figure("GUI thread busy, ms a second", sum(one.cpu for one in ticks) / seconds),
            Figure("images answered a second", answered, unit=""),
        ]

    def stop_models(self) -> None:
        """Keep what is answered and wait until nothing runs."""
        run = self.window.controller.run
        run.stop()
        self.spin(lambda: run.progress.rate == 0, 60)

    def jumps(self) -> list[Figure]:
        """To any row of the list: the image is on show and the list painted."""
        view = self.window.review.list_panel.view
        controller = self.window.controller
        painted = paint_counter(view.viewport())
        chooser = random.Random(1)
        spent: list[Spent] = []
        for _ in range(_JUMPS):
            case = controller.list.model.case_at(chooser.randrange(view.model().rowCount()))
            before = painted()
            if case == controller.current:
                continue
            with self.gauge.measure(spent):
                controller.show_case(case)
                while painted() == before:
                    self.application.processEvents()
        return [percentile("jump p50", spent, 50), percentile("jump p99", spent, 99, 25.0)]

    def next_images(self, pages: int) -> list[Figure]:
        """From the key to the painted film, for films that were decoded ahead."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        controller = self.window.controller
        controller.show_case(0)
        painted = paint_counter(self.window.review.image)
        spent: list[Spent] = []
        for _ in range(pages):
            following = controller.list.neighbour(controller.current, 1)
            if following is None:
                break
            self.spin(lambda case=following: controller.films.outcome(case) is not None, 60)
            before = painted()
            with self.gauge.measure(spent):
                QTest.keyClick(self.window, Qt.Key.Key_D)
                while painted() == before:
                    self.application.processEvents()
        return [
            percentile("next image, prefetched, p50", spent, 50),
            percentile("next image, prefetched, p95", spent, 95, 50.0),
            Figure("memory of the window", resident_mb(), bar=1000.0, unit="MB"),
        ]

    def close(self) -> list[Figure]:
        """Closing ends every worker."""
        spent: list[Spent] = []
        with self.gauge.measure(spent):
            self.window.close()
        self.application.processEvents()
        return [percentile("closing", spent, 50)]


if __name__ == "__main__":
    sys.exit(main())
