"""One film pixel is one device pixel at 1:1, also where a window is scaled by a broken factor."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QWidget
from desktop.core.imaging.decode import Radiograph
from desktop.gui.style import theme
from desktop.gui.app import make_application
from desktop.gui.viewer.image_view import ImageView
from desktop.gui.images.view_types import HudText

application = make_application()
theme.apply_theme(application, theme.DARK)
board = np.indices((900, 900)).sum(axis=0) % 2 * np.uint8(255)
host = QWidget()
# An odd position in the window, so that the view begins between two device pixels.
layout = QHBoxLayout(host)
layout.setContentsMargins(33, 17, 0, 0)
view = ImageView()
layout.addWidget(view)
host.resize(501, 403)
host.show()
application.processEvents()
view.show_film(Radiograph(board.astype(np.uint8)), HudText("board"))
view.set_hud_visible(False)
view.one_to_one()
picture = host.grab().toImage()
grey = picture.convertToFormat(picture.Format.Format_Grayscale8)
shown = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
part = shown[80:-40, 120 : grey.width() - 40]
assert picture.devicePixelRatio() == RATIO, picture.devicePixelRatio()
assert set(np.unique(part)) == {0, 255}, np.unique(part)
assert (part[:, :-1] != part[:, 1:]).all()
assert (part[:-1, :-1] == part[1:, 1:]).all()
"""


@pytest.mark.parametrize("ratio", [1.25, 1.5])
def test_a_checkerboard_stays_a_checkerboard(ratio: float) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": str(ratio), "QT_QPA_PLATFORM": "offscreen"}
    program = _PROGRAM.replace("RATIO", str(ratio))
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
