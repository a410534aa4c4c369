"""Doctor, codes, samples, manifest: what a person reads when something is unclear."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from PIL import Image

from desktop.__main__ import main
from desktop.core.batch.manifest import RunInfo, write_manifest
from desktop.core.batch.run import RunCounts, RunSettings
from desktop.core.diagnostics.system import choices, diagnose, protections
from desktop.core.errors import OutputFailed
from desktop.core.imaging.samples import write_samples
from desktop.core.inference.devices import DeviceReport
from desktop.core.inference.session import PanelSession
from desktop.core.int8.processor import this_processor
from desktop.core.panels.registry import open_panel
from tests.helpers.tiny_models import write_panel


def test_doctor_sees_panels_formats_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))
    mine = write_panel(tmp_path / "home" / "data" / "panels", name="mine")
    broken = write_panel(tmp_path / "home" / "data" / "panels", name="broken")
    (broken / "scnn.onnx").unlink()
    found = diagnose("cpu", 1)
    assert mine in [panel.folder for panel in found.panels]
    assert broken in [item.folder for item in found.refused]
    assert found.report is not None
    assert found.report.running == "cpu"
    assert all(item.by for item in found.formats)
    assert all(writable for _, _, writable in found.folders)
    assert dict(found.devices)["CPU"] == ""
    assert not (tmp_path / "home" / "config").exists()  # looking changes nothing


@pytest.mark.parametrize("held", [(), ("landlock",), ("landlock", "seccomp")])
def test_doctor_says_what_films_are_kept_from(
    held: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("desktop.core.diagnostics.system.try_cage", lambda: held)
    assert [item.holds for item in protections()[:2]] == ["seccomp" in held, "landlock" in held]
    code = main(["doctor", "--device", "cpu"])
    said = capsys.readouterr().out
    assert code == 0, "an older kernel is nothing to do"
    assert ("seccomp: does not hold" in said) == ("seccomp" not in held)
    assert ("Landlock: does not hold" in said) == (not held)


def test_samples_are_the_same_every_time_and_say_what_they_are(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "a")
    assert {sample.name for sample in samples} == {path.name for path in (tmp_path / "a").iterdir()}
    for sample in samples:
        assert sample.name.startswith(("chest_real_", "phantom_", "something_else_"))
        assert sample.what.split(",")[0] in ("drawn", "real")
    with Image.open(tmp_path / "a" / "phantom_normal_1.png") as picture:
        assert picture.size == (512, 512)
    with pytest.raises(OutputFailed):
        write_samples(tmp_path / "a" / "phantom_normal_1.png")


def test_the_manifest_names_the_models_and_no_file(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path))
    output = tmp_path / "patient_smith.csv"
    path = write_manifest(
        output,
        RunInfo(
            panel=panel,
            report=PanelSession(panel, "cpu", 1).report,
            settings=RunSettings(output),
            counts=RunCounts(images=3, ok=2, failed=1),
            started=datetime.datetime(2026, 11, 23, 9, 30, tzinfo=datetime.UTC),
            seconds=1.5,
            complete=True,
        ),
    )
    text = path.read_text()
    values = json.loads(text)
    assert values["started"] == "2026-11-23T09:30:00Z"
    assert [model["sha256"] for model in values["panel"]["models"]] == [
        model.sha256 for model in panel.models
    ]
    assert values["counts"]["failed"] == 1
    assert values["device"]["running"] == "cpu"
    assert "smith" not in text
    assert str(tmp_path) not in text


def test_doctor_tells_the_processor_and_each_panels_own_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))
    main(["doctor", "--device", "cpu", "--json"])
    values = json.loads(capsys.readouterr().out)
    assert values["processor"] == this_processor().words
    assert values["panels"]
    for panel in values["panels"].values():
        # Nothing was proved in this home, so nothing runs in int8 here.
        assert panel["precision"] == "fp32"
        assert panel["precision_reason"].endswith(".")
    main(["doctor", "--device", "cpu"])
    text = capsys.readouterr().out
    assert this_processor().words in text
    assert text.count("on the processor fp32: ") == len(values["panels"])


def test_doctor_explains_what_an_accelerator_runs_with() -> None:
    report = DeviceReport(
        asked="cuda",
        running="cuda",
        sessions=(("scnn", "cuda"),),
        reason="",
        threads=4,
        precision="fp16",
        precision_reason="The drawn films get the same votes with 16 and with 32 bits.",
        batch=64,
    )
    found = {item.what: item for item in choices(report)}
    assert found["provider"].chosen == "CUDAExecutionProvider"
    assert found["precision"].chosen == "fp16"
    assert "same votes" in found["precision"].why
    assert found["batch"].chosen == "64"
    assert "probe" in found["batch"].why
    assert all(item.why.endswith(".") for item in found.values())
