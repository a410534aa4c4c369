"""The verdict in words: pure functions from a result to title and sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

from desktop.core.cases import CaseResult, Verdict
from desktop.core.heatmaps.grad_cam import MarginShare, margin_share
from desktop.gui.panel_info import ModelFacts, PanelInfo
from desktop.gui.presenters.badges import BadgeSpec

StripState = Literal["voted", "waiting", "blind", "failed"]


@dataclass(frozen=True)
class VerdictText:
    """What the panel says.

    Attributes:
        title: Class name, "No consensus", "Your label first", "Not read" or "Waiting".
        sentence: Count, dissent and rule, or the reason.
        state: State of the vote strip.
    """

    title: str
    sentence: str
    state: StripState


translate = QCoreApplication.translate
# Share of votes kept with covered lungs from which on the reader is warned.
MOSTLY_KEPT = 0.5


def verdict_text(
    result: CaseResult | None,
    panel: PanelInfo,
    *,
    blind: bool,
    accept_key: str = "",
    label_keys: Sequence[str] = (),
) -> VerdictText:
    """Words for a result; None = the models have not read the image yet."""
    if result is not None and result.status == "failed":
        return VerdictText(translate("Verdict", "Not read"), result.reason, "failed")
    if blind:
        keys = [key for key in label_keys if key]
        if not keys:
            return VerdictText(
                translate("Verdict", "Your label first"),
                translate("Verdict", "The votes appear after you label."),
                "blind",
            )
        listed = keys[0]
        if len(keys) > 1:
            listed = translate("Verdict", "{keys} or {last}").format(
                keys=", ".join(keys[:-1]), last=keys[-1]
            )
        sentence = translate("Verdict", "The votes appear after you press {keys}.").format(
            keys=listed
        )
        return VerdictText(translate("Verdict", "Your label first"), sentence, "blind")
    if result is None or result.verdict is None:
        return VerdictText(
            translate("Verdict", "Waiting"),
            translate("Verdict", "The models have not read this image yet."),
            "waiting",
        )
    verdict = result.verdict
    if verdict.consensus is None:
        return VerdictText(
            translate("Verdict", "No consensus"), tie_sentence(verdict, panel), "voted"
        )
    parts = [
        translate("Verdict", "{agreeing} of {models}.").format(
            agreeing=verdict.agreement, models=len(panel.models)
        ),
        *_dissents(verdict, panel),
    ]
    if accept_key and not verdict.none_of_these:
        parts.append(translate("Verdict", "{key} accepts.").format(key=accept_key))
    return VerdictText(panel.class_names[verdict.consensus], " ".join(parts), "voted")


def tie_sentence(verdict: Verdict, panel: PanelInfo) -> str:
    """``2 Covid, 2 Viral Pneumonia. Majority needs 3 of 4.``"""
    rule = translate("Verdict", "Majority needs {needed} of {models}.").format(
        needed=panel.majority, models=len(panel.models)
    )
    return f"{tie_counts(verdict, panel)}. {rule}"


def tie_counts(verdict: Verdict, panel: PanelInfo) -> str:
    """``2 Covid, 2 Viral Pneumonia``, most votes first."""
    counts = Counter(vote for vote in verdict.votes if vote is not None)
    # Three answers and the rule fit the narrowest panel only with short names.
    names = panel.class_names if len(counts) < 3 else panel.short_names
    answers = [f"{count} {names[vote]}" for vote, count in counts.most_common()]
    silent = sum(vote is None for vote in verdict.votes)
    if silent:
        answers.append(translate("Verdict", "{count} no answer").format(count=silent))
    return ", ".join(answers)


def _dissents(verdict: Verdict, panel: PanelInfo) -> list[str]:
    """``CCNN says Normal.`` for each model outside the consensus."""
    sentences = []
    for model, vote in zip(panel.models, verdict.votes, strict=True):
        if vote is None:
            sentences.append(
                translate("Verdict", "{model} gave no answer.").format(model=model.title)
            )
        elif vote != verdict.consensus:
            name = panel.short_names[vote]
            sentences.append(
                translate("Verdict", "{model} says {name}.").format(model=model.title, name=name)
            )
    return sentences


def ood_badge(verdict: Verdict) -> BadgeSpec:
    """The out-of-distribution badge with its score."""
    sentence = translate("Verdict", "Unlike the training images, so the votes may mean little.")
    if verdict.ood_score is not None:
        figure = translate(
            "Verdict", "Score {score}; 95 % of the validation images stay below 1."
        ).format(score=f"{verdict.ood_score:.2f}")
        sentence = f"{sentence} {figure}"
    return BadgeSpec(
        "ood", "out-of-distribution", translate("Verdict", "Out of distribution"), sentence
    )


def none_badge(verdict: Verdict) -> BadgeSpec:
    """The badge of a film that looks like none of the panel's classes, with its score."""
    sentence = translate(
        "Verdict",
        "Looks like something that is none of the classes, so the vote may be the nearest wrong one"
        " and Enter does not accept it.",
    )
    if verdict.none_score is not None:
        figure = translate("Verdict", "Score {score} of 1.").format(
            score=f"{verdict.none_score:.2f}"
        )
        sentence = f"{sentence} {figure}"
    return BadgeSpec("none", "out-of-distribution", translate("Verdict", "None of these"), sentence)


