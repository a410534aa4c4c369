"""``cxr-train ood``: does the panel's out-of-distribution score notice what is no usual chest film?

The evaluation set is made by code from what is at hand: films turned, inverted, cropped or
shrunk; drawn things; and a few real images that installed packages bring (CT and MR slices, a
radiograph of an extremity, a scintigram, two photographs), each in several turns and cuts.
Everything is asked through the app's own decoder and engine. The score was fitted to training
films only; none of these kinds was used for it, and the limit comes from validation films.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from desktop.core.imaging.decode import model_pixels
from desktop.core.inference.session import PanelSession
from desktop.core.vote import verdict
from training.data.split import SplitData
from training.metrics import classification as metrics
from training.ood.outlier_images import KINDS, crop, draw_other_radiograph, odd_images

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

_BATCH = 8
_DRAWN = 40
CUTS = 12
_SAMPLES = 500
FILMS, DRAWN, REAL = "made from films", "drawn", "real"


@dataclass(frozen=True)
class OddKind:
    """One kind of image that is no usual chest film.

    Attributes:
        name: For people.
        origin: ``made from films``, ``drawn`` or ``real``.
        pixels: uint8 [M, H, W, 1].
        originals: Different images behind them: what the interval is really worth.
    """

    name: str
    origin: str
    pixels: Pixels
    originals: int


#: Files of pydicom and pydicom-data, by what they show; those that are absent are left out.
_DICOM_FILES = {
    "CT slices": ("693_UNCI.dcm", "CT_small.dcm", "explicit_VR-UN.dcm", "eCT_Supplemental.dcm"),
    "MR slices": ("MR2_UNCI.dcm", "MR_small.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"),
    "radiograph of an extremity": ("RG3_UNCI.dcm",),
    "whole-body scintigram": ("JPEG2000_UNC.dcm",),
}


def odd_kinds(films: Pixels) -> list[OddKind]:
    """The evaluation set, from real films uint8 [N, H, W, 1] that were not trained on."""
    size = (films.shape[1], films.shape[2])
    count = len(films)
    kinds = [
        OddKind(name, DRAWN if name.startswith("drawn") else FILMS, pixels, len(pixels))
        for name, pixels in odd_images(films).items()
    ]
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "turned by 270 degrees": lambda film: film.transpose(Image.Transpose.ROTATE_270),
        "turned by 45 degrees": lambda film: film.rotate(45, Image.Resampling.BILINEAR),
        "one half only": lambda film: crop(film, 0.0, 0.0, 0.5, 1.0),
        "upper third only": lambda film: crop(film, 0.0, 0.0, 1.0, 0.33),
        "small on a white page": _on_a_page,
    }
    for name, change in changes.items():
        changed = [np.asarray(change(Image.fromarray(film[..., 0]))) for film in films]
        kinds.append(OddKind(name, FILMS, np.stack(changed)[..., np.newaxis], count))
    for name in KINDS:
        drawn = [draw_other_radiograph(name, seed, size) for seed in range(_DRAWN)]
        kinds.append(OddKind(f"drawn {name}", DRAWN, np.stack(drawn)[..., np.newaxis], _DRAWN))
    return [*kinds, *real_kinds(size)]


def real_kinds(size: tuple[int, int]) -> list[OddKind]:
    """Real images that installed packages bring, each in several turns and cuts; may be empty."""
    found = {name: _dicom_films(files) for name, files in _DICOM_FILES.items()}
    found["photographs"] = _photographs()
    random = np.random.default_rng(13)
    return [
        OddKind(
            name,
            REAL,
            np.stack([_varied(image, size, random) for image in images for _ in range(CUTS)]),
            len(images),
        )
        for name, images in found.items()
        if images
    ]


def _dicom_films(names: Sequence[str]) -> list[Pixels]:
    from pydicom.data import get_testdata_file

    films = []
    for name in names:
        try:
            path = get_testdata_file(name, download=False)
        except (ValueError, OSError):
            continue
        if not isinstance(path, str):
            continue
        films += _as_exported(Path(path))
    return films


def _as_exported(path: Path) -> list[Pixels]:
    """A DICOM image as somebody would save it as a PNG: grey levels stretched, no more.

    The app refuses CT and MR in DICOM before any model is asked; as a PNG they get through.
    """
    from pydicom import dcmread

    try:
        header = dcmread(path)
        values = np.asarray(header.pixel_array, np.float32)
    except (ValueError, AttributeError, RuntimeError, NotImplementedError, OSError):
        return []
    frames = values if values.ndim == 3 else values[np.newaxis]
    films = []
    for frame in frames[:4]:
        low, high = np.percentile(frame, (1, 99.5))
        grey = np.clip((frame - low) / max(float(high - low), 1.0), 0, 1)
        inverted = header.PhotometricInterpretation == "MONOCHROME1"
        films.append(((1 - grey if inverted else grey) * 255).astype(np.uint8))
    return films


def _photographs() -> list[Pixels]:
    import sklearn.datasets

    folder = Path(sklearn.datasets.__file__).parent / "images"
    return [
        np.asarray(Image.open(path).convert("L"))
        for path in sorted(folder.glob("*.jpg"))
        if path.is_file()
    ]


def _varied(film: Pixels, size: tuple[int, int], random: np.random.Generator) -> Pixels:
    """A slightly turned and cut version, as a model sees it: uint8 [H, W, 1]."""
    image = Image.fromarray(film).rotate(random.uniform(-10, 10), Image.Resampling.BILINEAR)
    share = random.uniform(0.75, 1.0)
    left, top = random.uniform(0, 1 - share, 2)
    width, height = image.size
    box = (left * width, top * height, (left + share) * width, (top + share) * height)
    cut = image.crop(tuple(round(edge) for edge in box))
    return model_pixels(np.asarray(cut), size)


def _on_a_page(film: Image.Image) -> Image.Image:
    """A film as one of several pictures on a white page."""
    width, height = film.size
    small = film.resize((width * 2 // 5, height * 2 // 5), Image.Resampling.BILINEAR)
    page = Image.new("L", film.size, 250)
    page.paste(ImageOps.expand(small, 1, 0), (width // 10, height // 8))
    return page


def panel_scores_of(session: PanelSession, pixels: Pixels) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The panel's score and flag [N], as the app gives them; NaN where no model gives a score."""
    panel = session.panel
    classes = len(panel.class_names)
    scores, flags = [], []
    for at in range(0, len(pixels), _BATCH):
        for answer in session.predict(pixels[at : at + _BATCH], maps=False):
            said = verdict(answer.predictions, panel.model_names, classes, panel.ood_limit)
            scores.append(float("nan") if said.ood_score is None else said.ood_score)
            flags.append(said.ood)
    return np.array(scores), np.array(flags)


