"""The real command as somebody whom permissions stop; root gives up its privilege for that."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import command
from tests.helpers import film_files as films
from tests.helpers.tiny_models import write_panel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="capabilities of Linux")


def bounded(words: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command so that a file's mode counts, also for root."""
    before: list[str] = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root without setpriv cannot give up its privilege")
        without = "-dac_override,-dac_read_search,-fowner"
        before = [setpriv, f"--inh-caps={without}", f"--bounding-set={without}"]
    return subprocess.run(
        [*before, sys.executable, "-m", "desktop", *map(str, words)],
        cwd=folder, env=command.environment(folder / "home"),
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def test_what_may_not_be_read_is_a_row_and_what_may_not_be_written_is_said_first(
    tmp_path: Path,
) -> None:
    folder, panel = tmp_path / "films", write_panel(tmp_path)
    (folder / "locked").mkdir(parents=True)
    for name in ("a.png", "secret.png", "z.png", "locked/b.png"):
        Image.fromarray(films.grey_film()).save(folder / name)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "votes.csv").write_text("old")
    (folder / "secret.png").chmod(0)
    (folder / "locked").chmod(0)
    (tmp_path / "kept").chmod(0o500)
    words: list[str | Path] = ["label", folder, "--recursive", "--panel", panel, "-o"]
    try:
        done = bounded([*words, "votes.csv"], tmp_path)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        with (tmp_path / "votes.csv").open(encoding="utf-8-sig", newline="") as stream:
            codes = {row["image"]: row["code"] for row in csv.DictReader(stream)}
        assert codes == {"a.png": "", "z.png": "", "secret.png": "READ-01", "locked": "READ-01"}
        done = bounded([*words, tmp_path / "kept" / "votes.csv"], tmp_path)
        assert done.returncode == 1
        assert "[OUTPUT-02]" in done.stderr
        done = bounded(["label", folder / "locked", "--panel", panel], tmp_path)
        assert done.returncode == 2
        assert "[FOLDER-03]" in done.stderr
    finally:
        (folder / "locked").chmod(0o700)
        (tmp_path / "kept").chmod(0o700)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["votes.csv"]
    assert (tmp_path / "kept" / "votes.csv").read_text() == "old"


def test_a_folder_that_may_not_be_entered_hides_no_other_panel(tmp_path: Path) -> None:
    panels = tmp_path / "home" / "data" / "panels"
    write_panel(panels, name="mine")
    write_panel(panels, name="aaa").chmod(0)
    try:
        done = bounded(["models"], tmp_path)
        assert "mine 2026.11.1" in done.stdout, done.stderr
        Image.fromarray(films.grey_film()).save(tmp_path / "a.png")
        done = bounded(["label", "a.png", "--panel", "nobody"], tmp_path)
        assert done.returncode == 2
        assert "mine" in done.stderr
    finally:
        (panels / "aaa").chmod(0o700)
