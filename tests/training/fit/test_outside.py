"""A run that swaps the outside of the lungs takes the masks from a lungs file and trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from desktop.core.panels.contract import OUTPUT_MASK
from tests.training.conftest import tiny_config
from training.configs import FitConfig
from training.data.split import TRAIN, SplitData
from training.export.onnx_export import convert
from training.fit.trainer import Fit
from training.models.lungs import build_lungs, mask_of
from training.runtime.lungs_run import LUNGS_SIDE, find_lungs


@pytest.fixture(scope="module")
def lungs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    body = build_lungs(LUNGS_SIDE, (2, 4))
    size = (LUNGS_SIDE, LUNGS_SIDE)
    path = tmp_path_factory.mktemp("lungs") / "lungs.onnx"
    path.write_bytes(
        convert(lambda pixels: {OUTPUT_MASK: mask_of(body, pixels)}, size, [OUTPUT_MASK])
    )
    return path


def test_masks_have_the_side_of_the_lungs_network(lungs: Path, drawn: SplitData) -> None:
    masks = find_lungs(lungs.read_bytes(), drawn.pixels[:3])
    assert masks.shape == (3, LUNGS_SIDE, LUNGS_SIDE)
    assert ((masks >= 0) & (masks <= 1)).all()


def test_training_films_get_masks_and_the_run_finishes(
    lungs: Path, drawn: SplitData, tmp_path: Path
) -> None:
    config = tiny_config("scnn", stages=((1, 32),), outside=0.5, lungs=str(lungs))
    run = Fit(config, drawn, tmp_path)
    assert run._masks is not None
    assert run._masks.shape == (len(drawn.films), 32, 32)
    rest = np.setdiff1d(np.arange(len(drawn.films)), drawn.indices(TRAIN))
    assert (run._masks[rest] == 255).all()
    assert run.run().epoch == 1


def test_swapping_without_a_lungs_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lungs\.onnx"):
        FitConfig(model="scnn", stages=((1, 32),), outside=0.5)
