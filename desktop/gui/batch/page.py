"""The batch page: how far the models are, what they said, where they disagree, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.vote import rule_text
from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.batch.failure_table import FailureTable
from desktop.gui.formatting import duration, grouped
from desktop.gui.presenters.batch import BatchFigures, batch_figures
from desktop.gui.session.model_run import Progress
from desktop.gui.session.session import Session
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.charts import RateCurve, ShareBars, StackedBars, StackedLine
from desktop.gui.widgets.containers import Card, FactLines, OverlayScroll
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import STRETCH, column, row
from desktop.gui.widgets.placeholder import Placeholder
from desktop.gui.widgets.progress_bar import ProgressBar

_REFRESH_MS = 1000


class BatchPage(OverlayScroll):
    """Progress, results so far and failures.

    Signals:
        review_disagreements_asked(): Go to the images on which the models disagree.
        failure_chosen(str): Show a failed image.
        folder_asked(): Open a folder.
    """

    review_disagreements_asked = Signal()
    failure_chosen = Signal(str)
    folder_asked = Signal()

    def __init__(self, shortcuts: Shortcuts) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Batch"))
        self._session: Session | None = None
        self._figures: BatchFigures | None = None
        self._device = ("", "")
        self._blind = False
        # Counting a hundred thousand rows once a second is cheap; at every answer it would not be.
        self._refresh = QTimer(
            self, singleShot=True, interval=_REFRESH_MS, timeout=self._show_figures
        )
        self.title = ElidedLabel(self.tr("No folder open"), "page")
        self.subtitle = ElidedLabel("", "body", "text2")
        self.stats = ElidedLabel("", "secondary", "text2")
        self.started = ElidedLabel("", "secondary", "text2")
        self._bar = ProgressBar()
        self._bar.setFixedHeight(8)
        self.pause_button = _boxed(shortcuts["pause_run"], self.tr("Pause"), "pause")
        self.resume_button = _boxed(shortcuts["label_folder"], self.tr("Resume"), "play")
        self.stop_button = _boxed(shortcuts["stop_run"], self.tr("Stop and keep"), "cross")
        self.export_button = _boxed(shortcuts["export_csv"], self.tr("Export CSV"), "export")
        self.review_button = Button("", kind="primary", height=36)
        self.review_button.hide()
        self.review_button.clicked.connect(self.review_disagreements_asked)
        self._votes = StackedBars()
        self._agreement = ShareBars()
        self._agreement_card = Card(self.tr("Agreement"))
        self._dissents = WrappedLabel("", "secondary", "text2")
        self._curve = RateCurve()
        self._facts = FactLines()
        self.failures = FailureTable()
        self.failures.failure_chosen.connect(self.failure_chosen)
        self._failure_card = Card(self.tr("Failed"))
        self._failure_text = ElidedLabel("", "secondary", "text2")
        self._copy = Button(self.tr("Copy list"), kind="link")
        self._copy.clicked.connect(self._copy_failures)
        self._retry = Button(self.tr("Retry all"), kind="link")
        self._retry.follow(shortcuts["retry_failed"], self.tr("Retry all"))
        self._note = Placeholder()
        self._note.chosen.connect(self.folder_asked)
        self._note.show_text(
            self.tr("The models read a whole folder while you review"),
            (
                self.tr("Votes by class, agreement, speed and every file that could not be read."),
                self.tr("Pause or stop at any time: what is finished is kept."),
            ),
            self.tr("Open folder"),
        )
        self._compose()

    def show_session(self, session: Session | None, progress: Progress) -> None:
        """Show the run of a session."""
        if session is not self._session:
            self._session = session
            self._figures = None
            self._show_figures()
        elif not self._refresh.isActive():
            self._refresh.start()
        self._show_progress(progress)

    def show_device(self, device: str, reason: str) -> None:
        self._device = (device, reason)
        self._show_facts()

    def show_curve(self, points: Sequence[tuple[datetime, float]]) -> None:
        """Show images a second over time."""
        if self.isVisible():
            self._curve.show_points(points)

    def set_blind(self, blind: bool) -> None:
        """Hide everything that the models said."""
        self._blind = blind
        self._show_figures()

    def _compose(self) -> None:
        head = row(
            (column(self.title, self.subtitle, spacing=4), 1),
            self.pause_button,
            self.resume_button,
            self.stop_button,
            self.export_button,
            self.review_button,
        )
        progress = column(self._bar, row((self.stats, 1), self.started), spacing=8)
        votes, rate = Card(), Card(self.tr("Images per second"))
        votes.add(self._votes, STRETCH)
        self._agreement_card.add(self._agreement, self._dissents, STRETCH)
        self._failure_card.add_to_head([self._copy, self._retry])
        self._failure_card.add(self._failure_text, (self.failures, 1))
        rate.add(self._curve, self._facts, STRETCH)
        self._body = QWidget()
        grid = QGridLayout(self._body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(16)
        grid.addWidget(votes, 0, 0)
        grid.addWidget(self._agreement_card, 0, 1)
        grid.addWidget(self._failure_card, 1, 0)
        grid.addWidget(rate, 1, 1)
        grid.setColumnStretch(0, 68)
        grid.setColumnStretch(1, 32)
        grid.setRowStretch(1, 1)
        inner = QWidget()
        parts = (head, progress, (self._body, 1), (self._note, 1))
        column(*parts, of=inner, margins=(32, 24, 32, 24), spacing=16)
        self.setWidget(inner)

    def _show_progress(self, progress: Progress) -> None:
        session = self._session
        self._body.setVisible(session is not None)
        self._note.setVisible(session is None)
        self._bar.setVisible(session is not None)
        self.export_button.setVisible(session is not None)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(progress.state in ("running", "paused"))
        unfinished = progress.done < progress.total
        self.resume_button.setVisible(unfinished and progress.state in ("stopped", "idle"))
        self.pause_button.setText(
            self.tr("Resume") if progress.state == "paused" else self.tr("Pause")
        )
        self.pause_button.set_icon_name("play" if progress.state == "paused" else "pause")
        if session is None:
            self.title.set_text(self.tr("No folder open"))
            self.subtitle.set_text("")
            self.stats.set_text("")
            self.started.set_text("")
            self._bar.set_share(0)
            return
        self.title.set_text(
            self.tr("{done} of {total} images read").format(
                done=grouped(progress.done - progress.failed), total=grouped(progress.total)
            )
        )
        where = self.tr("{folder}, {panel} panel. ").format(
            folder=session.root.name, panel=session.panel.name
        )
        self.subtitle.set_text(where + self._state_text(progress))
        share = progress.done / progress.total if progress.total else 0.0
        self._bar.set_share(share)
        parts = [f"{100 * share:.1f} %"]
        if progress.state == "running" and progress.rate > 0 and unfinished:
            left = duration((progress.total - progress.done) / progress.rate)
            parts.append(self.tr("{left} left").format(left=left))
            parts.append(self.tr("{rate} images/s").format(rate=f"{progress.rate:.1f}"))
        parts.append(self.tr("{count} failed").format(count=grouped(progress.failed)))
        if self._figures is not None and not self._blind:
            parts.append(
                self.tr("{count} out of distribution").format(
                    count=grouped(self._figures.out_of_distribution)
                )
            )
        self.stats.set_text("      ".join(parts))
        self._curve.set_text(self._text_without_curve(progress))
        started = progress.started
        self.started.set_text(
            self.tr("Started {time}").format(time=f"{started:%H:%M:%S}") if started else ""
        )

    def _state_text(self, progress: Progress) -> str:
        if progress.state == "failed":
            return self.tr("The models stopped; the reason is in the status bar.")
        if progress.total and progress.done >= progress.total:
            if progress.failed:
                return self.tr("The models are through; {count} could not be read.").format(
                    count=grouped(progress.failed)
                )
            return self.tr("All images are read.")
        if progress.state == "paused":
            return self.tr("Paused. Finished images can be reviewed.")
        if progress.state == "stopped":
            return self.tr(
                "Stopped. {count} images are kept; Resume goes on with the rest."
            ).format(count=grouped(progress.done))
        return self.tr("Finished images can be reviewed now; stopping keeps them.")

    def _text_without_curve(self, progress: Progress) -> str:
        if progress.started is None:
            if progress.total and progress.done >= progress.total:
                return self.tr("All answers are from an earlier day; nothing had to run.")
            return self.tr("The curve begins when the models run.")
        if progress.state == "running":
            return self.tr("The curve begins in a moment.")
        return self.tr("The run was too short for a curve.")

    def _show_figures(self) -> None:
        session = self._session
        if session is None:
            self._failure_card.title.set_text(self.tr("Failed"))
            self.failures.show_failures(())
            self.review_button.setVisible(False)
            return
        figures = batch_figures(session.table)
        self._figures = figures
        self.failures.show_failures(figures.failures)
        self._failure_card.title.set_text(
            self.tr("Failed, {count}").format(count=grouped(figures.failed))
        )
        for button in (self._copy, self._retry):
            button.setVisible(figures.failed > 0)
        self._failure_text.set_text(
            self.tr("The other images are unaffected.")
            if figures.failed
            else self.tr("Every file that the models came to could be read.")
        )
        disagreements = sum(line.count for line in figures.agreement if "-" in line.split)
        self.review_button.setVisible(disagreements > 0 and not self._blind)
        self.review_button.setText(
            self.tr("Review 1 disagreement")
            if disagreements == 1
            else self.tr("Review {count} disagreements").format(count=grouped(disagreements))
        )
        self._show_votes(session, figures)
        self._show_agreement(session, figures)
        self._show_facts()

    def _show_votes(self, session: Session, figures: BatchFigures) -> None:
        facts = session.facts
        names = [*facts.short_names, self.tr("None")]
        if self._blind:
            self._votes.show_lines(
                self.tr("Votes by class: hidden while you read blind"), (), (), ()
            )
            return
        lines = [
            StackedLine(model.title, (*counts, None))
            for model, counts in zip(facts.models, figures.votes, strict=True)
        ]
        lines.append(
            StackedLine(
                self.tr("Consensus"), (*figures.consensus, figures.no_consensus), strong=True
            )
        )
        self._votes.show_lines(self.tr("Votes by class"), names, facts.slots, lines)

    def _show_agreement(self, session: Session, figures: BatchFigures) -> None:
        if self._blind:
            self._agreement.show_lines(())
            self._dissents.setText("")
            return
        self._agreement.show_lines(
            [
                (
                    line.split.replace("-", " : ") if "-" in line.split else f"{line.split} : 0",
                    self._split_text(line.split),
                    line.count,
                    line.share,
                )
                for line in figures.agreement
            ]
        )
        kappa = "–" if figures.kappa is None else f"{figures.kappa:.2f}"
        self._agreement_card.remark.set_text(self.tr("Fleiss kappa {value}").format(value=kappa))
        dissents = sorted(
            zip(figures.dissents, session.facts.models, strict=True), key=lambda pair: -pair[0]
        )
        self._dissents.setText(
            self.tr("Dissents alone: ")
            + "   ".join(f"{model.title} {grouped(count)}" for count, model in dissents)
        )

    def _split_text(self, split: str) -> str:
        sizes = [int(size) for size in split.split("-")]
        if len(sizes) == 1:
            return self.tr("All agree")
        if len(sizes) == 2 and sizes[1] == 1:
            return self.tr("One dissents")
        if len(sizes) == 2:
            return self.tr("Tie") if sizes[0] == sizes[1] else self.tr("Two groups")
        return self.tr("{count} answers").format(count=len(sizes))

    def _show_facts(self) -> None:
        session = self._session
        device, reason = self._device
        facts = [
            (self.tr("Runs on"), device or self.tr("not loaded yet")),
            (self.tr("Fallback"), reason or self.tr("none")),
        ]
        if session is not None:
            rule = rule_text(len(session.facts.models)).capitalize()
            facts += [
                (self.tr("Rule"), rule),
                (self.tr("Panel version"), session.panel.version),
                (self.tr("Models"), session.panel.fingerprint[:8]),
            ]
        self._facts.show_facts(facts)

    def _copy_failures(self) -> None:
        if self._figures is not None:
            lines = ["\t".join(line) for line in self._figures.failures]
            QGuiApplication.clipboard().setText("\n".join(lines))


def _boxed(action: QAction, text: str, icon: str) -> Button:
    button = Button(text, icon, kind="boxed", height=36)
    button.follow(action, text)
    return button
