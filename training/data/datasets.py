"""Dataset recipes: which folders make a panel's training, validation and test sets.

A recipe is code with frozen values. Folders are relative to the data root given by ``--data``. A
folder of class folders needs no recipe: :func:`recipe_for_folder` writes one from what it finds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Role = Literal["pool", "official", "earlier", "test", "guard"]
#: Label of films that show something, but none of the panel's classes.
NONE = "none of these"


@dataclass(frozen=True)
class Source:
    """One class folder and its part in the panel.

    Attributes:
        folder: Folder relative to the data root.
        label: Class name in the panel.
        role: ``pool`` films are split into training, validation and, with ``unseen``, test.
            ``official`` is a pool whose own official test set must not pull films out of it: where
            the two overlap, the *test* film counts as leaked and is left out. ``test`` films are an
            official test. ``guard`` films are never trained on and never scored, but push their
            copies out of training (the tests of another panel that shares a pretrained network).
            ``earlier`` is a pool that the network which this one goes on from has learnt whole: a
            test film with a copy in it counts as leaked, and the copy is not trained on again.
        set_name: Name of the data set; by default the folder's first part.
        containing: Only file names with this text.
        validation: Share of the groups for validation.
        unseen: Share of the groups held out as a test that training and tuning never see.
        first_groups: Take validation from the lowest numbers instead of by hash: where an official
            test set holds the numbers before them, those are its nearest neighbours.
        weight: How often a film is drawn compared with a film of weight 1.
        finding: What the film shows, finer than the panel's classes; empty = the label.
    """

    folder: str
    label: str
    role: Role = "pool"
    set_name: str = ""
    containing: str | None = None
    validation: float = 0.1
    unseen: float = 0.0
    first_groups: bool = False
    weight: float = 1.0
    finding: str = ""

    @property
    def source(self) -> str:
        """Name of the data set."""
        return self.set_name or self.folder.split("/", 1)[0]


@dataclass(frozen=True)
class DatasetSpec:
    """A panel's data.

    Attributes:
        panel: Name of the panel, lower snake case.
        title: For people.
        class_names: Class vocabulary in output order.
        sources: The folders.
        balance: True draws every class equally often; False follows the sources' weights only.
        shift: Also fit a shift a class in calibration. Wrong where validation is easier than the
            world: the two-class validation normals are told apart almost perfectly, the official
            test's normals are known to differ from them, and a shift learnt from the former hurts
            the latter.
        false_alarms: (class, class it is called, largest share): calibration then holds this
            mistake down on validation (:func:`training.metrics.calibration.limit_false_alarms`).
        finding_shares: Finding -> share of the films drawn. With it, each finding is drawn as said,
            and within a finding the hospitals by the square root of their films: a batch mixes
            hospitals within each class. Empty: ``balance`` and the weights decide.
        label_of: Finding -> label in this panel, for films whose publisher corrects the folder.
    """

    panel: str
    title: str
    class_names: tuple[str, ...]
    sources: tuple[Source, ...]
    balance: bool = True
    shift: bool = False
    false_alarms: tuple[str, str, float] | None = None
    finding_shares: Mapping[str, float] = field(default_factory=dict)
    label_of: Mapping[str, str] = field(default_factory=dict)

    @property
    def teaches_none(self) -> bool:
        """Whether some films are taught as none of the panel's classes."""
        return any(source.label == NONE for source in self.sources)


_THREE = "covid19-image-dataset"
_TWO = "chest-xray-pneumonia-224"
_RADIOGRAPHY = "covid19-radiography-224"
_ADULTS = "adult-supplement"
_UNSEEN_BLOCKS = 0.12
_UNSEEN_ADULTS = 0.5

#: Label of each finding in each panel.
_THREE_CLASSES = {
    "Normal": "Normal",
    "Covid": "Covid",
    "Viral": "Viral Pneumonia",
    "Bacterial": NONE,
    "Pneumonia": NONE,
    "Other": NONE,
}
_TWO_CLASSES = {
    "Normal": "Normal",
    "Covid": "Pneumonia",
    "Viral": "Pneumonia",
    "Bacterial": "Pneumonia",
    "Pneumonia": "Pneumonia",
    "Other": NONE,
}
#: Normal as often as COVID-19; what is rare in life or badly labelled is drawn less.
_FINDING_SHARES = {
    "Normal": 0.32,
    "Covid": 0.26,
    "Viral": 0.13,
    "Bacterial": 0.11,
    "Pneumonia": 0.08,
    "Other": 0.10,
}


