"""What the window's own process loads, and what it leaves to its children."""

from __future__ import annotations

import subprocess
import sys


def test_the_window_leaves_the_inference_library_to_the_engine() -> None:
    code = (
        "import sys\n"
        "import desktop.gui.app\n"
        "heavy = {'onnxruntime', 'pydicom', 'gdcm', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, f"loaded in the window: {done.stderr}"
