"""Every command of the window in one table: name, words, menu and default keys.

The menus, the shortcut sheet and the settings are all made from it, so no command can exist in one
and be missing in another.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

CONTEXT = "Actions"


@dataclass(frozen=True)
class ActionSpec:
    """One command.

    Attributes:
        name: Stable name, the key of a rebinding in the settings.
        text: English words, translated through the context ``Actions``.
        group: Heading in the shortcut sheet and name of the menu.
        keys: Default key sequences in Qt's portable text, the first is the one shown.
        checkable: True for a state that is on or off.
        icon: Name of an icon, empty for none.
        tip: One more sentence for the status tip, may be empty.
        number: What ``{number}`` in the words stands for, empty for none.
    """

    name: str
    text: str
    group: str
    keys: tuple[str, ...] = ()
    checkable: bool = False
    icon: str = ""
    tip: str = ""
    number: str = ""

    @property
    def title(self) -> str:
        """The words in the user's language."""
        return QCoreApplication.translate(CONTEXT, self.text).replace("{number}", self.number)

    @property
    def needs_film(self) -> bool:
        """True for what acts on the film or the list on the screen, so only where they are."""
        return self.group in (DECIDE, MOVE) or self.name in _FILM_COMMANDS

    @property
    def plain_title(self) -> str:
        """The words without the mnemonic mark and the dots of a dialog."""
        return self.title.replace("&", "").removesuffix("...").removesuffix("…")


FILE = QT_TRANSLATE_NOOP("Actions", "File")
EDIT = QT_TRANSLATE_NOOP("Actions", "Edit")
DECIDE = QT_TRANSLATE_NOOP("Actions", "Decide")
MOVE = QT_TRANSLATE_NOOP("Actions", "Move")
VIEW = QT_TRANSLATE_NOOP("Actions", "View")
MODELS = QT_TRANSLATE_NOOP("Actions", "Models")
HELP = QT_TRANSLATE_NOOP("Actions", "Help")

LABEL_COUNT = 9
PRESET_COUNT = 4

