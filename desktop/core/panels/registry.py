"""Find panels and open them only if they keep the contract.

A panel is a folder with a ``manifest.json`` and one ONNX file a model. The shipped ones, those in
the user's data folder and any other folder are read by the same code. Nothing of a model runs here.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import desktop
from desktop.core.errors import ModelRefused
from desktop.core.onnx_graph.outline import OnnxOutline, TensorInfo, read_outline
from desktop.core.panels.contract import (
    CARD_METADATA_KEY,
    INPUT_PIXELS,
    LUNGS_CARD_METADATA_KEY,
    MANIFEST_NAME,
    OUTPUT_CAMS,
    OUTPUT_MASK,
    OUTPUT_NONE_OF_THESE,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
    ModelCard,
    PanelManifest,
    PanelMember,
)
from desktop.core.panels.lungs_card import LungsCard
from desktop.core.system.app_dirs import data_home
from desktop.core.system.text import display_name

MAX_MANIFEST_BYTES = 1 << 20
MAX_MODEL_BYTES = 1 << 30

_FLOAT32, _UINT8 = 1, 2


@dataclass(frozen=True)
class PanelModel:
    """One member of a panel, on disk.

    Attributes:
        card: What the file says of itself.
        path: The ONNX file.
        sha256: The hash that the manifest demands.
        size_bytes: Length of the file.
        has_maps: The graph can give Grad-CAM maps.
        has_ood_score: The graph can say how far an image is from its training images.
        says_none: The graph can say that an image is none of the classes.
    """

    card: ModelCard
    path: Path
    sha256: str
    size_bytes: int
    has_maps: bool
    has_ood_score: bool
    says_none: bool = False

    @property
    def name(self) -> str:
        return self.card.name


@dataclass(frozen=True)
class LungsModel:
    """The network that finds the lungs, on disk; attributes as in ``PanelModel``."""

    card: LungsCard
    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Panel:
    """A set of models with one class vocabulary, ready to be loaded.

    Attributes:
        manifest: The panel's own words.
        folder: Where it lies.
        models: Members in the order in which they are shown.
        shipped: Came with the app.
        lungs: The network that finds the lungs, None where the panel has none.
    """

    manifest: PanelManifest
    folder: Path
    models: tuple[PanelModel, ...]
    shipped: bool
    lungs: LungsModel | None = None

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def title(self) -> str:
        return self.manifest.title

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.manifest.class_names

    @property
    def model_names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self.models)

    @property
    def ood_limit(self) -> float:
        return self.manifest.ood_limit

    @property
    def none_limit(self) -> float | None:
        return self.manifest.none_limit

    @property
    def input_sizes(self) -> tuple[tuple[int, int], ...]:
        """Distinct (height, width) of the members, in order of first use."""
        return tuple(dict.fromkeys(model.card.input_size for model in self.models))

    @property
    def decode_sizes(self) -> tuple[tuple[int, int], ...]:
        """What a film is made into: ``input_sizes`` and the size of the network for lungs."""
        own = () if self.lungs is None else (self.lungs.card.input_size,)
        return tuple(dict.fromkeys((*self.input_sizes, *own)))

    @property
    def fingerprint(self) -> str:
        return self.manifest.fingerprint


@dataclass(frozen=True)
class RefusedPanel:
    """A folder with a manifest that cannot be used, and why."""

    folder: Path
    problem: ModelRefused


def shipped_panels_folder() -> Path:
    """Where the panels of this installation lie (checkout, wheel or frozen app)."""
    package = Path(desktop.__file__).resolve().parent
    installed = package / "exported_models"
    return installed if installed.is_dir() else package.parent / "exported_models"


def user_panels_folder() -> Path:
    """Where a person puts own panels: one folder each."""
    return data_home() / "panels"


def survey_panels(extra: Iterable[Path] = ()) -> tuple[tuple[Panel, ...], tuple[RefusedPanel, ...]]:
    """List panels without hashing them: shipped ones, the user's, then ``extra``.

    Args:
        extra: More panel folders, or folders of panel folders.

    Returns:
        Usable panels (the first of a name wins) and the folders that were refused.
    """
    found: dict[str, Panel] = {}
    refused: list[RefusedPanel] = []
    for root in (shipped_panels_folder(), user_panels_folder(), *extra):
        for folder in _panel_folders(root):
            try:
                panel = _read_panel(folder, verify=False)
            except ModelRefused as problem:
                refused.append(RefusedPanel(folder, problem))
            else:
                found.setdefault(panel.name, panel)
    return tuple(found.values()), tuple(refused)


def find_panels(extra: Iterable[Path] = ()) -> tuple[Panel, ...]:
    """The usable panels, without hashing them; see ``survey_panels`` for the refused ones."""
    return survey_panels(extra)[0]


def open_panel(name_or_folder: str | Path) -> Panel:
    """Open one panel and verify every byte of it.

    Args:
        name_or_folder: Name of a shipped or user panel, or a panel's folder.

    Raises:
        ModelRefused: MODEL-01 there is no such panel, MODEL-02 to MODEL-09 it breaks the contract.
    """
    if isinstance(name_or_folder, Path) or any(mark in name_or_folder for mark in "/\\."):
        folder = Path(name_or_folder)
        if not _has_manifest(folder):
            raise ModelRefused(
                "MODEL-01",
                f"{display_name(str(folder), 200)} is not a panel: it has no {MANIFEST_NAME}. "
                "Name the folder that holds the manifest.",
            )
        return _read_panel(folder, verify=True)
    for root in (shipped_panels_folder(), user_panels_folder()):
        if _has_manifest(root / name_or_folder):
            return _read_panel(root / name_or_folder, verify=True)
    known = ", ".join(panel.name for panel in find_panels()) or "none"
    raise ModelRefused(
        "MODEL-01",
        f"There is no panel called {display_name(name_or_folder)}. Installed panels: {known}. "
        "For a panel of your own, give its folder.",
    )


def read_verified(model: PanelModel | LungsModel) -> bytes:
    """The bytes of a model file, checked: run these, not the file, which could change.

    Raises:
        ModelRefused: MODEL-05 unreadable or too large, MODEL-08 the hash is not the manifest's,
            others as ``read_outline``.
    """
    with _open_regular(model.path, MAX_MODEL_BYTES) as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise _wrong_hash(model.path.name)
    _outline(content, model.path.name)
    return content


def _panel_folders(root: Path) -> list[Path]:
    if _has_manifest(root):
        return [root]
    try:
        return sorted(filter(_has_manifest, root.iterdir()))
    except OSError:
        return []


def _has_manifest(folder: Path) -> bool:
    """Something is there, whatever it is: reading it says why it is no manifest."""
    return os.path.lexists(folder / MANIFEST_NAME)


def _read_panel(folder: Path, *, verify: bool) -> Panel:
    with _open_regular(folder / MANIFEST_NAME, MAX_MANIFEST_BYTES) as stream:
        content = stream.read()
    try:
        manifest = PanelManifest.from_json(content.decode())
    except (TypeError, AttributeError, RecursionError, UnicodeDecodeError) as error:
        raise ModelRefused(
            "MODEL-04",
            f"The manifest in {display_name(folder)} is damaged. Export the panel again.",
        ) from error
    models = tuple(_read_model(folder, manifest, member, verify) for member in manifest.members)
    shipped = folder.resolve().parent == shipped_panels_folder()
    lungs = None if manifest.lungs is None else _read_lungs(folder, manifest.lungs, verify)
    return Panel(manifest, folder, models, shipped, lungs)


def _read_model(
    folder: Path, manifest: PanelManifest, member: PanelMember, verify: bool
) -> PanelModel:
    path = folder / member.file
    outline, size = _read_outline(path, member.sha256 if verify else None)
    card = _card(outline, path.name)
    _check(card, outline, manifest, member)
    offered = {output.name for output in outline.outputs}
    return PanelModel(
        card=card,
        path=path,
        sha256=member.sha256,
        size_bytes=size,
        has_maps=OUTPUT_CAMS in offered,
        has_ood_score=OUTPUT_OOD_SCORE in offered,
        says_none=manifest.none_limit is not None and OUTPUT_NONE_OF_THESE in offered,
    )


def _read_lungs(folder: Path, member: PanelMember, verify: bool) -> LungsModel:
    path = folder / member.file
    outline, size = _read_outline(path, member.sha256 if verify else None)
    text = outline.metadata.get(LUNGS_CARD_METADATA_KEY, "")
    try:
        card = LungsCard.from_json(text)
    except (TypeError, AttributeError, RecursionError) as error:
        raise ModelRefused(
            "MODEL-03", f"The card of {path.name} is damaged. Export it again."
        ) from error
    problem = _lungs_problem(card, outline)
    if problem:
        raise ModelRefused(
            "MODEL-09", f"{member.file} does not fit the panel: {problem}. Export it again."
        )
    return LungsModel(card, path, member.sha256, size)


def _read_outline(path: Path, sha256: str | None) -> tuple[OnnxOutline, int]:
    """What an ONNX file says of itself, and its length; verified where a hash is given."""
    with _open_regular(path, MAX_MODEL_BYTES) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size == 0:
            raise ModelRefused("MODEL-05", f"{path.name} is empty. Copy or export it again.")
        with (
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as content,
        ):
            if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
                raise _wrong_hash(path.name)
            return _outline(content, path.name), size


def _outline(content: bytes | memoryview, name: str) -> OnnxOutline:
    try:
        return read_outline(content)
    except ModelRefused as problem:
        code, sentence = problem.code, str(problem)
    # Raised out here: a traceback would hold views into the map, which then could not be closed.
    raise ModelRefused(code, f"{name}: {sentence}")


def _card(outline: OnnxOutline, name: str) -> ModelCard:
    text = outline.metadata.get(CARD_METADATA_KEY)
    if text is None:
        raise ModelRefused(
            "MODEL-03",
            f"{name} has no model card, so nobody can say what its outputs mean. "
            "Export it with cxr-train export.",
        )
    try:
        return ModelCard.from_json(text)
    except (TypeError, AttributeError, RecursionError) as error:
        raise ModelRefused(
            "MODEL-03", f"The card of {name} is damaged. Export the model again."
        ) from error


def _check(
    card: ModelCard, outline: OnnxOutline, manifest: PanelManifest, member: PanelMember
) -> None:
    """Compare the card with the manifest and with the graph."""
    problem = ""
    if card.name != member.name or card.panel != manifest.name:
        problem = (
            f"its card says {card.panel}/{card.name}, the manifest {manifest.name}/{member.name}"
        )
    elif card.class_names != manifest.class_names:
        problem = "its classes are not the panel's classes in the panel's order"
    elif set(card.operating_points) - set(card.class_names):
        problem = "it has an operating point for a class that does not exist"
    else:
        problem = _graph_problem(card, outline)
    if problem:
        raise ModelRefused(
            "MODEL-09", f"{member.file} does not fit the panel: {problem}. Export the panel again."
        )


def _input_problem(outline: OnnxOutline, size: tuple[int, int]) -> str:
    height, width = size
    if [item.name for item in outline.inputs] != [INPUT_PIXELS]:
        return f"its only input must be called {INPUT_PIXELS}"
    if not _fits(outline.inputs[0], _UINT8, (None, height, width, 1)):
        return f"its input must be uint8 [N, {height}, {width}, 1] with a free N"
    return ""


def _lungs_problem(card: LungsCard, outline: OnnxOutline) -> str:
    height, width = card.input_size
    outputs = {item.name: item for item in outline.outputs}
    if OUTPUT_MASK not in outputs:
        return f"it has no output called {OUTPUT_MASK}"
    if not _fits(outputs[OUTPUT_MASK], _FLOAT32, (None, height, width)):
        return f"its output {OUTPUT_MASK} must be float32 [N, {height}, {width}]"
    return _input_problem(outline, card.input_size)


def _graph_problem(card: ModelCard, outline: OnnxOutline) -> str:
    classes = len(card.class_names)
    problem = _input_problem(outline, card.input_size)
    if problem:
        return problem
    outputs = {item.name: item for item in outline.outputs}
    if OUTPUT_PROBABILITIES not in outputs:
        return f"it has no output called {OUTPUT_PROBABILITIES}"
    expected: dict[str, tuple[int | None, ...]] = {
        OUTPUT_PROBABILITIES: (None, classes),
        OUTPUT_CAMS: (None, classes, None, None),
        OUTPUT_OOD_SCORE: (None,),
        OUTPUT_NONE_OF_THESE: (None,),
    }
    for name, shape in expected.items():
        if name in outputs and not _fits(outputs[name], _FLOAT32, shape):
            sizes = ", ".join("any" if side is None else str(side) for side in shape)
            return f"its output {name} must be float32 [{sizes}]"
    return ""


def _fits(tensor: TensorInfo, element_type: int, shape: tuple[int | None, ...]) -> bool:
    """True where the stated shape can be ``shape``; a free batch axis must really be free."""
    if tensor.element_type != element_type:
        return False
    if tensor.shape is None:
        # The shape is not stated; the first answer is checked when the model is warmed up.
        return tensor.name != INPUT_PIXELS
    if len(tensor.shape) != len(shape) or tensor.shape[0] is not None:
        return False
    pairs = zip(tensor.shape[1:], shape[1:], strict=True)
    strict = tensor.name == INPUT_PIXELS
    return all(
        asked is None or stated == asked or (stated is None and not strict)
        for stated, asked in pairs
    )


@contextmanager
def _open_regular(path: Path, limit: int) -> Iterator[BinaryIO]:
    """Open a regular file of at most ``limit`` bytes; a link could point anywhere.

    What is no file is not even opened: opening alone rewinds a tape or wakes whoever listens.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        kind = path.lstat().st_mode
        if stat.S_ISLNK(kind):
            raise ModelRefused(
                "MODEL-05",
                f"{path.name} is a link, and a panel must hold its own files. Copy the file.",
            )
        if not stat.S_ISREG(kind):
            raise _not_a_file(path.name)
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise ModelRefused(
            "MODEL-05",
            f"{path.name} in {display_name(path.parent)} cannot be read ({error.strerror}). "
            "Install the panel again or check its permissions.",
        ) from error
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _not_a_file(path.name)
        if found.st_size > limit:
            raise ModelRefused(
                "MODEL-05",
                f"{path.name} has {found.st_size / 1e6:,.0f} MB; more than {limit / 1e6:,.0f} MB "
                "is not read.",
            )
        yield stream


def _not_a_file(name: str) -> ModelRefused:
    return ModelRefused(
        "MODEL-05", f"{name} is not a regular file and is not read. Install the panel again."
    )


def _wrong_hash(name: str) -> ModelRefused:
    return ModelRefused(
        "MODEL-08",
        f"{name} is not the file the manifest was made for (its hash differs), so it is not run. "
        "Install the panel again.",
    )
