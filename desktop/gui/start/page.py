"""The page before a folder is open: drop zone, buttons that open, recent folders, panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from desktop.core.panels.registry import Panel, RefusedPanel
from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.panel_info import colour_slots, short_names
from desktop.gui.style import icons, theme
from desktop.gui.style.paint import (
    Restyled,
    draw_text,
    fill_round,
    horizontal_line,
    stroke_round,
    text_width,
)
from desktop.gui.widgets.button import Button, PaintedButton
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import STRETCH, Item, add_items, column, row
from desktop.gui.widgets.switch import Switch

SIDE_WIDTH = 344
_RECENT_ROW = 56


@dataclass(frozen=True)
class RecentFolder:
    """One line of the recent list.

    Attributes:
        path: The folder.
        opened: When it was last open, e.g. ``Today, 14:02``.
    """

    path: Path
    opened: str


class StartPage(QWidget):
    """The first screen.

    Signals:
        recent_chosen(Path): A recent folder.
        recent_cleared(): Forget the list.
        panel_chosen(str): Name of a panel.
    """

    recent_chosen = Signal(object)
    recent_cleared = Signal()
    panel_chosen = Signal(str)

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Start"))
        self._shortcuts = shortcuts
        self.open_folder_button = Button(
            self.tr("Open folder"), "folder", kind="primary", height=36
        )
        self.open_files_button = Button(self.tr("Open files"), "image", kind="boxed", height=36)
        self.samples_button = Button(self.tr("Try with samples"), kind="boxed", height=36)
        self.open_folder_button.follow(shortcuts["open_folder"], self.open_folder_button.text())
        self.open_files_button.follow(shortcuts["open_files"], self.open_files_button.text())
        self.samples_button.follow(shortcuts["open_samples"], self.samples_button.text())
        self.drop_zone = _DropZone(
            self.open_folder_button, self.open_files_button, self.samples_button
        )
        clear = Button(self.tr("Clear list"), kind="plain")
        clear.clicked.connect(self.recent_cleared)
        card = QFrame()
        card.setProperty("card", True)
        self._recent_rows = column(of=card, margins=(1, 1, 1, 1), spacing=0)
        self._recent_area = QWidget()
        title = ElidedLabel(self.tr("Recent"), "secondary", "text2")
        column(row(title, STRETCH, clear), card, of=self._recent_area, spacing=theme.GAP_S)
        left = column((self.drop_zone, 1), self._recent_area, margins=(48, 32, 48, 32), spacing=32)
        self.side = StartSide(shortcuts["blind_first"])
        self.side.panel_chosen.connect(self.panel_chosen)
        row((left, 1), self.side, of=self, spacing=0)
        self.set_recent([])
        shortcuts.bindings_changed.connect(self._show_keys)
        self._show_keys()
        # Takes the first focus, so that no button shows the ring before a key was pressed.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _show_keys(self) -> None:
        self.open_folder_button.set_cap(self._shortcuts.cap("open_folder"))
        self.open_files_button.set_cap(self._shortcuts.cap("open_files"))

    def set_recent(self, folders: Sequence[RecentFolder]) -> None:
        """List recent folders, latest first; hidden where there are none."""
        _clear(self._recent_rows)
        for position, folder in enumerate(folders):
            line = _RecentRow(folder, ruled=position > 0)
            line.clicked.connect(lambda _c=False, path=folder.path: self.recent_chosen.emit(path))
            self._recent_rows.addWidget(line)
        self._recent_area.setVisible(bool(folders))


class StartSide(Restyled):
    """Right of the first screen: panel, models, device, how to review.

    Signals:
        panel_chosen(str): As in ``StartPage``.
    """

    panel_chosen = Signal(str)

    def __init__(self, blind_first: QAction) -> None:
        super().__init__()
        self._column = column(of=self, margins=(16, 16, 16, 16), spacing=theme.GAP_S)
        self.blind_switch = Switch(self.tr("Blind first"))
        self.blind_switch.clicked.connect(blind_first.trigger)
        blind_first.toggled.connect(self.blind_switch.setChecked)
        self.restyle()

    def show_panels(
        self, panels: Sequence[Panel], chosen: str, refused: Sequence[RefusedPanel] = ()
    ) -> None:
        """Show the installed panels, the models of the chosen one, and what was refused."""
        _clear(self._column)
        items: list[Item] = [_title(self.tr("Panel"))]
        for panel in panels:
            card = _PanelCard(panel)
            card.setChecked(panel.name == chosen)
            card.clicked.connect(lambda _c=False, name=panel.name: self.panel_chosen.emit(name))
            items.append(card)
        if not panels:
            missing = self.tr("No panel is installed. Add a panel folder in the Models menu.")
            items.append(_note(missing))
        items += [_note(f"{problem.folder.name}: {problem.problem}") for problem in refused]
        current = next((panel for panel in panels if panel.name == chosen), None)
        if current is not None:
            items += [_Rule(), _title(self.tr("Models"))]
            items += [_ModelLine(model.card.title, model.size_bytes) for model in current.models]
            items.append(_note(self.tr("Checksums are verified whenever a model is loaded.")))
        explained = self.tr("You label before the votes appear. Both are kept.")
        items += [_Rule(), _title(self.tr("Review")), self.blind_switch, _note(explained), STRETCH]
        add_items(self._column, items)

    def restyle(self) -> None:
        self.setFixedWidth(theme.dp(SIDE_WIDTH))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.panel))
        painter.fillRect(0, 0, 1, self.height(), theme.colour(tokens.line))


class _DropZone(Restyled):
    """The dashed box with the four squares and the buttons."""

    def __init__(self, *buttons: QWidget) -> None:
        super().__init__()
        self._hot = False
        self.setMinimumHeight(320)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._buttons = row(STRETCH, *buttons, STRETCH, spacing=theme.GAP_S)
        column(STRETCH, 230, self._buttons, STRETCH, of=self)

    def set_hot(self, hot: bool) -> None:
        """Light up while something is dragged over the window."""
        self._hot = hot
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(theme.colour(tokens.panel if tokens.name == "light" else tokens.canvas))
        pen = QPen(theme.colour(tokens.accent if self._hot else tokens.border), 1)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawRoundedRect(box, theme.RADIUS_CARD, theme.RADIUS_CARD)
        texts = (
            (self.tr("DICOM, PNG, TIFF and JPEG. Nothing leaves this computer."), 20, 20),
            (self.tr("Four models vote on each image. You decide."), 20, 20),
            (self.tr("Drop a folder of chest X-rays"), 44, 36),
        )
        y = self._buttons.geometry().top() - theme.dp(24)
        for text, step, height in texts:
            y -= theme.dp(step)
            title = height == 36
            font = theme.font(24, 600) if title else theme.font(13)
            ink = tokens.text1 if title else tokens.text2
            line = QRectF(0, y, self.width(), theme.dp(height))
            draw_text(painter, line, text, font, ink, Qt.AlignmentFlag.AlignHCenter)
        self._paint_squares(painter, self.width() / 2, y - theme.dp(32))

    def _paint_squares(self, painter: QPainter, middle: float, bottom: float) -> None:
        tokens = theme.current()
        side, gap = theme.dp(34), theme.dp(4)
        left, top = middle - side - gap / 2, bottom - 2 * side - gap
        for x, y in ((0, 0), (0, 1), (1, 0)):
            box = QRectF(left + x * (side + gap), top + y * (side + gap), side, side)
            fill_round(painter, box, 5, tokens.raised)
            stroke_round(painter, box, 5, tokens.border)
        last = QRectF(left + side + gap, top + side + gap, side, side)
        stroke_round(painter, last, 5, tokens.accent, 1.5, dashed=True)
        spot = QRectF(0, 0, theme.dp(16), theme.dp(16))
        spot.moveCenter(last.center())
        icons.paint_icon(painter, "plus", spot, tokens.accent)


class _RecentRow(PaintedButton):
    def __init__(self, folder: RecentFolder, *, ruled: bool) -> None:
        super().__init__()
        self._folder, self._ruled = folder, ruled
        self.setAccessibleName(f"{folder.path.name}, {folder.path}")
        self.setToolTip(str(folder.path))
        self.setFixedHeight(theme.dp(_RECENT_ROW))

    def sizeHint(self) -> QSize:
        return QSize(400, theme.dp(_RECENT_ROW))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        if self.underMouse():
            fill_round(painter, self.rect(), theme.RADIUS_CONTROL, tokens.raised)
        if self._ruled:
            horizontal_line(painter, 0, self.width(), 0, tokens.line)
        size = theme.dp(16)
        icon = QRectF(theme.dp(18), (self.height() - size) / 2, size, size)
        icons.paint_icon(painter, "folder", icon, tokens.text2)
        left, right = theme.dp(48), self.width() - theme.dp(16)
        box = QRectF(right - theme.dp(110), 0, theme.dp(110), self.height())
        end = Qt.AlignmentFlag.AlignRight
        draw_text(painter, box, self._folder.opened, theme.font(12), tokens.text2, end)
        right -= theme.dp(110) + theme.dp(theme.GAP_L)
        name = QRectF(left, theme.dp(8), right - left, theme.dp(20))
        draw_text(painter, name, self._folder.path.name, theme.font(13, 500), tokens.text1)
        below = QRectF(left, name.bottom(), right - left, theme.dp(18))
        elide = Qt.TextElideMode.ElideMiddle
        draw_text(painter, below, str(self._folder.path), theme.font(12), tokens.text3, elide=elide)
        if self.hasFocus():
            stroke_round(painter, self.rect(), theme.RADIUS_CONTROL, tokens.accent, 2)


class _PanelCard(PaintedButton):
    """A radio button with the name and the classes of a panel."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel.name)
        self._panel = panel
        self._slots = colour_slots(panel.class_names)
        self.setAccessibleName(f"{panel.name}: {', '.join(panel.class_names)}")
        self.setToolTip(panel.title)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFixedHeight(theme.dp(64))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        fill = tokens.selected if chosen else tokens.raised if self.underMouse() else None
        fill_round(painter, self.rect(), theme.RADIUS_CONTROL, fill)
        edge = tokens.accent if chosen or self.hasFocus() else tokens.border
        stroke_round(painter, self.rect(), theme.RADIUS_CONTROL, edge, 2 if self.hasFocus() else 1)
        spot = QRectF(theme.dp(14), theme.dp(16), theme.dp(14), theme.dp(14))
        stroke_round(painter, spot, spot.width() / 2, edge, 4 if chosen else 1)
        left = theme.dp(40)
        width = self.width() - left - theme.dp(12)
        name = QRectF(left, theme.dp(12), width, theme.dp(20))
        draw_text(painter, name, self._panel.name, theme.font(13, 500), tokens.text1)
        x, y = float(left), name.bottom()
        font = theme.font(12)
        names = self._panel.class_names
        if sum(map(len, names)) > 30:
            names = short_names(names)
        for text, slot in zip(names, self._slots, strict=True):
            dot = QRectF(x, y + theme.dp(5), theme.dp(8), theme.dp(8))
            fill_round(painter, dot, 2, tokens.class_colour(slot))
            x += theme.dp(14)
            room = self.width() - x - theme.dp(8)
            if room < 20:
                break
            draw_text(painter, QRectF(x, y, room, theme.dp(18)), text, font, tokens.text2)
            x += text_width(font, text) + theme.dp(12)


class _ModelLine(Restyled):
    def __init__(self, title: str, size_bytes: int) -> None:
        super().__init__()
        self._title, self._size = title, f"{size_bytes / 1e6:,.1f} MB"
        self.setAccessibleName(f"{title}, {self._size}")
        self.setFixedHeight(theme.dp(22))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        size = theme.dp(14)
        box = QRectF(0, (self.height() - size) / 2, size, size)
        icons.paint_icon(painter, "check", box, tokens.text2)
        name = QRectF(theme.dp(22), 0, theme.dp(88), self.height())
        draw_text(painter, name, self._title, theme.font(13, 500), tokens.text1)
        rest = QRectF(theme.dp(114), 0, self.width() - theme.dp(114), self.height())
        draw_text(painter, rest, self._size, theme.font(12), tokens.text2)


class _Rule(Restyled):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(17)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        horizontal_line(painter, 0, self.width(), 8, theme.current().line)


def _title(text: str) -> QWidget:
    return ElidedLabel(text, "secondary", "text2")


def _note(text: str) -> QWidget:
    return WrappedLabel(text, "secondary", "text2")


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None and not isinstance(widget, Switch):
            widget.deleteLater()