def no_lungs_badge() -> BadgeSpec:
    """The badge of a film on which the panel's network found no lungs."""
    return BadgeSpec(
        "no-lungs",
        "lungs-covered",
        translate("Verdict", "No lungs found"),
        translate(
            "Verdict",
            "No lungs were found, so this may be no chest film and the votes mean little.",
        ),
    )


def alarm_sentence(model_title: str, share: MarginShare) -> str:
    """How much of a map lies where no lung is, and what to do."""
    return translate("Verdict", "{percent} % of the heatmap of {model} lies at the border.").format(
        percent=round(100 * max(share.border, share.corners)), model=model_title
    )


def lungs_sentence(model: ModelFacts, class_index: int, class_name: str) -> str:
    """What the test with covered lungs says of this model's vote; empty without reason to warn."""
    share = model.share_kept(class_index)
    if share is None or share <= MOSTLY_KEPT:
        return ""
    return translate(
        "Verdict",
        "With the lungs covered, {model} kept {percent} % of its votes for {label}.",
    ).format(model=model.title, label=class_name, percent=round(100 * share))


def lungs_badge(result: CaseResult, panel: PanelInfo) -> BadgeSpec | None:
    """The caution that this label mostly survives without lungs, None where it does not."""
    kept: dict[int, list[str]] = {}
    for prediction in result.predictions:
        index = panel.model_index(prediction.model)
        share = None if index is None else panel.models[index].share_kept(prediction.vote)
        if index is not None and share is not None and share > MOSTLY_KEPT:
            text = f"{panel.models[index].title} {round(100 * share)} %"
            kept.setdefault(prediction.vote, []).append(text)
    if not kept:
        return None
    sentences = [
        translate(
            "Verdict", "Votes for {label} that stayed when lungs were covered: {models}."
        ).format(label=panel.class_names[vote], models=", ".join(models))
        for vote, models in kept.items()
    ]
    advice = translate("Verdict", "So the vote alone does not show that the lungs were read.")
    return BadgeSpec(
        "lungs",
        "lungs-covered",
        translate("Verdict", "Stays without lungs"),
        " ".join([*sentences, advice]),
    )


def alarm_badge(result: CaseResult, panel: PanelInfo) -> BadgeSpec | None:
    """The shortcut alarm for the maps of the predicted classes, None where there is no reason."""
    sentences = []
    for prediction in result.predictions:
        index = panel.model_index(prediction.model)
        if index is None or prediction.cams is None:
            continue
        share = margin_share(prediction.cams[prediction.vote])
        if share.alarming:
            sentences.append(alarm_sentence(panel.models[index].title, share))
    if not sentences:
        return None
    advice = translate("Verdict", "Compare with the lungs covered.")
    return BadgeSpec(
        "shortcut",
        "shortcut-alarm",
        translate("Verdict", "Shortcut alarm"),
        " ".join([*sentences, advice]),
    )


def strip_text(votes: Sequence[int | None], state: StripState, panel: PanelInfo) -> str:
    """The strip in words, for screen readers and tips: ``SCNN Covid, CCNN Viral Pneumonia``."""
    if state == "blind":
        return translate("VoteStrip", "Votes hidden until you label")
    if state == "waiting":
        return translate("VoteStrip", "Waiting for the models")
    if state == "failed":
        return translate("VoteStrip", "Image not read, no votes")
    parts = []
    for model, vote in zip(panel.models, votes, strict=True):
        answer = translate("VoteStrip", "no answer") if vote is None else panel.class_names[vote]
        parts.append(f"{model.title} {answer}")
    return ", ".join(parts)
