"""OpenVINO, where it is installed: the same answers as ONNX Runtime, and no word to anybody.

Importing OpenVINO asks its telemetry package to report to an analytics service; see
``desktop.core.inference.openvino``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.e2e.test_no_network import _SENDS, watched

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed"
)


def test_openvino_answers_as_onnx_runtime_does_and_contacts_nobody(tmp_path: Path) -> None:
    script = (
        "import desktop.core, numpy as np\n"
        "from desktop.core.panels.registry import open_panel\n"
        "from desktop.core.inference.session import PanelSession, drawn_films\n"
        "panel = open_panel('covid19')\n"
        "films = drawn_films(panel.input_sizes[0])\n"
        "other = PanelSession(panel, 'openvino', 1)\n"
        "assert other.report.running == 'openvino', other.report.reason\n"
        "usual = PanelSession(panel, 'cpu', 1)\n"
        "for one, two in zip(other.predict(films), usual.predict(films), strict=True):\n"
        "    for mine, theirs in zip(one.predictions, two.predictions, strict=True):\n"
        "        assert np.allclose(mine.probabilities, theirs.probabilities, atol=1e-3)\n"
        "        assert np.allclose(mine.cams, theirs.cams, atol=1e-2, rtol=1e-2)\n"
    )
    calls = watched([sys.executable, "-c", script], tmp_path / "home", tmp_path / "strace.log")
    assert [line for line in calls.splitlines() if _SENDS.search(line)] == []
