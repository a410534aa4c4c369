"""What the exporter measures for int8: ranges, corrected biases, which forms a panel takes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from desktop.core.int8.calibration import (
    Agreement,
    Int8Calibration,
    Int8Form,
    ModelCalibration,
    packed,
    unpacked,
)
from desktop.core.int8.graph import activation_names, convolutions, quantise
from tests.helpers.film_files import phantom_pixels
from tests.helpers.small_networks import SIDE, residual_network
from training.data.split import VALIDATION
from training.export import int8 as exporter
from training.export import int8_statistics as int8_measures
from training.export.int8_statistics import measure_corrections, measure_ranges, multiplications

NAMES = ("scnn", "ccnn", "daccnn", "resnet50")


def test_a_range_lies_within_the_extremes_and_rounds_with_less_error() -> None:
    counts = np.zeros(2048, np.int64)
    counts[:200] = 10_000
    counts[-1] = 1  # a bright letter
    low, high = int8_measures._best_range(0.0, 20.0, counts)
    assert low == 0
    assert high < 0.5 * 20


def test_every_tensor_of_every_form_has_a_range() -> None:
    content = residual_network()
    kept = exporter.kept_choices(content)
    ranges = measure_ranges(content, phantom_pixels(16, SIDE), *kept)
    assert len(kept) == 3
    for one in kept:
        assert set(activation_names(content, one)) <= set(ranges)
        assert quantise(content, ranges, kept=one)


@pytest.mark.parametrize("shallow", [True, False])
def test_corrections_take_the_error_of_the_mean_off_every_convolution(
    monkeypatch: pytest.MonkeyPatch, *, shallow: bool
) -> None:
    if not shallow:
        monkeypatch.setattr(int8_measures, "SHALLOW", 0)
    content, pixels = residual_network(), phantom_pixels(16, SIDE)
    ranges = measure_ranges(content, pixels)
    corrections = measure_corrections(content, ranges, 7, pixels)
    names = [item.name for item in convolutions(content)]
    assert sorted(corrections) == sorted(names)
    last = next(item for item in convolutions(content) if item.name == names[0])
    exact = int8_measures._channel_means(content, [last.summed], pixels)[last.summed]

    def error(form: bytes) -> float:
        name = f"{last.name}_float"
        found = int8_measures._channel_means(form, [name], pixels, optimised=False)[name]
        return float(np.abs(found - exact).max())

    plain = error(quantise(content, ranges, 7))
    corrected = error(quantise(content, ranges, 7, corrections=corrections))
    assert corrected < 0.3 * plain


def test_corrections_are_read_back_as_they_were_measured() -> None:
    wanted = {"a": [0.5, -0.25, 0.0, 1e-4], "b": [0.0, 0.0]}
    once = packed(wanted)
    assert once == packed(unpacked(once))
    assert unpacked(once)["a"] == pytest.approx(wanted["a"], abs=0.5 / 254 + 1e-6)
    agreement = Agreement(10, 1.0, 1.0, 0.0, 0.0, 0.0)
    form = Int8Form((), (1.0, 0.0), agreement, True, once)
    model = ModelCalibration("hash", {8: form}, {"a": (0.0, 1.0)})
    again = Int8Calibration.from_json(Int8Calibration(3, {"scnn": model}, {}).to_json())
    assert again.models["scnn"].forms[8].corrections == once


def test_multiplications_are_those_of_the_convolutions() -> None:
    content = residual_network()
    work = multiplications(content, phantom_pixels(1, SIDE))
    first = convolutions(content)[0]
    assert work[first.name] % first.weights[0].size == 0
    assert len(work) == 5


def _choices(
    random: np.random.Generator, noise: dict[str, tuple[float, float]]
) -> tuple[exporter._Films, dict[str, list[exporter._Choice]]]:
    """Four models that mostly agree; of each fp32, a fast noisy form and a slower, better one."""
    count = 1000
    labels = random.integers(0, 2, count)
    films = exporter._Films(
        np.zeros((count, 1, 1, 1), np.uint8), labels, np.full(count, VALIDATION)
    )
    choices = {}
    for name in NAMES:
        chance = np.clip(labels + random.normal(0, 0.35, count), 0.01, 0.99)
        scores = random.normal(0, 1, count)
        said = exporter._Outputs(np.stack([1 - chance, chance], 1), scores)
        some = [exporter._Choice(said, 10.0)]
        for place, strength in enumerate(noise[name]):
            moved = np.clip(chance + random.normal(0, strength, count), 0, 1)
            rough = exporter._Outputs(np.stack([1 - moved, moved], 1), scores)
            equal = float(np.mean(rough.probabilities.argmax(1) == said.probabilities.argmax(1)))
            agreement = Agreement(count, equal, 1.0, 0.0, 0.0, 0.0)
            form = Int8Form(("last",) * place, (1.0, 0.0), agreement, equal >= 0.995)
            some.append(exporter._Choice(rough, 3.0 + 2 * place, form))
        choices[name] = some
    return films, choices


PANEL = cast(Any, SimpleNamespace(model_names=NAMES, ood_limit=5.0))


def test_a_model_that_would_cost_the_panel_its_bar_stays_in_fp32() -> None:
    noise = dict.fromkeys(NAMES, (1e-4, 1e-5)) | {"scnn": (0.3, 0.2)}
    films, choices = _choices(np.random.default_rng(0), noise)
    chosen, found, gain = exporter._best_panel(PANEL, films, choices)
    assert chosen["scnn"].form is None
    assert found.good_enough
    assert gain > 1.7
    kept = exporter._kept_form(choices["scnn"], chosen["scnn"])
    assert not kept.passed


def test_of_forms_that_are_worth_it_the_one_most_like_fp32_is_taken() -> None:
    noise = dict.fromkeys(NAMES, (1.5e-2, 0.0))
    films, choices = _choices(np.random.default_rng(1), noise)
    chosen, found, gain = exporter._best_panel(PANEL, films, choices)
    assert found.equal_labels == 1.0
    assert gain > 1.87
    assert any(one.form is not None and one.form.kept for one in chosen.values())


def test_a_panel_that_never_answers_alike_is_written_as_it_is() -> None:
    noise = dict.fromkeys(NAMES, (0.4, 0.3))
    films, choices = _choices(np.random.default_rng(2), noise)
    _, found, _ = exporter._best_panel(PANEL, films, choices)
    assert not found.good_enough
    assert replace(found, equal_labels=1.0).films == 1000
