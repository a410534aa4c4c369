"""What the painted widgets need to know of a panel: names, letters, colours, operating points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from desktop.core.panels.contract import ModelCard, snake_case

_SHORT_LENGTH = 9
_NORMAL_SLOT = 1


@dataclass(frozen=True)
class ModelFacts:
    """One model of a panel.

    Attributes:
        name: Column name, e.g. ``scnn``.
        title: Name for people, e.g. ``SCNN``.
        letter: One letter, unique in the panel, above the vote strip.
        operating_points: Probability at which each class is called, panel order; None where unset.
        version: Version of the weights.
        kept_without_lungs: Share of the votes for each class that stayed when the lungs of test
            films were covered, panel order; None where nobody has measured it.
    """

    name: str
    title: str
    letter: str
    operating_points: tuple[float | None, ...]
    version: str = ""
    kept_without_lungs: tuple[float | None, ...] = ()

    def share_kept(self, class_index: int) -> float | None:
        """As ``kept_without_lungs``, for one class."""
        shares = self.kept_without_lungs
        return shares[class_index] if class_index < len(shares) else None


@dataclass(frozen=True)
class PanelInfo:
    """One panel as the reader sees it.

    Attributes:
        name: e.g. ``covid19``.
        title: e.g. ``COVID-19, normal, viral pneumonia``.
        class_names: Class vocabulary in output order, K of them.
        short_names: As short as stays clear, e.g. ``Viral``; K unique names.
        class_letters: One unique letter a class, K of them; never left out on screen.
        slots: Class colour of each class as index into ``Tokens.classes``. "Normal" is always
            the same colour, in every panel.
        models: The models in panel order.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    short_names: tuple[str, ...]
    class_letters: tuple[str, ...]
    slots: tuple[int, ...]
    models: tuple[ModelFacts, ...]

    @property
    def majority(self) -> int:
        """Votes that a consensus needs: more than half of the panel."""
        return len(self.models) // 2 + 1

    def model_index(self, name: str) -> int | None:
        """Position of a model in the panel, None if it is not in it."""
        for index, model in enumerate(self.models):
            if model.name == name:
                return index
        return None


def panel_facts(name: str, title: str, cards: Sequence[ModelCard]) -> PanelInfo:
    """Collect the facts of a panel from the cards of its models, in panel order.

    Raises:
        ValueError: if there are no cards; their vocabularies are equal by contract.
    """
    if not cards:
        raise ValueError("a panel has at least one model")
    facts = make_panel_facts(
        name,
        title,
        cards[0].class_names,
        [(card.name, card.title, card.operating_points, card.version) for card in cards],
    )
    models = tuple(
        replace(
            model,
            kept_without_lungs=tuple(
                card.lungs.get(class_name, {}).get("kept_without_lungs")
                for class_name in facts.class_names
            ),
        )
        for model, card in zip(facts.models, cards, strict=True)
    )
    return replace(facts, models=models)


def make_panel_facts(
    name: str,
    title: str,
    class_names: Sequence[str],
    models: Sequence[tuple[str, str, Mapping[str, float], str]],
) -> PanelInfo:
    """The same from plain values; ``models`` are (name, title, operating points, version)."""
    letters = unique_letters([title for _, title, _, _ in models])
    return PanelInfo(
        name=name,
        title=title,
        class_names=tuple(class_names),
        short_names=short_names(class_names),
        class_letters=unique_letters(class_names),
        slots=colour_slots(class_names),
        models=tuple(
            ModelFacts(
                model,
                model_title,
                letter,
                tuple(points.get(class_name) for class_name in class_names),
                version,
            )
            for (model, model_title, points, version), letter in zip(models, letters, strict=True)
        ),
    )


def unique_letters(names: Sequence[str]) -> tuple[str, ...]:
    """One capital a name: its initial, else another of its letters, else the next digit."""
    taken: list[str] = []
    for position, name in enumerate(names):
        candidates = [char.upper() for char in name if char.isalnum()]
        spare = [str(digit) for digit in range(1, 10)] + [chr(code) for code in range(65, 91)]
        free = [char for char in candidates + spare if char not in taken and len(char) == 1]
        # More than 35 names: repeat rather than fail, the full name stays in the tip.
        taken.append(free[0] if free else str(position % 10))
    return tuple(taken)


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """First words of long names where they stay unique: ``Viral Pneumonia`` -> ``Viral``."""
    firsts = [
        name.split()[0] if len(name) > _SHORT_LENGTH and name.split() else name for name in names
    ]
    return tuple(
        first if firsts.count(first) == 1 else name
        for first, name in zip(firsts, names, strict=True)
    )


def colour_slots(names: Sequence[str]) -> tuple[int, ...]:
    """Colour of each class: "Normal" keeps its own, the others take the rest in order."""
    has_normal = any(snake_case(name) == "normal" for name in names)
    others = (slot for slot in range(len(names) + 1) if not (has_normal and slot == _NORMAL_SLOT))
    return tuple(_NORMAL_SLOT if snake_case(name) == "normal" else next(others) for name in names)
