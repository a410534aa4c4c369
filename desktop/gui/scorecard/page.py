"""The scorecard: the models measured on the reader's own decisions, and the reader on the votes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.review.scorecard import TRUTHS, Score, Scorecard
from desktop.gui.formatting import grouped
from desktop.gui.panel_info import PanelInfo
from desktop.gui.scorecard.charts import (
    CalibrationChart,
    ConfusionMatrix,
    IntervalLine,
    Intervals,
    KappaMatrix,
    share_text,
)
from desktop.gui.session.session import Session
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.containers import Card, OverlayScroll
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import STRETCH, column, row
from desktop.gui.widgets.placeholder import Placeholder
from desktop.gui.widgets.segmented_control import RING, SegmentedControl

_REFRESH_MS = 1500


class ScorecardPage(OverlayScroll):
    """Accuracy, kappa, confusion and calibration on this folder.

    Signals:
        figures_asked(str): The figures are out of date; count them with this truth
            (a key of ``TRUTHS``).
        report_asked(): Write the summary report.
        review_asked(): Go to the next image without a decision.
        folder_asked(): Open a folder.
    """

    figures_asked = Signal(str)
    report_asked = Signal()
    review_asked = Signal()
    folder_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Scorecard"))
        self._facts: PanelInfo | None = None
        self._card: Scorecard | None = None
        self._session: Session | None = None
        self._chosen = 0
        self.title = ElidedLabel("", "page")
        self.subtitle = ElidedLabel("", "body", "text2")
        self.truth = SegmentedControl(self.tr("Reference"))
        self.truth.set_segments(
            [self.tr("All labels"), self.tr("Own labels"), self.tr("Blind labels")],
            tips=list(TRUTHS.values()),
        )
        self.truth.chosen.connect(lambda _index: self.ask())
        self.report_button = Button(self.tr("Save report"), "export", kind="boxed", height=36)
        self.report_button.clicked.connect(self.report_asked)
        self._intervals = Intervals()
        self._intervals_text = WrappedLabel("")
        self._kappas = KappaMatrix()
        self._kappas_text = WrappedLabel("")
        self.model_switch = SegmentedControl(self.tr("Model"))
        self.model_switch.chosen.connect(self._choose)
        self._confusion = ConfusionMatrix()
        self._confusion_card = Card(self.tr("Confusion matrix"))
        self._calibration = CalibrationChart()
        self._calibration_text = WrappedLabel("")
        self._brier = ElidedLabel("", "verdict")
        self._ece = ElidedLabel("", "verdict")
        self._body = QWidget()
        self._note = Placeholder()
        self._note.chosen.connect(self._on_note_chosen)
        self._compose()
        self._timer = QTimer(self, singleShot=True, interval=_REFRESH_MS, timeout=self.ask)
        self._show_empty(self.tr("No folder open"))

    def show_session(self, session: Session | None) -> None:
        """The page has come up for a session."""
        self._facts = session.facts if session is not None else None
        if session is None:
            self._show_empty(self.tr("No folder open"))
            return
        if self._card is None or self._session is not session:
            self._card, self._session = None, session
            self._show_empty(
                self.tr("Counting your decisions"),
                self.tr("The figures are drawn again and again to know how sure they are."),
            )
        titles = [self.tr("Consensus"), *(model.title for model in session.facts.models)]
        self.model_switch.set_segments(titles)
        self.model_switch.set_index(self._chosen)
        self.ask()

    def ask(self) -> None:
        """Have the figures counted."""
        if self._facts is not None:
            self.figures_asked.emit(list(TRUTHS)[self.truth.index])

    def mark_stale(self) -> None:
        """Something was decided; count again soon if the page is on show."""
        if self.isVisible():
            self._timer.start()

    def show_card(self, card: Scorecard) -> None:
        """Show freshly counted figures."""
        facts = self._facts
        if facts is None or card.class_names != facts.class_names:
            return
        self._card = card
        if not card.labelled:
            self._show_empty(self.tr("No decided images yet"))
            return
        self._note.setVisible(False)
        self._body.setVisible(True)
        self.title.set_text(
            self.tr("You and the models on 1 decided image")
            if card.labelled == 1
            else self.tr("You and the models on {count} decided images").format(
                count=grouped(card.labelled)
            )
        )
        text = self.tr("Your decisions are the reference: agreement with you, not the truth.")
        if card.accepted:
            text += " " + self.tr("{count} accepted from the consensus.").format(
                count=grouped(card.accepted)
            )
        self.subtitle.set_text(text)
        self._show_accuracy(card, facts)
        self._show_kappas(card, facts)
        self._show_model()

    def _compose(self) -> None:
        titles = column(self.title, self.subtitle, spacing=4)
        accuracy = Card(self.tr("Accuracy, 95 % interval"))
        accuracy.remark.set_text("Wilson")
        accuracy.add(self._intervals, self._intervals_text, STRETCH)
        kappa = Card(self.tr("Kappa, each pair"))
        kappa.remark.set_text(self.tr("Cohen, unweighted"))
        kappa.add(self._kappas, self._kappas_text, STRETCH)
        self._confusion_card.add((self._confusion, 1))
        calibration = Card(self.tr("Calibration"))
        side = column(
            ElidedLabel(self.tr("Calibration error"), "secondary", "text2"),
            self._ece,
            12,
            ElidedLabel(self.tr("Brier score"), "secondary", "text2"),
            self._brier,
            12,
            self._calibration_text,
            STRETCH,
            spacing=4,
        )
        calibration.add((row((self._calibration, 1), side, spacing=16), 1))
        upper, lower = QGridLayout(), QGridLayout()
        for grid, left, right in (
            (upper, accuracy, kappa),
            (lower, self._confusion_card, calibration),
        ):
            grid.setContentsMargins(RING, 0, RING, 0)
            grid.setSpacing(16)
            grid.addWidget(left, 0, 0)
            grid.addWidget(right, 0, 1)
            grid.setColumnStretch(0, 66)
            grid.setColumnStretch(1, 34)
        column(upper, row(self.model_switch, STRETCH), (lower, 1), of=self._body, spacing=16)
        inner = QWidget()
        column(
            row((titles, 1), self.truth, self.report_button, margins=(RING, 0, RING, 0)),
            (self._body, 1),
            (self._note, 1),
            of=inner,
            # The switch brings room for its focus ring, so that its box stands under the cards.
            margins=(32 - RING, 24, 32 - RING, 24),
            spacing=16,
        )
        self.setWidget(inner)

    def _show_empty(self, title: str, text: str = "") -> None:
        self.title.set_text(title)
        self.subtitle.set_text(text)
        self._body.setVisible(False)
        self._note.setVisible(True)
        opened = self._facts is not None
        for control in (self.truth, self.report_button):
            control.setVisible(opened)
        if text:  # only for a moment
            self._note.show_text("", ())
            return
        self._note.show_text(
            self.tr("Your labels measure the models"),
            (
                self.tr("Accuracy of each model and of the consensus, with its uncertainty."),
                self.tr("Kappa of each pair, confusion and calibration, counted on this folder."),
                self.tr("The first figures come with the first label; some dozens make them firm."),
            ),
            self.tr("Review the next image") if opened else self.tr("Open folder"),
        )

    def _on_note_chosen(self) -> None:
        (self.review_asked if self._facts is not None else self.folder_asked).emit()

    def _show_accuracy(self, card: Scorecard, facts: PanelInfo) -> None:
        titles = {model.name: model.title for model in facts.models}
        models, consensus = list(card.scores[:-1]), card.scores[-1]
        models.sort(key=lambda score: -1 if isnan(score.accuracy.value) else -score.accuracy.value)
        lines = [IntervalLine(self.tr("Consensus"), consensus.accuracy)]
        lines += [
            IntervalLine(titles.get(score.name, score.name), score.accuracy) for score in models
        ]
        blind = card.blind
        if blind.read:
            lines.append(IntervalLine(self.tr("You, blind"), blind.agreed_blind, own=True))
        self._intervals.show_lines(lines)
        sentences = []
        if consensus.silent:
            sentences.append(
                self.tr("Consensus leaves 1 image without a majority out.")
                if consensus.silent == 1
                else self.tr("Consensus leaves {count} images without a majority out.").format(
                    count=grouped(consensus.silent)
                )
            )
        if blind.read:
            sentences.append(
                self.tr(
                    "Blind labels: {read}; you changed {flips} after seeing the votes, {towards} "
                    "towards the consensus. “You, blind” is your agreement with the consensus "
                    "before seeing it."
                ).format(
                    read=grouped(blind.read),
                    flips=grouped(blind.flips),
                    towards=grouped(blind.to_consensus),
                )
            )
        self._intervals_text.setText(" ".join(sentences))

    def _show_kappas(self, card: Scorecard, facts: PanelInfo) -> None:
        models = card.scores[:-1]
        count = len(models) + 1
        values = np.full((count, count), np.nan)
        values[1:, 1:] = card.pair_kappas
        values[0, 1:] = values[1:, 0] = [score.kappa.value for score in models]
        self._kappas.show_matrix([self.tr("You"), *(m.title for m in facts.models)], values)
        known = [
            (score.kappa.value, model.title)
            for score, model in zip(models, facts.models, strict=True)
            if not isnan(score.kappa.value)
        ]
        self._kappas_text.setText(closeness(known))

    def _choose(self, index: int) -> None:
        self._chosen = index
        self._show_model()

    def _show_model(self) -> None:
        card, facts = self._card, self._facts
        if card is None or facts is None:
            return
        score: Score = card.scores[-1] if self._chosen == 0 else card.scores[self._chosen - 1]
        title = self.tr("Consensus") if self._chosen == 0 else facts.models[self._chosen - 1].title
        self._confusion.show_matrix(facts.short_names, facts.slots, score.matrix)
        self._confusion_card.remark.set_text(
            self.tr("rows: you, columns: {model}").format(model=title)
        )
        self._calibration.show_bins(score.bins)
        self._ece.set_text(share_text(score.calibration_error))
        self._brier.set_text(share_text(score.brier))
        self._calibration_text.setText(self.tr("Below the line: too sure of itself."))


def closeness(kappas: Sequence[tuple[float, str]]) -> str:
    """Which model is closest to the reader and which furthest, by the figures as they are shown.

    Args:
        kappas: Kappa with the reader and title of each model that has one.
    """
    translate = QCoreApplication.translate
    if len(kappas) < 2:
        return translate("ScorecardPage", "Kappa needs labels of more than one class.")
    (low, far), (high, near) = min(kappas), max(kappas)
    figures = {"low": f"{low:.2f}", "high": f"{high:.2f}"}
    if figures["low"] == figures["high"]:
        text = translate("ScorecardPage", "All models are equally close to you: {high}.")
    else:
        text = translate("ScorecardPage", "Closest to you: {near}, {high}. Furthest: {far}, {low}.")
    return text.format(near=near, far=far, **figures)
