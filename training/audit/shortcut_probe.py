"""The shortcut probe: how well do size, margin and marks alone name the class, lungs unseen?

A network can score by the hospital instead of the disease. This probe is a small
gradient-boosting model that never sees a pixel further in than the margin: what it can tell, a
network may have learnt instead of medicine (Zech et al. 2018, DeGrave et al. 2021). An area near
one half does not prove that there is no shortcut, only that there is none in these cues.

Marks are letters and markers burnt into the margin: small, bright and sharp. They are found by a
heuristic for films of about 224 pixels, which does not read: a lead letter, a text line, an
electrode and an arrow all count. Faint or very large letters, letters over bone and letters
inside the lung fields are not found.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from desktop.core.errors import ImageRefused
from desktop.core.heatmaps.grad_cam import BORDER_WIDTH, CORNER_WIDTH
from desktop.core.imaging.decode import read_radiograph
from training.metrics import classification as metrics

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

ALL_CUES = "all cues"
KINDS = ("size", "brightness and contrast", "border", "corners", "marks")
FOLDS = 5
#: Fewer films of a class than this and an area means nothing.
SMALLEST_CLASS = 20
_CHUNK = 512
_SAMPLES = 200
_SEED = 11  # of folds, model and bootstrap


@dataclass(frozen=True)
class Cues:
    """What can be seen without looking at the lungs.

    Attributes:
        names: F names.
        kinds: The kind of each, one of ``KINDS``.
        values: float64 [N, F].
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    values: Floats

    def of(self, kind: str) -> Floats:
        """The columns of one kind, or all."""
        chosen = [kind in (ALL_CUES, own) for own in self.kinds]
        return self.values[:, chosen]


@dataclass(frozen=True)
class Probe:
    """One answer of the probe.

    Attributes:
        what: Films asked about.
        cues: Kind of cue, or all.
        auc: Macro one-against-rest area: ``value``, ``low``, ``high``, ``n``; empty where it could
            not be asked.
        per_class: Class name -> area of the class against the rest.
        why_not: Why it could not be asked.
    """

    what: str
    cues: str
    auc: dict[str, float]
    per_class: dict[str, float]
    why_not: str = ""


def cues_of(pixels: npt.NDArray[np.uint8], paths: Sequence[Path]) -> Cues:
    """Measure the cues.

    Args:
        pixels: uint8 [N, H, W, 1], decoded films.
        paths: N files, for their height and width.
    """
    parts = [_margin_cues(pixels[at : at + _CHUNK, ..., 0]) for at in range(0, len(pixels), _CHUNK)]
    columns: dict[tuple[str, str], Floats] = {
        key: np.concatenate([part[key] for part in parts]) for key in parts[0]
    }
    marks = [find_marks(film[..., 0]) for film in pixels]
    columns[("marks", "marks")] = np.array([mark.count for mark in marks], float)
    columns[("marks", "mark area")] = np.array([mark.area for mark in marks], float)
    columns[("marks", "mark corner")] = np.array([mark.corner for mark in marks], float)
    # Not the file's length: what compresses well depends on the lungs as well.
    sizes = np.array([_frame(path) for path in paths], float).reshape(-1, 2)
    height, width = np.maximum(sizes, 1).T
    columns[("size", "height")] = np.log(height)
    columns[("size", "width")] = np.log(width)
    columns[("size", "aspect ratio")] = np.log(width / height)
    return Cues(
        tuple(name for _, name in columns),
        tuple(kind for kind, _ in columns),
        np.column_stack(list(columns.values())),
    )


