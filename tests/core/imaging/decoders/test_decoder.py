"""One file in one process: hashed once, reduced where large, and not begun after a stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.cases import ImageFile
from desktop.core.files.listing import list_folder
from desktop.core.imaging.decoders.decoder import FILM_SIDE, ThreadDecoder, decode_file, file_sha256
from desktop.core.system.cancel_token import CancelToken


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_has_no_hash_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert file_sha256(tmp_path / "pipe.png") == ""
    assert file_sha256(tmp_path / "missing.png") == ""


def test_only_a_large_film_is_reduced(tmp_path: Path) -> None:
    for name, shape in (("small", (80, 100)), ("large", (FILM_SIDE * 2, FILM_SIDE))):
        Image.fromarray(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)).save(
            tmp_path / f"{name}.png"
        )
    small, large = (
        decode_file(ImageFile(tmp_path / f"{name}.png", name), ((64, 64),), film=True)
        for name in ("small", "large")
    )
    assert small.film is not None
    assert large.film is not None
    assert small.film.shape == (80, 100)
    assert large.film.shape == (FILM_SIDE, FILM_SIDE // 2)


def test_a_search_that_is_stopped_decodes_nothing_more(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    (tmp_path / "a.png").write_bytes(b"never opened")
    files = [file for batch in list_folder(tmp_path) for file in batch]
    assert list(ThreadDecoder(cancel=cancel).decode(files, ((224, 224),), film=True)) == []
