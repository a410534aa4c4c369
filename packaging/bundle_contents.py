"""What goes into the frozen app and what stays out, in one place for the recipe and its tests."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from pathlib import Path

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
    "numpy.f2py",
    "numpy.testing",
    "onnxruntime.transformers",
    "onnxruntime.quantization",
    "onnxruntime.tools",
    "onnxruntime.datasets",
    "onnxruntime.backend",
    "PIL.ImageTk",
    "PIL._avif",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtSql",
    "PySide6.QtTest",
    "PySide6.QtDesigner",
    "PySide6.QtHelp",
    "PySide6.scripts",
)

# Files that hooks collect though nothing here uses them: QML, the on-screen keyboard, embedded
# displays, TLS, the PDF and movie readers, and the words of Qt dialogs that this app never opens.
DROPPED = (
    "*Qt6Qml*",
    "*Qt6Quick*",
    "*Qt6VirtualKeyboard*",
    "*Qt6Pdf*",
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
    "*PySide6/Qt/translations/qt_help*",
    "*PySide6/Qt/translations/qtdeclarative*",
    "*PySide6/Qt/translations/designer*",
    "*PySide6/Qt/translations/linguist*",
    "*PySide6/Qt/translations/assistant*",
    "desktop/manual/*.py",
    "desktop/manual/__pycache__/*",
)

# 285 MB of GPU code that a computer without an NVIDIA card cannot use.
DROPPED_ON_CPU = ("*onnxruntime_providers_cuda*", "*onnxruntime_providers_tensorrt*")

# The real film of pydicom-data (MIT licence) that the demo and "Try with samples" show, compressed.
SAMPLE_FILMS = ("RG1_J2KI.dcm", "RG1_J2KR.dcm")

_REQUIREMENT_NAME = re.compile(r"[A-Za-z0-9._-]+")


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