_FILM_COMMANDS = frozenset(
    {
        "export_view", "select_all", "heatmap", "contour", "next_model", "next_class", "invert",
        "rotate", "flip", "fit", "actual_size", "zoom_in", "zoom_out", "reset_window", "measure",
        *(f"preset_{number}" for number in range(1, PRESET_COUNT + 1)),
    }
)  # fmt: skip

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "open_folder",
        QT_TRANSLATE_NOOP("Actions", "&Open folder…"),
        FILE,
        ("Ctrl+Shift+O",),
        icon="folder",
    ),
    ActionSpec(
        "open_files", QT_TRANSLATE_NOOP("Actions", "Open &files…"), FILE, ("Ctrl+O",), icon="image"
    ),
    ActionSpec("open_samples", QT_TRANSLATE_NOOP("Actions", "Try with &samples"), FILE),
    ActionSpec(
        "recursive",
        QT_TRANSLATE_NOOP("Actions", "&Include subfolders"),
        FILE,
        checkable=True,
        tip=QT_TRANSLATE_NOOP("Actions", "Lists the images of all folders below the opened one."),
    ),
    ActionSpec("rescan", QT_TRANSLATE_NOOP("Actions", "&Look for new files"), FILE, ("F5",)),
    ActionSpec(
        "export_csv",
        QT_TRANSLATE_NOOP("Actions", "&Export CSV…"),
        FILE,
        ("Ctrl+E",),
        icon="export",
    ),
    ActionSpec(
        "export_filtered_csv", QT_TRANSLATE_NOOP("Actions", "Export the listed &rows as CSV…"), FILE
    ),
    ActionSpec(
        "export_class_folders",
        QT_TRANSLATE_NOOP("Actions", "Copy into &class folders…"),
        FILE,
    ),
    ActionSpec(
        "export_view",
        QT_TRANSLATE_NOOP("Actions", "Save this view as &PNG…"),
        FILE,
        ("Ctrl+Shift+E",),
    ),
    ActionSpec("export_report", QT_TRANSLATE_NOOP("Actions", "Save a summary repor&t…"), FILE),
    ActionSpec("close_folder", QT_TRANSLATE_NOOP("Actions", "&Close folder"), FILE, ("Ctrl+W",)),
    ActionSpec("settings", QT_TRANSLATE_NOOP("Actions", "Se&ttings…"), FILE, ("Ctrl+,",)),
    ActionSpec("quit", QT_TRANSLATE_NOOP("Actions", "&Quit"), FILE, ("Ctrl+Q",)),
    ActionSpec("undo", QT_TRANSLATE_NOOP("Actions", "&Undo"), EDIT, ("Ctrl+Z",), icon="undo"),
    ActionSpec("redo", QT_TRANSLATE_NOOP("Actions", "&Redo"), EDIT, ("Ctrl+Y", "Ctrl+Shift+Z")),
    ActionSpec("find", QT_TRANSLATE_NOOP("Actions", "&Search"), EDIT, ("/", "Ctrl+F")),
    ActionSpec("select_all", QT_TRANSLATE_NOOP("Actions", "Select &all listed"), EDIT, ("Ctrl+A",)),
    ActionSpec("save_filter", QT_TRANSLATE_NOOP("Actions", "Sa&ve this filter…"), EDIT),
    ActionSpec(
        "clear_filters",
        QT_TRANSLATE_NOOP("Actions", "Sho&w all images"),
        EDIT,
        ("Ctrl+Shift+F",),
    ),
    *(
        ActionSpec(
            f"label_{number}",
            QT_TRANSLATE_NOOP("Actions", "Label with class {number} and go on"),
            DECIDE,
            (str(number),),
            number=str(number),
        )
        for number in range(1, LABEL_COUNT + 1)
    ),
    ActionSpec(
        "accept",
        QT_TRANSLATE_NOOP("Actions", "Accept the &consensus and go on"),
        DECIDE,
        ("Return", "Enter"),
        icon="check",
    ),
    ActionSpec("unsure", QT_TRANSLATE_NOOP("Actions", "&Unsure and go on"), DECIDE, ("U",)),
    ActionSpec("flag", QT_TRANSLATE_NOOP("Actions", "&Flag"), DECIDE, ("K",), icon="flag"),
    ActionSpec("comment", QT_TRANSLATE_NOOP("Actions", "Co&mment"), DECIDE, ("C",)),
    ActionSpec(
        "clear_decision",
        QT_TRANSLATE_NOOP("Actions", "&Take the decision back"),
        DECIDE,
        ("Backspace",),
    ),
    ActionSpec("next", QT_TRANSLATE_NOOP("Actions", "&Next image"), MOVE, ("D", "Right", "Down")),
    ActionSpec(
        "previous", QT_TRANSLATE_NOOP("Actions", "&Previous image"), MOVE, ("A", "Left", "Up")
    ),
    ActionSpec(
        "next_unreviewed",
        QT_TRANSLATE_NOOP("Actions", "Next &unreviewed"),
        MOVE,
        ("Ctrl+Shift+D", "N"),
        icon="chevron-right",
    ),
    ActionSpec(
        "previous_unreviewed",
        QT_TRANSLATE_NOOP("Actions", "Previous un&reviewed"),
        MOVE,
        ("Ctrl+Shift+A",),
    ),
    ActionSpec("first", QT_TRANSLATE_NOOP("Actions", "&First image"), MOVE, ("Home",)),
    ActionSpec("last", QT_TRANSLATE_NOOP("Actions", "&Last image"), MOVE, ("End",)),
    ActionSpec("page_review", QT_TRANSLATE_NOOP("Actions", "&Review"), VIEW, ("Ctrl+1",)),
    ActionSpec("page_compare", QT_TRANSLATE_NOOP("Actions", "&Compare"), VIEW, ("Ctrl+2",)),
    ActionSpec("page_batch", QT_TRANSLATE_NOOP("Actions", "&Batch"), VIEW, ("Ctrl+3",)),
    ActionSpec("page_scorecard", QT_TRANSLATE_NOOP("Actions", "&Scorecard"), VIEW, ("Ctrl+4",)),
    ActionSpec(
        "heatmap", QT_TRANSLATE_NOOP("Actions", "&Heatmap"), VIEW, ("H",), True, icon="heatmap"
    ),
    ActionSpec(
        "contour", QT_TRANSLATE_NOOP("Actions", "C&ontour"), VIEW, ("O",), True, icon="contour"
    ),
    ActionSpec("next_model", QT_TRANSLATE_NOOP("Actions", "Next &model's map"), VIEW, ("M",)),
    ActionSpec("next_class", QT_TRANSLATE_NOOP("Actions", "Map of the next c&lass"), VIEW, ("X",)),
    ActionSpec(
        "invert", QT_TRANSLATE_NOOP("Actions", "&Invert"), VIEW, ("I",), True, icon="invert"
    ),
    ActionSpec(
        "rotate", QT_TRANSLATE_NOOP("Actions", "&Rotate by 90°"), VIEW, ("]",), icon="rotate-right"
    ),
    ActionSpec("flip", QT_TRANSLATE_NOOP("Actions", "&Flip"), VIEW, ("[",), icon="flip"),
    ActionSpec("fit", QT_TRANSLATE_NOOP("Actions", "Fi&t"), VIEW, ("F",), icon="fit"),
    ActionSpec("actual_size", QT_TRANSLATE_NOOP("Actions", "&100 %"), VIEW, ("Ctrl+0",)),
    ActionSpec("zoom_in", QT_TRANSLATE_NOOP("Actions", "Zoom i&n"), VIEW, ("+", "=")),
    ActionSpec("zoom_out", QT_TRANSLATE_NOOP("Actions", "Zoom o&ut"), VIEW, ("-",)),
    ActionSpec("reset_window", QT_TRANSLATE_NOOP("Actions", "Reset &window"), VIEW, ("R",)),
    *(
        ActionSpec(
            f"preset_{number}",
            QT_TRANSLATE_NOOP("Actions", "Window preset {number}"),
            VIEW,
            (f"Alt+{number}",),
            True,
            number=str(number),
        )
        for number in range(1, PRESET_COUNT + 1)
    ),
    ActionSpec(
        "keep_view",
        QT_TRANSLATE_NOOP("Actions", "&Keep window and zoom for the next image"),
        VIEW,
        ("L",),
        True,
    ),
    ActionSpec("measure", QT_TRANSLATE_NOOP("Actions", "M&easure"), VIEW, ("E",), icon="ruler"),
    ActionSpec(
        "facts", QT_TRANSLATE_NOOP("Actions", "DICOM &facts"), VIEW, ("Ctrl+I",), checkable=True
    ),
    ActionSpec(
        "full_screen", QT_TRANSLATE_NOOP("Actions", "F&ull screen"), VIEW, ("F11",), checkable=True
    ),
    ActionSpec(
        "blind_first",
        QT_TRANSLATE_NOOP("Actions", "&Blind first"),
        VIEW,
        ("B",),
        True,
        icon="eye-off",
        tip=QT_TRANSLATE_NOOP("Actions", "You label before the votes appear. Both are kept."),
    ),
    ActionSpec("open_panel", QT_TRANSLATE_NOOP("Actions", "&Add a panel folder…"), MODELS),
    ActionSpec(
        "label_folder",
        QT_TRANSLATE_NOOP("Actions", "Label the whole &folder"),
        MODELS,
        ("Ctrl+R",),
    ),
    ActionSpec("label_selection", QT_TRANSLATE_NOOP("Actions", "Label the &selection"), MODELS),
    ActionSpec(
        "pause_run", QT_TRANSLATE_NOOP("Actions", "&Pause"), MODELS, ("Ctrl+P",), True, icon="pause"
    ),
    ActionSpec("stop_run", QT_TRANSLATE_NOOP("Actions", "&Stop and keep"), MODELS, icon="stop"),
    ActionSpec("retry_failed", QT_TRANSLATE_NOOP("Actions", "&Retry all failed"), MODELS),
    ActionSpec(
        "find_duplicates",
        QT_TRANSLATE_NOOP("Actions", "Look for &near-duplicates"),
        MODELS,
        icon="duplicate",
        tip=QT_TRANSLATE_NOOP("Actions", "Marks films that are nearly the same."),
    ),
    ActionSpec(
        "manual", QT_TRANSLATE_NOOP("Actions", "&Manual"), HELP, ("Shift+F1",), icon="document"
    ),
    ActionSpec(
        "model_report",
        QT_TRANSLATE_NOOP("Actions", "Model &report"),
        HELP,
        tip=QT_TRANSLATE_NOOP("Actions", "How good the models are, and what they cannot do."),
    ),
    ActionSpec(
        "shortcuts", QT_TRANSLATE_NOOP("Actions", "&Shortcuts"), HELP, ("F1", "?"), icon="help"
    ),
    ActionSpec("about", QT_TRANSLATE_NOOP("Actions", "&About CXR Quorum"), HELP),
)

BY_NAME: dict[str, ActionSpec] = {spec.name: spec for spec in ACTIONS}
