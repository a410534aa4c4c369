"""When int8 is chosen, what it needs to be proved, and that rows of two precisions never mix."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from desktop.core.batch.manifest import RunInfo, manifest
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.cases import ImageFile
from desktop.core.diagnostics.int8_benchmark import ENOUGH_OWN_FILMS, benchmark_int8
from desktop.core.errors import ModelRefused, UsageError
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.phantoms import draw_phantom
from desktop.core.inference.names import checked_precision
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan, plan_precision
from desktop.core.inference.session import PanelSession
from desktop.core.int8.benchmark import (
    Int8Benchmark,
    ModelBenchmark,
    benchmark_key,
    benchmark_path,
    read_benchmark,
    write_benchmark,
)
from desktop.core.int8.calibration import (
    INT8_NAME,
    Agreement,
    Int8Calibration,
    Int8Form,
    ModelCalibration,
    read_calibration,
)
from desktop.core.int8.processor import Processor, this_processor
from desktop.core.panels.registry import Panel, open_panel
from tests.helpers.small_networks import SIDE, write_residual_panel

ALIKE = Agreement(1000, 0.999, 0.998, 0.003, 0.04, 0.0005)
CHIP = Processor("x86_64 Test 1/2/3", ("avx2", "avx_vnni"))
OLD_CHIP = Processor("x86_64 Old 1/2/2", ("avx2",))


def panel_with_recipe(
    folder: Path, *, together: Agreement = ALIKE, failed: tuple[str, ...] = ()
) -> Panel:
    """A real panel with an ``int8.json`` whose ranges were really measured."""
    from training.export.int8_statistics import measure_ranges

    panel = open_panel(write_residual_panel(folder))
    films = np.stack([draw_phantom("normal", seed, (SIDE, SIDE)) for seed in range(8)])
    models = {}
    for model in panel.models:
        ranges = measure_ranges(model.path.read_bytes(), films[..., np.newaxis])
        form = Int8Form((), (1.0, 0.0), ALIKE, model.name not in failed)
        models[model.name] = ModelCalibration(model.sha256, {8: form, 7: form}, ranges)
    recipe = Int8Calibration(8, models, {8: together, 7: together})
    (panel.folder / INT8_NAME).write_text(recipe.to_json())
    return panel


def proof_for(
    panel: Panel, *, gain: float = 2.0, equal: float = 1.0, chosen: bool = True
) -> Int8Benchmark:
    models = tuple(ModelBenchmark(name, gain, equal, 0.01, chosen) for name in panel.model_names)
    key = benchmark_key(panel, CHIP)
    return Int8Benchmark(key, "2026-11-23", 256, 256, models, gain, equal, chosen)


def test_auto_is_fp32_and_says_how_to_measure_until_somebody_has(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP)
    assert plan.precision == "fp32"
    assert "cxr-quorum prove --panel covid19" in plan.reason


def test_auto_takes_int8_where_it_was_proved_here(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    write_benchmark(panel, proof_for(panel), home=tmp_path)
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP)
    assert plan.names == tuple(sorted(panel.model_names))
    assert plan.bits == 8
    assert "2.00 times" in plan.reason


def test_a_proof_holds_for_one_processor_only(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    write_benchmark(panel, proof_for(panel), home=tmp_path)
    assert read_benchmark(panel, CHIP, home=tmp_path) is not None
    assert read_benchmark(panel, OLD_CHIP, home=tmp_path) is None
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=OLD_CHIP)
    assert plan.precision == "fp32"


def test_a_proof_that_found_it_not_worth_it_is_kept_and_explained(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    write_benchmark(panel, proof_for(panel, gain=1.4, chosen=False), home=tmp_path)
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP)
    assert plan.precision == "fp32"
    assert "1.40 times" in plan.reason


@pytest.mark.parametrize("text", ["", "{", "[]", '{"models": 3}', '{"models": [], "key": 1}'])
def test_a_damaged_proof_counts_as_none(tmp_path: Path, text: str) -> None:
    panel = panel_with_recipe(tmp_path)
    path = benchmark_path(panel, home=tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP).precision == "fp32"


def test_models_that_failed_at_their_exporter_stay_fp32_in_a_mixed_panel(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path, failed=("scnn",))
    write_benchmark(panel, proof_for(panel), home=tmp_path)
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP)
    assert plan.names == ("ccnn", "daccnn", "resnet50")
    report = PanelSession(panel, "cpu", 1, on_cpu=plan).report
    assert report.int8 == plan.names
    assert report.ran == "cpu int8"
    assert "int8 in 3 of 4 models" in report.sentence


@pytest.mark.parametrize(
    "change", [{"equal_labels": 0.994}, {"auc_change": -0.0021}, {"equal_flags": 0.98}]
)
def test_a_panel_that_answered_its_exporters_films_differently_is_never_int8(
    tmp_path: Path, change: dict[str, float]
) -> None:
    together = dataclasses.replace(ALIKE, **change)
    panel = panel_with_recipe(tmp_path, together=together)
    write_benchmark(panel, proof_for(panel), home=tmp_path)
    assert plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP).precision == "fp32"
    with pytest.raises(ModelRefused) as caught:
        plan_precision(panel, "int8", "cpu", home=tmp_path, processor=CHIP)
    assert caught.value.code == "MODEL-13"


def test_a_recipe_is_of_exactly_the_file_it_was_measured_with(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    recipe = read_calibration(panel)
    assert recipe is not None
    other = dataclasses.replace(panel.models[0], sha256="0" * 64)
    assert recipe.form(panel.models[0], 8) is not None
    assert recipe.form(other, 8) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "films": "x"}'])
def test_a_damaged_recipe_leaves_the_panel_in_fp32(tmp_path: Path, text: str) -> None:
    panel = panel_with_recipe(tmp_path)
    (panel.folder / INT8_NAME).write_text(text)
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP)
    assert plan.precision == "fp32"
    assert INT8_NAME in plan.reason
    with pytest.raises(ModelRefused) as caught:
        plan_precision(panel, "int8", "cpu", processor=CHIP)
    assert caught.value.code == "MODEL-13"


def test_a_recipe_survives_its_file(tmp_path: Path) -> None:
    recipe = read_calibration(panel_with_recipe(tmp_path))
    assert recipe is not None
    assert Int8Calibration.from_json(recipe.to_json()) == recipe


def test_without_a_recipe_everything_runs_as_before(tmp_path: Path) -> None:
    panel = open_panel(write_residual_panel(tmp_path))
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path, processor=CHIP)
    assert plan.precision == "fp32"
    report = PanelSession(panel, "cpu", 1, on_cpu=plan).report
    assert report.ran == "cpu"
    assert INT8_NAME in report.precision_reason


def test_int8_on_a_gpu_is_refused_in_words(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    with pytest.raises(UsageError, match="for the CPU"):
        plan_precision(panel, "int8", "cuda", processor=CHIP)


def test_proving_measures_real_forms_and_auto_follows(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path, failed=("scnn",))
    film = tmp_path / "film.png"
    from PIL import Image

    Image.fromarray(draw_phantom("covid", 5, (128, 128))).save(film)
    proof = benchmark_int8(panel, list_inputs([film]), drawn=12, home=tmp_path)
    assert [model.name for model in proof.models] == ["ccnn", "daccnn", "resnet50"]
    assert proof.films == 13
    assert proof.drawn == 12
    assert all(model.gain > 0 and 0 <= model.equal_labels <= 1 for model in proof.models)
    assert all(0 < model.largest_difference < 0.2 for model in proof.models)
    assert read_benchmark(panel, this_processor(), home=tmp_path) == proof
    plan = plan_precision(panel, "auto", "cpu", home=tmp_path)
    assert (plan.precision == "int8") == proof.chosen


def test_enough_films_of_ones_own_decide_without_phantoms(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    films = films_in(tmp_path / "films", ENOUGH_OWN_FILMS)
    proof = benchmark_int8(panel, films, drawn=12, home=tmp_path)
    assert (proof.films, proof.drawn) == (ENOUGH_OWN_FILMS, 0)
    one_less = benchmark_int8(panel, films[1:], drawn=12, home=tmp_path)
    assert (one_less.films, one_less.drawn) == (ENOUGH_OWN_FILMS + 11, 12)


def test_a_proof_file_names_no_film(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    film = tmp_path / "Doe_Jane.png"
    from PIL import Image

    Image.fromarray(draw_phantom("covid", 5, (128, 128))).save(film)
    benchmark_int8(panel, list_inputs([film]), drawn=4, home=tmp_path)
    assert "Doe" not in benchmark_path(panel, home=tmp_path).read_text()


def films_in(folder: Path, count: int = 3) -> list[ImageFile]:
    from PIL import Image

    folder.mkdir()
    for number in range(count):
        Image.fromarray(draw_phantom("normal", number, (96, 96))).save(folder / f"{number}.png")
    return list(list_inputs([folder]))


def run_once(
    panel: Panel, output: Path, files: list[ImageFile], plan: PrecisionPlan
) -> tuple[LabelRun, list[str]]:
    """One whole run; returns it and the devices of the rows that were labelled in it."""
    with LabelRun(panel, RunSettings(output=output, precision=plan)) as run:
        session = PanelSession(panel, "cpu", 1, on_cpu=run.precision)
        devices = [row.device for row in run.results(files, session)]
        run.write_table()
    return run, devices


def int8_plan(panel: Panel, home: Path, asked: str = "auto") -> PrecisionPlan:
    write_benchmark(panel, proof_for(panel), home=home)
    plan = plan_precision(panel, asked, "cpu", home=home, processor=CHIP)  # type: ignore[arg-type]
    assert plan.precision == "int8"
    return plan


def test_rows_say_int8_and_a_rerun_repeats_nothing(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    files, output = films_in(tmp_path / "films"), tmp_path / "votes.csv"
    plan = int8_plan(panel, tmp_path)
    _, devices = run_once(panel, output, files, plan)
    assert devices == ["cpu int8"] * 3
    assert output.read_text("utf-8-sig").count("cpu int8") == 3
    again, devices = run_once(panel, output, files, plan)
    assert devices == []
    assert again.counts.resumed == 3


def test_an_output_begun_in_fp32_goes_on_in_it_where_the_app_may_choose(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    files, output = films_in(tmp_path / "films"), tmp_path / "votes.csv"
    run_once(panel, output, files[:1], PrecisionPlan("auto"))
    run, devices = run_once(panel, output, files, int8_plan(panel, tmp_path))
    assert devices == ["cpu", "cpu"]
    assert "begun in fp32" in run.notice
    assert "int8" not in output.read_text("utf-8-sig").replace("int8.json", "")


def test_an_order_for_int8_labels_everything_again_and_says_so(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    files, output = films_in(tmp_path / "films"), tmp_path / "votes.csv"
    run_once(panel, output, files, PrecisionPlan("fp32"))
    run, devices = run_once(panel, output, files, int8_plan(panel, tmp_path, "int8"))
    assert devices == ["cpu int8"] * 3
    assert "another precision" in run.notice


def test_the_manifest_of_a_run_names_the_models_in_int8(tmp_path: Path) -> None:
    import datetime

    panel = panel_with_recipe(tmp_path, failed=("ccnn",))
    plan = int8_plan(panel, tmp_path)
    session = PanelSession(panel, "cpu", 1, on_cpu=plan)
    run = LabelRun(panel, RunSettings(precision=plan))
    now = datetime.datetime.now(datetime.UTC)
    facts = RunInfo(panel, session.report, run.settings, run.counts, now, 1.0, True)
    device = json.loads(json.dumps(manifest(facts)))["device"]
    assert device["precision"] == "int8"
    assert device["int8"] == ["daccnn", "resnet50", "scnn"]
    assert "Proved here" in device["precision_reason"]


def test_int8_answers_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    panel = panel_with_recipe(tmp_path)
    session = PanelSession(panel, "cpu", 1, on_cpu=int8_plan(panel, tmp_path))
    films = np.stack([draw_phantom("viral", seed, (SIDE, SIDE)) for seed in range(4)])
    films = films[..., np.newaxis]
    together = session.predict(films)
    for place in range(4):
        (alone,) = session.predict(films[place : place + 1])
        for one, other in zip(alone.predictions, together[place].predictions, strict=True):
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("info", "bits"),
    [
        ("model name : A\nflags : avx2 avx512_vnni\n\nmodel name : B\n", 8),
        ("model name : A\nflags : avx2 avx512bw\n", 7),
        ("", 7),
    ],
)
def test_processors_without_byte_products_get_seven_bits(
    tmp_path: Path, info: str, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "cpuinfo").write_text(info)
    assert this_processor(tmp_path / "cpuinfo").weight_bits == bits


def test_arm_processors_take_eight_bits() -> None:
    assert Processor("aarch64 Neoverse", ()).weight_bits == 8


def test_a_precision_is_known_in_any_case_and_any_other_word_is_refused() -> None:
    assert checked_precision("FP32") == "fp32"
    with pytest.raises(UsageError, match="no precision fp8"):
        checked_precision("fp8")


def test_who_asks_for_32_bits_gets_them_without_a_look_at_the_machine(panel: Panel) -> None:
    assert plan_precision(panel, "fp32") is ALL_FP32
