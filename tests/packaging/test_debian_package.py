"""The .deb: right files in right places, equal bytes for equal input, honest dependencies."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from debian_package import build_deb
from system_libraries import debian_dependencies, needed_glibc, outside_libraries, shared_objects

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="not a Debian system")

ROOT = Path(__file__).resolve().parents[2]
LINUX = ROOT / "packaging" / "linux"


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """A folder like PyInstaller's, with a real program in it."""
    folder = tmp_path / "frozen"
    (folder / "_internal" / "exported_models").mkdir(parents=True)
    shutil.copy("/usr/bin/true", folder / "cxr-quorum")
    (folder / "_internal" / "exported_models" / "manifest.json").write_text("{}")
    return folder


def built(frozen: Path, tmp_path: Path, name: str) -> Path:
    """A package of ``frozen``."""
    output = tmp_path / name
    output.mkdir()
    return build_deb(frozen, output, tmp_path / f"work-{name}", None, epoch=1_700_000_000)


def contents(package: Path) -> dict[str, str]:
    """Path -> type and permissions."""
    text = subprocess.run(
        ["dpkg-deb", "--contents", str(package)], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 5) for line in text.splitlines()]
    return {row[5].split(" -> ")[0].removeprefix("."): row[0] for row in rows}


def test_everything_is_where_a_desktop_looks_for_it(frozen: Path, tmp_path: Path) -> None:
    files = contents(built(frozen, tmp_path, "one"))
    for path in (
        "/usr/bin/cxr-quorum",
        "/usr/lib/cxr-quorum/cxr-quorum",
        "/usr/lib/cxr-quorum/_internal/exported_models/manifest.json",
        "/usr/share/applications/cxr-quorum.desktop",
        "/usr/share/metainfo/cxr-quorum.metainfo.xml",
        "/usr/share/icons/hicolor/scalable/apps/cxr-quorum.svg",
        "/usr/share/icons/hicolor/48x48/apps/cxr-quorum.png",
        "/usr/share/man/man1/cxr-quorum.1.gz",
        "/usr/share/bash-completion/completions/cxr-quorum",
        "/usr/share/zsh/vendor-completions/_cxr-quorum",
        "/usr/share/fish/vendor_completions.d/cxr-quorum.fish",
        "/usr/share/doc/cxr-quorum/copyright",
        "/usr/share/doc/cxr-quorum/NEWS.gz",
    ):
        assert path in files
    assert files["/usr/bin/cxr-quorum"].startswith("l")
    assert files["/usr/lib/cxr-quorum/cxr-quorum"] == "-rwxr-xr-x"
    assert files["/usr/share/applications/cxr-quorum.desktop"] == "-rw-r--r--"


def test_equal_input_gives_equal_bytes(frozen: Path, tmp_path: Path) -> None:
    first = built(frozen, tmp_path, "one").read_bytes()
    (frozen / "cxr-quorum").touch()
    assert built(frozen, tmp_path, "two").read_bytes() == first


def test_dependencies_are_what_the_loader_says(frozen: Path) -> None:
    entries = debian_dependencies(frozen)
    assert any(entry.startswith("libc6 (>= 2.") for entry in entries)
    assert {"libgl1", "libegl1"} <= set(entries)
    outside, missing = outside_libraries(frozen)
    assert "libc.so.6" in outside
    assert missing == set()


def test_the_needed_glibc_is_that_of_the_newest_symbol(tmp_path: Path) -> None:
    (tmp_path / "one.so").write_bytes(b"\x7fELF\0GLIBC_2.4\0GLIBC_2.34\0GLIBC_2.9\0")
    (tmp_path / "text.so").write_bytes(b"no library\0GLIBC_2.99\0")
    assert [path.name for path in shared_objects(tmp_path)] == ["one.so"]
    assert needed_glibc(tmp_path) == "2.34"


def test_folders_and_dicom_can_be_opened_from_the_file_manager() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(LINUX / "cxr-quorum.desktop")
    values = entry["Desktop Entry"]
    assert {"inode/directory", "application/dicom"} <= set(values["MimeType"].split(";"))
    assert values["Exec"].split() == ["cxr-quorum", "%F"]
    if shutil.which("desktop-file-validate"):
        path = str(LINUX / "cxr-quorum.desktop")
        done = subprocess.run(["desktop-file-validate", path], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_software_centre_text_belongs_to_the_menu_entry() -> None:
    root = ElementTree.parse(LINUX / "cxr-quorum.metainfo.xml").getroot()
    assert root.findtext("launchable") == "cxr-quorum.desktop"
    assert "not a diagnosis" in ElementTree.tostring(root, encoding="unicode")
