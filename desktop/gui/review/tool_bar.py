"""The 40 px row above the image: what the left button does, window, orientation, size, overlay."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QWidget

from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.formatting import literal
from desktop.gui.images.view_types import Tool, WindowPreset
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, horizontal_line, vertical_line
from desktop.gui.widgets.button import Button

HEIGHT = 40
_WORDS_FROM = 720


class ToolBar(Restyled):
    """Tools of the image.

    Signals:
        tool_chosen(Tool): What the left button should do.
        preset_chosen(str): Key of a window preset.
        window_entry_asked(): The reader wants to type width and level.
        presets_asked(): The menu is about to open; give it the film's presets.
    """

    tool_chosen = Signal(object)
    preset_chosen = Signal(str)
    window_entry_asked = Signal()
    presets_asked = Signal()

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wordy: list[Button] = []
        # What leaves a row that is too short even for icons, first one first; menus have them all.
        self._spare: list[Button] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(theme.GAP_XS)
        group = QButtonGroup(self)
        self._tools: dict[Tool, Button] = {}
        for tool, icon, words in (
            (Tool.WINDOW, "window", self.tr("Window: drag right for wider, up for brighter")),
            (Tool.PAN, "move", self.tr("Move the image")),
            (Tool.ZOOM, "zoom", self.tr("Zoom: drag up or down")),
            (Tool.MEASURE, "ruler", self.tr("Measure a distance")),
        ):
            button = Button("", icon, kind="tool")
            button.setCheckable(True)
            button.setToolTip(words)
            button.setAccessibleName(words.split(":")[0])
            button.setObjectName(f"tool_{tool.value}")
            button.clicked.connect(lambda _checked=False, tool=tool: self.tool_chosen.emit(tool))
            group.addButton(button)
            row.addWidget(button)
            self._tools[tool] = button
        self._tools[Tool.WINDOW].setChecked(True)
        row.addWidget(_Rule())
        self._preset = Button(self.tr("Window"), kind="tool")
        self._preset.setObjectName("preset_button")
        self._preset.set_menu_arrow(True)
        self._preset.setToolTip(self.tr("Window presets"))
        self._menu = QMenu(self)
        self._presets = QActionGroup(self._menu)
        self._presets.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._preset.clicked.connect(self._open_presets)
        row.addWidget(self._preset)
        turns = [self._button(shortcuts, name, "") for name in ("invert", "rotate", "flip")]
        for button in turns:
            row.addWidget(button)
        row.addWidget(_Rule())
        row.addWidget(self._button(shortcuts, "fit", ""))
        self._actual = self._button(shortcuts, "actual_size", self.tr("100 %"))
        row.addWidget(self._actual)
        row.addStretch(1)
        for name, words in (
            ("heatmap", self.tr("Heatmap")),
            ("contour", self.tr("Contour")),
            ("page_compare", self.tr("2 × 2")),
        ):
            button = self._button(shortcuts, name, words)
            self._wordy.append(button)
            row.addWidget(button)
        self._spare = [self._wordy[-1], self._actual, turns[-1]]
        self.restyle()

    def show_tool(self, tool: Tool) -> None:
        """Mark a tool without telling."""
        self._tools[tool].setChecked(True)

    def set_presets(
        self, presets: Sequence[WindowPreset], keys: Sequence[str], chosen: WindowPreset | None
    ) -> None:
        """Fill the menu.

        Args:
            presets: Presets of the film on show.
            keys: Words of the keys of the first presets.
            chosen: The one in force, which is ticked; None where the window is the reader's own.
        """
        self._menu.clear()
        for position, preset in enumerate(presets):
            title = literal(preset.title)
            if position < len(keys) and keys[position]:
                title += f"\t{keys[position]}"
            action = self._menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(preset is chosen)
            action.setActionGroup(self._presets)
            action.triggered.connect(
                lambda _checked=False, key=preset.key: self.preset_chosen.emit(key)
            )
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Enter width and level…")).triggered.connect(
            lambda: self.window_entry_asked.emit()
        )

    def _open_presets(self) -> None:
        self.presets_asked.emit()
        self._menu.popup(self._preset.mapToGlobal(QPoint(0, self._preset.height())))

    def _button(self, shortcuts: Shortcuts, name: str, words: str) -> Button:
        action = shortcuts[name]
        button = Button(words, shortcuts.records[name].icon, kind="tool")
        keys = action.shortcut().toString()
        tip = action.text().replace("&", "")
        button.follow(action, words, tip=f"{tip} ({keys})" if keys else tip)
        button.setObjectName(f"{name}_button")
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.panel))
        horizontal_line(painter, 0, self.width(), self.height() - 1, tokens.line)
        painter.end()

    def restyle(self) -> None:
        self.setFixedHeight(theme.dp(HEIGHT))
        self._fit()

    def _fit(self) -> None:
        """Icons for words, then fewer buttons, so that none is cut."""
        for button in self._wordy:
            button.set_words_hidden(self.width() < theme.dp(_WORDS_FROM))
        row = self.layout()
        places = [row.itemAt(index).widget() for index in range(row.count())]
        widths = [
            max(place.minimumWidth(), place.minimumSizeHint().width()) + row.spacing()
            for place in places
            if place is not None
        ]
        margins = row.contentsMargins()
        needed = margins.left() + sum(widths) + margins.right()
        for button in self._spare:
            button.setVisible(needed <= self.width())
            if needed > self.width():
                needed -= button.minimumSizeHint().width() + row.spacing()


class _Rule(QWidget):
    """An upright separator."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(17)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        middle = self.height() / 2
        vertical_line(painter, 8, middle - 8, middle + 8, theme.current().border)
        painter.end()
