"""The numbers of the batch page, counted over whole columns. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desktop.core.review.case_table import FAILED, READ, CaseTable, split_text


@dataclass(frozen=True)
class AgreementLine:
    """How often the votes divide like this.

    Attributes:
        split: Group sizes from the largest, e.g. ``3-1``.
        count: Images.
        share: Of all images with votes, 0 to 1.
    """

    split: str
    count: int
    share: float


@dataclass(frozen=True)
class BatchFigures:
    """What came out of a run so far.

    Attributes:
        read: Images with votes.
        failed: Images that could not be read.
        out_of_distribution: Images unlike the training images.
        votes: Model x class counts, panel order.
        consensus: Images by consensus class.
        no_consensus: Images without one.
        agreement: From unanimous to most divided.
        dissents: Model -> images in which it alone voted otherwise, all others agreeing.
        kappa: Fleiss' kappa over the models (Fleiss 1971), None where it is not defined.
        failures: (image, code, sentence) of each failed file, folder order.
    """

    read: int
    failed: int
    out_of_distribution: int
    votes: tuple[tuple[int, ...], ...]
    consensus: tuple[int, ...]
    no_consensus: int
    agreement: tuple[AgreementLine, ...]
    dissents: tuple[int, ...]
    kappa: float | None
    failures: tuple[tuple[str, str, str], ...]


def batch_figures(table: CaseTable) -> BatchFigures:
    """Count everything; a few milliseconds for 100,000 images."""
    classes, models = len(table.class_names), len(table.model_names)
    status = table.column("status")
    read = status == READ
    votes = table.column("votes")[read]
    consensus = table.column("consensus")[read]
    split = table.column("split")[read]
    total = int(read.sum())
    codes, counts = np.unique(split[split > 0], return_counts=True)
    lines = [
        AgreementLine(split_text(int(code)), int(count), int(count) / max(1, total))
        for code, count in zip(codes, counts, strict=True)
    ]
    lines.sort(key=lambda line: [-int(size) for size in line.split.split("-")])
    failed = np.flatnonzero(status == FAILED).tolist()
    return BatchFigures(
        read=total,
        failed=len(failed),
        out_of_distribution=int(table.column("ood")[read].sum()),
        votes=tuple(
            tuple(int((votes[:, model] == index).sum()) for index in range(classes))
            for model in range(models)
        ),
        consensus=tuple(int((consensus == index).sum()) for index in range(classes)),
        no_consensus=int((consensus < 0).sum()),
        agreement=tuple(lines),
        dissents=_dissents(votes),
        kappa=fleiss_kappa(votes, classes),
        failures=tuple((table.images[case], *table.refusal(case)) for case in failed),
    )


def fleiss_kappa(votes: np.ndarray, classes: int) -> float | None:  # type: ignore[type-arg]
    """Agreement of the models beyond chance, over images that every model answered.

    Args:
        votes: int [n, M] class indices, negative for no answer.
        classes: K.
    """
    complete = votes[(votes >= 0).all(axis=1)]
    count, raters = complete.shape
    if not count or raters < 2:
        return None
    tally = np.stack([(complete == index).sum(axis=1) for index in range(classes)], axis=1)
    observed = ((tally**2).sum(axis=1) - raters).mean() / (raters * (raters - 1))
    chance = float(((tally.sum(axis=0) / (count * raters)) ** 2).sum())
    if chance >= 1:
        return None
    return float((observed - chance) / (1 - chance))


def _dissents(votes: np.ndarray) -> tuple[int, ...]:  # type: ignore[type-arg]
    models = votes.shape[1]
    found = []
    for model in range(models):
        others = np.delete(votes, model, axis=1)
        if others.shape[1] < 2:
            found.append(0)
            continue
        agree = (others == others[:, :1]).all(axis=1) & (others[:, 0] >= 0)
        found.append(
            int((agree & (votes[:, model] != others[:, 0]) & (votes[:, model] >= 0)).sum())
        )
    return tuple(found)
