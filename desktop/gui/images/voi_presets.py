"""Named grey windows of a film, with keys and translated names."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from desktop.core.imaging.decode import Radiograph, Window, value_range, window_presets
from desktop.gui.images.view_types import WindowPreset


def film_presets(
    film: Radiograph,
    windows: Sequence[Window] | None = None,
    full_range: tuple[float, float] | None = None,
) -> tuple[WindowPreset, ...]:
    """All presets of a film, the file's own first, without repetitions.

    Args:
        film: The film.
        windows: Its ``window_presets``, None counts them.
        full_range: Its ``value_range``, None looks for it.

    Keys: ``file_0`` ... for the file's own, ``full``, ``p1``, ``p5``. A file whose own is its
    full range has ``full`` only.
    """
    translate = QCoreApplication.translate
    known = {
        "Full range": ("full", translate("WindowPresets", "Full range")),
        "1–99 %": ("p1", translate("WindowPresets", "1–99 %")),
        "5–95 %": ("p5", translate("WindowPresets", "5–95 %")),
    }
    presets: list[WindowPreset] = []
    for index, window in enumerate(window_presets(film) if windows is None else windows):
        key, title = known.get(window.name, (f"file_{index}", window.name))
        presets.append(WindowPreset(key, title, *width_and_level(window), window))
    if all(preset.key != "full" for preset in presets):
        full = Window("Full range", *(full_range or value_range(film)))
        presets.append(
            WindowPreset(
                "full", translate("WindowPresets", "Full range"), *width_and_level(full), full
            )
        )
    return tuple(presets)


def width_and_level(window: Window) -> tuple[float, float]:
    """A window's limits as (width, level)."""
    return window.high - window.low, (window.low + window.high) / 2


def preset_of(presets: Sequence[WindowPreset], width: float, level: float) -> WindowPreset | None:
    """The first preset that has these values."""
    found = (item for item in presets if (item.width, item.level) == (width, level))
    return next(found, None)


def window_of(presets: Sequence[WindowPreset], width: float, level: float) -> Window:
    """The window of the preset that has these values, with its curve, or a straight one."""
    preset = preset_of(presets, width, level)
    if preset is not None:
        return preset.window
    return Window("", level - width / 2, level + width / 2)
