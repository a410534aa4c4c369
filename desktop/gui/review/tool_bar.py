"""The 40 px row above the image: what the left button does, window, orientation, size, overlay."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QMenu, QWidget

from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.formatting import literal
from desktop.gui.images.view_types import Tool, WindowPreset
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, horizontal_line, vertical_line
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.layout import STRETCH, row

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

    def __init__(self, shortcuts: Shortcuts) -> None:
        super().__init__()
        group = QButtonGroup(self)
        self._tools: dict[Tool, Button] = {}
        for tool, icon, text in (
            (Tool.WINDOW, "window", self.tr("Window: drag right for wider, up for brighter")),
            (Tool.PAN, "move", self.tr("Move the image")),
            (Tool.ZOOM, "zoom", self.tr("Zoom: drag up or down")),
            (Tool.MEASURE, "ruler", self.tr("Measure a distance")),
        ):
            button = Button("", icon, kind="tool")
            button.setCheckable(True)
            button.setToolTip(text)
            button.setAccessibleName(text.split(":")[0])
            button.setObjectName(f"tool_{tool.value}")
            button.clicked.connect(lambda _checked=False, tool=tool: self.tool_chosen.emit(tool))
            group.addButton(button)
            self._tools[tool] = button
        self._tools[Tool.WINDOW].setChecked(True)
        self._preset = Button(self.tr("Window"), kind="tool")
        self._preset.setObjectName("preset_button")
        self._preset.set_menu_arrow(True)
        self._preset.setToolTip(self.tr("Window presets"))
        self.preset_menu = QMenu(self)
        self._presets = QActionGroup(self.preset_menu)
        self._presets.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._preset.clicked.connect(self._open_presets)
        turns = [self._button(shortcuts, name, "") for name in ("invert", "rotate", "flip")]
        fit = self._button(shortcuts, "fit", "")
        actual = self._button(shortcuts, "actual_size", self.tr("100 %"))
        self._overlays = [
            self._button(shortcuts, "heatmap", self.tr("Heatmap")),
            self._button(shortcuts, "contour", self.tr("Contour")),
            self._button(shortcuts, "page_compare", self.tr("2 × 2")),
        ]
        # What leaves a row that is too short even for icons, first one first; menus have them all.
        self._spare = [self._overlays[-1], actual, turns[-1]]
        window = [*self._tools.values(), _Rule(), self._preset, *turns]
        items = [*window, _Rule(), fit, actual, STRETCH, *self._overlays]
        row(*items, of=self, margins=(8, 0, 8, 0), spacing=theme.GAP_XS)
        self.restyle()

    def show_tool(self, tool: Tool) -> None:
        """Mark a tool without a signal."""
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
        self.preset_menu.clear()
        for position, preset in enumerate(presets):
            title = literal(preset.title)
            if position < len(keys) and keys[position]:
                title += f"\t{keys[position]}"
            action = self.preset_menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(preset is chosen)
            action.setActionGroup(self._presets)
            action.triggered.connect(
                lambda _checked=False, key=preset.key: self.preset_chosen.emit(key)
            )
        self.preset_menu.addSeparator()
        self.preset_menu.addAction(self.tr("Enter width and level…")).triggered.connect(
            lambda: self.window_entry_asked.emit()
        )

    def _open_presets(self) -> None:
        self.presets_asked.emit()
        self.preset_menu.popup(self._preset.mapToGlobal(QPoint(0, self._preset.height())))

    def _button(self, shortcuts: Shortcuts, name: str, text: str) -> Button:
        action = shortcuts[name]
        button = Button(text, shortcuts.records[name].icon, kind="tool")
        keys = action.shortcut().toString()
        tip = action.text().replace("&", "")
        button.follow(action, text, tip=f"{tip} ({keys})" if keys else tip)
        button.setObjectName(f"{name}_button")
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.panel))
        horizontal_line(painter, 0, self.width(), self.height() - 1, tokens.line)

    def restyle(self) -> None:
        self.setFixedHeight(theme.dp(HEIGHT))
        self._fit()

    def _fit(self) -> None:
        """Icons for words, then fewer buttons, so that none is cut."""
        for button in self._overlays:
            button.set_text_hidden(self.width() < theme.dp(_WORDS_FROM))
        layout = self.layout()
        widgets = [layout.itemAt(index).widget() for index in range(layout.count())]
        widths = [
            max(widget.minimumWidth(), widget.minimumSizeHint().width()) + layout.spacing()
            for widget in widgets
            if widget is not None
        ]
        margins = layout.contentsMargins()
        needed = margins.left() + sum(widths) + margins.right()
        for button in self._spare:
            button.setVisible(needed <= self.width())
            if needed > self.width():
                needed -= button.minimumSizeHint().width() + layout.spacing()


class _Rule(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(17)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, _event: QPaintEvent) -> None:
        middle = self.height() / 2
        vertical_line(QPainter(self), 8, middle - 8, middle + 8, theme.current().border)
