from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class BatchPage(QWidget):
    review_disagreements_asked = Signal()

    def __init__(self, shortcuts, parent=None):
        super().__init__(parent)

    def show_session(self, session, progress):
        pass

    def show_device(self, device, reason):
        pass

    def show_curve(self, curve):
        pass