def _shared_films(label_of: Mapping[str, str], of_three: Role) -> tuple[Source, ...]:
    """The films that both panels learn from, so that they can share one network below their heads.

    Training and validation share no person and no copy with any test of either panel.

    Args:
        label_of: Finding -> label.
        of_three: Role of the three-class set's training folders: ``official`` beside its own test,
            ``earlier`` for networks that go on from three-class ones: 134 films of the two-class
            test lie there as copies.
    """

    def films(folder: str, finding: str, role: Role = "pool", **more: Any) -> Source:
        return Source(folder, label_of[finding], role, finding=finding, **more)

    return (
        films(f"{_THREE}/train/Covid", "Covid", of_three, validation=0.2),
        films(f"{_THREE}/train/Normal", "Normal", of_three, validation=0.2),
        films(f"{_THREE}/train/Viral Pneumonia", "Viral", of_three, validation=0.2),
        films(f"{_TWO}/train/NORMAL", "Normal", first_groups=True, validation=0.15),
        films(f"{_TWO}/train/PNEUMONIA", "Viral", containing="virus"),
        films(f"{_TWO}/train/PNEUMONIA", "Bacterial", containing="bacteria"),
        films(f"{_RADIOGRAPHY}/Covid", "Covid", unseen=_UNSEEN_BLOCKS),
        films(f"{_RADIOGRAPHY}/Normal", "Normal", unseen=_UNSEEN_BLOCKS),
        films(f"{_ADULTS}/Covid", "Covid", unseen=_UNSEEN_ADULTS, validation=0.15),
        films(f"{_ADULTS}/Normal", "Normal", unseen=_UNSEEN_ADULTS, validation=0.15),
        films(f"{_ADULTS}/Pneumonia", "Pneumonia", unseen=_UNSEEN_ADULTS, validation=0.15),
        films("nih-adults/Normal", "Normal", validation=0.15),
        films("nih-adults/Pneumonia", "Pneumonia", validation=0.15),
        films("nih-adults/Other", "Other", validation=0.15),
        films("montgomery/Normal", "Normal", validation=0.15),
        films("montgomery/Tuberculosis", "Other", validation=0.15),
        films("hannover/Covid", "Covid", validation=0.0),
    )


def _official(role_of_three: Role, role_of_two: Role) -> tuple[Source, ...]:
    """The official tests: a panel's own is scored, the other's only keeps its copies out."""
    return (
        *(
            Source(f"{_THREE}/test/{name}", name, role_of_three)
            for name in ("Covid", "Normal", "Viral Pneumonia")
        ),
        Source(f"{_TWO}/test/NORMAL", "Normal", role_of_two),
        Source(f"{_TWO}/test/PNEUMONIA", "Pneumonia", role_of_two),
    )


COVID19 = DatasetSpec(
    panel="covid19",
    title="COVID-19, normal, viral pneumonia",
    class_names=("Covid", "Normal", "Viral Pneumonia"),
    sources=(*_shared_films(_THREE_CLASSES, "official"), *_official("test", "guard")),
    shift=True,
    finding_shares=_FINDING_SHARES,
    label_of=_THREE_CLASSES,
)

PNEUMONIA = DatasetSpec(
    panel="pneumonia",
    title="Normal or pneumonia",
    class_names=("Normal", "Pneumonia"),
    sources=(*_shared_films(_TWO_CLASSES, "earlier"), *_official("guard", "test")),
    shift=True,
    finding_shares=_FINDING_SHARES,
    label_of=_TWO_CLASSES,
)

