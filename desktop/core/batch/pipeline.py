"""A folder through a panel: decode ahead, infer in micro-batches, vote; in order, bounded memory.

The window and the command line loop over the same generator. One bad file is a result with a code;
it never ends a batch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from desktop.core.cases import CaseResult, ImageFile, without_maps
from desktop.core.imaging.decoders.decoder import Decoded, Decoder, ThreadDecoder
from desktop.core.inference.predictions import PanelPrediction
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel
from desktop.core.system.cancel_token import CancelToken
from desktop.core.vote import verdict

# Weights are read once a batch: 8 images take 2 % less time an image than batches of 4, 16 another
# 2 % or so, but then a folder's first row waits for 16 films and its end leaves cores idle.
DEFAULT_BATCH = 8
MAX_REFUSED_IN_BATCH = 32

Draw = Callable[[CaseResult, npt.NDArray[np.uint8]], object]
SaveLungs = Callable[[CaseResult, tuple[int, int]], object]


@dataclass(frozen=True)
class BatchPlan:
    """How a batch uses a machine's cores.

    Attributes:
        streams: Micro-batches that run at once, each on one thread: nothing waits for the slowest
            part of an operator, so no core idles.
        decoders: Child processes that decode; a full-size film takes a fifth of a core's time to
            decode, so half as many as streams are plenty. Two cores have two all the same: they
            fill every gap that the streams leave, first of all when a run begins.
        batch: Images in a micro-batch.
        ahead: Files decoded before the models ask for them; bounds the memory.
    """

    streams: int
    decoders: int
    batch: int
    ahead: int


def batch_plan(threads: int, batch: int | None = None) -> BatchPlan:
    """The plan for a number of processor threads; the models and the decoders share them."""
    size = batch or DEFAULT_BATCH
    return BatchPlan(
        streams=threads,
        decoders=max(min(threads, 2), (threads + 1) // 2),
        batch=size,
        ahead=max(16, 4 * size * threads),
    )


@dataclass(frozen=True)
class LabelledCase:
    """A result, with what only this moment has.

    Attributes:
        result: The case; its predictions carry maps where they were asked for.
        decode_seconds: Time of reading and decoding this file.
        infer_seconds: Its share of the time of its micro-batch.
        device: Where the models ran, as the sessions said after they answered.
        closes_batch: The last of its micro-batch. What is durable should end here: then a rerun
            forms the same batches as a run that was never stopped, down to the last bit.
    """

    result: CaseResult
    source: ImageFile
    decode_seconds: float
    infer_seconds: float
    device: str
    closes_batch: bool


def label(
    sources: Iterable[ImageFile],
    session: PanelSession,
    *,
    maps: bool = True,
    batch: int | None = None,
    decoder: Decoder | None = None,
    cancel: CancelToken | None = None,
    draw: Draw | None = None,
    save_lungs: SaveLungs | None = None,
) -> Iterator[LabelledCase]:
    """Label files, one case a file, in order.

    Args:
        sources: Files; read lazily, so a folder may still be listed while the first are labelled.
        session: The loaded panel; ``session.streams`` micro-batches run at once.
        maps: Keep Grad-CAM maps in the predictions.
        batch: Images in a micro-batch; None = what the session's probe found, else the usual.
        decoder: Decodes ahead; None = threads of this process.
        cancel: When set, no new file is begun; those in hand are finished and yielded.
        draw: Called with each answered case (maps included) and its reduced film uint8 [H, W], on
            the thread that labelled it, so that pictures are drawn while others are labelled. What
            it raises ends the run.
        save_lungs: Called likewise with each case that has a mask of the lungs and the film's own
            (height, width).

    Yields:
        One case a source. Closing the generator stops at once and leaves no thread behind.
    """
    token = cancel or CancelToken()
    panel = session.panel
    decoding = (decoder or ThreadDecoder(session.streams)).decode(
        _until_cancelled(sources, token), panel.decode_sizes, film=draw is not None
    )
    pool = ThreadPoolExecutor(session.streams, thread_name_prefix="infer")
    running: deque[Future[list[LabelledCase]]] = deque()
    try:
        size = batch or session.report.batch or DEFAULT_BATCH
        for group in _micro_batches(decoding, max(1, size)):
            running.append(pool.submit(_label_group, group, session, maps, draw, save_lungs))
            # One group waits behind those that run, so that no stream ever idles.
            while len(running) > session.streams or (running and running[0].done()):
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        closing = getattr(decoding, "close", None)
        if closing is not None:
            closing()


def case_result(decoded: Decoded, answer: PanelPrediction | None, panel: Panel) -> CaseResult:
    """Put one file's decoding and answers together.

    A case is ``ok`` if at least one model answered; a missing vote then still leaves its code and
    reason in the row.
    """
    refused = CaseResult(
        decoded.source.image, decoded.sha256, "failed", decoded.code, decoded.reason
    )
    if answer is None:
        return refused
    if not answer.predictions:
        return replace(refused, code=answer.code, reason=answer.reason)
    return CaseResult(
        image=decoded.source.image,
        sha256=decoded.sha256,
        status="ok",
        code=answer.code,
        reason=answer.reason,
        predictions=answer.predictions,
        verdict=verdict(
            answer.predictions,
            panel.model_names,
            len(panel.class_names),
            panel.ood_limit,
            panel.none_limit,
        ),
        lungs_found=None if answer.lungs is None else answer.lungs.found,
        lungs_mask=None if answer.lungs is None else answer.lungs.mask,
    )


def _until_cancelled(sources: Iterable[ImageFile], token: CancelToken) -> Iterator[ImageFile]:
    for source in sources:
        if token.cancelled:
            return
        yield source


def _micro_batches(decoding: Iterator[Decoded], batch: int) -> Iterator[list[Decoded]]:
    """Groups with up to ``batch`` decoded files; refused files ride along in order."""
    group: list[Decoded] = []
    sound = 0
    for decoded in decoding:
        group.append(decoded)
        sound += not decoded.code
        if sound == batch or len(group) - sound == MAX_REFUSED_IN_BATCH:
            yield group
            group, sound = [], 0
    if group:
        yield group


def _label_group(
    group: Sequence[Decoded],
    session: PanelSession,
    maps: bool,
    draw: Draw | None,
    save_lungs: SaveLungs | None,
) -> list[LabelledCase]:
    panel = session.panel
    sound = [decoded for decoded in group if not decoded.code]
    start = time.perf_counter()
    answers: list[PanelPrediction] = []
    if sound:
        pixels = {
            size: np.stack([item.pixels[size] for item in sound]) for size in panel.decode_sizes
        }
        answers = session.predict(pixels, maps=maps or draw is not None)
    share = (time.perf_counter() - start) / max(1, len(sound))
    in_order = iter(answers)
    cases = []
    for decoded in group:
        result = case_result(decoded, None if decoded.code else next(in_order), panel)
        if draw is not None and decoded.film is not None and result.predictions:
            draw(result, decoded.film)
        if save_lungs is not None and result.lungs_mask is not None:
            save_lungs(result, decoded.full_size)
        cases.append(
            LabelledCase(
                result=result if maps else without_maps(result),
                source=decoded.source,
                decode_seconds=decoded.seconds,
                infer_seconds=0.0 if decoded.code else share,
                device=session.report.ran,
                closes_batch=decoded is group[-1],
            )
        )
    return cases
