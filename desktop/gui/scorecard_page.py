from __future__ import annotations

from PySide6.QtWidgets import QWidget


class ScorecardPage(QWidget):
    def show_session(self, session):
        pass

    def mark_stale(self):
        pass
