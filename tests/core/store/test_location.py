"""Where a review lies, and what a killed window leaves there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.core.store.location import known_reviews, review_folder


@pytest.mark.skipif(os.name == "nt", reason="the end of the process is that of POSIX")
def test_what_a_killed_window_left_goes_when_the_folder_is_opened_again(tmp_path: Path) -> None:
    films, home = tmp_path / "films", tmp_path / "home"
    films.mkdir()
    place = review_folder(films, home)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from desktop.core.store import location\n"
        "os.replace = lambda *_: os._exit(0)\n"
        "location.review_folder(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(films), str(home)], check=True)
    assert len(list(place.glob(".*.tmp"))) == 1
    assert review_folder(films, home) == place
    assert not list(place.glob(".*.tmp"))
    assert [review.folder for review in known_reviews(home)] == [films]
