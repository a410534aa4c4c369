"""What goes into the frozen app and what stays out, in one place for the recipe and its tests."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

PROJECT = "cxr-quorum"

# Never part of the app: training, test tools, and what dependencies import only if it is there.
EXCLUDED = (
    "training",
    "tensorflow",
    "keras",
    "tf2onnx",
    "onnx",
    "optuna",
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "h5py",
    "sympy",
    "torch",
    "tkinter",
    "IPython",
    "pytest",
    "_pytest",
    "hypothesis",
    "mypy",
    "setuptools",
    "pip",
    "wheel",
    "lxml",
    "yaml",
    "attr",
    "attrs",
    "jsonschema",
    "psutil",
    # The app opens no connection, so nothing that could is in it.
    "requests",
    "urllib3",
    "certifi",
    "chardet",
    "charset_normalizer",
    "idna",
    "ssl",
    "numpy.f2py",
    "numpy.testing",
    "onnxruntime.transformers",
    "onnxruntime.quantization",
    "onnxruntime.tools",
    "onnxruntime.datasets",
    "onnxruntime.backend",
    "PIL.ImageTk",
    "PIL._avif",
    "PySide6.QtNetwork",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtSql",
    "PySide6.QtTest",
    "PySide6.QtDesigner",
    "PySide6.QtHelp",
    "PySide6.scripts",
)

# Files that hooks collect though nothing here uses them: QML, the on-screen keyboard, embedded
# displays, the network, picture formats that Pillow reads, and Qt's own translations (the app's
# words are English so far, and half a dialog in another language helps nobody).
DROPPED = (
    "*Qt6EglFS*",
    "*Qt6EglFs*",
    "*Qt6Qml*",
    "*Qt6Quick*",
    "*Qt6VirtualKeyboard*",
    "*Qt6Pdf*",
    "*Qt6Network*",
    "*QtVirtualKeyboard*",
    "*qtvirtualkeyboard*",
    "*plugins/platforms/*eglfs*",
    "*plugins/platforms/*linuxfb*",
    "*plugins/platforms/*vnc*",
    "*plugins/platforms/*vkkhr*",
    "*plugins/platforms/*minimal*",
    "*plugins/egldeviceintegrations/*",
    "*plugins/platformthemes/*gtk3*",
    "*plugins/imageformats/*pdf*",
    "*plugins/imageformats/*tiff*",
    "*plugins/imageformats/*tga*",
    "*plugins/imageformats/*wbmp*",
    "*plugins/generic/*",
    "*plugins/networkinformation/*",
    "*plugins/tls/*",
    # The system's own: they read the system's font settings, and a copy finds no fonts.
    "libfontconfig.so*",
    "libfreetype.so*",
    "*PySide6/Qt/translations/*",
    "desktop/manual/*.py",
    "desktop/manual/__pycache__/*",
    "desktop/manual/measured_*",
    "desktop/manual/javascripts/*",
    "desktop/manual/stylesheets/*",
)

# 285 MB of GPU code that a computer without an NVIDIA card cannot use.
DROPPED_ON_CPU = ("*onnxruntime_providers_cuda*", "*onnxruntime_providers_tensorrt*")

# The real film of pydicom-data (MIT licence) that the demo and "Try with samples" show; its larger
# uncompressed twin is left out.
SAMPLE_FILMS = ("RG1_J2KI.dcm",)


def distribution_closure(name: str, extras: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Installed distributions that ``name`` needs at run time, itself first, sorted after it.

    Args:
        name: Distribution name.
        extras: Its extras to follow, e.g. ``samples``.
    """
    from packaging.requirements import Requirement

    found: dict[str, None] = {}

    def visit(current: str, wanted: frozenset[str]) -> None:
        try:
            distribution = importlib.metadata.distribution(current)
        except importlib.metadata.PackageNotFoundError:
            return
        canonical = canonical_name(distribution.metadata["Name"])
        if canonical in found:
            return
        found[canonical] = None
        for text in distribution.requires or ():
            requirement = Requirement(text)
            environments = [{"extra": extra} for extra in wanted] or [{"extra": ""}]
            marker = requirement.marker
            if marker is None or any(marker.evaluate(item) for item in environments):
                visit(requirement.name, frozenset(requirement.extras))

    visit(name, extras)
    first, *others = found
    return (first, *sorted(others))


def needed_binaries(
    entries: Iterable[tuple[str, str, str]],
    imports_of: Callable[[str], Iterable[tuple[str, str | None]]],
) -> list[tuple[str, str, str]]:
    """Leave out shared libraries that nothing kept needs: those of dropped plugins.

    Args:
        entries: PyInstaller's (name in the bundle, file, kind).
        imports_of: File -> (library name, where it is found or None).

    Returns:
        The entries whose library is an extension, a plugin or reached from one.
    """
    known = list(entries)
    by_file_name: dict[str, list[tuple[str, str, str]]] = {}
    for entry in known:
        by_file_name.setdefault(PurePath(entry[0]).name, []).append(entry)
    waiting = [entry for entry in known if not _is_plain_library(entry)]
    kept = {entry[0] for entry in waiting}
    while waiting:
        _, file, kind = waiting.pop()
        if kind == "SYMLINK":
            continue
        for name, _ in imports_of(file):
            for entry in by_file_name.get(PurePath(name).name, ()):
                if entry[0] not in kept:
                    kept.add(entry[0])
                    waiting.append(entry)
    return [entry for entry in known if entry[0] in kept]


def _is_plain_library(entry: tuple[str, str, str]) -> bool:
    """Whether it is in the bundle only because something else needs it."""
    name = PurePath(entry[0])
    libraries = name.parent == PurePath() or name.parts[:3] == ("PySide6", "Qt", "lib")
    return libraries and entry[2] == "BINARY" and not name.name.startswith("libpython")


def canonical_name(name: str) -> str:
    """The registry's spelling: lower case, runs of ``-_.`` as one hyphen."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sample_films() -> tuple[Path, ...]:
    """The sample films of an installed pydicom-data, none where it is not installed."""
    spec = importlib.util.find_spec("data_store")
    if spec is None or not spec.submodule_search_locations:
        return ()
    root = Path(next(iter(spec.submodule_search_locations)))
    return tuple(sorted(path for name in SAMPLE_FILMS for path in root.rglob(name)))
