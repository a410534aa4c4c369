"""Where the real X-rays are, so that no test carries an absolute path.

They are public research images that never enter the repository. Tests that need them are marked
``data`` and skipped where this returns None.
"""

from __future__ import annotations

import os
from pathlib import Path


def shared_data() -> Path | None:
    """The folder with the public data sets, or None where this machine has none.

    ``CXR_QUORUM_DATA`` names it; otherwise ``../shared/data`` beside the checkout is tried.
    """
    named = os.environ.get("CXR_QUORUM_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(named) if named else beside
    return folder if folder.is_dir() else None
