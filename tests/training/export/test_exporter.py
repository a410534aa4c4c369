"""What is exported is what was trained; what differs is refused and leaves the old file alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from desktop.core.errors import ModelRefused
from desktop.core.imaging.decode import model_pixels
from desktop.core.imaging.phantoms import draw_not_a_film
from desktop.core.panels.contract import OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES
from desktop.core.panels.registry import open_panel
from training.data.split import SplitData
from training.evaluation.predictions import read_run_answers
from training.export import exporter as export
from training.export.exporter import export_model, gate_images, serve
from training.export.onnx_export import ServedModel, to_onnx
from training.export.panel import finish_panel, read_scores
from training.export.parity_check import TOLERANCE, check_parity
from training.runtime.onnx_run import run_onnx

MakePanel = tuple[Path, Path]


@pytest.fixture(scope="module")
def served(scnn_run: Path, drawn: SplitData) -> ServedModel:
    return serve(scnn_run, drawn)[0]


@pytest.fixture(scope="module")
def content(served: ServedModel) -> bytes:
    return to_onnx(served)


@pytest.fixture(scope="module")
def panel(scnn_run: Path, drawn: SplitData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "drawn"
    export_model(scnn_run, drawn, folder, version="2026.11.1")
    finish_panel(folder, scnn_run.parent, drawn)
    return folder


def _changed(content: bytes, kind: str, factor: float) -> bytes:
    """The same file with the last dense layer or the largest convolution scaled."""
    model = onnx.load_from_string(content)
    tensors = [
        item
        for item in model.graph.initializer
        if (len(item.dims) == 4 if kind == "convolution" else list(item.dims[1:]) == [3])
    ]
    largest = max(tensors, key=lambda item: int(np.prod(item.dims)))
    values = numpy_helper.to_array(largest)
    scaled = (values * np.float32(factor)).astype(values.dtype)
    largest.CopyFrom(numpy_helper.from_array(scaled, largest.name))
    changed: bytes = model.SerializeToString()
    return changed


def test_the_file_agrees_with_keras_and_with_the_gradient_tape(
    served: ServedModel, content: bytes, drawn: SplitData
) -> None:
    found = check_parity(served, content, gate_images(drawn))
    assert found.images > 0
    assert found.probabilities <= TOLERANCE
    assert found.cams <= TOLERANCE


@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_a_sabotaged_graph_is_refused(
    served: ServedModel, content: bytes, drawn: SplitData, kind: str
) -> None:
    with pytest.raises(ModelRefused, match="Nothing was written") as refusal:
        check_parity(served, _changed(content, kind, 1.02), gate_images(drawn))
    assert refusal.value.code == "EXPORT-01"


def test_a_graph_that_answers_nan_is_refused(
    served: ServedModel, content: bytes, drawn: SplitData
) -> None:
    with pytest.raises(ModelRefused) as refusal:
        check_parity(served, _changed(content, "convolution", np.nan), gate_images(drawn))
    assert refusal.value.code == "EXPORT-01"


def test_a_gate_without_images_lets_nothing_through(served: ServedModel, content: bytes) -> None:
    with pytest.raises(ModelRefused) as refusal:
        check_parity(served, content, [])
    assert refusal.value.code == "EXPORT-02"


def test_a_refused_export_writes_nothing(
    scnn_run: Path,
    drawn: SplitData,
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "to_onnx", lambda served: _changed(content, "convolution", 1.05))
    with pytest.raises(ModelRefused):
        export_model(scnn_run, drawn, tmp_path / "panel", version="1")
    assert not (tmp_path / "panel").exists()


def test_the_exported_panel_opens_in_the_app(panel: Path, drawn: SplitData) -> None:
    opened = open_panel(panel)
    assert opened.model_names == ("scnn",)
    model = opened.models[0]
    assert model.has_maps
    assert model.has_ood_score
    assert model.card.class_names == drawn.recipe.class_names
    assert model.card.training_data_sha256 == drawn.training_hash
    assert model.card.metrics["validation_accuracy"]["n"] == len(drawn.indices("validation"))
    assert set(model.card.operating_points) == set(drawn.recipe.class_names)


def test_the_same_run_exports_the_same_answers(
    panel: Path, scnn_run: Path, drawn: SplitData, tmp_path: Path
) -> None:
    again = export_model(scnn_run, drawn, tmp_path / "drawn", version="2026.11.1")
    assert again.card.metrics.keys() == open_panel(panel).models[0].card.metrics.keys()
    names = [OUTPUT_PROBABILITIES, OUTPUT_OOD_SCORE]
    before = run_onnx((panel / "scnn.onnx").read_bytes(), drawn.pixels, names)
    after = run_onnx(again.path.read_bytes(), drawn.pixels, names)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_card_page_and_panel_scores_say_the_same(panel: Path, scnn_run: Path) -> None:
    card = open_panel(panel).models[0].card
    page = (panel / "scnn.md").read_text()
    for values in card.metrics.values():
        assert f"{values['value']:.3f} ({values['low']:.3f} to {values['high']:.3f})" in page
    together = read_scores(panel)
    # A panel of one model is that model.
    for name, values in card.metrics.items():
        assert together[name]["value"] == pytest.approx(values["value"])
    kept = read_run_answers(scnn_run)["validation"]
    accuracy = float(np.mean(kept.probabilities.argmax(1) == kept.labels))
    assert together["validation_accuracy"]["value"] == pytest.approx(accuracy)


def test_a_run_on_other_classes_is_refused(scnn_run: Path, drawn: SplitData) -> None:
    import dataclasses

    other = dataclasses.replace(
        drawn, recipe=dataclasses.replace(drawn.recipe, class_names=("A", "B", "C"))
    )
    with pytest.raises(ModelRefused) as refusal:
        serve(scnn_run, other)
    assert refusal.value.code == "EXPORT-03"


def test_the_batch_size_does_not_change_an_answer(content: bytes, drawn: SplitData) -> None:
    pixels = drawn.pixels[:6]
    together = run_onnx(content, pixels, [OUTPUT_PROBABILITIES], batch=6)[0]
    one_by_one = run_onnx(content, pixels, [OUTPUT_PROBABILITIES], batch=1)[0]
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-6)


def test_what_is_not_a_film_scores_further_than_films(content: bytes, drawn: SplitData) -> None:
    films = run_onnx(content, drawn.pixels, [OUTPUT_OOD_SCORE])[0]
    odd = np.stack(
        [
            model_pixels(draw_not_a_film(kind, seed, (128, 128)), (64, 64))
            for kind in ("blank", "noise", "text")
            for seed in range(3)
        ]
    )
    scores = run_onnx(content, odd, [OUTPUT_OOD_SCORE])[0]
    assert np.isfinite(scores).all()
    assert scores.min() > np.quantile(films, 0.95)
    upside_down = run_onnx(content, drawn.pixels[:, ::-1], [OUTPUT_OOD_SCORE])[0]
    assert np.median(upside_down) > np.quantile(films, 0.95)


def test_validation_scores_reach_one_at_their_95th_percentile(panel: Path, scnn_run: Path) -> None:
    kept = read_run_answers(scnn_run)["validation"].ood_scores
    assert np.mean(kept <= 1 + 1e-5) >= 0.95
    assert kept.max() >= 1 - 1e-5


def test_the_scores_file_is_json_with_all_sides(panel: Path) -> None:
    values = json.loads((panel / "scores.json").read_text())
    assert set(values["flagged"]) == {"validation", "unseen films"}