# Every film that neither panel tests on, with the finest label its source gives.
PRETRAINING = DatasetSpec(
    panel="pretraining",
    title="In-domain pretraining on all training folders",
    class_names=("Covid", "Normal", "Bacterial", "Viral", "Pneumonia"),
    sources=(
        Source(f"{_THREE}/train/Covid", "Covid", validation=0.2, weight=2.0),
        Source(f"{_RADIOGRAPHY}/Covid", "Covid", unseen=_UNSEEN_BLOCKS),
        Source(f"{_RADIOGRAPHY}/Normal", "Normal", unseen=_UNSEEN_BLOCKS, weight=0.8),
        Source(f"{_ADULTS}/Covid", "Covid", unseen=_UNSEEN_ADULTS, validation=0.15, weight=3.0),
        Source(f"{_ADULTS}/Normal", "Normal", unseen=_UNSEEN_ADULTS, validation=0.15, weight=2.0),
        Source(f"{_ADULTS}/Pneumonia", "Pneumonia", unseen=_UNSEEN_ADULTS, validation=0.15),
        Source(f"{_TWO}/train/NORMAL", "Normal", first_groups=True, validation=0.15),
        Source(f"{_TWO}/train/PNEUMONIA", "Bacterial", containing="bacteria"),
        Source(f"{_TWO}/train/PNEUMONIA", "Viral", containing="virus"),
        *(
            Source(f"{_THREE}/test/{name}", name, "guard")
            for name in ("Covid", "Normal", "Viral Pneumonia")
        ),
        Source(f"{_TWO}/test/NORMAL", "Normal", "guard"),
        Source(f"{_TWO}/test/PNEUMONIA", "Pneumonia", "guard"),
    ),
    balance=False,
)

# The same data under another name: a longer pretraining that goes on where the first one ended.
PRETRAINING_LONGER = dataclasses.replace(PRETRAINING, panel="pretraining_longer")

# The shipped three-class ResNet50 goes on from its last export; this makes the first one.
COVID19_FIRST = dataclasses.replace(COVID19, panel="covid19_first")

RECIPES = {
    recipe.panel: recipe
    for recipe in (COVID19, PNEUMONIA, PRETRAINING, PRETRAINING_LONGER, COVID19_FIRST)
}

_TRAIN_NAMES = ("train", "training")
_VALIDATION_NAMES = ("val", "valid", "validation")
_TEST_NAMES = ("test", "testing")


def recipe_for_folder(root: Path, panel: str) -> DatasetSpec:
    """A recipe for any folder of class folders, with or without ``train`` and ``test`` folders.

    Without a ``test`` folder, 15 % of the groups are held out as the test; ``val`` folders join the
    training pool, which is split anew by patient.

    Args:
        root: The data root.
        panel: Name of the new panel.

    Raises:
        ValueError: Fewer than two class folders, or test classes that training does not have.
    """
    folders = {path.name.lower(): path.name for path in sorted(root.iterdir()) if path.is_dir()}
    train = next((folders[name] for name in _TRAIN_NAMES if name in folders), None)
    test = next((folders[name] for name in _TEST_NAMES if name in folders), None)
    extra = next((folders[name] for name in _VALIDATION_NAMES if name in folders), None)
    pool_roots = [train, *([extra] if extra else [])] if train else ["."]
    class_names = tuple(_class_folders(root / (train or ".")))
    if len(class_names) < 2:
        raise ValueError(
            f"{root} needs at least two class folders, directly or below a train folder, "
            f"found {list(class_names)}."
        )
    sources = [
        Source(
            f"{pool}/{name}",
            name,
            set_name=root.name,
            validation=0.15,
            unseen=0.0 if test else 0.15,
        )
        for pool in pool_roots
        for name in class_names
        if (root / pool / name).is_dir()
    ]
    if test:
        unknown = set(_class_folders(root / test)) - set(class_names)
        if unknown:
            raise ValueError(f"The test folder has classes that training lacks: {sorted(unknown)}.")
        sources += [
            Source(f"{test}/{name}", name, "test", set_name=root.name)
            for name in class_names
            if (root / test / name).is_dir()
        ]
    return DatasetSpec(
        panel, f"{root.name} ({', '.join(class_names)})", class_names, tuple(sources)
    )


def _class_folders(root: Path) -> list[str]:
    return [path.name for path in sorted(root.iterdir()) if path.is_dir() and any(path.iterdir())]


SHIPPED = ("covid19", "pneumonia")


def recipe_for(panel: str, data: Path) -> DatasetSpec:
    """The committed recipe of a panel where the data root has its folders, else one from the
    folder.
    """
    recipe = RECIPES.get(panel)
    if recipe is not None and all((data / source.folder).is_dir() for source in recipe.sources):
        return recipe
    return recipe_for_folder(data, panel)
