"""The frozen app, built and tried like a user does; minutes long: ``make test-all`` only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that PyInstaller makes of this checkout."""
    pytest.importorskip("PyInstaller", reason="the extra packaging is not installed")
    work = tmp_path_factory.mktemp("frozen")
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR",
         "--distpath", str(work / "dist"), "--workpath", str(work / "build"),
         str(ROOT / "packaging" / "cxr_quorum.spec")],
        check=True,
        cwd=work,
    )  # fmt: skip
    return work / "dist" / "cxr-quorum"


def test_it_labels_films_and_opens_its_window(frozen: Path) -> None:
    script = ROOT / "packaging" / "frozen_smoke.py"
    done = subprocess.run(
        [sys.executable, str(script), str(frozen)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_models_are_plain_files_and_training_is_not_there(frozen: Path) -> None:
    internal = frozen / "_internal"
    shipped = {path.name for path in (ROOT / "exported_models").rglob("*.onnx")}
    assert {path.name for path in internal.rglob("*.onnx")} == shipped
    names = {path.name.lower() for path in internal.rglob("*")}
    assert not any(name.startswith(("tensorflow", "keras", "torch", "requests")) for name in names)
    assert not any("providers_cuda" in name for name in names)
    assert (internal / "desktop" / "manual" / "index.md").is_file()


def test_it_stays_below_the_stated_size(frozen: Path) -> None:
    size = sum(p.stat().st_size for p in frozen.rglob("*") if p.is_file() and not p.is_symlink())
    models = sum(path.stat().st_size for path in (ROOT / "exported_models").rglob("*.onnx"))
    assert (size - models) / 1e6 < 290
