"""A finished image's answer as text that gives back exactly the same numbers.

Journals of runs and the part files of a cluster keep answers this way; what follows from an answer
(the verdict) is computed again, so it can never contradict it.
"""

from __future__ import annotations

import json
from typing import Literal

from desktop.core.cases import CaseResult, Prediction
from desktop.core.panels.registry import Panel
from desktop.core.vote import verdict


def dump_result(result: CaseResult) -> str:
    """What ``load_result`` needs besides name and hash, as one line of ASCII JSON."""
    values: dict[str, object] = {
        "status": result.status,
        "code": result.code,
        "reason": result.reason,
        "predictions": [
            [item.model, item.probabilities, item.ood_score, *_given(item.none_of_these)]
            for item in result.predictions
        ],
    }
    if result.lungs_found is not None:
        values["lungs_found"] = result.lungs_found
    return json.dumps(values)


def load_result(panel: Panel, image: str, sha256: str, answer: str) -> CaseResult:
    """The result again, without maps.

    Args:
        image: Name of the image in the table.
        sha256: Hash of the file's bytes, empty where it could not be read.
        answer: What ``dump_result`` made.
    """
    values = json.loads(answer)
    predictions = tuple(
        Prediction(model, tuple(probabilities), score, none_of_these=none[0] if none else None)
        for model, probabilities, score, *none in values["predictions"]
    )
    return CaseResult(
        image=image,
        sha256=sha256,
        status=values["status"],
        code=values["code"],
        reason=values["reason"],
        predictions=predictions,
        verdict=verdict(
            predictions,
            panel.model_names,
            len(panel.class_names),
            panel.ood_limit,
            panel.none_limit,
        )
        if predictions
        else None,
        lungs_found=values.get("lungs_found"),
    )


def _given(score: float | None) -> tuple[float, ...]:
    """Nothing where a model does not say: answers of version 1 panels stay as they were."""
    return () if score is None else (score,)


def recheck(result: CaseResult) -> Literal["label", "time", "content"]:
    """What a rerun must do about an image of an earlier run whose size and time are the same.

    Returns:
        ``label`` where the file could not be read or a model failed, which may have been for a
        moment; ``time`` where it was refused: nothing more is read of it; ``content`` where it was
        labelled: its hash decides.
    """
    if not result.sha256 or result.code.startswith("MODEL-"):
        return "label"
    return "time" if result.status == "failed" else "content"
