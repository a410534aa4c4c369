"""Every setting: its type, its default and the sentence that explains it.

The settings dialog, the manual and the checks of the file are all made from this one table, so that
they cannot disagree. Reading and writing is in `desktop.gui.settings.file`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QCoreApplication

from desktop.core.errors import UsageError
from desktop.core.inference.names import DEVICES
from desktop.core.review.query import SavedFilter

_EXPLANATION = "explanation"


@dataclass(frozen=True)
class Explanation:
    """What a dialog needs to show one setting.

    Attributes:
        group: Heading it stands under.
        title: Short name.
        text: What it does and what it is good for, one or two sentences.
        choices: Possible values, empty where any value of the type goes.
        low: Smallest number, None for no limit.
        high: Largest number.
        unit: Unit of the number, e.g. ``%``.
    """

    group: str
    title: str
    text: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""


def _setting(default: Any, group: str, title: str, text: str, **limits: Any) -> Any:
    explanation = Explanation(group, title, text, **limits)
    return field(default=default, metadata={_EXPLANATION: explanation})


@dataclass(frozen=True)
class RecentEntry:
    """A folder that was opened; ``opened`` is ISO 8601."""

    path: str
    opened: str


_LOOK, _READ, _MAPS, _RUN, _SAFE = "Appearance", "Reading", "Heatmap", "Models", "Safety"


@dataclass(frozen=True)
class Settings:
    """The user's settings; see each field's explanation through `explanations`.

    Raises:
        UsageError: SETTINGS-01 for a value outside its type, choices or limits.
    """

    # fmt: off
    theme: str = _setting("dark", _LOOK, "Theme",
        "Dark keeps the eyes adapted to the film; the area around the film is black in both.",
        choices=("system", "dark", "light"))
    text_scale_percent: int = _setting(100, _LOOK, "Text size",
        "Size of all texts, on top of the desktop's own scaling.", low=75, high=200, unit="%")
    reviewer: str = _setting("", _READ, "Your name",
        "Stored with each decision and written to exports. Empty stores no name.")
    blind_first: bool = _setting(False, _READ, "Label before the votes are shown",
        "The votes, heatmaps and filters on them stay hidden until you have given your own "
        "label. Both are kept, and changes afterwards are counted.")
    advance: str = _setting("next unreviewed", _READ, "After a label",
        "Where to go after a label or an accepted consensus.",
        choices=("stay", "next", "next unreviewed"))
    recursive: bool = _setting(True, _READ, "Include subfolders",
        "Lists the images of all folders below the opened one.")
    keep_window: bool = _setting(False, _READ, "Keep the grey window",
        "The next image is shown with the same window/level instead of its own. Useful within "
        "one series, misleading between scanners.")
    keep_zoom: bool = _setting(False, _READ, "Keep zoom and position",
        "The next image is shown at the same place and zoom instead of fitted.")
    window_preset: str = _setting("file", _READ, "Grey window at first sight",
        "The file's own window where it has one, the full range, or the range without the "
        "darkest and brightest 1 or 5 % of the pixels.", choices=("file", "full", "p1", "p5"))
    show_file_facts: bool = _setting(False, _READ, "Show DICOM facts",
        "View, age, sex and date beside the image. They are never exported.")
    left_drag: str = _setting("window", _READ, "Left drag",
        "What dragging with the left mouse button does.", choices=("window", "pan", "zoom"))
    right_drag: str = _setting("zoom", _READ, "Right drag",
        "What dragging with the right mouse button does.", choices=("window", "pan", "zoom"))
    wheel: str = _setting("zoom", _READ, "Wheel",
        "What the wheel does over the image.", choices=("zoom", "images"))
    heatmap_shown: bool = _setting(False, _MAPS, "Show the heatmap",
        "Shows at once where a model looked. It is not a localisation of disease; many readers "
        "look at the bare film first.")
    heatmap_opacity_percent: int = _setting(45, _MAPS, "Opacity",
        "How much the map covers the film.", low=5, high=100, unit="%")
    heatmap_threshold_percent: int = _setting(25, _MAPS, "Threshold",
        "Parts of the map below this share of its maximum are left clear.",
        low=0, high=95, unit="%")
    heatmap_style: str = _setting("colour", _MAPS, "Style",
        "Colour covers the film, a contour leaves it visible.", choices=("colour", "contour"))
    panel: str = _setting("covid19", _RUN, "Panel",
        "The set of models that votes when a folder is opened.")
    panel_folders: tuple[str, ...] = _setting((), _RUN, "Panels of your own",
        "Folders with a manifest.json and its models.")
    device: str = _setting("auto", _RUN, "Device",
        "Where the models run. If the wish cannot be met, the status bar says why and the CPU "
        "is used.", choices=DEVICES)
    label_on_open: bool = _setting(True, _RUN, "Run the models when a folder is opened",
        "Begins with the visible and the next images. Off waits for the command.")
    keep_maps: bool = _setting(True, _RUN, "Keep heatmaps",
        "Reopening a folder shows the maps without running the models; costs about 5 MB for "
        "each 1,000 images in the app's own data folder.")
    find_duplicates: bool = _setting(True, _RUN, "Look for near-duplicates",
        "When the models are through, films that are nearly the same are marked in the list. "
        "Runs in the background; off waits for the command.")
    safety_sample_percent: int = _setting(5, _SAFE, "Safety sample",
        "Share of the unanimous, confident normals that the filters find as is:safety, as a "
        "check on what would otherwise never be looked at. The same images in every session; 0 "
        "switches it off.", low=0, high=100, unit="%")
    safety_confidence_percent: int = _setting(90, _SAFE, "Confident from",
        "Mean probability from which a unanimous normal counts as confident.",
        low=50, high=100, unit="%")
    # fmt: on
    shortcuts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    saved_filters: tuple[SavedFilter, ...] = ()
    recent: tuple[RecentEntry, ...] = ()
    hints_seen: tuple[str, ...] = ()
    window_state: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            explanation = item.metadata.get(_EXPLANATION)
            if explanation is not None:
                _check(item.name, getattr(self, item.name), item.default, explanation)
        # Frozen all the way down: a mapping that is changed in place would not be saved.
        for name in ("shortcuts", "window_state", "unknown"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


def explanations() -> dict[str, Explanation]:
    """Field name -> explanation of every setting that a dialog shows, in order."""
    return {
        item.name: item.metadata[_EXPLANATION]
        for item in dataclasses.fields(Settings)
        if _EXPLANATION in item.metadata
    }


def _check(name: str, value: Any, default: Any, explanation: Explanation) -> None:
    if isinstance(default, tuple):
        sound = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    else:
        sound = type(value) is type(default)  # a bool is no number here
    if not sound:
        raise _wrong(name, value, f"is no {type(default).__name__}")
    if explanation.choices and value not in explanation.choices:
        raise _wrong(name, value, f"is none of {', '.join(explanation.choices)}")
    if explanation.low is not None and value < explanation.low:
        raise _wrong(name, value, f"is below {explanation.low}")
    if explanation.high is not None and value > explanation.high:
        raise _wrong(name, value, f"is above {explanation.high}")


def _wrong(name: str, value: Any, what: str) -> UsageError:
    sentence = QCoreApplication.translate(
        "Settings", "The setting {name} cannot be {value}: it {what}."
    )
    return UsageError("SETTINGS-01", sentence.format(name=name, value=repr(value), what=what))


# Below the checks, because making them runs the checks.
DEFAULTS = Settings()
