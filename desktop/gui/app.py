"""From command-line arguments to a running window."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLocale, QTimer
from PySide6.QtWidgets import QApplication

import desktop
from desktop.core.panels.contract import MANIFEST_NAME
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.settings.preferences import Preferences
from desktop.gui.style import icons, theme
from desktop.gui.translations import install_translations

_SHARE_OF_SCREEN = 0.8


def run(argv: Sequence[str]) -> int:
    """Open the window and return its exit code.

    Args:
        argv: Arguments without the program's name: options, then a folder or files to open.
    """
    options = window_parser().parse_args(list(argv))
    application = make_application()
    preferences = Preferences()
    extra: tuple[Path, ...] = ()
    if options.panel:
        folder = Path(options.panel)
        if (folder / MANIFEST_NAME).is_file():
            extra = (folder,)
        preferences.change(panel=folder.name)
    choice = options.theme or preferences.settings.theme
    theme.apply_choice(application, choice, preferences.text_scale)
    window = MainWindow(preferences, panel_folders=extra)
    if not preferences.restore_window(window):
        _fit_to_screen(window)
    window.show_theme(choice)
    window.show()
    for notice in preferences.notices:
        window.status.show_notice(notice, lasting=True)
    if options.paths:
        paths = [Path(path) for path in options.paths]
        QTimer.singleShot(0, lambda: window.opener.open_paths(paths))
    close_on_signals(window)
    return application.exec()


def _fit_to_screen(window: MainWindow) -> None:
    """The first time: room for the reader's text size and, on a large screen, for the film."""
    room = window.screen().availableGeometry()
    scale, frame = window.preferences.text_scale, 40
    width = max(window.width() * scale, room.width() * _SHARE_OF_SCREEN)
    height = max(window.height() * scale, room.height() * _SHARE_OF_SCREEN)
    if room.width() < width or room.height() < height + frame:
        window.showMaximized()
        return
    window.resize(round(width), round(height))
    window.move(room.center() - window.rect().center())


def make_application() -> QApplication:
    """The application object with name, version and icon; the running one if there is one."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QApplication.setApplicationName("CXR Quorum")
    QApplication.setApplicationVersion(desktop.__version__)
    QApplication.setDesktopFileName("cxr-quorum")
    application = QApplication(["cxr-quorum"])
    application.setWindowIcon(icons.app_icon())
    if QLocale().language() == QLocale.Language.C:
        # A desktop that names no language still wants 4,812 and not 4812.
        QLocale.setDefault(QLocale(QLocale.Language.English))
    install_translations(application)
    return application


def window_parser() -> argparse.ArgumentParser:
    """Parser of the window's arguments; the man page is made from it."""
    parser = argparse.ArgumentParser(
        prog="cxr-quorum", description="Open the review window. Research use, not a diagnosis."
    )
    parser.add_argument("paths", nargs="*", metavar="FOLDER_OR_FILE")
    parser.add_argument("--panel", default="", help="name of a panel, or a panel's folder")
    parser.add_argument("--theme", choices=("dark", "light", "system"), default="")
    return parser


def close_on_signals(window: MainWindow) -> None:
    """Ctrl+C in the terminal closes like the window's own button; Qt alone would never see it."""
    if sys.platform == "win32":
        return
    # Never close from the handler itself: Python runs it between any two instructions, and the
    # interrupted ones may hold a lock that closing waits for.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))
    # Python runs signal handlers only between its own instructions.
    heartbeat = QTimer(window)
    heartbeat.setInterval(250)
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start()
