"""The reader's decision: class buttons with their keys, unsure, flag, comment, undo, next."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.cases import Decision
from desktop.gui.panel_info import PanelInfo
from desktop.gui.review.decision_button import DecisionButton
from desktop.gui.style import theme
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.layout import STRETCH, column, row
from desktop.gui.widgets.text_fields import CommentField

# Decision buttons bring 3 px of room for their focus ring on each side.
_RING = 3
_IN_A_ROW = 3


class DecisionPanel(QWidget):
    """Buttons only; the store is the controller's.

    Signals:
        labelled(str): Class name of the button pressed.
        unsure_requested(): Unsure and go on.
        flag_toggled(bool): Flag wanted or not.
        comment_edited(str): Comment finished (Enter, or focus left after a change).
        comment_left(): Enter or Escape in the comment: the keyboard may go back to the image.
        undo_requested(): The undo line was pressed.
        next_unreviewed_requested(): Go on.
    """

    labelled = Signal(str)
    unsure_requested = Signal()
    flag_toggled = Signal(bool)
    comment_edited = Signal(str)
    comment_left = Signal()
    undo_requested = Signal()
    next_unreviewed_requested = Signal()

    def __init__(self, panel: PanelInfo, *, stacked: bool = False) -> None:
        """``stacked``: one full-width class button a line, for the compare page."""
        super().__init__()
        self._panel, self._stacked = panel, stacked
        self._keys: dict[str, str] = {}
        self._undo_allowed, self._undo_text = True, ""
        self._decision: Decision | None = None
        self._enabled = True
        self.class_buttons: list[DecisionButton] = []
        self.setAccessibleName(self.tr("Your decision"))
        right = Qt.AlignmentFlag.AlignRight
        self.advance = ElidedLabel(self.tr("Saves and moves on"), "secondary", "text3", align=right)
        title = ElidedLabel(self.tr("Your decision"), "secondary", "text2")
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.GAP_S - 2 * _RING)
        self.unsure = DecisionButton(self.tr("Unsure"), icon="unsure")
        self.flag = DecisionButton(self.tr("Flag"), icon="flag", checked_icon="flag-filled")
        self.unsure.clicked.connect(self.unsure_requested)
        self.flag.clicked.connect(lambda: self.flag_toggled.emit(not self.flag.isChecked()))
        self.comment = CommentField()
        self.comment.finished.connect(self.comment_edited)
        self.comment.left.connect(self.comment_left)
        self.undo = Button("", "undo", height=28)
        self.undo.set_elides()
        self.undo.clicked.connect(self.undo_requested)
        self.undo.hide()
        self.next_unreviewed = Button(self.tr("Next unreviewed"), "", height=28)
        self.next_unreviewed.set_menu_arrow(True, "chevron-right")
        self.next_unreviewed.clicked.connect(self.next_unreviewed_requested)
        gap = theme.GAP_S - 2 * _RING
        column(
            row(title, (self.advance, 1), margins=(_RING, 0, _RING, 0)),
            theme.GAP_S - _RING,
            self._grid,
            gap,
            row((self.unsure, 1), (self.flag, 1), spacing=gap),
            gap,
            row(self.comment, margins=(_RING, _RING, _RING, 0)),
            STRETCH,
            theme.GAP_S,
            row(self.undo, STRETCH, self.next_unreviewed),
            of=self,
            margins=(theme.GAP_L - _RING, theme.GAP_M, theme.GAP_L - _RING, theme.GAP_S),
            spacing=0,
        )
        self.set_panel(panel)

    def set_panel(self, panel: PanelInfo) -> None:
        self._panel = panel
        for button in self.class_buttons:
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.class_buttons = []
        columns = 1 if self._stacked else min(_IN_A_ROW, len(panel.class_names))
        for index, name in enumerate(panel.class_names):
            button = DecisionButton(name, slot=panel.slots[index], short=panel.short_names[index])
            button.clicked.connect(lambda _checked=False, chosen=name: self.labelled.emit(chosen))
            self._grid.addWidget(button, index // columns, index % columns)
            self.class_buttons.append(button)
        for index in range(_IN_A_ROW):
            self._grid.setColumnStretch(index, 1 if index < columns else 0)
        order = [*self.class_buttons, self.unsure, self.flag, self.comment]
        for before, after in zip(order, [*order[1:], self.undo], strict=True):
            QWidget.setTabOrder(before, after)
        QWidget.setTabOrder(self.undo, self.next_unreviewed)
        self.set_keys(self._keys)
        self.show_decision(None, enabled=self._enabled)

    def show_decision(self, decision: Decision | None, *, enabled: bool = True) -> None:
        """Show what stands; None = open. Disabled while no image is open."""
        self._decision, self._enabled = decision, enabled
        label = decision.label if decision is not None else None
        for name, button in zip(self._panel.class_names, self.class_buttons, strict=True):
            button.setChecked(name == label)
            button.setEnabled(enabled)
        self.unsure.setChecked(decision is not None and decision.state == "unsure")
        self.flag.setChecked(decision is not None and decision.flagged)
        for widget in (self.unsure, self.flag, self.comment):
            widget.setEnabled(enabled)
        stored = decision.comment if decision is not None else ""
        if not (self.comment.hasFocus() and self.comment.isModified()):
            self.comment.set_comment(stored)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Keys as now bound, by action name of the action table (``label_1``, ``unsure``, ``flag``,
        ``comment``, ``undo``, ``next_unreviewed``); native text, empty = no key."""
        self._keys = dict(keys)
        for index, button in enumerate(self.class_buttons):
            button.set_key(self._keys.get(f"label_{index + 1}", ""))
        self.unsure.set_key(self._keys.get("unsure", ""))
        self.flag.set_key(self._keys.get("flag", ""))
        self.comment.set_key(self._keys.get("comment", ""))
        self.undo.set_cap(self._keys.get("undo", ""))
        self.next_unreviewed.setToolTip(self._keys.get("next_unreviewed", ""))

    def set_undo(self, text: str) -> None:
        """What undo would take back, e.g. ``00415 flagged``; empty hides the line."""
        self._undo_text = text
        self.undo.setText(text)
        self.undo.setAccessibleName(self.tr("Undo: {text}").format(text=text))
        self.undo.setToolTip(self.tr("Undo: {text}").format(text=text))
        self.undo.setVisible(self._undo_allowed and bool(text))

    def set_undo_visible(self, visible: bool) -> None:
        """The undo line leaves at 1280x800."""
        self._undo_allowed = visible
        self.undo.setVisible(visible and bool(self._undo_text))

    def set_advance_text(self, text: str, *, strong: bool = False) -> None:
        """Hint at the right of the title, "Saves and moves on" unless told otherwise.

        ``strong`` is for what must not be overlooked.
        """
        self.advance.set_tone("accent" if strong else "text3")
        self.advance.set_text(text)

    def focus_comment(self) -> None:
        self.comment.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.comment.selectAll()

    def commit_comment(self) -> None:
        """Tell a comment still being typed; call before the image changes."""
        self.comment.commit()