def _margin_cues(films: npt.NDArray[np.uint8]) -> dict[tuple[str, str], Floats]:
    """Statistics of the outer 6 % and of the 15 % corner squares of films uint8 [n, H, W]."""
    count, height, width = films.shape
    rim = max(1, round(min(height, width) * BORDER_WIDTH))
    corner = max(1, round(min(height, width) * CORNER_WIDTH))
    bands = {
        "top": films[:, :rim],
        "bottom": films[:, -rim:],
        "left": films[:, rim:-rim, :rim],
        "right": films[:, rim:-rim, -rim:],
    }
    frame = np.concatenate([band.reshape(count, -1) for band in bands.values()], axis=1)
    found: dict[tuple[str, str], Floats] = {}
    kind = KINDS[1]
    found[(kind, "mean")] = frame.mean(1)
    found[(kind, "spread")] = frame.std(1)
    for share in (5, 50, 95):
        found[(kind, f"{share}th percentile")] = np.percentile(frame, share, axis=1)
    found[(kind, "black share")] = (frame <= 8).mean(1)
    found[(kind, "white share")] = (frame >= 247).mean(1)
    for name, band in bands.items():
        flat = band.reshape(count, -1)
        found[("border", f"{name} mean")] = flat.mean(1)
        found[("border", f"{name} spread")] = flat.std(1)
        found[("border", f"{name} black lines")] = _black_lines(band, name)
    for edge, rows in (("top", slice(None, corner)), ("bottom", slice(-corner, None))):
        for side, cols in (("left", slice(None, corner)), ("right", slice(-corner, None))):
            flat = films[:, rows, cols].reshape(count, -1)
            found[("corners", f"{edge} {side} mean")] = flat.mean(1)
            found[("corners", f"{edge} {side} spread")] = flat.std(1)
            found[("corners", f"{edge} {side} black share")] = (flat <= 8).mean(1)
    return {key: np.asarray(column, np.float64) for key, column in found.items()}


def _black_lines(band: npt.NDArray[np.uint8], name: str) -> Floats:
    """Share of a band's lines that are black from the edge inwards: collimation."""
    lines = band.mean(2) if name in ("top", "bottom") else band.mean(1)
    if name in ("bottom", "right"):
        lines = lines[:, ::-1]
    return np.cumprod(lines < 12, axis=1).mean(1, dtype=np.float64)


def _frame(path: Path) -> tuple[int, int]:
    """(height, width) of the film as decoded; 0 where the decoder refuses it."""
    try:
        height, width = read_radiograph(path).values.shape
    except ImageRefused:
        return 0, 0
    return height, width


def probe(
    cues: Cues,
    labels: Labels,
    families: npt.NDArray[np.int64],
    class_names: Sequence[str],
    *,
    what: str,
    kind: str = ALL_CUES,
) -> Probe:
    """Cross-validated area of the classes from one kind of cue.

    Five folds; a person and the copies of a film stay in one fold. The interval is a bootstrap over
    films.

    Args:
        cues: Of the films asked about.
        labels: [N], index in ``class_names``.
        families: [N], numbers that a fold must not tear apart.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    present, compact = np.unique(labels, return_inverse=True)
    problem = _why_not(labels, families)
    if problem:
        return Probe(what, kind, {}, {}, problem)
    values = cues.of(kind)
    guesses = np.zeros((len(labels), len(present)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=_SEED)
    for learn, ask in folds.split(values, compact, families):
        if len(np.unique(compact[learn])) < len(present):
            return Probe(what, kind, {}, {}, "a class has too few people for five folds")
        guesses[ask] = _guesses(values[learn], compact[learn], values[ask])
    return _scored(what, kind, compact, guesses, [class_names[k] for k in present])


def probe_between(
    cues: Cues,
    labels: Labels,
    learn: npt.NDArray[np.int64],
    ask: npt.NDArray[np.int64],
    class_names: Sequence[str],
    *,
    what: str,
) -> Probe:
    """Learn the cues of the training films and ask about another side's.

    Args:
        cues: Of all films.
        labels: [N].
        learn: Indices learnt from.
        ask: Indices asked about.
    """
    present = np.unique(labels[learn])
    asked = ask[np.isin(labels[ask], present)]
    if len(present) < 2 or len(np.unique(labels[asked])) < 2:
        return Probe(what, ALL_CUES, {}, {}, "fewer than two classes")
    values = cues.of(ALL_CUES)
    guesses = _guesses(values[learn], labels[learn], values[asked])
    compact = np.searchsorted(present, labels[asked])
    return _scored(what, ALL_CUES, compact, guesses, [class_names[k] for k in present])


def _why_not(labels: Labels, families: npt.NDArray[np.int64]) -> str:
    present, counts = np.unique(labels, return_counts=True)
    if len(present) < 2:
        return "one class only"
    if counts.min() < SMALLEST_CLASS:
        return f"a class has fewer than {SMALLEST_CLASS} films"
    if min(len(np.unique(families[labels == label])) for label in present) < FOLDS:
        return "a class has fewer people than folds"
    return ""


def _guesses(learn: Floats, labels: Labels, ask: Floats) -> Floats:
    """Class probabilities of ``ask`` from a small model fitted to ``learn``."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(
        max_iter=50,
        max_leaf_nodes=15,
        max_bins=64,
        min_samples_leaf=10,
        early_stopping=False,
        class_weight="balanced",
        random_state=_SEED,
    )
    # So small a model is slower with more threads, many times where others use the machine as well.
    with threadpool_limits(1), warnings.catch_warnings():
        # A container that hides the processor; the count is not used with one thread.
        warnings.filterwarnings("ignore", "Could not find the number of physical cores")
        return np.asarray(model.fit(learn, labels).predict_proba(ask), np.float64)


