"""A decoder that a film took over says anything: it costs that film, in time, and nothing else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from desktop.core.cases import ImageFile
from desktop.core.imaging.decoders import child
from desktop.core.imaging.decoders import pool as decoder_pool
from desktop.core.imaging.decoders.child import Encloser, send_answer
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.imaging.decoders.worker import READY, Answer, Task
from tests.helpers import film_files as films

SIZE = (32, 32)
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")

Lie = Callable[[Connection, Task], None]


def _lying(connection: Connection, encloser: Encloser, lie: str) -> None:
    send_answer(connection, Answer(READY))
    while True:
        task, _ = encloser.take(Task)
        LIES[lie](connection, task)


def nonsense(connection: Connection, task: Task) -> None:
    connection.send_bytes(b"\x80\x04cposix\nsystem\n")


def other_types(connection: Connection, task: Task) -> None:
    connection.send_bytes(b'["0", [], {}, null, true, [1], 5]')


def another_number(connection: Connection, task: Task) -> None:
    send_answer(connection, Answer(task.number + 1))


def unknown_code(connection: Connection, task: Task) -> None:
    send_answer(connection, Answer(task.number, code="DECODE-99", reason="odd"))


def escape_codes(connection: Connection, task: Task) -> None:
    send_answer(connection, Answer(task.number, code="DECODE-01", reason="\x1b]0;title\x07"))


def no_hash(connection: Connection, task: Task) -> None:
    send_answer(connection, Answer(task.number, "../../" + "0" * 58))


def too_large_a_film(connection: Connection, task: Task) -> None:
    send_answer(connection, Answer(task.number, film=(10**6, 10**6)))


def too_long(connection: Connection, task: Task) -> None:
    connection.send_bytes(b" " * 2**20)


def half_a_message(connection: Connection, task: Task) -> None:
    os.write(connection.fileno(), (50).to_bytes(4, "big") + b"[")
    time.sleep(1000)


def other_codecs(connection: Connection, task: Task) -> None:
    os._exit(child.NEEDS_OTHER_CODECS)


def closes_everything_and_stays(connection: Connection, task: Task) -> None:
    for handle in range(3, 256):
        if handle != connection.fileno():
            try:
                os.close(handle)
            except OSError:
                continue
    time.sleep(1000)


LIES: dict[str, Lie] = {
    lie.__name__: lie
    for lie in (
        nonsense, other_types, another_number, unknown_code, escape_codes, no_hash,
        too_large_a_film, too_long, half_a_message, other_codecs, closes_everything_and_stays,
    )
}  # fmt: skip


class _LyingWorker(decoder_pool._Worker):
    lie = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.close()
        child.DecoderChild.__init__(self, _lying, self.lie, name="liar", **options)


@needs_posix
@pytest.mark.parametrize("lie", LIES)
def test_whatever_a_decoder_says_its_film_is_refused_and_the_run_goes_on(
    lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_PATIENCE_S", 0.5)
    files = []
    for number in range(2):
        path = tmp_path / f"film{number}.png"
        path.write_bytes(films.encoded(films.grey_film(), "PNG"))
        files.append(ImageFile(path, path.name))
    honest = decoder_pool._Worker
    monkeypatch.setattr(decoder_pool, "_Worker", type("Liar", (_LyingWorker,), {"lie": lie}))
    begun = time.monotonic()
    with DecodePool(1, ahead=1, sizes=(SIZE,), time_limit_s=30.0) as pool:
        results = pool.decode(files, (SIZE,))
        first = next(results)
        monkeypatch.setattr(decoder_pool, "_Worker", honest)
        pool._workers[0].kill()
        second = next(results)
    assert first.code in ("DECODE-07", "DECODE-08")
    assert first.pixels == {}
    assert first.film is None
    assert first.reason.startswith("film0.png")
    assert first.reason.isprintable()
    assert second.code == ""
    assert time.monotonic() - begun < 60
