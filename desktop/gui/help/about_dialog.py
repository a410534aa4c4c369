"""What this is, which versions run, whose work is inside, and what it must not be used for."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from importlib import metadata

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QTabWidget,
    QWidget,
)

import desktop
from desktop.core.panels.contract import RESEARCH_USE
from desktop.gui.style import icons, theme
from desktop.gui.widgets.layout import column

# Distribution -> licence, for those whose metadata do not say it in a word.
_LICENCES = {
    "PySide6-Essentials": "LGPL-3.0-only",
    "numpy": "BSD-3-Clause",
    "pillow": "MIT-CMU",
    "onnxruntime": "MIT",
    "onnxruntime-gpu": "MIT",
    "pydicom": "MIT",
    "python-gdcm": "Apache-2.0 (GDCM: BSD-3-Clause)",
    "pyjpegls": "MIT",
    "pylibjpeg": "MIT",
    "simplejpeg": "MIT",
    "pylibjpeg-rle": "MIT",
    "pylibjpeg-openjpeg": "MIT",
    "platformdirs": "MIT",
    "rich": "MIT",
}


class AboutDialog(QDialog):
    """Name, research use, versions and licences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About CXR Quorum"))
        self.setMinimumSize(theme.dp(520), theme.dp(440))
        mark = QLabel()
        mark.setPixmap(icons.app_mark(theme.dp(48), self.devicePixelRatioF()))
        title = QLabel("CXR Quorum " + desktop.__version__)
        title.setFont(theme.font(20, 600))
        what = QLabel(self.tr("Four neural networks vote on each chest X-ray. A human decides."))
        research = QLabel(RESEARCH_USE)
        research.setWordWrap(True)
        research.setFont(theme.font(13, 500))
        tabs = QTabWidget()
        tabs.setAccessibleName(self.tr("Versions and licences"))
        tabs.addTab(_text(versions_text(), self.tr("Versions")), self.tr("Versions"))
        tabs.addTab(_text(licences_text(), self.tr("Licences")), self.tr("Licences"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        # Only the mark: an aligned label is not asked how high it gets when it wraps.
        parts = ((mark, 0, Qt.AlignmentFlag.AlignLeft), title, what, research, (tabs, 1), buttons)
        column(*parts, of=self, margins=(24, 24, 24, 16), spacing=theme.GAP_S)


def versions_text() -> str:
    """One version a line, for the box and for a report of a problem."""
    return "\n".join(
        [
            f"CXR Quorum {desktop.__version__}",
            f"Python {platform.python_version()}",
            f"Qt {qVersion()}",
            f"{platform.system()} {platform.release()} {platform.machine()}",
            "",
            *(f"{name} {version}" for name, version in _installed()),
        ]
    )


def licences_text() -> str:
    """Licence of the app and of everything it stands on."""
    own = ["CXR Quorum: Apache-2.0", "", "Inter typeface: SIL Open Font License 1.1"]
    return "\n".join([*own, *(f"{name}: {_LICENCES[name]}" for name, _ in _installed())])


def _installed() -> Iterator[tuple[str, str]]:
    """Name and version of each distribution that is there."""
    for name in sorted(_LICENCES, key=str.lower):
        with contextlib.suppress(metadata.PackageNotFoundError):
            yield name, metadata.version(name)


def _text(text: str, name: str) -> QPlainTextEdit:
    field = QPlainTextEdit(text)
    field.setReadOnly(True)
    field.setAccessibleName(name)
    return field
