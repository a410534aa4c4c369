"""The window in the reader's language, where a translation is there; English otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "i18n"


def install_translations(
    application: QCoreApplication, languages: Sequence[str] | None = None, folder: Path = FOLDER
) -> str:
    """Load ``cxr_quorum_LANGUAGE.qm`` of the first language that has one, and Qt's own texts.

    Args:
        application: The running application.
        languages: Such as ``de`` or ``pt-BR``, best first; None for those of the desktop.
        folder: Where the ``.qm`` files are.

    Returns:
        The language, empty for English.
    """
    for language in QLocale().uiLanguages() if languages is None else languages:
        if language.split("-")[0] == "en":
            return ""
        # Qt itself takes pt where there is no pt_BR.
        name = language.replace("-", "_")
        words = QTranslator(application)
        if not words.load(f"cxr_quorum_{name}", str(folder)):
            continue
        application.installTranslator(words)
        qt = QTranslator(application)
        place = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if qt.load(f"qtbase_{name}", place):
            application.installTranslator(qt)
        return name
    return ""
