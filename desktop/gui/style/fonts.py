"""The bundled typeface: Inter 400, 500 and 600, with figures of equal width."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

import desktop

# A name of its own, so that an Inter of the system with other outlines is never taken instead.
FAMILY = "CXR Inter"
_FILES = ("Inter-Regular.ttf", "Inter-Medium.ttf", "Inter-SemiBold.ttf")
_TABULAR_FIGURES = QFont.Tag("tnum")
_CONTEXTUAL_FORMS = QFont.Tag("calt")


def load_fonts() -> bool:
    """Register the bundled files with the running application.

    Returns:
        True if Inter can be used; False leaves the desktop's own font, and nothing else changes.
    """
    if QGuiApplication.instance() is None:
        return False
    if _already_loaded():
        return True
    folder = files(desktop).joinpath("assets", "fonts")
    loaded = [
        QFontDatabase.addApplicationFontFromData(folder.joinpath(name).read_bytes()) >= 0
        for name in _FILES
    ]
    return all(loaded)


@lru_cache(maxsize=256)
def inter(pixels: float, weight: int = 400) -> QFont:
    """A font of ``pixels`` height (already scaled) with tabular figures, so numbers never jump.

    The same object for the same arguments: copy it (``QFont(font)``) before changing it.
    """
    font = QFont(FAMILY)
    font.setPixelSize(max(1, round(pixels)))
    font.setWeight(QFont.Weight(weight))
    font.setFeature(_TABULAR_FIGURES, 1)
    # They would show the file ward_3x4->old.png as ward_3×4→old.png.
    font.setFeature(_CONTEXTUAL_FORMS, 0)
    # Hinting would round advances to whole pixels and open gaps at 125 %.
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def _already_loaded() -> bool:
    return getattr(QGuiApplication.instance(), "_inter_loaded", False) or _mark()


def _mark() -> bool:
    QGuiApplication.instance()._inter_loaded = True  # type: ignore[union-attr]
    return False
