"""Several connections in one process, and other processes beside it: nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.core.panels.contract import PanelManifest
from desktop.core.review.decisions import Stamp, label, make_step
from desktop.core.store.review_store import ReviewStore
from tests.helpers.review_cases import manifest

STAMP = Stamp("", "2026-11-23T09:00:00Z")
OPEN_AND_CLOSE = """
import sys
from pathlib import Path
from desktop.core.panels.contract import PanelManifest
from desktop.core.store.review_store import ReviewStore
manifest = PanelManifest.from_json(sys.argv[2])
with ReviewStore.open(Path(sys.argv[1]), manifest, home=Path(sys.argv[3])) as store:
    assert store.notice is None, store.notice.sentence
    print(" ".join(sorted(store.decisions())))
"""


def other_process(folder: Path, home: Path, manifest: PanelManifest) -> list[str]:
    """Open and close the store in another process; gives the images decided on as it sees them."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_CLOSE, str(folder), manifest.to_json(), str(home)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def decide(store: ReviewStore, image: str) -> None:
    step = make_step(
        "label",
        {image: store.decision(image)},
        lambda _image, before: label(before, "Covid", STAMP, votes_shown=True),
        value="Covid",
    )
    store.apply(step)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ward"
    made.mkdir()
    return made


def test_another_process_that_closes_takes_nothing_away_from_a_window_with_two_connections(
    folder: Path, tmp_path: Path
) -> None:
    """POSIX: whoever closes a file drops all locks its process has on it.

    Looking at the file's first bytes must not make the other process believe that it is the last.
    """
    home = tmp_path / "home"
    with ReviewStore.open(folder, manifest(), home=home) as store:
        decide(store, "a.png")
        with ReviewStore.open(folder, manifest(), home=home) as writer:
            decide(writer, "b.png")
            assert other_process(folder, home, manifest()) == ["a.png", "b.png"]
            decide(store, "c.png")
            decide(writer, "d.png")
        assert other_process(folder, home, manifest()) == ["a.png", "b.png", "c.png", "d.png"]
        decide(store, "e.png")
    assert other_process(folder, home, manifest()) == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    assert not list((home).rglob("*damaged*"))
