"""Takes the pictures of the manual and the README from the real window.

usage: QT_QPA_PLATFORM=offscreen python docs/screenshots.py [--only NAME ...]

Everything on them is real (window, models, answers) but the films: drawn phantoms and, where
pydicom-data is installed, its public chest film. All of them together stay below 3 MB.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image

from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from desktop.core.imaging.samples import write_samples

SIZE = (1440, 900)
FILM_SIZE = (1024, 880)
PATIENCE_S = 180
FILMS = 14
ANIMATION_WIDTH = 960


def draw_ward(folder: Path) -> None:
    """A folder to review: phantoms and the public film, named as what they are."""
    folder.mkdir(parents=True)
    for number in range(1, FILMS + 1):
        kind = FILM_KINDS[number % len(FILM_KINDS)]
        film = Image.fromarray(draw_phantom(kind, 40 + number, FILM_SIZE))
        film.save(folder / f"phantom_{number:02d}.png")
    with tempfile.TemporaryDirectory() as scratch:
        for sample in write_samples(Path(scratch)):
            if sample.name == "chest_real_jpeg2000.dcm":
                (Path(scratch) / sample.name).rename(folder / "public_sample.dcm")
    (folder / "phantom_15_cut_off.png").write_bytes(b"\x89PNG\r\n\x1a\n ends early")


class Photographer:
    """One window on one folder, driven by its own actions."""

    def __init__(self, ward: Path) -> None:
        from desktop.gui.app import make_application
        from desktop.gui.mainwindow.main_window import MainWindow
        from desktop.gui.settings.preferences import Preferences
        from desktop.gui.style import theme

        self.application = make_application()
        theme.apply_choice(self.application, "dark", 1.0)
        self.preferences = Preferences()
        self.window = MainWindow(self.preferences)
        self.window.resize(*SIZE)
        self.window.show()
        self.ward = ward
        self.settle()

    def settle(self, seconds: float = 0.6) -> None:
        """Let the window finish what it is drawing: fades, thumbnails, prefetched films."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.application.processEvents()
            time.sleep(0.005)

    def wait_until(self, what: str, happened: Callable[[], bool]) -> None:
        """Go on with the window's events until something is true.

        Raises:
            SystemExit: It did not become true in time.
        """
        end = time.monotonic() + PATIENCE_S
        while not happened():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for: {what}")
            self.application.processEvents()
            time.sleep(0.01)

    def do(self, *actions: str) -> None:
        """Trigger commands by their names in the action table."""
        for name in actions:
            self.window.shortcuts[name].trigger()
            self.settle(0.25)

    def open_ward(self) -> None:
        """Open the folder and wait until every film has its votes."""
        self.window.opener.open_paths([self.ward])
        self.wait_until("the folder's answers", self._answered)
        self.settle()

    def _answered(self) -> bool:
        session = self.window.controller.session
        return (
            session is not None
            and session.scanned
            and len(session.table) > 0
            and all(session.has_result(case) for case in range(len(session.table)))
        )

    def set_theme(self, name: str) -> None:
        """Dark or light, as the settings do it."""
        from desktop.gui.style import theme

        theme.apply_choice(self.application, name, 1.0)
        self.settle()

    def picture(self) -> Image.Image:
        """What the window shows now."""
        from PySide6.QtCore import QBuffer, QIODevice

        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.window.grab().save(buffer, "PNG")
        return Image.open(BytesIO(bytes(buffer.data().data()))).convert("RGB")

    def close(self) -> None:
        """Close the window as a person does."""
        self.window.close()
        self.settle(0.5)


def save(picture: Image.Image, name: str) -> None:
    """Write ``docs/images/NAME.png``, exact to the lowest bit of each channel.

    A palette of 256 colours was smaller, but dithered it put dots on the heatmap that looked like
    a fault of the window, and without dithering it had bands and tinted greys.
    """
    # The lowest bit of a film is noise, and a third of the file.
    even = np.asarray(picture) & 0xFE
    Image.fromarray(even).save(DOCS / "images" / f"{name}.png", optimize=True)


# A reader who mostly agrees with one model or another; the films are drawings.
_FIRST_LABELS = (2, 2, 3, 2, 3)
_OTHER_LABELS = (3, 3, 3, 2, 3, 2, 3, 3, 2)


def still_pictures(camera: Photographer) -> Iterator[tuple[str, Image.Image]]:
    """The manual's pictures in the order in which a review goes."""
    yield "empty-dark", camera.picture()
    camera.open_ward()
    camera.do("first")
    camera.do(*(f"label_{key}" for key in _FIRST_LABELS))
    camera.do("flag")
    if not camera.window.shortcuts["heatmap"].isChecked():
        camera.do("heatmap")
    camera.window.status.clear_notice()
    camera.settle(1.5)
    yield "review-dark", camera.picture()
    camera.set_theme("light")
    yield "review-light", camera.picture()
    camera.set_theme("dark")
    camera.do("page_compare")
    camera.settle(1.5)
    yield "compare-dark", camera.picture()
    camera.do("page_batch")
    camera.settle()
    yield "batch-dark", camera.picture()
    camera.do("page_review", *(f"label_{key}" for key in _OTHER_LABELS), "page_scorecard")
    camera.settle(1.5)
    yield "scorecard-dark", camera.picture()
    camera.do("page_review")


def animation(camera: Photographer) -> list[tuple[Image.Image, int]]:
    """Frames and their milliseconds: next film, map, the other maps, decision, undo."""
    frames: list[tuple[Image.Image, int]] = []

    def frame(milliseconds: int) -> None:
        camera.settle(0.5)
        picture = camera.picture()
        height = round(picture.height * ANIMATION_WIDTH / picture.width)
        size = (ANIMATION_WIDTH, height)
        frames.append((picture.resize(size, Image.Resampling.LANCZOS), milliseconds))

    camera.do("page_review", "first", "next_unreviewed")
    if camera.window.shortcuts["heatmap"].isChecked():
        camera.do("heatmap")
    frame(1400)
    camera.do("heatmap")
    frame(1200)
    for _ in range(3):
        camera.do("next_model")
        frame(800)
    camera.do("next_class")
    frame(1000)
    camera.do("page_compare")
    frame(1600)
    camera.do("page_review", "label_1")
    frame(1200)
    camera.do("label_2")
    frame(1200)
    camera.do("undo")
    frame(1400)
    return frames


def save_animation(frames: list[tuple[Image.Image, int]]) -> None:
    """Write ``docs/images/review.webp``."""
    first, *others = [picture for picture, _ in frames]
    first.save(
        DOCS / "images" / "review.webp",
        save_all=True,
        append_images=others,
        duration=[milliseconds for _, milliseconds in frames],
        loop=0,
        quality=72,
        method=6,
    )


@contextmanager
def own_home() -> Iterator[Path]:
    """A home of its own, so that nobody's settings or reviews are in the pictures or change."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["CXR_QUORUM_HOME"] = str(Path(scratch) / "home")
        yield Path(scratch)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-animation", action="store_true", help="still pictures only")
    options = parser.parse_args()
    (DOCS / "images").mkdir(exist_ok=True)
    with own_home() as scratch:
        ward = scratch / "Ward 3"
        draw_ward(ward)
        camera = Photographer(ward)
        for name, picture in still_pictures(camera):
            save(picture, name)
            print(name)
        if not options.no_animation:
            save_animation(animation(camera))
            print("review.webp")
        camera.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
