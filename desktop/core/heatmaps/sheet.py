"""One picture an image: what each model of the panel looked at, with legend and research-use line.

A sheet of tiles, one a model in panel order, because the four maps mean most side by side. Each
tile shows the map of the class that its model votes for, over the film at its own aspect ratio.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

import desktop
from desktop.core.cases import CaseResult, Prediction
from desktop.core.heatmaps.colormap import THRESHOLD, colour_table
from desktop.core.heatmaps.contours import contours
from desktop.core.heatmaps.grad_cam import (
    CAVEAT,
    HALF,
    NO_EVIDENCE,
    composed,
    consensus_map,
    has_evidence,
    margin_share,
)
from desktop.core.panels.contract import RESEARCH_USE
from desktop.core.panels.registry import Panel, PanelModel
from desktop.core.system.atomic_write import atomic_write
from desktop.core.system.text import display_name
from desktop.core.vote import majority_needed, verdict_sentence

TILE = 460
MARGIN = 24
GAP = 16
_CAPTION, _HEADER, _FOOTER = 30, 76, 92
_SMALLEST_AREA = 0.0008  # of the film
_BACKGROUND, _WELL = (17, 17, 17), (10, 10, 10)
_TEXT_1, _TEXT_2, _LINE = (237, 237, 237), (168, 168, 168), (58, 58, 58)


@dataclass(frozen=True)
class PictureStyle:
    """How heatmaps are drawn; the command line's defaults, the window's current settings.

    Attributes:
        threshold: Map value in 0..1 below which nothing is drawn.
        opacity: Greatest opacity of the colours, 0..1.
        consensus_line: Draw the outline of the area where a majority of the models look.
    """

    threshold: float = THRESHOLD
    opacity: float = 0.55
    consensus_line: bool = True


def picture_name(image: str, kind: str = "heatmaps") -> str:
    """A safe file name for a picture of ``image``, different for different images.

    Letters, digits, dot, dash and underscore stay; where anything had to change, or the image lies
    in a folder, eight digits of the path's hash keep names apart.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", image).strip("._-")[:80]
    if safe != image:
        digest = hashlib.sha256(image.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        safe = f"{safe or 'image'}-{digest}"
    return f"{safe}.{kind}.png"


def write_picture(
    folder: Path,
    result: CaseResult,
    film: npt.NDArray[np.uint8],
    panel: Panel,
    style: PictureStyle | None = None,
) -> Path:
    """Write the sheet of one case into ``folder`` and return its path.

    Args:
        folder: Existing folder.
        result: A case with predictions that carry maps.
        film: uint8 [H, W].
        style: None = ``PictureStyle()``.

    Raises:
        OutputFailed: See ``atomic_write``.
    """
    target = folder / picture_name(result.image)
    picture = heatmap_sheet(result, film, panel, style or PictureStyle())
    facts = PngImagePlugin.PngInfo()
    facts.add_text("Software", f"CXR Quorum {desktop.__version__}")
    facts.add_text("Comment", f"{CAVEAT} {RESEARCH_USE}")
    with atomic_write(target) as stream:
        # Level 1: a third of the time of the default for a tenth more bytes.
        picture.save(stream, format="PNG", pnginfo=facts, compress_level=1)
    return target


def heatmap_sheet(
    result: CaseResult, film: npt.NDArray[np.uint8], panel: Panel, style: PictureStyle
) -> Image.Image:
    """Draw the sheet; see ``write_picture``."""
    columns = 2 if len(panel.models) > 1 else 1
    rows = -(-len(panel.models) // columns)
    width = 2 * MARGIN + columns * TILE + (columns - 1) * GAP
    height = _HEADER + rows * (TILE + _CAPTION + GAP) + _FOOTER
    sheet = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    inner = width - 2 * MARGIN
    draw.text(
        (MARGIN, 16), _fitting(display_name(result.image, 200), 18, inner), _TEXT_1, _font(18, True)
    )
    if result.verdict is not None:
        text = verdict_sentence(result.verdict, panel.class_names)
        if result.verdict.ood:
            text = f"Unlike the training images. {text}"
        draw.text((MARGIN, 44), _fitting(text, 14, inner), _TEXT_2, _font(14))
    small = _fitted(film)
    by_model = {prediction.model: prediction for prediction in result.predictions}
    line = _consensus_line(result, panel, small.shape) if style.consensus_line else ()
    for index, model in enumerate(panel.models):
        left = MARGIN + (index % columns) * (TILE + GAP)
        top = _HEADER + (index // columns) * (TILE + _CAPTION + GAP)
        _draw_tile(sheet, (left, top), small, model, by_model.get(model.name), style, line)
    _draw_footer(draw, sheet, height - _FOOTER, bool(line), len(panel.models))
    return sheet


def _draw_tile(
    sheet: Image.Image,
    corner: tuple[int, int],
    film: npt.NDArray[np.uint8],
    model: PanelModel,
    prediction: Prediction | None,
    style: PictureStyle,
    line: tuple[npt.NDArray[np.float64], ...],
) -> None:
    left, top = corner
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((left, top + _CAPTION, left + TILE - 1, top + _CAPTION + TILE - 1), _WELL)
    text = note = ""
    cam = None
    if prediction is None:
        text = "no answer"
    else:
        vote = prediction.vote
        text = f"{model.card.class_names[vote]} {prediction.probabilities[vote]:.2f}"
        if prediction.cams is None:
            note = "no map"
        elif not has_evidence(prediction.cams[vote]):
            note = NO_EVIDENCE
        else:
            cam = prediction.cams[vote]
    height, width = film.shape
    if cam is None:
        picture = Image.fromarray(film).convert("RGB")
    else:
        picture = Image.fromarray(
            composed(film, cam, threshold=style.threshold, opacity=style.opacity)
        )
    x, y = left + (TILE - width) // 2, top + _CAPTION + (TILE - height) // 2
    sheet.paste(picture, (x, y))
    for points in line:
        path = [(x + px * (width - 1), y + py * (height - 1)) for px, py in points]
        draw.line(path, (0, 0, 0), 4, joint="curve")
        draw.line(path, (255, 255, 255), 2, joint="curve")
    title_font = _font(15, True)
    draw.text((left, top + 4), model.card.title, _TEXT_1, title_font)
    gap = draw.textlength(model.card.title, title_font) + 10
    draw.text((left + gap, top + 4), text, _TEXT_1, _font(15))
    if cam is not None and (share := margin_share(cam)).alarming:
        alarm = f"{100 * max(share.border, share.corners):.0f} % at the margin: a shortcut?"
        draw.text((left + TILE, top + 6), alarm, _TEXT_2, _font(13), anchor="ra")
    if note:
        _draw_note(draw, note, (left + TILE // 2, top + _CAPTION + TILE - 28))


def _draw_note(draw: ImageDraw.ImageDraw, note: str, middle: tuple[int, int]) -> None:
    font = _font(14)
    half = draw.textlength(note, font) / 2 + 8
    x, y = middle
    draw.rectangle((x - half, y - 13, x + half, y + 13), _WELL)
    draw.text(middle, note, _TEXT_1, font, anchor="mm")


def _draw_footer(
    draw: ImageDraw.ImageDraw, sheet: Image.Image, top: int, line: bool, members: int
) -> None:
    bar = Image.fromarray(np.repeat(colour_table()[np.newaxis, 26:], 10, axis=0))
    sheet.paste(bar.resize((200, 10)), (MARGIN + 34, top + 8))
    draw.text((MARGIN, top + 3), "less", _TEXT_2, _font(13))
    draw.text((MARGIN + 242, top + 3), "more", _TEXT_2, _font(13))
    legend = "each map scaled to its own maximum"
    if line:
        legend += f"; white line: {majority_needed(members)} or more models look there"
    draw.text((MARGIN + 292, top + 3), legend, _TEXT_2, _font(13))
    draw.text((MARGIN, top + 32), CAVEAT, _TEXT_1, _font(13))
    draw.text((MARGIN, top + 54), RESEARCH_USE, _TEXT_1, _font(13))
    draw.line((MARGIN, top + 26, sheet.width - MARGIN, top + 26), _LINE)


def _consensus_line(
    result: CaseResult, panel: Panel, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Outline of where a majority looks, each model with the map of its own vote."""
    cams = [item.cams[item.vote] for item in result.predictions if item.cams is not None]
    needed = majority_needed(len(panel.models))
    if needed < 2:
        return ()
    height, width = shape
    lines = contours(consensus_map(cams, (height // 4, width // 4), needed), HALF)
    # Specks of a few pixels are where two edges happen to cross, not where models agree.
    return tuple(line for line in lines if np.prod(np.ptp(line, axis=0)) > _SMALLEST_AREA)


def _fitted(film: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The film at the size of a tile, aspect ratio kept."""
    height, width = film.shape
    scale = TILE / max(height, width)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    return np.asarray(Image.fromarray(film).resize(size, Image.Resampling.LANCZOS))


def _fitting(text: str, size: int, width: float) -> str:
    """Cut a text in the middle until it fits."""
    font = _font(size, True)
    while font.getlength(text) > width and len(text) > 8:
        middle = len(text) // 2
        text = f"{text[: middle - 2]}…{text[middle + 2 :]}".replace("……", "…")
    return text


@lru_cache(maxsize=16)
def _font(size: int, strong: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    name = "Inter-SemiBold.otf" if strong else "Inter-Regular.otf"
    bundled = Path(desktop.__file__).parent / "assets" / "fonts" / name
    try:
        return ImageFont.truetype(bundled, size)
    except OSError:
        return ImageFont.load_default(size)
