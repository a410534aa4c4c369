"""What pip installs: wheel and sdist hold models, fonts and manual, and the wheel works alone."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import desktop
from desktop.core.imaging.phantoms import draw_phantom

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def tracked_files() -> list[str]:
    """What is in the repository, so that a half-written file of a developer is not asked for."""
    return subprocess.run(
        ["git", "ls-files", "--cached"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def installed(name: str) -> str:
    """Where an installation holds a file of the repository."""
    folder, _, rest = name.partition("/")
    return f"cxr_quorum/{rest}" if folder == "desktop" else f"cxr_quorum/{name}"


def below(folder: str, *endings: str) -> set[str]:
    """Tracked files of a folder that a distribution must hold."""
    return {n for n in tracked_files() if n.startswith(f"{folder}/") and n.endswith(endings)}


MODELS = below("exported_models", ".onnx", "manifest.json", ".md")
ASSETS = below("desktop/assets", ".svg", ".otf", ".txt")
CODE = below("desktop", ".py") | below("training", ".py", ".j2", ".mplstyle")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of the tracked files only, so that nothing of a developer's folder slips in."""
    source = tmp_path_factory.mktemp("source") / "checkout"
    pytest.importorskip("setuptools", minversion="77")
    for name in tracked_files():
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    output = tmp_path_factory.mktemp("sdist")
    build("sdist", source, output)
    (made,) = output.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from the sdist, as pip does it."""
    source = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(source, filter="data")
    output = tmp_path_factory.mktemp("wheel")
    build("wheel", next(source.iterdir()), output)
    (made,) = output.glob("*.whl")
    return made


def build(kind: str, source: Path, output: Path) -> None:
    """Call the build backend in a process of its own."""
    script = f"import setuptools.build_meta as b; b.build_{kind}({str(output)!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_sdist_holds_everything_that_the_wheel_and_a_contributor_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = MODELS | ASSETS | below("studies", ".py")
    wanted |= {"LICENSE", "Makefile", "mkdocs.yml", "docs/index.md"}
    assert wanted - names == set()
    assert not any(name.endswith((".dcm", ".jpg", ".jpeg")) for name in names)


def test_the_wheel_holds_code_models_assets_and_manual(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {installed(name) for name in MODELS | ASSETS | CODE} - names == set()
    assert {"cxr_quorum/manual/index.md", "cxr_quorum/manual/images/review-dark.png"} <= names


def test_an_installation_puts_one_package_beside_those_of_others(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"cxr_quorum", f"cxr_quorum-{desktop.__version__}.dist-info"}


def test_the_wheel_labels_a_film_with_nothing_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site, films = tmp_path / "site", tmp_path / "films"
    zipfile.ZipFile(wheel).extractall(site)
    films.mkdir()
    Image.fromarray(draw_phantom("normal", 1)).save(films / "phantom.png")
    environment = os.environ | {"PYTHONPATH": str(site), "CXR_QUORUM_HOME": str(tmp_path / "home")}
    votes = tmp_path / "votes.csv"
    done = subprocess.run(
        [sys.executable, "-m", "cxr_quorum", "label", str(films), "--output", str(votes)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with votes.open(newline="", encoding="utf-8-sig") as stream:
        (row,) = csv.DictReader(stream)
    assert row["status"] == "ok"
    where = subprocess.run(
        [sys.executable, "-c", "from cxr_quorum.gui.help.manual_window import manual_folder as m;"
         "from cxr_quorum.core.panels.registry import find_panels as p; print(m(), p()[0].folder)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert all(Path(part).is_relative_to(site) for part in where.split())
