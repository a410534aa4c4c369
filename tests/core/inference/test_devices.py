"""What the program finds out about the machine: cores, quotas, installed packages, warnings."""

from __future__ import annotations

import os
from pathlib import Path

import onnxruntime
import pytest

from desktop.core.diagnostics.system import _warnings, diagnose
from desktop.core.inference import devices
from desktop.core.inference.devices import preload_gpu_libraries, usable_cores, why_not


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("250000 100000", 2),
        ("20000 100000", 1),
        ("9900000 100000", 8),
        ("nonsense", 8),
    ],
)
def test_a_container_uses_no_more_cores_than_it_was_given(
    quota: str, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    real = Path.read_text

    def read(self: Path, *words: str, **options: str) -> str:
        if self == Path("/sys/fs/cgroup/cpu.max"):
            return f"{quota}\n"
        return real(self, *words, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", read)
    assert usable_cores() == cores


def test_where_no_affinity_is_known_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> set[int]:
        raise AttributeError

    monkeypatch.setattr(os, "sched_getaffinity", unknown, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_a_device_that_needs_no_driver_is_not_asked_for_one() -> None:
    provider = devices.PROVIDER_OF["coreml"]
    assert why_not("coreml", built_in=[provider]) == ""
    assert "has no Core ML" in why_not("coreml", built_in=["CPUExecutionProvider"])


def test_libraries_of_a_gpu_are_loaded_silently_and_only_where_the_runtime_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def preload() -> None:
        asked.append("once")
        print("not found: cudnn")

    monkeypatch.setattr(onnxruntime, "preload_dlls", preload, raising=False)
    preload_gpu_libraries()
    monkeypatch.delattr(onnxruntime, "preload_dlls")
    preload_gpu_libraries()
    assert asked == ["once"]
    assert capsys.readouterr().out == ""


def test_an_installation_that_cannot_work_is_warned_of() -> None:
    both = {"onnxruntime": "1.31", "onnxruntime-gpu": "1.31"}
    (overwritten, nothing) = _warnings(both, [])
    assert "overwrite each other" in overwritten
    assert "No panel" in nothing


def test_a_machine_without_any_panel_is_diagnosed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.core.diagnostics.system.survey_panels", lambda: ((), ()))
    found = diagnose()
    assert found.report is None
    assert any("No panel" in words for words in found.warnings)
