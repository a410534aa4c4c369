"""The vote strip: one cell a model, so that dissent stands out.

All agree: tinted. A majority with dissent: only the dissent is solid. No majority: all solid. No
answer: dashed. Waiting: plain track. Blind: outline without a letter, so that nothing leaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy

from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.verdict import StripState, strip_text
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, fill_round, ratio_of, stroke_round
from desktop.gui.style.tokens import Tokens

CellLook = Literal["tinted", "solid", "dashed", "track", "outline"]

CELL_LIST, CELL_VERDICT, CELL_RAIL = 18, 24, 14
STRIP_GAP = 2


def cell_looks(
    votes: Sequence[int | None], state: StripState, majority: int
) -> tuple[CellLook, ...]:
    """How each cell is drawn; the whole rule of the strip.

    Args:
        votes: Class index of each model in panel order, None where a model gave no answer.
        state: ``voted``, ``waiting`` (not yet run), ``blind`` (hidden) or ``failed`` (not read).
        majority: Votes that a consensus needs.
    """
    if state != "voted":
        look: CellLook = {"waiting": "track", "blind": "outline", "failed": "dashed"}[state]  # type: ignore[assignment]
        return (look,) * len(votes)
    counts = Counter(vote for vote in votes if vote is not None)
    leader, most = counts.most_common(1)[0] if counts else (None, 0)
    consensus = leader if most >= majority else None
    return tuple(
        "dashed" if vote is None else "tinted" if vote == consensus else "solid" for vote in votes
    )


def strip_width(count: int, cell: int) -> int:
    """Width of ``count`` cells of ``cell`` px with their gaps."""
    return count * cell + max(0, count - 1) * STRIP_GAP


def paint_vote_strip(
    painter: QPainter,
    rect: QRect | QRectF,
    votes: Sequence[int | None],
    state: StripState,
    panel: PanelInfo,
    tokens: Tokens,
    cell: int = CELL_LIST,
) -> None:
    """Draw a strip, left-aligned and vertically centred in ``rect``, from a cached pixmap.

    Args:
        votes: As in ``cell_looks``; in the states other than ``voted`` only their number counts.
        panel: Letters, colours and the majority rule.
        tokens: Theme to draw in.
        cell: Side of a cell in px, already scaled.
    """
    ratio = ratio_of(painter)
    count = len(votes) or len(panel.models)
    shown = tuple(votes) if votes else (None,) * count
    pixmap = _strip_pixmap(
        shown,
        state,
        panel.class_letters,
        panel.slots,
        panel.majority,
        tokens,
        cell,
        ratio,
        theme.text_scale(),
    )
    box = QRectF(rect)
    top = box.top() + (box.height() - cell) / 2
    # On whole device pixels, or the cells would blur.
    painter.drawPixmap(
        QPointF(round(box.left() * ratio) / ratio, round(top * ratio) / ratio), pixmap
    )


@lru_cache(maxsize=2048)
def _strip_pixmap(
    votes: tuple[int | None, ...],
    state: StripState,
    letters: tuple[str, ...],
    slots: tuple[int, ...],
    majority: int,
    tokens: Tokens,
    cell: int,
    ratio: float,
    _scale: float,
) -> QPixmap:
    # Cells of equal whole device pixels; their pitch stays that of the letters above the strip.
    pitch, side = (cell + STRIP_GAP) * ratio, int(cell * ratio)
    pixmap = QPixmap(round(pitch * (len(votes) - 1)) + side, side)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for index, look in enumerate(cell_looks(votes, state, majority)):
        box = QRectF(round(pitch * index) / ratio, 0, side / ratio, side / ratio)
        vote = votes[index]
        letter, slot = ("", 0) if vote is None else (letters[vote], slots[vote])
        _paint_cell(painter, box, look, letter, slot, tokens)
    painter.end()
    return pixmap


def _paint_cell(
    painter: QPainter, box: QRectF, look: CellLook, letter: str, slot: int, tokens: Tokens
) -> None:
    radius = theme.RADIUS_CELL if box.width() < 22 else theme.RADIUS_KEY
    size = 10 if box.width() < 16 * theme.text_scale() else 11 if box.width() < 22 else 12
    font = theme.font(size, 600)
    centre = Qt.AlignmentFlag.AlignHCenter
    if look == "tinted":
        fill_round(painter, box, radius, tokens.class_tint(slot))
        draw_text(painter, box, letter, font, tokens.class_colour(slot), centre, elide=None)
    elif look == "solid":
        fill_round(painter, box, radius, tokens.class_colour(slot))
        draw_text(painter, box, letter, font, tokens.on_class(slot), centre, elide=None)
    elif look == "dashed":
        stroke_round(painter, box, radius, tokens.text3, dashed=True)
        draw_text(painter, box, "–", font, tokens.text2, centre, elide=None)
    elif look == "track":
        fill_round(painter, box, radius, tokens.track if tokens.name == "light" else tokens.raised)
    else:
        stroke_round(painter, box, radius, QColor(tokens.border))


class VoteStrip(Restyled):
    """The strip as a widget, for the verdict and wherever no delegate paints it."""

    def __init__(self, panel: PanelInfo, cell: int = CELL_VERDICT) -> None:
        super().__init__()
        self._panel = panel
        self._cell = cell
        self._votes: tuple[int | None, ...] = (None,) * len(panel.models)
        self._state: StripState = "waiting"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._name()

    def set_panel(self, panel: PanelInfo) -> None:
        """Use another panel's letters and colours; the votes are forgotten."""
        self._panel = panel
        self.set_votes((None,) * len(panel.models), "waiting")

    def set_votes(self, votes: Sequence[int | None], state: StripState) -> None:
        """Show votes; see ``cell_looks`` for the arguments."""
        self._votes = tuple(votes) or (None,) * len(self._panel.models)
        self._state = state
        self._name()
        self.updateGeometry()
        self.update()

    def _name(self) -> None:
        text = strip_text(self._votes, self._state, self._panel)
        self.setAccessibleName(self.tr("Votes"))
        self.setAccessibleDescription(text)
        self.setToolTip(text)

    def sizeHint(self) -> QSize:
        cell = theme.dp(self._cell)
        return QSize(strip_width(len(self._votes), cell), cell)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = (self._votes, self._state, self._panel, theme.current(), theme.dp(self._cell))
        paint_vote_strip(QPainter(self), self.rect(), *look)
