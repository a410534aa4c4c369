"""Pictures of the window's main states, compared pixel by pixel with those that were approved.

Renew them after a change of looks that is meant, and look at them before they are committed:
``python -m tests.gui.reference_images`` (all) or ``... --only review-dark blind-dark``.

Everything that could differ between two machines is held: bundled font, Fusion, no system's font
settings, no clock, no models (invented answers, recorded as the engine would), drawn phantoms only.
What is left is Qt's own drawing, so the pictures carry the minor version of PySide6 they came from.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

REFERENCES = Path(__file__).with_name("references")
FACTS = REFERENCES / "made_with.json"
SIZE = (1280, 800)
FILMS = 12
PATIENCE_S = 120
Rgb = npt.NDArray[np.uint8]

_NO_SYSTEM_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <cachedir>{cache}</cachedir>
  <match target="font">
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="rgba" mode="assign"><const>none</const></edit>
  </match>
</fontconfig>
"""


def pinned_environment(scratch: Path) -> dict[str, str]:
    """The environment in which pictures are taken; must stand before Qt is loaded."""
    fonts = scratch / "fonts.conf"
    fonts.write_text(_NO_SYSTEM_FONTS.format(cache=scratch / "font-cache"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("QT_", "LC_"))}
    return {
        **kept,
        "QT_QPA_PLATFORM": "offscreen",
        "QT_FONT_DPI": "96",
        "QT_SCALE_FACTOR": "1",
        "FONTCONFIG_FILE": str(fonts),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CXR_QUORUM_HOME": str(scratch / "home"),
        "CXR_QUORUM_DATA": str(scratch / "no-real-films"),
    }


def qt_minor() -> str:
    """Such as ``6.11``."""
    import PySide6

    return ".".join(PySide6.__version__.split(".")[:2])


class Scene:
    """The real window on a folder whose films were answered and partly decided."""

    def __init__(self, scratch: Path) -> None:
        from desktop.gui.app import make_application
        from desktop.gui.mainwindow.main_window import MainWindow
        from desktop.gui.settings.preferences import Preferences
        from desktop.gui.style import theme
        from tests.helpers.tiny_models import write_panel

        self.application = make_application()
        self.application.setCursorFlashTime(0)
        theme.apply_choice(self.application, "dark", 1.0)
        self.panel = write_panel(scratch / "panels", name="drawn")
        self.ward = scratch / "Ward 3"
        preferences = Preferences()
        preferences.change(panel="drawn", find_duplicates=False, label_on_open=False)
        self.window = MainWindow(preferences, panel_folders=(self.panel,))
        self.window.resize(*SIZE)
        self.window.show()

    def open_ward(self) -> None:
        """Open the folder and wait for its list and film."""
        draw_ward(self.ward)
        record_answers(self.ward, self.panel)
        self.window.opener.open_paths([self.ward])
        controller = self.window.controller
        self.wait(lambda: controller.session is not None and controller.session.scanned)
        self.go_to(0)

    def go_to(self, case: int) -> None:
        """Show a film and wait until it is drawn."""
        controller = self.window.controller
        controller.show_case(case)
        self.wait(lambda: controller.films.outcome(case) is not None)

    def do(self, *actions: str) -> None:
        """Trigger commands by their names in the action table."""
        for name in actions:
            self.window.shortcuts[name].trigger()
            self.application.processEvents()

    def cover_hash(self) -> None:
        """The models' files differ with the version of the library that wrote them."""
        from desktop.gui.widgets.label import ElidedLabel

        session = self.window.controller.session
        assert session is not None
        reported = session.panel.fingerprint[:8]
        lines = [
            line for line in self.window.batch.findChildren(ElidedLabel) if line.text == reported
        ]
        assert lines, "the batch page no longer shows the hash"
        for line in lines:
            line.set_text("0" * 8)

    def set_theme(self, name: str) -> None:
        """Dark or light."""
        from desktop.gui.style import theme

        theme.apply_choice(self.application, name, 1.0)

    def wait(self, happened: Callable[[], bool]) -> None:
        """Go on with the window's events until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not happened():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come so far")
            self.application.processEvents()
            time.sleep(0.005)

    def picture(self, widget: object = None) -> Rgb:
        """What it shows once nothing moves any more, uint8 [H, W, 3]."""
        self.window.status.clear_notice()
        waiting = self.window.controller.thumbnails
        before: Rgb | None = None
        still = 0
        end = time.monotonic() + PATIENCE_S
        while still < 4:
            if time.monotonic() > end:
                raise TimeoutError("the window does not come to rest")
            pause = time.monotonic() + 0.1
            while time.monotonic() < pause:
                self.application.processEvents()
                time.sleep(0.005)
            now = grabbed(widget or self.window)
            calm = before is not None and np.array_equal(before, now) and not waiting.waiting
            still = still + 1 if calm else 0
            before = now
        assert before is not None
        return before


def grabbed(widget: object) -> Rgb:
    """A widget's pixels."""
    from PySide6.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)  # type: ignore[attr-defined]
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def draw_ward(folder: Path) -> None:
    """Phantoms without noise (they pack well), and one file that ends early."""
    from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom

    folder.mkdir()
    for number in range(1, FILMS + 1):
        film = Image.fromarray(draw_phantom(FILM_KINDS[number % len(FILM_KINDS)], number, (96, 88)))
        smooth = film.resize((704, 768), Image.Resampling.BICUBIC)
        path = folder / f"phantom_{number:02d}.png"
        smooth.save(path)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (folder / "phantom_13_cut_off.png").write_bytes(b"\x89PNG\r\n\x1a\n ends early")


