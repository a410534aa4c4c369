"""The licences of everything the app is made of, read from the installed distributions."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "packaging"))

from bundle_contents import PROJECT, distribution_closure

# What a package's own metadata leaves out or says in more words than fit.
KNOWN = {
    "numpy": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "pillow": "MIT-CMU",
    "protobuf": "BSD-3-Clause",
    "pyside6-essentials": "LGPL-3.0-only (chosen of LGPL, GPL, commercial)",
    "shiboken6": "LGPL-3.0-only (chosen of LGPL, GPL, commercial)",
    "python-gdcm": "Apache-2.0 (wraps GDCM, BSD-3-Clause; bundles OpenSSL 1.1.1, OpenSSL licence)",
    "onnxruntime-gpu": "MIT",
    "onnxruntime": "MIT",
    "flatbuffers": "Apache-2.0",
    "simplejpeg": "MIT (wraps libjpeg-turbo, IJG and BSD-3-Clause)",
    "pyjpegls": "MIT (wraps CharLS, BSD-3-Clause)",
    "pylibjpeg-openjpeg": "MIT (wraps OpenJPEG, BSD-2-Clause)",
    "pydicom": "MIT (parts BSD-3-Clause)",
    "pydicom-data": "MIT",
    "packaging": "Apache-2.0 OR BSD-2-Clause",
}
FROZEN = "in the packages only"
NOT_PYTHON = (
    ("CPython", "PSF-2.0", FROZEN),
    ("PyInstaller's boot loader", "GPL-2.0-or-later, with its exception for programs", FROZEN),
    ("Inter (font, in `desktop/assets/fonts`)", "OFL-1.1", "text beside the font"),
    ("Qt 6 (inside PySide6)", "LGPL-3.0-only", "linked as separate, replaceable libraries"),
    ("Icons in `desktop/assets/icons`", "Apache-2.0", "drawn for this project"),
    ("Models in `exported_models`", "Apache-2.0", "their cards name the films"),
)
# What an extra brings, by its own name; never in the packages.
EXTRAS = (
    ("ray", "Apache-2.0", "cluster"),
    ("fsspec", "BSD-3-Clause", "cluster"),
    ("pandas", "BSD-3-Clause", "cluster"),
    ("pyarrow", "Apache-2.0", "parquet"),
    ("openvino", "Apache-2.0", "openvino"),
)


def licence(name: str) -> str:
    """The licence of an installed distribution, in SPDX words where it says so itself."""
    if name in KNOWN:
        return KNOWN[name]
    metadata = importlib.metadata.metadata(name)
    expression = metadata.get("License-Expression") or metadata.get("License") or ""
    if expression and len(expression) < 40 and "\n" not in expression:
        return expression
    classified = [
        line.rsplit(" :: ", 1)[-1]
        for line in metadata.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    return ", ".join(classified) or "unknown"


def table() -> str:
    """Markdown: what an installation holds. Versions are in the lock file and the SBOM."""
    lines = ["| part | licence | |", "| --- | --- | --- |"]
    for name in distribution_closure(PROJECT, frozenset({"samples"})):
        note = {"pydicom-data": "one public chest film, for trying"}.get(name, "")
        lines.append(f"| {name} | {licence(name)} | {note} |")
    lines += [f"| {name} | {words} | {note} |" for name, words, note in NOT_PYTHON]
    lines += [
        f"| {name} | {words} | only with the extra `{extra}` |" for name, words, extra in EXTRAS
    ]
    return "\n".join(lines)
