"""``cxr-train audit``: is a data set fit to be trained on and to be scored on?

Two questions with two answers. *As the folders came*: does a film, or a person, stand in both the
training and the test folder, and what gives the class away? *As training uses them*: what is left
after :func:`training.data.split.split` has taken leaks out. ``cxr-train fit`` refuses the second
kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.errors import UsageError
from training.audit.copies import Copy, Sameness, SharedPerson, find_sameness
from training.audit.shortcut_probe import (
    ALL_CUES,
    KINDS,
    Cues,
    Probe,
    cues_of,
    probe,
    probe_between,
)
from training.data.split import DROPPED, GUARD, LEAKED, TRAIN, SplitData

LEAK_CODE = "SPLIT-01"
#: Films that a cross-validated answer is drawn from at most: more narrows no interval that matters.
_MOST_PROBED = 2500


@dataclass(frozen=True)
class Audit:
    """What was found in the films of one panel.

    Attributes:
        panel: Name of the panel.
        class_names: Its classes.
        films: ``<set>: <class>`` -> side in use -> number of films.
        sameness: Copies and people.
        marks: ``<set>: <class>`` -> share of films with a burnt-in mark, and number of films.
        probes: Predictions of the shortcut probe.
        notes: What the split counted and left out.
    """

    panel: str
    class_names: tuple[str, ...]
    films: dict[str, dict[str, int]]
    sameness: Sameness
    marks: dict[str, tuple[float, int]]
    probes: tuple[Probe, ...]
    notes: dict[str, int]

    @property
    def leaks_on_disk(self) -> tuple[Copy | SharedPerson, ...]:
        """Films and people in both the training and the test folders."""
        return tuple(item for item in self._items() if item.leaks_on_disk)

    @property
    def leaks_in_use(self) -> tuple[Copy | SharedPerson, ...]:
        """Films and people on two sides of the split that training uses."""
        return tuple(item for item in self._items() if item.leaks_in_use)

    def leaks(self, *, repaired: bool = False) -> bool:
        """True where the audit fails; ``repaired`` judges only the split that training uses."""
        return bool(self.leaks_in_use) or (not repaired and bool(self.leaks_on_disk))

    def _items(self) -> tuple[Copy | SharedPerson, ...]:
        return (*self.sameness.copies, *self.sameness.people)


def audit_split(
    data: SplitData, root: Path, *, on_stage: Callable[[str], None] = lambda _: None
) -> Audit:
    """Look at everything."""
    on_stage("copies and people")
    sameness = find_sameness(data, root)
    on_stage("margins and marks")
    cues = cues_of(data.pixels, [film.path for film in data.films])
    counts: dict[str, Counter[str]] = {}
    marked: dict[str, list[bool]] = {}
    mark_column = cues.values[:, cues.names.index("marks")] > 0
    for index, film in enumerate(data.films):
        key = f"{film.source}: {film.label}"
        counts.setdefault(key, Counter())[data.sides[index]] += 1
        marked.setdefault(key, []).append(bool(mark_column[index]))
    probes = _probes(data, cues, sameness.families, on_stage)
    return Audit(
        data.recipe.panel,
        data.recipe.class_names,
        {key: dict(sorted(row.items())) for key, row in sorted(counts.items())},
        sameness,
        {key: (float(np.mean(row)), len(row)) for key, row in sorted(marked.items())},
        tuple(probes),
        dict(data.notes),
    )


def _probes(
    data: SplitData, cues: Cues, families: npt.NDArray[np.int64], on_stage: Callable[[str], None]
) -> list[Probe]:
    out = (DROPPED, LEAKED, GUARD)
    names = data.recipe.class_names
    # Guards have no label, films of none of the classes have one more than there are classes.
    of_a_class = (data.labels >= 0) & (data.labels < len(names))
    kept = np.array([side not in out for side in data.sides]) & of_a_class
    sources = np.array([film.source for film in data.films])
    found: list[Probe] = []

    def ask(chosen: npt.NDArray[np.int64], what: str, kinds: tuple[str, ...]) -> None:
        on_stage(f"shortcut probe: {what}")
        chosen = np.sort(np.random.default_rng(17).permutation(chosen)[:_MOST_PROBED])
        part = Cues(cues.names, cues.kinds, cues.values[chosen])
        labels = data.labels[chosen]
        found.extend(
            probe(part, labels, families[chosen], names, what=what, kind=kind) for kind in kinds
        )

    ask(np.flatnonzero(kept), "whole panel", (ALL_CUES, *KINDS))
    for source in sorted(set(sources[kept].tolist())):
        ask(np.flatnonzero(kept & (sources == source)), source, (ALL_CUES,))
    learn = data.indices(TRAIN)
    for side in data.test_sides:
        on_stage(f"shortcut probe: {side}")
        what = f"learnt on train, asked of {side}"
        found.append(probe_between(cues, data.labels, learn, data.indices(side), names, what=what))
    return found


def refuse_leaks(data: SplitData, root: Path, *, allow: bool = False) -> None:
    """Stop before a training run whose score would mean nothing.

    Args:
        data: The split that training would use.
        allow: Train all the same.

    Raises:
        UsageError: SPLIT-01, a film or a person stands on two sides that must not share one.
    """
    if allow:
        return
    sameness = find_sameness(data, root)
    copies = [copy for copy in sameness.copies if copy.leaks_in_use]
    people = [person for person in sameness.people if person.leaks_in_use]
    if not copies and not people:
        return
    example = (
        f"{copies[0].first} ({copies[0].used[0]}) and {copies[0].second} ({copies[0].used[1]})"
        if copies
        else f"{people[0].person} in {' and '.join(sorted(people[0].used))}"
    )
    raise UsageError(
        LEAK_CODE,
        f"The split leaks: {len(copies)} pairs of copies and {len(people)} people stand on two "
        f"sides, for instance {example}. A score on such a split is too good. Move them to one "
        "side (cxr-train audit lists them all), or train all the same with --allow-leaks.",
    )
