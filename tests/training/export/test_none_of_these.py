"""Films that are none of the classes: taught, exported as a score, and given a limit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from desktop.core.panels.contract import MANIFEST_NAME, OUTPUT_NONE_OF_THESE, PanelManifest
from tests.training.conftest import SIZE, tiny_config
from training.data.datasets import NONE, DatasetSpec, Source
from training.data.split import TRAIN_NONE, VALIDATION_NONE, SplitData, split
from training.evaluation.none_of_these import limit_for, measure_none
from training.export.exporter import export_model
from training.export.panel import finish_panel
from training.fit.trainer import Fit
from training.metrics.calibration import CALIBRATION_NAME, read_calibration

CLASSES = ("Covid", "Normal", "Viral Pneumonia")


@pytest.fixture(scope="module")
def taught(films: Path, tmp_path_factory: pytest.TempPathFactory) -> SplitData:
    """The drawn classes, and films of stripes that are none of them."""
    root = tmp_path_factory.mktemp("taught")
    for label in CLASSES:
        (root / label).symlink_to(films / label)
    (root / "Other").mkdir()
    random = np.random.default_rng(2)
    for number in range(40):
        wave = np.sin(np.arange(128) / random.uniform(1.5, 4) + random.uniform(0, 6))
        stripes = 120 + 90 * wave[:, np.newaxis] + random.normal(0, 25, (128, 128))
        path = root / "Other" / f"stripes-{number:04d}.png"
        Image.fromarray(np.clip(stripes, 0, 255).astype(np.uint8)).save(path)
    sources = [
        Source(label, label, set_name="films", validation=0.25, unseen=0.15, finding=label)
        for label in CLASSES
    ]
    sources.append(Source("Other", NONE, set_name="films", validation=0.3, finding="Other"))
    shares = {"Covid": 0.25, "Normal": 0.25, "Viral Pneumonia": 0.25, "Other": 0.25}
    recipe = DatasetSpec("taught", "Taught", CLASSES, tuple(sources), finding_shares=shares)
    return split(recipe, root, SIZE)


@pytest.fixture(scope="module")
def run(taught: SplitData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "taught-scnn"
    Fit(tiny_config("scnn", stages=((6, 32),), epoch_images=96), taught, folder).run()
    return folder


@pytest.fixture(scope="module")
def panel(taught: SplitData, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "taught"
    export_model(run, taught, folder, version="9")
    finish_panel(folder, run.parent, taught)
    return folder


def test_the_network_has_one_logit_more_and_learns_from_such_films(
    taught: SplitData, run: Path
) -> None:
    assert len(taught.indices(TRAIN_NONE)) > 15
    described = json.loads((run / "config.json").read_text())
    assert described["none_of_these"] is True
    assert described["films"]["none: train"] == {f"films: {NONE}": len(taught.indices(TRAIN_NONE))}


def test_the_exported_file_tells_such_films_from_the_classes(
    taught: SplitData, panel: Path
) -> None:
    session = onnxruntime.InferenceSession(
        (panel / "scnn.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    none = taught.indices(VALIDATION_NONE)
    classes = taught.indices("validation")
    names = [OUTPUT_NONE_OF_THESE, "probabilities", "cams"]
    found, _, _ = session.run(names, {"pixels": taught.pixels[none]})
    other, probabilities, cams = session.run(names, {"pixels": taught.pixels[classes]})
    assert found.shape == (len(none),)
    assert found.mean() > other.mean() + 0.3
    assert probabilities.shape == (len(classes), 3)
    assert cams.shape[1] == 3
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_the_manifest_has_the_limit_and_the_scores_say_who_carries_the_mark(panel: Path) -> None:
    manifest = PanelManifest.from_json((panel / MANIFEST_NAME).read_text())
    assert manifest.contract_version == 2
    assert manifest.none_limit is not None
    assert 0 < manifest.none_limit < 1
    kept = json.loads((panel / "scores.json").read_text())["none_of_these"]
    assert kept["auc"] > 0.9
    by_kind = {(row["side"], row["finding"]): row["share"] for row in kept["carried"]}
    assert by_kind["none: validation", "Other"] > 0.5
    assert by_kind["validation", "Normal"] < 0.5


def test_the_limit_is_passed_by_8_percent_whatever_the_size_of_a_set() -> None:
    scores = np.concatenate([np.linspace(0, 1, 1000), np.linspace(0, 0.1, 10)])
    limit = limit_for(scores, ["large"] * 1000 + ["small"] * 10)
    flagged = (scores[:1000] > limit).mean() / 2 + (scores[1000:] > limit).mean() / 2
    assert abs(flagged - 0.08) < 0.01


def test_without_such_films_there_is_nothing_to_measure(drawn: SplitData) -> None:
    with pytest.raises(ValueError, match="none of the classes"):
        measure_none([], drawn)


def test_a_calibration_on_left_out_hospitals_goes_before_validation(
    taught: SplitData, run: Path, tmp_path: Path
) -> None:
    assert read_calibration(run) is None
    try:
        (run / CALIBRATION_NAME).write_text('{"temperature": 2.0, "shift": [1.0, -0.5, -0.5]}')
        card = export_model(run, taught, tmp_path / "taught", version="9").card
    finally:
        (run / CALIBRATION_NAME).unlink()
    assert card.temperature == 2.0
    assert card.shift == {"Covid": 1.0, "Normal": -0.5, "Viral Pneumonia": -0.5}
    assert "left out of training" in card.facts["calibration"]
