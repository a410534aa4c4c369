"""Draws every widget in every state into PNG files, to be looked at by people.

Run by hand: ``python -m tests.gui.gallery OUT [--theme dark|light] [--text 1.25]``; set
``QT_SCALE_FACTOR=2`` (or 1.25, 1.5) for other device pixel ratios. With the public X-rays beside
the checkout it uses real films, otherwise a drawn one. It is no test and asserts nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from desktop.core.imaging.decode import Radiograph, read_radiograph
from desktop.core.review.agreement import Estimate, ReliabilityBin
from desktop.gui.compare.view import ComparePanel, CompareView
from desktop.gui.images.view_types import HeatStyle, HudText, MapLayer
from desktop.gui.presenters.badges import BadgeSpec
from desktop.gui.review.decision_button import DecisionButton
from desktop.gui.review.decision_panel import DecisionPanel
from desktop.gui.review.heatmap_controls import HeatmapControls
from desktop.gui.review.model_list import ModelRows
from desktop.gui.review.model_row import ModelRow
from desktop.gui.review.verdict_panel import VerdictPanel
from desktop.gui.scorecard.charts import (
    CalibrationChart,
    ConfusionMatrix,
    IntervalLine,
    Intervals,
    KappaMatrix,
)
from desktop.gui.style import icons, theme
from desktop.gui.viewer.histogram import Histogram
from desktop.gui.viewer.image_view import ImageView
from desktop.gui.votes.vote_strip import VoteStrip
from desktop.gui.widgets.badge import Badge, BadgeRow
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.segmented_control import SegmentedControl
from tests.gui.sample_values import (
    ICON_NAMES,
    KEYS,
    cam,
    covid_panel,
    decision,
    prediction,
    result,
    thumbnail,
)
from tests.helpers.data_location import shared_data


def film() -> Radiograph:
    """A real film if there is one, else a drawn one."""
    folder = shared_data()
    if folder is not None:
        found = sorted((folder / "full-size" / "PNEUMONIA").glob("*.jpeg"))
        if found:
            return read_radiograph(found[7])
    ramp = np.add.outer(np.arange(1200), np.arange(1000)).astype(np.uint16)
    return Radiograph(ramp, bits=12)


def strips() -> QWidget:
    panel = covid_panel()
    page, column = _page()
    for votes, state, words in (
        ((0, 0, 0, 0), "voted", "All agree: tinted"),
        ((0, 0, 1, 0), "voted", "One dissents: only the dissent is solid"),
        ((0, 2, 2, 0), "voted", "Tie: all solid"),
        ((2, 0, 1, 2), "voted", "Three answers: all solid"),
        ((0, 0, None, 0), "voted", "One model gave no answer"),
        ((None,) * 4, "waiting", "Waiting for models"),
        ((None,) * 4, "blind", "Blind: outlines, no letters"),
        ((None,) * 4, "failed", "Image not read"),
    ):
        row = QHBoxLayout()
        for cell in (14, 18, 24):
            strip = VoteStrip(panel, cell)
            strip.set_votes(votes, state)
            row.addWidget(strip)
        row.addWidget(ElidedLabel(words, "body", "text2"), 1)
        column.addLayout(row)
    return page


def controls() -> QWidget:
    page, column = _page()
    panel = covid_panel()
    for state in ("rest", "focus", "choice", "disabled"):
        row = QHBoxLayout()
        row.addWidget(ElidedLabel(state, "secondary", "text2"))
        for slot, name in enumerate(panel.class_names):
            button = DecisionButton(name, slot=slot, short=panel.short_names[slot])
            button.set_key(str(slot + 1))
            button.setChecked(state == "choice")
            button.setEnabled(state != "disabled")
            button.setProperty("gallery_focus", state == "focus" and slot == 0)
            row.addWidget(button)
        flag = DecisionButton("Flag", icon="flag", checked_icon="flag-filled")
        flag.set_key("K")
        flag.setChecked(state == "choice")
        row.addWidget(flag)
        column.addLayout(row)
    switch = SegmentedControl("Heatmap class")
    switch.set_segments(["Predicted", *panel.short_names], [None, *panel.slots])
    switch.set_index(1)
    column.addWidget(switch)
    badges = QHBoxLayout()
    for facts in BADGES:
        badges.addWidget(Badge(facts))
    badges.addStretch(1)
    column.addLayout(badges)
    row = BadgeRow()
    row.set_badges(BADGES)
    column.addWidget(row)
    return page


def icon_sheet() -> QWidget:
    page, column = _page()
    grid = QGridLayout()
    for index, name in enumerate(ICON_NAMES):
        picture = QLabel()
        picture.setPixmap(icons.icon(name).pixmap(32, 32))
        small = QLabel()
        small.setPixmap(icons.icon(name).pixmap(16, 16))
        cell = QHBoxLayout()
        cell.addWidget(small)
        cell.addWidget(picture)
        cell.addWidget(ElidedLabel(name, "small", "text2"), 1)
        grid.addLayout(cell, index // 6, index % 6)
    column.addLayout(grid)
    mark = QHBoxLayout()
    for side in (16, 24, 48, 128):
        picture = QLabel()
        picture.setPixmap(icons.app_icon().pixmap(side, side))
        mark.addWidget(picture)
    mark.addStretch(1)
    column.addLayout(mark)
    return page


def side_panel() -> QWidget:
    page = QFrame()
    page.setProperty("panel", True)
    row = QHBoxLayout(page)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(24)
    panel = covid_panel()
    for kind in ("tie", "agree", "blind", "failed", "waiting"):
        side = QWidget()
        side.setFixedWidth(theme.dp(344))
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        verdict, rows = VerdictPanel(panel), ModelRows(panel)
        heat, decide = HeatmapControls(panel), DecisionPanel(panel)
        verdict.set_keys("Enter", ["1", "2", "3"])
        decide.set_keys(KEYS)
        found = None if kind == "waiting" else result(kind)
        verdict.show_case(found, blind=kind == "blind", badges=BADGES[2:4] if kind == "tie" else ())
        predictions = found.predictions if found is not None and found.predictions else None
        rows.set_thumbnail(thumbnail(film()))
        rows.show_predictions(predictions, blind=kind == "blind", unread=kind == "failed")
        rows.select(3)
        heat.set_blind(kind == "blind")
        if kind == "tie":
            heat.set_class(0)
            decide.set_undo("00415 flagged")
            decide.show_decision(decision(label="Covid", flagged=True))
        for widget in (verdict, rows, heat, decide):
            column.addWidget(widget)
        row.addWidget(side)
    page.setFixedHeight(theme.dp(840))
    return page


def model_rows() -> QWidget:
    page, column = _page()
    panel = covid_panel()
    rows = []
    for state in ("voted", "alarm", "no map", "running", "hidden", "failed", "compact"):
        row = ModelRow(panel, 2)
        row.set_thumbnail(thumbnail(film()))
        if state == "no map":
            row.set_prediction(
                prediction("daccnn", (0.1, 0.8, 0.1), np.zeros((3, 7, 7), np.float32))
            )
        elif state in ("voted", "alarm", "compact"):
            row.set_prediction(prediction("daccnn", (0.38, 0.03, 0.59)))
            row.set_compact(state == "compact")
            row.set_alarm("18 % of the heatmap lies at the border." if state == "alarm" else "")
            row.set_selected(state == "alarm")
        else:
            row.set_state(state, "Ran out of memory. The other three votes stand.")  # type: ignore[arg-type]
        rows.append(row)
        column.addWidget(row)
    page.setFixedWidth(theme.dp(344))
    return page


def image_states() -> QWidget:
    page = QWidget()
    row = QHBoxLayout(page)
    hud = HudText("00417.dcm", "417 of 4,812", "AP supine", ("R", "H"))
    picture = film()
    heat, lines, loading, failed, bare = (ImageView() for _ in range(5))
    for view in (heat, lines, bare):
        view.show_film(picture, hud)
        view.show_map(MapLayer(cam(), "ResNet50", "Covid"))
    lines.set_heat_style(HeatStyle(contour=True))
    bare.set_bare(True)
    small = thumbnail(picture)
    loading.show_loading(hud, small, picture.values.shape)
    failed.show_failure(
        hud,
        "00416_lateral.dcm ends early",
        "It was skipped; the other images are unaffected. Copy it again from the source.",
    )
    for view in (heat, lines, loading, failed, bare):
        view.setFixedSize(420, 420)
        row.addWidget(view)
    return page


def big_image() -> QWidget:
    view = ImageView()
    view.resize(734, 760)
    view.show_film(film(), HudText("00417.dcm", "417 of 4,812", "AP supine", ("R", "H")))
    view.show_map(MapLayer(cam(), "ResNet50", "Covid"))
    return view


def compare() -> QWidget:
    page = QFrame()
    page.setProperty("panel", True)
    row = QHBoxLayout(page)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    panel = covid_panel()
    view, side, decide = CompareView(panel), ComparePanel(panel), DecisionPanel(panel, stacked=True)
    right = QWidget()
    right.setFixedWidth(theme.dp(304))
    column = QVBoxLayout(right)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    decide.set_keys(KEYS)
    column.addWidget(side)
    column.addWidget(decide, 1)
    row.addWidget(view, 1)
    row.addWidget(right)
    page.resize(1352, 832)
    view.set_class(0)
    view.show_film(film(), HudText("00417.dcm", "417 of 4,812"))
    view.show_result(result("tie"))
    view.select(3)
    side.show_result(result("tie"), map_class=0)
    return page


def charts() -> QWidget:
    page, column = _page()
    rows = [
        ("Consensus", 0.931, 0.911, 0.948, 712),
        ("ResNet50", 0.918, 0.896, 0.936, 753),
        ("SCNN", 0.894, 0.870, 0.915, 753),
        ("DACCNN", 0.871, 0.845, 0.894, 753),
        ("CCNN", float("nan"), float("nan"), float("nan"), 0),
        ("You, blind", 0.943, 0.920, 0.959, 540),
    ]
    intervals = Intervals()
    intervals.show_lines(
        [IntervalLine(row[0], Estimate(*row[1:]), row[0].startswith("You")) for row in rows]
    )
    confusion = ConfusionMatrix()
    counts = np.array([[201, 6, 18], [4, 298, 9], [14, 11, 192]])
    confusion.show_matrix(covid_panel().short_names, covid_panel().slots, counts)
    calibration = CalibrationChart()
    bins = [
        ReliabilityBin(0.3, 0.4, 6, 0.38, 0.41),
        ReliabilityBin(0.4, 0.5, 12, 0.46, 0.44),
        ReliabilityBin(0.5, 0.6, 40, 0.55, 0.56),
        ReliabilityBin(0.6, 0.7, 80, 0.65, 0.59),
        ReliabilityBin(0.7, 0.8, 120, 0.75, 0.71),
        ReliabilityBin(0.8, 0.9, 200, 0.85, 0.80),
        ReliabilityBin(0.9, 1.0, 500, 0.95, 0.93),
    ]
    calibration.show_bins(bins)
    kappa = KappaMatrix()
    titles = ["You", "SCNN", "CCNN", "DACCNN", "ResNet50"]
    values = np.array(
        [
            [1, 0.84, 0.77, 0.80, 0.88],
            [0.84, 1, 0.79, 0.83, 0.86],
            [0.77, 0.79, 1, 0.81, 0.78],
            [0.80, 0.83, 0.81, 1, 0.82],
            [0.88, 0.86, 0.78, 0.82, 1],
        ]
    )
    kappa.show_matrix(titles, values)
    grey = Histogram()
    grey.set_film(film())
    grey.set_window(160, 120)
    first, second = QHBoxLayout(), QHBoxLayout()
    first.addWidget(intervals, 2)
    first.addSpacing(32)
    first.addWidget(kappa, 1)
    second.addWidget(confusion, 2)
    second.addSpacing(32)
    second.addWidget(calibration, 1)
    column.addLayout(first)
    column.addSpacing(24)
    column.addLayout(second)
    column.addWidget(grey)
    page.resize(1300, 720)
    return page


BADGES = (
    BadgeSpec("ood", "out-of-distribution", "Out of distribution", "Unlike the training images."),
    BadgeSpec("shortcut", "shortcut-alarm", "Shortcut alarm", "18 % lies at the border."),
    BadgeSpec("burnt", "burnt-in-text", "Burnt-in text", "May name a patient."),
    BadgeSpec("dup", "duplicate", "Near duplicate", "Same film as 00212.dcm."),
    BadgeSpec("cpu", "device", "CPU fallback", "CUDA failed to load."),
)

PAGES: dict[str, Callable[[], QWidget]] = {
    "strips": strips,
    "controls": controls,
    "icons": icon_sheet,
    "side": side_panel,
    "rows": model_rows,
    "image-states": image_states,
    "image": big_image,
    "compare": compare,
    "charts": charts,
}


def _page() -> tuple[QFrame, QVBoxLayout]:
    page = QFrame()
    page.setProperty("panel", True)
    column = QVBoxLayout(page)
    column.setContentsMargins(16, 16, 16, 16)
    column.setSpacing(8)
    return page, column


def main() -> None:
    """Draw the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--text", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", default=list(PAGES))
    arguments = parser.parse_args()
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    tokens = theme.DARK if arguments.theme == "dark" else theme.LIGHT
    theme.apply_theme(app, tokens, arguments.text)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        page = PAGES[name]()
        page.show()
        for child in page.findChildren(QWidget):
            if child.property("gallery_focus"):
                page.activateWindow()
                child.setFocus()
        app.processEvents()
        picture: QImage = page.grab().toImage()
        picture.save(str(arguments.out / f"{name}-{arguments.theme}.png"))
        page.hide()
        page.deleteLater()


if __name__ == "__main__":
    main()
