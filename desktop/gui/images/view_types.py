"""What an image view is given, and the reader's choices that stay from image to image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.imaging.decode import Window


class Tool(Enum):
    """What a drag does. Middle drag always pans; the right button has a setting."""

    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    MEASURE = "measure"


@dataclass(frozen=True)
class HudText:
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


@dataclass(frozen=True)
class ViewChoices:
    """Choices that outlive an image.

    Attributes:
        model: Index of the model whose map is on the film.
        map_class: Class of the maps, -1 = what each model predicted.
        style: How maps are drawn.
    """

    model: int = 0
    map_class: int = -1
    style: HeatStyle = field(default_factory=HeatStyle)

    def to_json(self) -> dict[str, Any]:
        """As plain values for the store."""
        return {
            "model": self.model,
            "map_class": self.map_class,
            "heat_visible": self.style.visible,
            "heat_opacity": self.style.opacity,
            "heat_threshold": self.style.threshold,
            "heat_contour": self.style.contour,
        }

    @classmethod
    def from_json(
        cls, values: Mapping[str, Any], default: ViewChoices, *, models: int, classes: int
    ) -> ViewChoices:
        """Read them back; whatever does not fit this panel falls back to the default."""
        choices = replace(default, model=max(0, models - 1))
        try:
            style = HeatStyle(
                visible=bool(values["heat_visible"]),
                opacity=float(values["heat_opacity"]),
                threshold=float(values["heat_threshold"]),
                contour=bool(values["heat_contour"]),
            )
            model, map_class = int(values["model"]), int(values["map_class"])
        except (KeyError, TypeError, ValueError):
            return choices
        return replace(
            choices,
            model=model if 0 <= model < models else choices.model,
            map_class=map_class if -1 <= map_class < classes else -1,
            style=style,
        )