def measure_ood(
    session: PanelSession,
    data: SplitData,
    films: Mapping[str, npt.NDArray[np.int64]],
    *,
    made_from: int = 60,
    on_stage: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Score everything, ready for JSON.

    Args:
        session: The panel, loaded.
        data: Films.
        films: Side -> indices of usual films; the first is validation, which the limit comes from,
            and is not compared with.
        made_from: Films of each test side that odd images are made of.
        on_stage: Told what is running.

    Returns:
        ``usual`` (side -> share flagged with its interval) and ``odd`` (kind -> ``auroc``,
        ``flagged``, ``originals``, ``origin``), and the means over kinds, ``mean_auroc`` and
        ``mean_flagged``.

    Raises:
        ValueError: The models give no score.
    """
    panel = session.panel
    usual: dict[str, Any] = {}
    against: list[Floats] = []
    seeds: list[npt.NDArray[np.int64]] = []
    for number, (side, indices) in enumerate(films.items()):
        on_stage(f"{side}: {len(indices)} films")
        scores, flags = panel_scores_of(session, data.pixels[indices])
        if np.isnan(scores).any():
            raise ValueError(f"The models of panel {panel.name} give no out-of-distribution score.")
        usual[side] = _share(flags)
        if number:
            against.append(scores)
            random = np.random.default_rng(5)
            seeds.append(random.permutation(indices)[:made_from])
    if not against:
        raise ValueError("There are no test films to compare with.")
    reference = np.concatenate(against)
    odd: dict[str, Any] = {}
    for kind in odd_kinds(data.pixels[np.concatenate(seeds)]):
        on_stage(f"{kind.name}: {len(kind.pixels)} images")
        scores, flags = panel_scores_of(session, kind.pixels)
        odd[kind.name] = {
            "origin": kind.origin,
            "originals": kind.originals,
            "auroc": _auroc(scores, reference),
            "flagged": _share(flags),
        }
    return {
        "panel": panel.name,
        "version": panel.version,
        "limit": panel.ood_limit,
        "usual": usual,
        "odd": odd,
        "mean_auroc": float(np.mean([row["auroc"]["value"] for row in odd.values()])),
        "mean_flagged": float(np.mean([row["flagged"]["value"] for row in odd.values()])),
    }


def _auroc(odd: Floats, usual: Floats) -> dict[str, float]:
    labels = np.concatenate([np.ones(len(odd), np.int64), np.zeros(len(usual), np.int64)])
    scores = np.concatenate([odd, usual])[:, np.newaxis]
    found = metrics.with_interval(
        lambda truth, values: metrics.auc(truth == 1, values[:, 0]),
        labels,
        scores,
        samples=_SAMPLES,
    )
    return found | {"n": float(len(odd))}


def _share(flags: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Share flagged with its 95 % Wilson interval (Wilson 1927)."""
    n, z = len(flags), 1.96
    share = float(flags.mean())
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return {
        "value": share,
        "low": max(0.0, middle - half),
        "high": min(1.0, middle + half),
        "n": float(n),
    }
