"""The verdict: what the panel says together, how sure, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QSizePolicy

from desktop.core.cases import CaseResult
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.badges import BadgeSpec
from desktop.gui.presenters.verdict import (
    alarm_badge,
    lungs_badge,
    no_lungs_badge,
    none_badge,
    ood_badge,
    verdict_text,
)
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled
from desktop.gui.votes.probability_bar import MeanProbability
from desktop.gui.votes.vote_strip import CELL_VERDICT, VoteStrip
from desktop.gui.widgets.badge import BadgeRow
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import column, row

# Badges bring 3 px of room for their focus ring.
_RING = 3


class VerdictPanel(Restyled):
    """Verdict, sentence, strip, mean probability and badges; its height never changes.

    Signals:
        badge_opened(str): Key of the badge whose sentence was opened.
    """

    badge_opened = Signal(str)

    def __init__(self, panel: PanelInfo) -> None:
        super().__init__()
        self._panel = panel
        self._result: CaseResult | None = None
        self._blind = False
        self._badges: tuple[BadgeSpec, ...] = ()
        self._accept_key = ""
        self._label_keys: tuple[str, ...] = ()
        self.title = ElidedLabel("", "verdict")
        self.strip = VoteStrip(panel, CELL_VERDICT)
        self.sentence = ElidedLabel("", "secondary", "text2")
        self.reason = WrappedLabel("", "secondary", "text2", selectable=True)
        self.reason.setAccessibleName(self.tr("Reason"))
        self.mean = MeanProbability(panel)
        self.badges = BadgeRow()
        self.badges.opened.connect(self.badge_opened)
        strip = (self.strip, 0, Qt.AlignmentFlag.AlignVCenter)
        header = row((self.title, 1), strip, spacing=theme.GAP_M)
        text = (header, 2, self.sentence, (self.reason, 1), theme.GAP_M, self.mean)
        column(
            column(*text, margins=(_RING, 0, _RING, 0), spacing=0),
            theme.GAP_S,
            self.badges,
            (None, 0),
            of=self,
            margins=(theme.GAP_L - _RING, theme.GAP_L, theme.GAP_L - _RING, theme.GAP_M),
            spacing=0,
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Verdict"))
        self.restyle()
        self._show()

    def restyle(self) -> None:
        """The same height with and without badges, so that nothing below ever jumps."""
        text = theme.dp(28) + 2 + theme.dp(16)
        bar = self.mean.sizeHint().height()
        badges = theme.dp(24) + 6
        edges = theme.GAP_L + theme.GAP_M
        self.setFixedHeight(edges + text + theme.GAP_M + bar + theme.GAP_S + badges)

    def sizeHint(self) -> QSize:
        return QSize(328, self.height())

    def set_panel(self, panel: PanelInfo) -> None:
        self._panel = panel
        self.strip.set_panel(panel)
        self.mean.set_panel(panel)
        self.show_case(None)

    def show_case(
        self, result: CaseResult | None, *, blind: bool = False, badges: Sequence[BadgeSpec] = ()
    ) -> None:
        """Show a result; None = waiting for the models. While ``blind`` nothing of it is shown.

        The badges for out of distribution and the shortcut alarm come by themselves; ``badges``
        are the others.
        """
        self._result, self._blind, self._badges = result, blind, tuple(badges)
        self._show()

    def set_keys(self, accept: str, labels: Sequence[str]) -> None:
        """Words of the keys that accept and label, as now bound."""
        self._accept_key, self._label_keys = accept, tuple(labels)
        self._show()

    def show_no_consensus(self) -> None:
        """Draw attention to the rule after Enter was pressed where there is nothing to accept."""
        verdict = None if self._result is None else self._result.verdict
        if verdict is not None and verdict.none_of_these:
            text = self.tr("Not accepted: it looks like none of the classes. Label it yourself.")
        else:
            text = self.tr("Nothing to accept: no majority. Label it yourself.")
        self.sentence.set_text(text)
        self.sentence.set_tone("text1")

    def _show(self) -> None:
        text = verdict_text(
            self._result,
            self._panel,
            blind=self._blind,
            accept_key=self._accept_key,
            label_keys=self._label_keys,
        )
        failed = text.state == "failed"
        verdict = self._result.verdict if self._result is not None else None
        voted = text.state == "voted" and verdict is not None
        self.title.set_text(text.title)
        self.sentence.set_tone("text2")
        self.sentence.set_text("" if failed else text.sentence)
        self.reason.setText(text.sentence if failed else "")
        self.reason.setVisible(failed)
        self.sentence.setVisible(not failed)
        self.mean.setVisible(not failed)
        votes = verdict.votes if voted and verdict else (None,) * len(self._panel.models)
        self.strip.set_votes(votes, text.state)
        self.mean.set_values(verdict.mean_probabilities if voted and verdict else ())
        badges = [*self._own_badges(), *self._badges] if voted else list(self._badges)
        self.badges.set_badges(() if failed else badges)
        self.setAccessibleDescription(f"{text.title}. {text.sentence}")

    def _own_badges(self) -> list[BadgeSpec]:
        """What the result itself gives reason to doubt, the gravest first."""
        given = {badge.key for badge in self._badges}
        found = []
        if self._result is not None and self._result.verdict is not None:
            if self._result.verdict.none_of_these:
                found.append(none_badge(self._result.verdict))
            if self._result.lungs_found is False:
                found.append(no_lungs_badge())
            if self._result.verdict.ood:
                found.append(ood_badge(self._result.verdict))
            alarm = alarm_badge(self._result, self._panel)
            if alarm is not None:
                found.append(alarm)
            lungs = lungs_badge(self._result, self._panel)
            if lungs is not None:
                found.append(lungs)
        return [badge for badge in found if badge.key not in given]