def _scored(
    what: str, kind: str, labels: Labels, guesses: Floats, class_names: Sequence[str]
) -> Probe:
    area = metrics.with_interval(metrics.macro_auc, labels, guesses, samples=_SAMPLES)
    per_class = {
        name: metrics.auc(labels == k, guesses[:, k])
        for k, name in enumerate(class_names)
        if (labels == k).any()
    }
    return Probe(what, kind, area, per_class)


#: Share of a side that is margin; lungs reach further out only on tightly cropped films.
MARGIN = 0.18
_BRIGHT = 200
_STEP = 70
_LONGEST = 0.16


@dataclass(frozen=True)
class Marks:
    """What stands in the margin.

    Attributes:
        count: Number of marks; letters that touch are one.
        area: Their share of the film.
        corner: Corner that holds most of their area: 0 top left, 1 top right, 2 bottom left,
            3 bottom right, -1 without marks.
    """

    count: int
    area: float
    corner: int


def find_marks(film: npt.NDArray[np.uint8]) -> Marks:
    """Count the marks of one film uint8 [H, W], 0 = black."""
    height, width = film.shape
    rim_y, rim_x = round(height * MARGIN), round(width * MARGIN)
    bright = film >= _BRIGHT
    # Only what lies in the margin as a whole: a clavicle or an arm that runs into it is no mark.
    labels, count = ndimage.label(bright, np.ones((3, 3), int))
    if not count:
        return Marks(0, 0.0, -1)
    smallest = max(5, round(height * width * 1e-4))
    longest = _LONGEST * max(height, width)
    sizes = np.bincount(labels.ravel())
    areas = [0, 0, 0, 0]
    found = 0
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = box
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        inside = (
            rows.stop <= rim_y
            or rows.start >= height - rim_y
            or columns.stop <= rim_x
            or columns.start >= width - rim_x
        )
        touches = rows.start == 0 or columns.start == 0 or rows.stop == height
        touches = touches or columns.stop == width
        if not inside or touches or sizes[number] < smallest or max(tall, wide) > longest:
            continue
        if min(tall, wide) < 3 or not _stands_out(film, labels, number, rows, columns):
            continue
        found += 1
        lower = rows.start + rows.stop > height
        right = columns.start + columns.stop > width
        areas[2 * lower + right] += int(sizes[number])
    if not found:
        return Marks(0, 0.0, -1)
    return Marks(found, sum(areas) / film.size, int(np.argmax(areas)))


def _stands_out(
    film: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    number: int,
    rows: slice,
    columns: slice,
) -> bool:
    """The mark's edge is steep on nearly all sides, as of ink and not of bone."""
    near = (
        slice(max(0, rows.start - 3), rows.stop + 3),
        slice(max(0, columns.start - 3), columns.stop + 3),
    )
    own = labels[near] == number
    ring = ndimage.binary_dilation(own, iterations=3) & ~ndimage.binary_dilation(own)
    around = film[near][ring]
    if not len(around):
        return False
    # A letter is lit flat and its surroundings are dark nearly everywhere.
    steep = np.mean(around.astype(int) + _STEP <= int(np.median(film[near][own])))
    return bool(steep >= 0.85)
