"""A Debian package of the frozen folder, written with ``dpkg-deb`` and nothing else."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

from command_files import write_command_files
from icons import PNG_SIZES, write_icons
from system_libraries import debian_dependencies

import desktop

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MAINTAINER = "CXR Quorum contributors <maintainers@cxr-quorum.invalid>"

COPYRIGHT = """\
Copyright: 2026 CXR Quorum contributors
Licences of the parts inside: licences.html of the manual, or docs/licences.md of the source.
"""
DESCRIPTION = """\
Description: four neural networks vote on chest X-rays and a human decides
 Opens a folder of chest radiographs (JPEG, PNG, TIFF, DICOM), runs four ONNX
 models on each, shows votes, heatmaps and disagreement, and keeps the
 decisions of the person who reviews them. Exports CSV. Also a command line
 that needs no display. Everything runs on this computer.
 .
 Research use, not a diagnosis.
"""

# Menus and icons are looked up through caches. Nothing of the user's is ever touched or removed.
REFRESH_CACHES = """\
#!/bin/sh
set -e
refresh() {
	if command -v "$1" >/dev/null; then "$@" || true; fi
}
refresh update-desktop-database -q /usr/share/applications
refresh gtk-update-icon-cache -q -t -f /usr/share/icons/hicolor
"""
SCRIPTS = {"postinst": REFRESH_CACHES, "postrm": REFRESH_CACHES}


def stage(frozen: Path, tree: Path, manual: Path | None) -> None:
    """Lay the package's files out below ``tree`` as they will be below ``/``.

    Args:
        frozen: The folder that PyInstaller made.
        tree: Empty folder.
        manual: The built HTML manual, or None to leave it out.
    """
    share = tree / "usr" / "share"
    shutil.copytree(frozen, tree / "usr" / "lib" / "cxr-quorum", symlinks=True)
    (tree / "usr" / "bin").mkdir(parents=True)
    (tree / "usr" / "bin" / "cxr-quorum").symlink_to("../lib/cxr-quorum/cxr-quorum")
    _copy(HERE / "linux" / "cxr-quorum.desktop", share / "applications")
    _copy(HERE / "linux" / "cxr-quorum.metainfo.xml", share / "metainfo")
    icons = share / "icons" / "hicolor"
    _copy(
        ROOT / "desktop" / "assets" / "app-icon.svg",
        icons / "scalable" / "apps",
        "cxr-quorum.svg",
    )
    drawn = tree.parent / "icons"
    write_icons(drawn)
    for size in PNG_SIZES:
        _copy(drawn / f"cxr-quorum-{size}.png", icons / f"{size}x{size}" / "apps", "cxr-quorum.png")
    write_command_files(share)
    page = share / "man" / "man1" / "cxr-quorum.1"
    _zip(page.read_bytes(), page.with_suffix(".1.gz"))
    page.unlink()
    documents = share / "doc" / "cxr-quorum"
    documents.mkdir(parents=True)
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    (documents / "copyright").write_text(f"{COPYRIGHT}\n{licence}", encoding="utf-8")
    _zip((ROOT / "CHANGELOG.md").read_bytes(), documents / "NEWS.gz")
    if manual:
        shutil.copytree(manual, documents / "html")
    for path in sorted(tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)


def build_deb(frozen: Path, output: Path, work: Path, manual: Path | None, epoch: int) -> Path:
    """Write ``cxr-quorum_VERSION_ARCH.deb``.

    Args:
        frozen: The folder that PyInstaller made.
        output: Folder for the package.
        work: Scratch folder, emptied first.
        manual: The built HTML manual or None.
        epoch: Seconds since 1970 that every file gets, so that equal input gives equal bytes.
    """
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "tree"
    stage(frozen, tree, manual)
    size_kib = sum(p.lstat().st_size for p in tree.rglob("*") if p.is_file()) // 1024
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    control = tree / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(
        f"Package: cxr-quorum\nVersion: {desktop.__version__}\nArchitecture: {architecture}\n"
        f"Maintainer: {MAINTAINER}\nSection: science\nPriority: optional\n"
        f"Installed-Size: {size_kib}\nDepends: {', '.join(debian_dependencies(frozen))}\n"
        f"Recommends: shared-mime-info\n{DESCRIPTION}"
    )
    for name, text in SCRIPTS.items():
        (control / name).write_text(text)
        (control / name).chmod(0o755)
    for path in (*tree.rglob("*"), tree):
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    package = output / f"cxr-quorum_{desktop.__version__}_{architecture}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", str(tree), str(package)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch)},
    )
    return package


def _is_program(path: Path) -> bool:
    """Whether a file runs; wheels mark some texts as executable too."""
    with path.open("rb") as stream:
        return os.access(path, os.X_OK) and stream.read(4).startswith((b"\x7fELF", b"#!"))


def _copy(source: Path, folder: Path, name: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / (name or source.name))


def _zip(content: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(content, 9, mtime=0))
