"""The app icon in the forms that systems want, drawn from the one SVG.

usage: python packaging/icons.py FOLDER     writes PNGs, cxr-quorum.ico and cxr-quorum.icns
"""

from __future__ import annotations

import argparse
import os
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

SOURCE = Path(__file__).resolve().parent.parent / "desktop" / "assets" / "app-icon.svg"
PNG_SIZES = (16, 32, 48, 64, 128, 256, 512)


def draw_icon(size: int) -> Image.Image:
    """The icon at ``size`` pixels, RGBA."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QIODevice, Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    picture = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return Image.open(BytesIO(bytes(buffer.data().data())))


def write_icons(folder: Path) -> None:
    """Write every form below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {size: draw_icon(size) for size in PNG_SIZES}
    for size, picture in pictures.items():
        picture.save(folder / f"cxr-quorum-{size}.png", optimize=True)
    largest = pictures[256]
    largest.save(folder / "cxr-quorum.ico", sizes=[(s, s) for s in (16, 32, 48, 64, 128, 256)])
    pictures[512].save(folder / "cxr-quorum.icns")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write_icons(parser.parse_args().folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
