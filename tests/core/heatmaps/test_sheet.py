"""One sheet an image, safe in name and content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from desktop.core.cases import CaseResult, Prediction
from desktop.core.heatmaps.sheet import PictureStyle, heatmap_sheet, picture_name, write_picture
from desktop.core.panels.registry import Panel
from desktop.core.vote import verdict
from tests.helpers.tiny_models import MODEL_NAMES


def case(cams: list[npt.NDArray[np.float32] | None], image: str = "film.png") -> CaseResult:
    predictions = tuple(
        Prediction(name, (0.8, 0.1, 0.1), cams=cam)
        for name, cam in zip(MODEL_NAMES, cams, strict=False)
    )
    return CaseResult(
        image, "", "ok", predictions=predictions, verdict=verdict(predictions, MODEL_NAMES, 3, 1.0)
    )


def peak() -> npt.NDArray[np.float32]:
    cam = np.zeros((3, 7, 7), np.float32)
    cam[0, 3, 3] = 2.0
    return cam


FILM = np.full((300, 400), 90, np.uint8)


def colourful(picture: Image.Image) -> npt.NDArray[np.bool_]:
    pixels = np.asarray(picture).astype(int)
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2) > 30)


def test_a_written_sheet_is_a_png_that_says_what_it_must_not_be_used_for(
    tmp_path: Path, panel: Panel
) -> None:
    path = write_picture(tmp_path, case([peak()] * 4), FILM, panel)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert "not a diagnosis" in picture.info["Comment"]
        assert colourful(picture).any()


def test_each_model_has_its_tile(panel: Panel) -> None:
    without = np.zeros((3, 7, 7), np.float32)
    bare = colourful(heatmap_sheet(case([without] * 4), FILM, panel, PictureStyle()))
    for index in range(4):
        cams = [without] * 4
        cams[index] = peak()
        drawn = colourful(heatmap_sheet(case(cams), FILM, panel, PictureStyle()))
        rows, columns = np.nonzero(drawn & ~bare)
        height, width = drawn.shape
        assert (rows.mean() > height / 2) == (index >= 2)
        assert (columns.mean() > width / 2) == (index % 2 == 1)


def test_opacity_is_honoured(panel: Panel) -> None:
    bare = heatmap_sheet(case([np.zeros((3, 7, 7), np.float32)] * 4), FILM, panel, PictureStyle())
    none = heatmap_sheet(
        case([peak()] * 4), FILM, panel, PictureStyle(opacity=0, consensus_line=False)
    )
    assert (colourful(bare) == colourful(none)).all()


def test_missing_answers_and_maps_are_drawn_as_such(panel: Panel) -> None:
    sheet = heatmap_sheet(case([peak(), None]), FILM, panel, PictureStyle())
    assert sheet.height > sheet.width


@pytest.mark.parametrize("shape", [(2000, 30), (30, 2000), (16, 16), (3000, 3000)])
def test_films_of_any_shape_fit(panel: Panel, shape: tuple[int, int]) -> None:
    film = np.zeros(shape, np.uint8)
    sheet = heatmap_sheet(case([peak()] * 4), film, panel, PictureStyle())
    assert sheet.size == heatmap_sheet(case([peak()] * 4), FILM, panel, PictureStyle()).size


def test_names_are_safe_and_different() -> None:
    names = [
        "film.png",
        "film.jpg",
        "a/film.png",
        "b/film.png",
        "=cmd|'/c calc'!A0.png",
        "new\nline.png",
        "bytes\udcff.png",
        "../../etc/passwd",
        ".hidden.png",
        "x" * 300 + ".png",
        "胸部.png",
    ]
    made = [picture_name(name) for name in names]
    assert len(set(made)) == len(names)
    for name in made:
        assert name.isascii()
        assert "/" not in name
        assert not name.startswith((".", "-", "="))
        assert len(name) < 120
    assert made[0] == "film.png.heatmaps.png"


def test_a_sheet_with_a_strange_name_is_written(tmp_path: Path, panel: Panel) -> None:
    result = case([peak()] * 4, image="new\nline \udcff 胸部 " + "x" * 300 + ".png")
    assert write_picture(tmp_path, result, FILM, panel).exists()


def test_a_sheet_of_what_is_no_usual_film_says_so(panel: Panel) -> None:
    usual = case([peak()] * 4)
    assert usual.verdict is not None
    odd = replace(usual, verdict=replace(usual.verdict, ood=True))
    silent = replace(usual, verdict=None)
    sheets = [
        np.asarray(heatmap_sheet(item, FILM, panel, PictureStyle()))
        for item in (usual, odd, silent)
    ]
    # Only the line under the name differs.
    differing = {np.flatnonzero((sheets[0] != other).any(axis=(1, 2)))[-1] for other in sheets[1:]}
    assert max(differing) < 80
    assert not np.array_equal(sheets[1], sheets[2])
