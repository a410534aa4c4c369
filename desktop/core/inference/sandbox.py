"""A panel that did not come with the app is tried in a process of its own before it runs here.

A graph is a program: one operation can ask for a terabyte or for a year of work, and nothing inside
a process can stop it. So a child with bounded memory and time loads each model and lets it answer a
few images; only a panel whose child came back sound is loaded where films are labelled. What
passed is remembered by the hashes of its files, so a panel pays once. Panels that came with the app
are as trusted as its code and pay nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import desktop
from desktop.core.errors import CxrError, ModelRefused
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.panels.registry import Panel
from desktop.core.system import strict_json
from desktop.core.system.app_dirs import data_home, make_private_folder
from desktop.core.system.atomic_write import atomic_write_text
from desktop.core.system.processes import ChildProcess, expect_the_worst, limit_memory
from desktop.core.system.text import display_name, printable

TIME_LIMIT_S = 120.0
"""Seconds a panel may take to load and to answer; the shipped ones take one or two."""

_ROOM_BYTES = 4 * 2**30
_ROOM_PER_BYTE = 6
"""A loaded model is in memory as its file, as its weights and as kernels pack them."""
_GRACE_S = 5.0
_LONG = 2**16


def check_in_sandbox(
    panel: Panel,
    plan: PrecisionPlan = ALL_FP32,
    *,
    home: Path | None = None,
    time_limit_s: float | None = None,
) -> None:
    """Refuse a foreign panel that does not load and answer within time and memory.

    Returns at once for panels that came with the app and for those that passed before.

    Args:
        panel: Opened and verified.
        plan: In which precision its models will run.
        home: Home of what passed, None for the user's.
        time_limit_s: None = ``TIME_LIMIT_S``.

    Raises:
        ModelRefused: MODEL-14 where it hangs or ends its process, MODEL-12 where it needs too much
            memory, others as ``PanelSession``.
    """
    if panel.shipped:
        return
    passed = _pass_path(panel, plan, home)
    if passed.is_file():
        return
    _run_trial(panel, plan, TIME_LIMIT_S if time_limit_s is None else time_limit_s)
    # Not remembered on a disk that is full or read-only: then it is tried again the next time.
    with contextlib.suppress(OSError, CxrError):
        make_private_folder(passed.parent)
        with atomic_write_text(passed) as stream:
            stream.write(json.dumps({"panel": panel.name, "version": panel.version}) + "\n")


def room_bytes(panel: Panel, streams: int = 1) -> int:
    """Address space that a foreign panel, run in ``streams`` at once, may add to a process."""
    files = sum(model.size_bytes for model in panel.models)
    files += panel.lungs.size_bytes if panel.lungs is not None else 0
    return _ROOM_BYTES + 2**30 * (max(1, streams) - 1) + _ROOM_PER_BYTE * files


@contextlib.contextmanager
def bounded_memory(panel: Panel, streams: int = 1, device: str = "cpu") -> Iterator[None]:
    """While entered, a foreign panel on the processor cannot take more memory than it may.

    An operation that asks for more then costs its image a vote (MODEL-12), not the machine its
    memory. Does nothing for panels that came with the app, on accelerators, whose drivers reserve
    any amount of address space, and on systems without such limits.
    """
    bounded = not panel.shipped and device == "cpu"
    before = limit_memory(room_bytes(panel, streams)) if bounded else None
    try:
        yield
    finally:
        if before is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, before)


def _pass_path(panel: Panel, plan: PrecisionPlan, home: Path | None) -> Path:
    import onnxruntime

    facts = (panel.fingerprint, plan.identity, desktop.__version__, onnxruntime.__version__)
    name = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]
    return data_home(home) / "tried-panels" / f"{name}.json"


def _run_trial(panel: Panel, plan: PrecisionPlan, time_limit_s: float) -> None:
    child = ChildProcess(_load_and_answer, panel, plan, time_limit_s, name="model-trial")
    title, end = "A model", time.monotonic() + time_limit_s
    try:
        while child.connection.poll(max(0.0, end - time.monotonic())):
            # A graph that took the process over must not send objects.
            text = child.receive(_LONG, _GRACE_S).decode()
            code, sentence = (printable(str(word)) for word in strict_json.parse(text))
            if code:
                raise ModelRefused(code, sentence)
            if not sentence:
                return
            title = sentence
        why = f"did not load and answer a test image within {time_limit_s:g} seconds"
    except (EOFError, OSError, ValueError, TypeError):
        why = "ended the process that tried it, as too large or damaged graphs do"
    finally:
        child.close()
    raise ModelRefused(
        "MODEL-14",
        f"{title} of {display_name(panel.folder)} {why}, so the panel is not run. Export it "
        "again, or use "
        "another panel.",
    )


def _load_and_answer(
    connection: Connection, panel: Panel, plan: PrecisionPlan, time_limit_s: float
) -> None:
    """Load each model and ask it about images; the parent hears titles, then the end."""
    expect_the_worst(time_limit_s + _GRACE_S)

    def say(code: str, sentence: str) -> None:
        connection.send_bytes(json.dumps([code, sentence]).encode())

    try:
        limit_memory(room_bytes(panel))
        _answer_test_images(panel, plan, lambda title: say("", title))
        say("", "")
    except CxrError as problem:
        say(problem.code, str(problem))
    except MemoryError:
        say(
            "MODEL-12",
            f"A model of {display_name(panel.folder)} needs more memory than a panel may have "
            "and is not "
            "run. Export it again.",
        )


def _answer_test_images(panel: Panel, plan: PrecisionPlan, begin: Callable[[str], None]) -> None:
    import numpy as np
    import numpy.typing as npt

    from desktop.core.inference.session import PanelSession

    def images(size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """A graph may go by what it sees, and a session has seen plain grey only."""
        height, width = size
        drawn = np.zeros((4, height, width, 1), np.uint8)
        drawn[1] = 255
        drawn[2] = np.linspace(0, 255, height, dtype=np.uint8)[:, np.newaxis, np.newaxis]
        drawn[3] = np.random.default_rng(0).integers(0, 256, (height, width, 1), np.uint8)
        return drawn

    for model in panel.models:
        begin(model.card.title)
        alone = replace(panel, models=(model,), lungs=None)
        session = PanelSession(alone, "cpu", on_cpu=plan)
        session.predict(images(model.card.input_size), maps=True)
    if panel.lungs is not None:
        begin("The network that finds the lungs")
        session = PanelSession(
            replace(panel, models=panel.models[:1]), "cpu", on_cpu=plan, lungs=True
        )
        session.find_lungs(images(panel.lungs.card.input_size))
