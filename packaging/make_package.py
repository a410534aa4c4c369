"""Builds everything that is downloaded: .tar.gz, .deb, SBOM and SHA256SUMS, and tries the result.

usage: python packaging/make_package.py [--output dist/packages] [--keep-frozen] [--no-deb]

Every file gets the time of the last commit (or SOURCE_DATE_EPOCH), so equal sources and equal
dependencies give archives that differ only where PyInstaller's own order differs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from bill_of_materials import write_bill_of_materials
from command_files import write_command_files
from debian_package import build_deb
from icons import write_icons

import desktop

BUILD = ROOT / "build"


def source_epoch() -> int:
    """Seconds since 1970 that stand for this source: the variable, else the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    answer = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return int(answer or 1767225600)


def freeze(epoch: int) -> Path:
    """Run PyInstaller; returns the folder it made."""
    write_icons(BUILD / "icons")
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
         "--distpath", str(BUILD / "frozen"), "--workpath", str(BUILD / "pyinstaller"),
         str(HERE / "cxr_quorum.spec")],
        check=True,
        cwd=ROOT,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"},
    )  # fmt: skip
    frozen = BUILD / "frozen" / "cxr-quorum"
    strip_debug_symbols(frozen)
    return frozen


def strip_debug_symbols(frozen: Path) -> None:
    """Take debug symbols and the build machine's library path out of Python's own libraries.

    Not out of the wheels' libraries: some were patched in a way that ``strip`` breaks, and they
    come without symbols anyway.
    """
    internal = frozen / "_internal"
    own = [*internal.glob("libpython*"), *internal.glob("python*/lib-dynload/*.so")]
    for tool, option in (("strip", "--strip-debug"), ("chrpath", "--delete")):
        if own and shutil.which(tool):
            subprocess.run([tool, option, *map(str, own)], check=True, stdout=subprocess.DEVNULL)


def build_manual() -> Path:
    """The HTML manual, built strictly."""
    target = BUILD / "manual"
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(target)],
        check=True,
        cwd=ROOT,
    )
    return target


def build_archive(frozen: Path, output: Path, manual: Path, epoch: int) -> Path:
    """Write ``cxr-quorum-VERSION-linux-x86_64.tar.gz``: unpack anywhere and run."""
    name = f"cxr-quorum-{desktop.__version__}"
    top = BUILD / "archive" / name
    shutil.rmtree(top, ignore_errors=True)
    shutil.copytree(frozen, top, symlinks=True)
    write_command_files(top / "share")
    shutil.copytree(manual, top / "manual")
    for document in ("LICENSE", "CHANGELOG.md", "README.md"):
        if (ROOT / document).exists():
            shutil.copyfile(ROOT / document, top / document)
    target = output / f"{name}-{sys.platform}-{os.uname().machine}.tar.gz"

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = epoch
        return entry

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as archive:
        for path in (top, *sorted(top.rglob("*"))):
            archive.add(path, path.relative_to(top.parent), recursive=False, filter=plain)
    import gzip

    with target.open("wb") as stream, gzip.GzipFile("", "wb", 6, stream, mtime=epoch) as packed:
        packed.write(buffer.getbuffer())
    return target


def write_sums(folder: Path) -> Path:
    """Write ``SHA256SUMS`` of everything in the folder; ``sha256sum --check`` reads it."""
    sums = folder / "SHA256SUMS"
    lines = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path != sums:
            with path.open("rb") as stream:
                lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {path.name}\n")
    sums.write_text("".join(lines))
    return sums


def megabytes(path: Path) -> float:
    """Size of a file or of all files of a folder, in MB (10^6 bytes)."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if not p.is_symlink()]
    return sum(p.stat().st_size for p in files if p.is_file()) / 1e6


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "packages")
    parser.add_argument("--reuse-frozen", action="store_true", help="do not run PyInstaller again")
    parser.add_argument("--no-smoke", action="store_true", help="do not try the result")
    options = parser.parse_args()
    epoch = source_epoch()
    output: Path = options.output
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    manual = build_manual()
    frozen = BUILD / "frozen" / "cxr-quorum"
    if not (options.reuse_frozen and frozen.exists()):
        frozen = freeze(epoch)
    print(f"frozen folder: {megabytes(frozen):.0f} MB")
    if not options.no_smoke:
        subprocess.run([sys.executable, str(HERE / "frozen_smoke.py"), str(frozen)], check=True)
    write_bill_of_materials(output / f"cxr-quorum-{desktop.__version__}.cdx.json", epoch)
    made = [build_archive(frozen, output, manual, epoch)]
    if shutil.which("dpkg-deb"):
        made.append(build_deb(frozen, output, BUILD / "deb", manual, epoch))
    for path in made:
        print(f"{path.name}: {megabytes(path):.0f} MB")
    write_sums(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
