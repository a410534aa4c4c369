"""Badges fade in once, where the desktop lets things move."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QVariantAnimation
from PySide6.QtWidgets import QStyle
from pytestqt.qtbot import QtBot

from desktop.gui.presenters.badges import BadgeSpec
from desktop.gui.style import animation
from desktop.gui.widgets.badge import BadgeRow
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def badges(qtbot: QtBot) -> BadgeRow:
    row = BadgeRow()
    qtbot.addWidget(row)
    row.resize(400, 30)
    row.show()
    return row


OOD = BadgeSpec("ood", "out-of-distribution", "Out of distribution", "Unlike the training.")
LUNGS = BadgeSpec("lungs", "lungs-covered", "Stays without lungs", "See the card.")


def test_a_badge_comes_up_in_120_ms_and_one_that_stays_stands_still(
    badges: BadgeRow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animation, "motion_wanted", lambda _widget: True)
    badges.set_badges([OOD])
    first = badges.badges[0].fade
    assert first.running
    assert first.findChild(QVariantAnimation).duration() == 120
    qtbot.waitUntil(lambda: not first.running, timeout=PATIENCE_MS)
    assert first.opacity == 1.0
    badges.set_badges([OOD, LUNGS])
    assert [badge.fade.running for badge in badges.badges] == [False, True]


def test_nothing_moves_where_the_desktop_asks_for_no_motion(
    badges: BadgeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animation, "motion_wanted", lambda _widget: False)
    badges.set_badges([OOD])
    assert not badges.badges[0].fade.running
    assert badges.badges[0].fade.opacity == 1.0


def test_the_style_can_switch_motion_off(badges: BadgeRow) -> None:
    hint = QStyle.StyleHint.SH_Widget_Animation_Duration
    wanted = badges.style().styleHint(hint, None, badges) > 0
    assert animation.motion_wanted(badges) == wanted
