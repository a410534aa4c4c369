"""Which libraries of the system a frozen folder needs: asked of the loader, not kept as a list."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_RESOLVED = re.compile(r"^\s*(\S+) => (\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_GLIBC = re.compile(rb"\0GLIBC_2\.(\d{1,3})(?=\0)")

# Qt opens these by name only when a window appears, so no file says that it needs them.
OPENED_AT_RUN_TIME = ("libgl1", "libegl1")


def shared_objects(folder: Path) -> tuple[Path, ...]:
    """All ELF files of a folder, links left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                if stream.read(4) == b"\x7fELF":
                    found.append(path)
    return tuple(found)


def outside_libraries(folder: Path) -> tuple[dict[str, Path], set[str]]:
    """Libraries that the folder's files load from elsewhere.

    Returns:
        Name -> file on this machine, and the names that nothing here provides.
    """
    outside: dict[str, Path] = {}
    missing: set[str] = set()
    inside = {path.name for path in folder.rglob("*")}
    environment = {"LD_LIBRARY_PATH": str(folder / "_internal"), "PATH": "/usr/bin:/bin"}
    for path in shared_objects(folder):
        text = subprocess.run(
            ["ldd", str(path)], capture_output=True, text=True, env=environment, check=False
        ).stdout
        for name, where in _RESOLVED.findall(text):
            if name not in inside and not Path(where).is_relative_to(folder):
                outside[name] = Path(where)
        missing |= {name for name in _MISSING.findall(text) if name not in inside}
    return outside, missing


def debian_dependencies(folder: Path) -> tuple[str, ...]:
    """Entries of a ``Depends:`` line; renamed t64 packages of newer releases are alternatives."""
    outside, _ = outside_libraries(folder)
    packages = set(OPENED_AT_RUN_TIME)
    for path in outside.values():
        # A merged /usr: dpkg knows some files under /lib.
        for candidate in (path, Path("/usr") / path.relative_to("/"), _without_usr(path)):
            answer = subprocess.run(
                ["dpkg-query", "--search", str(candidate)],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            if answer:
                packages.add(answer.split(":")[0])
                break
    return tuple(_entry(name, folder) for name in sorted(packages))


def needed_glibc(folder: Path) -> str:
    """Oldest glibc that has every symbol version the folder's files ask for, e.g. ``2.36``."""
    found = {(2, 17)}
    for path in shared_objects(folder):
        found |= {(2, int(minor)) for minor in _GLIBC.findall(path.read_bytes())}
    return "{}.{}".format(*max(found))


def _without_usr(path: Path) -> Path:
    return Path("/") / path.relative_to("/usr") if path.is_relative_to("/usr") else path


def _entry(package: str, folder: Path) -> str:
    if package == "libc6":
        return f"libc6 (>= {needed_glibc(folder)})"
    if package.endswith("t64"):
        return f"{package.removesuffix('t64')} | {package}"
    return f"{package} | {package}t64" if package == "libglib2.0-0" else package
