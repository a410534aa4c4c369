"""Own 16 px line icons as tinted SVG, crisp at every ratio; the application's own icon."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import desktop
from desktop.gui.style import theme

# Other names for the same drawing.
_ALIASES = {
    "download": "export",
    "flame": "heatmap",
    "rotate": "rotate-right",
    "target": "contour",
    "x": "cross",
}


@lru_cache(maxsize=256)
def _source(name: str) -> bytes:
    """The SVG text of an icon.

    Raises:
        KeyError: if there is no such icon: a typing error in the code, not in the data.
    """
    path = files(desktop).joinpath("assets", "icons", f"{_ALIASES.get(name, name)}.svg")
    if not path.is_file():
        raise KeyError(name)
    return path.read_bytes()


def paint_icon(
    painter: QPainter, name: str, rect: QRectF | QRect, colour: str, opacity: float = 1.0
) -> None:
    """Draw an icon in one colour, from a pixmap cached per (name, size, colour, ratio)."""
    target = QRectF(rect)
    ratio = painter.device().devicePixelRatioF() if painter.device() else 1.0
    pixmap = icon_pixmap(name, round(target.width()), colour, ratio)
    previous = painter.opacity()
    painter.setOpacity(previous * opacity)
    painter.drawPixmap(target.topLeft(), pixmap)
    painter.setOpacity(previous)


@lru_cache(maxsize=1024)
def icon_pixmap(name: str, size: int, colour: str, ratio: float) -> QPixmap:
    """The icon as a square pixmap of ``size`` device-independent pixels."""
    device = max(1, round(size * ratio))
    image = QImage(device, device, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(_source(name))).render(painter, QRectF(0, 0, device, device))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(image.rect(), QColor(colour))
    painter.end()
    pixmap = QPixmap.fromImage(image)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class _TintedEngine(QIconEngine):
    """Draws in the colours of the theme in force at paint time, so icons follow a theme change."""

    def __init__(self, name: str, tone: str) -> None:
        super().__init__()
        self._name = name
        self._tone = tone

    def _colour(self, mode: QIcon.Mode) -> str:
        tokens = theme.current()
        if mode == QIcon.Mode.Disabled:
            return tokens.text3
        if mode == QIcon.Mode.Selected:
            return tokens.on_accent
        return str(getattr(tokens, self._tone))

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())
        opacity = 0.5 if mode == QIcon.Mode.Disabled else 1.0
        paint_icon(painter, self._name, square, self._colour(mode), opacity)

    def pixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, _state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float
    ) -> QPixmap:
        side = max(1, round(min(size.width(), size.height()) / max(scale, 1e-6)))
        return icon_pixmap(self._name, side, self._colour(mode), scale)

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._name, self._tone)

    def key(self) -> str:
        return f"cxr-{self._name}-{self._tone}"

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        side = min(size.width(), size.height())
        return QSize(side, side)


def icon(name: str, tone: str = "text1") -> QIcon:
    """An icon by name, tinted by a token (``text1``, ``text2``, ``accent``) and theme-following.

    Raises:
        KeyError: if there is no such icon.
    """
    _source(name)
    engine = _TintedEngine(name, tone)
    return QIcon(engine)


def app_icon() -> QIcon:
    """The application's icon at all usual sizes."""
    data = QByteArray(files(desktop).joinpath("assets", "app-icon.svg").read_bytes())
    result = QIcon()
    for side in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(_render(data, side))
    return result


def app_mark(size: int, ratio: float) -> QPixmap:
    """The icon as a pixmap for the top bar and the About box, ``size`` px at any ratio."""
    data = QByteArray(files(desktop).joinpath("assets", "app-icon.svg").read_bytes())
    pixmap = _render(data, round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _render(data: QByteArray, side: int) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(data).render(painter, QRectF(QPoint(0, 0), QSize(side, side)))
    painter.end()
    return pixmap
