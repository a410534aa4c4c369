"""What an image view is given: frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from desktop.core.pixels import Window


class Tool(Enum):
    """What a drag does. Middle drag always pans; the right button has a setting."""

    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    MEASURE = "measure"


@dataclass(frozen=True)
class HudFacts:
    """Words at the corners of the image.

    Attributes:
        name: File name, top left.
        position: e.g. ``417 of 4,812``, below it.
        view: e.g. ``AP supine``, top right; empty where unknown.
        sides: (left, top) letters of the patient's side at the film's left and upper edge as
            stored, e.g. ``("R", "H")``; None = what the film itself says, if anything.
    """

    name: str = ""
    position: str = ""
    view: str = ""
    sides: tuple[str, str] | None = None


@dataclass(frozen=True)
class MapLayer:
    """A model's heatmap to lay over the film.

    Attributes:
        values: float32 [h, w], non-negative, covers the whole film as it was stored.
        title: Model's title, e.g. ``ResNet50``.
        class_name: Class the map is of, e.g. ``Covid``.
        kind: ``map`` of one class, or ``difference`` between the models.
    """

    values: npt.NDArray[np.float32] = field(compare=False, repr=False)
    title: str
    class_name: str
    kind: str = "map"


@dataclass(frozen=True)
class HeatStyle:
    """How a heatmap is drawn.

    Attributes:
        visible: False hides map and contour; the film stays.
        opacity: 0 to 1 of the colours.
        threshold: Share of the map's maximum below which nothing is drawn, 0 to 1.
        contour: Lines instead of colours.
    """

    visible: bool = True
    opacity: float = 0.45
    threshold: float = 0.25
    contour: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.opacity <= 1 and 0 <= self.threshold < 1):
            raise ValueError("opacity lies in [0, 1], the threshold in [0, 1)")


@dataclass(frozen=True)
class WindowPreset:
    """A named grey window.

    Attributes:
        key: ``full``, ``p1``, ``p5`` or ``file_0``, ``file_1`` ... for the file's own.
        title: Words for the menu.
        width: Window width in stored grey values, at least 1.
        level: Window centre.
        window: The same as the decoder's window, which may be curved.
    """

    key: str
    title: str
    width: float
    level: float
    window: Window = field(compare=False)


@dataclass(frozen=True)
class Measurement:
    """A distance on the film.

    Attributes:
        start: (x, y) in film pixels. end: the same.
        pixels: Length in film pixels.
        millimetres: Length in mm, None where the film says no spacing.
        at_detector: True if the spacing is that of the detector, so the body is smaller than this.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    pixels: float
    millimetres: float | None
    at_detector: bool = False
