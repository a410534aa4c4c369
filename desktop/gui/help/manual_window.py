"""The manual inside the app: the pages of ``docs``, read from the disk, without a browser."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QImage,
    QPainter,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextTable,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QWidget,
)

import desktop
from desktop.gui.style import theme
from desktop.gui.widgets.layout import column, row

START = "index.md"
# The report on the models: a page for the browser with its figures, and the same as a page here.
REPORT_PAGE = "model_report.html"
REPORT_START = "MODEL_REPORT.md"
_PICTURE_WIDTH = 720
_HEADING_SIZE = {1: 24, 2: 18, 3: 15}
_HEADING_SPACE = {1: 8, 2: 20, 3: 16}
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
# In the order of the site's navigation; what is missing here comes after, by name.
_ORDER = (
    START, "install.md", "first-review.md", "window.md", "keyboard.md", "reading.md", "batch.md",
    "commands.md", "csv.md", "troubleshooting.md", "privacy.md", "MODEL_REPORT.md", "training.md",
)  # fmt: skip


def manual_folder() -> Path:
    """Where the pages are: beside the code in an installation, ``docs`` in a checkout."""
    package = Path(desktop.__file__).resolve().parent
    installed = package / "manual"
    return installed if installed.is_dir() else package.parent / "docs"


def heading_anchor(heading: str) -> str:
    """The name by which links reach a heading: ``What a vote is`` is ``what-a-vote-is``."""
    kept = re.sub(r"[^\w\s-]", "", heading.lower()).strip()
    return re.sub(r"[\s-]+", "-", kept)


def page_titles(folder: Path) -> dict[str, str]:
    """File name of every page -> its first heading, in reading order."""
    titles = {}
    for path in folder.glob("*.md"):
        found = _TITLE.search(path.read_text(encoding="utf-8"))
        if found:
            titles[path.name] = found[1]
    order = {name: index for index, name in enumerate(_ORDER)}
    names = sorted(titles, key=lambda name: (order.get(name, len(order)), titles[name]))
    return {name: titles[name] for name in names}


class ManualPage(QTextBrowser):
    """One page: Markdown with pictures that fit and links that stay in the manual.

    Links to the outside open in the user's browser, and only when clicked; nothing is ever loaded
    from anywhere but the manual's folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.setOpenLinks(False)
        self.setAccessibleName(self.tr("Page of the manual"))
        self.anchorClicked.connect(self.follow)

    def show_page(self, name: str, anchor: str = "") -> None:
        """Show a page of the manual; ``anchor`` is a heading's name."""
        path = self.folder / name
        if path.parent != self.folder or not path.is_file():
            return
        if self.source() != QUrl.fromLocalFile(str(path)):
            self.setSource(
                QUrl.fromLocalFile(str(path)), QTextDocument.ResourceType.MarkdownResource
            )
            self._set_type()
        self.go_to_heading(anchor)

    def _set_type(self) -> None:
        """Sizes and distances of the window's own type scale instead of Markdown's defaults."""
        self.document().setDocumentMargin(theme.dp(20))
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        block = self.document().firstBlock()
        while block.isValid():
            level = block.blockFormat().headingLevel()
            form = block.blockFormat()
            in_table = QTextCursor(block).currentTable() is not None
            form.setTopMargin(theme.dp(_HEADING_SPACE.get(level, 0)))
            form.setBottomMargin(theme.dp(2 if in_table else 4 if block.textList() else 8))
            form.setLineHeight(130, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
            cursor.setPosition(block.position())
            cursor.setBlockFormat(form)
            if level:
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                heading = QTextCharFormat()
                heading.setFont(theme.font(_HEADING_SIZE.get(level, 13), 600))
                cursor.mergeCharFormat(heading)
            block = block.next()
        for frame in self.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format()
                table.setBorderBrush(self.palette().mid())
                table.setCellPadding(theme.dp(4))
                frame.setFormat(table)
        cursor.endEditBlock()

    def go_back(self) -> None:
        self.backward()
        self._set_type()

    def follow(self, link: QUrl) -> None:
        if link.scheme() in ("http", "https"):
            QDesktopServices.openUrl(link)
            return
        name = Path(link.path()).name or Path(self.source().toLocalFile()).name
        if name.endswith(".md"):
            self.show_page(name, link.fragment())

    def go_to_heading(self, anchor: str) -> None:
        """Put the heading of this name at the top; the first line where there is none."""
        block = self._heading(anchor) if anchor else self.document().firstBlock()
        if block is not None:
            top = self.document().documentLayout().blockBoundingRect(block).top()
            self.verticalScrollBar().setValue(round(top))

    def _heading(self, anchor: str) -> QTextBlock | None:
        block = self.document().firstBlock()
        while block.isValid():
            if block.blockFormat().headingLevel() and heading_anchor(block.text()) == anchor:
                return block
            block = block.next()
        return None

    def loadResource(self, kind: int, name: QUrl) -> object:
        """Read pages and pictures from the manual's folder only; pictures get the page's width."""
        address = self.source().resolved(name) if name.isRelative() else name
        path = Path(address.toLocalFile())
        if not address.isLocalFile() or not path.is_relative_to(self.folder):
            return None
        if kind == int(QTextDocument.ResourceType.ImageResource.value):
            return _fitting_picture(path)
        return super().loadResource(kind, name)


class ManualWindow(QWidget):
    """Contents on the left, a page on the right, back and search above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(self.tr("Manual"))
        self.setMinimumSize(theme.dp(640), theme.dp(480))
        self.resize(theme.dp(1120), theme.dp(800))
        self.page = ManualPage(manual_folder())
        self.contents = QListWidget()
        self.contents.setAccessibleName(self.tr("Pages of the manual"))
        self.contents.setFixedWidth(theme.dp(272))
        for name, title in page_titles(self.page.folder).items():
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, theme.dp(28)))
            self.contents.addItem(item)
        self.back = QPushButton(self.tr("Back"))
        self.back.setEnabled(False)
        self.back.clicked.connect(self.page.go_back)
        self.page.backwardAvailable.connect(self.back.setEnabled)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Find on this page"))
        self.search.setAccessibleName(self.tr("Find on this page"))
        self.search.setClearButtonEnabled(True)
        self.search.returnPressed.connect(self.find_next)
        self.contents.currentItemChanged.connect(self._on_chosen)
        self.page.sourceChanged.connect(self._on_shown)
        column(
            row(self.back, (self.search, 1), spacing=theme.GAP_S),
            (row(self.contents, (self.page, 1), spacing=theme.GAP_L), 1),
            of=self,
            margins=(16, 16, 16, 16),
            spacing=theme.GAP_M,
        )
        self.page.show_page(START)

    def find_next(self) -> None:
        """Go to the next match; from the last to the first."""
        text = self.search.text()
        if text and not self.page.find(text):
            self.page.moveCursor(self.page.textCursor().MoveOperation.Start)
            self.page.find(text)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.page.show_page(item.data(Qt.ItemDataRole.UserRole))

    def _on_shown(self, address: QUrl) -> None:
        name = Path(address.toLocalFile()).name
        for index in range(self.contents.count()):
            item = self.contents.item(index)
            if item.data(Qt.ItemDataRole.UserRole) == name:
                self.contents.setCurrentItem(item)
                return


def _fitting_picture(path: Path) -> QImage:
    """A picture of the manual, no wider than a page."""
    width = theme.dp(_PICTURE_WIDTH)
    if path.suffix == ".svg":
        drawing = QSvgRenderer(str(path))
        size = drawing.defaultSize()
        height = round(size.height() * width / max(1, size.width()))
        picture = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        drawing.render(painter, QRect(0, 0, width, height))
        painter.end()
        return picture
    picture = QImage(str(path))
    if picture.width() <= width:
        return picture
    return picture.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
