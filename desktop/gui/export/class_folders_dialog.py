"""Dialog of the export into class folders: which class, copies or links, target folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from desktop.core.export.class_folders import BASES, MODES
from desktop.gui.style import theme
from desktop.gui.widgets.label import WrappedLabel
from desktop.gui.widgets.layout import column, row


class ClassFoldersDialog(QDialog):
    """Asks for class, kind of copy and target.

    Signals:
        confirmed(Path, str, str): Target folder, basis and mode as the core names them.
    """

    confirmed = Signal(object, str, str)

    def __init__(self, root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Copy into class folders"))
        self.setMinimumWidth(theme.dp(480))
        self.basis = QComboBox()
        bases = {
            "label": self.tr("Your label; open images are left out"),
            "consensus": self.tr("The consensus"),
            "label or consensus": self.tr("Your label, else the consensus"),
        }
        for basis in BASES:
            self.basis.addItem(bases[basis], basis)
        self.basis.setAccessibleName(self.tr("Class of an image"))
        self.mode = QComboBox()
        modes = {
            "copy": self.tr("Copies"),
            "hard link": self.tr("Hard links: no space, same disk only"),
            "symbolic link": self.tr("Symbolic links: break when the originals move"),
        }
        for mode in MODES:
            self.mode.addItem(modes[mode], mode)
        self.mode.setAccessibleName(self.tr("Copies or links"))
        self.target = QLineEdit(str(root.parent / f"{root.name} by class"))
        self.target.setAccessibleName(self.tr("Target folder"))
        browse = QPushButton(self.tr("Browse…"))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        target = row((self.target, 1), browse)
        form = QFormLayout()
        form.setVerticalSpacing(theme.GAP_M)
        form.addRow(self.tr("&Class"), self.basis)
        form.addRow(self.tr("&Files"), self.mode)
        form.addRow(self.tr("&Target"), target)
        form.labelForField(target).setBuddy(self.target)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.tr("Write"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._confirm)
        buttons.rejected.connect(self.reject)
        explained = self.tr(
            "One folder a class, ready to train from. Nothing is overwritten; DICOM files keep "
            "their patient tags."
        )
        margins = (16, 16, 16, 16)
        column(
            WrappedLabel(explained), form, buttons, of=self, margins=margins, spacing=theme.GAP_L
        )

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, self.tr("Target folder"), str(Path(self.target.text()).parent)
        )
        if chosen:
            self.target.setText(chosen)

    def _confirm(self) -> None:
        text = self.target.text().strip()
        if text:
            self.confirmed.emit(
                Path(text).expanduser(), self.basis.currentData(), self.mode.currentData()
            )
            self.accept()
