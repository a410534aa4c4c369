"""A decoded film at full bit depth, its windows, and how a window makes it visible."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FilmValues = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_SAMPLES_FOR_PERCENTILES = 1_000_000
_AT_ONCE = 2**20


@dataclass(frozen=True)
class Window:
    """Which values become black and which white.

    Attributes:
        name: For people, e.g. ``Full range`` or a DICOM file's own explanation.
        low: Value at or below which a pixel is black, in units of ``Radiograph.values``.
        high: Value at or above which it is white, above ``low``.
        curve: What lies between: float32 brightnesses in [0, 1], evenly spaced from ``low`` to
            ``high``; None = a straight line.
        stated: (width, centre) as the file says them, in its own unit; None = nothing is stated.
            DICOM's linear function spans one less than its width, its sigmoid more.
    """

    name: str
    low: float
    high: float
    curve: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    stated: tuple[float, float] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError("a window needs finite limits, low below high")


@dataclass(frozen=True)
class DicomMetadata:
    """What a DICOM file says of the film, as text for people; empty where it says nothing.

    Name, number and birthday of the patient are never read. ``patient_orientation`` says where
    rows and columns lead, e.g. ``L\\F``: to the patient's left and to the feet.
    """

    view: str = ""
    laterality: str = ""
    age: str = ""
    sex: str = ""
    study_date: str = ""
    manufacturer: str = ""
    device: str = ""
    patient_orientation: str = ""


@dataclass(frozen=True, eq=False)
class Radiograph:
    """A decoded film.

    Attributes:
        values: uint8 or uint16 [H, W], 0 = darkest as displayed (MONOCHROME1 already inverted),
            always below ``2 ** bits``.
        bits: Bits a value needs, 1 to 16.
        windows: The file's own windows, at least one; the first is what the models see.
        slope: With ``intercept``: the file's own unit = slope * value + intercept. Negative where
            the film was inverted.
        intercept: See ``slope``.
        padded: True where pixels outside the exposed field were set to 0; then 0 is no measurement.
        spacing_mm: (row, column) distance of pixel centres in mm, None where unknown.
        spacing_kind: Where it holds: ``at the detector``, ``calibrated`` or empty.
        facts: What a DICOM file says, None for other formats.
        burned_in_annotation: True where the file warns of text in the picture, None where it says
            nothing.
        source_format: ``JPEG``, ``PNG``, ``TIFF``, ``BMP``, ``WebP`` or ``DICOM``.
        sha256: Hash of the file's bytes.
        stored_size: (height, width) of the film in the file, upright; None = that of ``values``,
            which is smaller where the decoder skipped detail.
    """

    values: FilmValues
    bits: int = 8
    windows: tuple[Window, ...] = (Window("Full range", 0, 255),)
    slope: float = 1.0
    intercept: float = 0.0
    padded: bool = False
    spacing_mm: tuple[float, float] | None = None
    spacing_kind: str = ""
    facts: DicomMetadata | None = None
    burned_in_annotation: bool | None = None
    source_format: str = ""
    sha256: str = ""
    stored_size: tuple[int, int] | None = None

    @property
    def full_size(self) -> tuple[int, int]:
        """(height, width) of the film with all its detail."""
        height, width = self.values.shape
        return self.stored_size or (height, width)


def look_up_table(radiograph: Radiograph, window: Window) -> npt.NDArray[np.uint8]:
    """Brightness of every possible value: uint8 [2 ** bits], 0 = black.

    Apply it as ``table[values]``. At most 65,536 entries, so dragging a window costs the same for
    any film. An inverted view is ``255 - table``.
    """
    steps = np.arange(2**radiograph.bits, dtype=np.float64)
    position = np.clip((steps - window.low) / (window.high - window.low), 0.0, 1.0)
    if window.curve is not None:
        position = np.interp(position, np.linspace(0.0, 1.0, len(window.curve)), window.curve)
    return (position * 255.0 + 0.5).astype(np.uint8)


def looked_up(table: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``table[values]`` for values [H, W], in strips: numpy takes eight bytes an index."""
    found = np.empty(values.shape, table.dtype)
    rows = max(1, _AT_ONCE // max(1, values.shape[1]))
    for top in range(0, len(values), rows):
        found[top : top + rows] = table[values[top : top + rows]]
    return found


def window_presets(radiograph: Radiograph) -> tuple[Window, ...]:
    """What a reader can choose from: the file's own, the full range, 1-99 % and 5-95 % of the
    pixels.

    About 10 ms: percentiles are taken from evenly spaced samples of large films.
    """
    low, high = value_range(radiograph)
    flat = radiograph.values.reshape(-1)
    samples = flat[:: max(1, flat.size // _SAMPLES_FOR_PERCENTILES)]
    if radiograph.padded:
        samples = samples[samples > 0]
    presets = [*radiograph.windows]
    if all((own.low, own.high) != (low, high) or own.curve is not None for own in presets):
        presets.append(Window("Full range", low, high))
    if samples.size:
        counts = np.cumsum(np.bincount(samples, minlength=2))
        for name, share in (("1–99 %", 0.01), ("5–95 %", 0.05)):
            bottom = float(np.searchsorted(counts, share * counts[-1]))
            top = float(np.searchsorted(counts, (1 - share) * counts[-1]))
            if bottom < top:
                presets.append(Window(name, bottom, top))
    return tuple(presets)


def value_range(radiograph: Radiograph) -> tuple[float, float]:
    """Lowest and highest value of the exposed field, apart by at least 1 so that they make a
    window.
    """
    return exposed_range(radiograph.values, padded=radiograph.padded)


def exposed_range(values: FilmValues, *, padded: bool = False) -> tuple[float, float]:
    """As ``value_range``, for bare values."""
    if padded:
        exposed = values > 0
        top = int(values.max())
        low = int(values.min(where=exposed, initial=top)) if exposed.any() else 0
        return float(low), float(max(top, low + 1))
    low = int(values.min())
    return float(low), float(max(int(values.max()), low + 1))