def record_answers(ward: Path, panel_folder: Path) -> None:
    """What the engine would have recorded, and decisions on some of it."""
    import dataclasses

    from desktop.core.cases import CaseResult
    from desktop.core.error_codes import refused
    from desktop.core.files.listing import list_folder
    from desktop.core.panels.registry import open_panel
    from desktop.core.review import decisions
    from desktop.core.review.decisions import Stamp, make_step
    from desktop.core.store.review_store import ReviewStore
    from tests.gui.sample_values import result

    panel = open_panel(panel_folder)
    kinds = ("tie", "agree", "dissent")
    stamp = Stamp("", "2026-11-23T09:30:00Z")
    files = [file for batch in list_folder(ward) for file in batch]
    with ReviewStore.open(ward, panel.manifest) as store:
        answers = []
        for number, file in enumerate(files):
            answer = dataclasses.replace(
                result(kinds[number % len(kinds)]), image=file.image, sha256=f"{number + 1:064x}"
            )
            if "cut_off" in file.image:
                problem = refused("DECODE-02", file.path)
                answer = CaseResult(file.image, answer.sha256, "failed", problem.code, str(problem))
            answers.append((answer, file))
        store.record_results(answers, device="cpu")
        for number, file in enumerate(files[:5]):
            name = panel.class_names[number % 3]
            step = make_step(
                "label",
                {file.image: store.decision(file.image)},
                lambda _image, before, name=name: decisions.label(
                    before, name, stamp, votes_shown=True
                ),
                value=name,
            )
            store.apply(step)


def pictures(scratch: Path) -> Iterator[tuple[str, Rgb]]:
    """Every state by name."""
    from PySide6.QtWidgets import QApplication

    scene = Scene(scratch)
    window = scene.window
    yield "empty-dark", scene.picture()
    scene.open_ward()
    scene.go_to(5)
    scene.do("heatmap")
    yield "review-dark", scene.picture()
    scene.do("contour")
    scene.set_theme("light")
    yield "review-contour-light", scene.picture()
    scene.set_theme("dark")
    scene.do("contour", "heatmap", "blind_first")
    scene.go_to(7)
    yield "blind-dark", scene.picture()
    scene.do("blind_first")
    scene.go_to(12)
    yield "failed-dark", scene.picture()
    scene.go_to(6)
    scene.do("page_compare")
    yield "compare-dark", scene.picture()
    scene.set_theme("light")
    scene.do("page_batch")
    scene.cover_hash()
    yield "batch-light", scene.picture()
    scene.do("page_scorecard")
    yield "scorecard-light", scene.picture()
    scene.set_theme("dark")
    scene.do("page_review")
    yield from gallery_pages()
    window.close()
    QApplication.processEvents()


def gallery_pages() -> Iterator[tuple[str, Rgb]]:
    """Widgets in states that the window is rarely in."""
    from PySide6.QtWidgets import QApplication

    from tests.gui.gallery import PAGES

    for name in ("controls", "rows", "strips"):
        page = PAGES[name]()
        page.show()
        QApplication.processEvents()
        yield f"gallery-{name}-dark", grabbed(page)
        page.hide()
        page.deleteLater()


def take(folder: Path, kind: str, only: tuple[str, ...] = ()) -> None:
    """Write the pictures of this version into a folder; in a process with the pinned environment.

    Args:
        folder: Made if need be.
        kind: ``webp`` or ``png``.
        only: Names; empty for all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, picture in pictures(Path(scratch)):
            if not only or name in only:
                save(picture, folder / f"{name}.{kind}")
                taken += 1
            if only and taken == len(only):
                return


def save(picture: Rgb, path: Path) -> None:
    """Without loss, because every pixel counts; small as WebP, quick as PNG."""
    if path.suffix == ".webp":
        Image.fromarray(picture).save(path, lossless=True, quality=100, method=6)
    else:
        Image.fromarray(picture).save(path, compress_level=1)


def load(path: Path) -> Rgb:
    """uint8 [H, W, 3]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def main() -> int:
    """Entry point: renew the references, or (``--into``) write elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--into", type=Path, default=REFERENCES)
    options = parser.parse_args()
    take_pinned(options.into, "webp", tuple(options.only))
    if options.into == REFERENCES:
        FACTS.write_text(json.dumps({"pyside": qt_minor()}) + "\n")
        size = sum(path.stat().st_size for path in REFERENCES.iterdir())
        print(f"{size / 1e6:.2f} MB in {REFERENCES}")
    return 0


def take_pinned(folder: Path, kind: str, only: tuple[str, ...] = (), before: str = "") -> None:
    """Take the pictures in a process of their own.

    Args:
        folder: Where they go.
        kind: ``webp`` or ``png``.
        only: Names; empty for all.
        before: Python code that runs there first, for tests of the test.

    Raises:
        subprocess.CalledProcessError: That process failed; its words are on standard error.
    """
    import subprocess

    code = (
        "import sys\n"
        "from pathlib import Path\n"
        f"{before}\n"
        "from tests.gui.reference_images import take\n"
        "take(Path(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:]))\n"
    )
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [sys.executable, "-c", code, str(folder.absolute()), kind, *only],
            env=pinned_environment(Path(scratch)),
            cwd=Path(__file__).resolve().parents[2],
            check=True,
        )


if __name__ == "__main__":
    sys.exit(main())
