"""Frozen training configurations, one file a model; a config is code and states its cost."""

from __future__ import annotations

import dataclasses
import importlib
from dataclasses import dataclass, field
from typing import Literal

#: Prefix of ``FitConfig.weights`` that names a shipped panel.
EXPORTED = "exported:"


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training film, each drawn anew for every film and step.

    Attributes:
        rotation: Largest turn, as a share of a full circle.
        shift: Largest shift, as a share of the side.
        zoom: Largest change of scale, each axis on its own.
        flip: Mirror left and right with probability one half.
        contrast: Largest exponent change (gamma between 1 - contrast and 1 + contrast). A plain
            change of contrast or brightness would do nothing: the network standardises each film.
        frame: Widest frame laid over the film, as a share of the side, each edge on its own. It
            covers collimation, letters and corners, which alone nearly name the class in the
            training sets (docs/AUDIT.md); half of the films keep theirs.
        sharpness: Largest share of a 3 x 3 blur mixed in, or taken away: scanners and re-encodings
            differ in it, diseases do not.
    """

    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    flip: bool = False
    contrast: float = 0.0
    frame: float = 0.0
    sharpness: float = 0.0


NO_AUGMENTATION = Augmentation()
MILD = Augmentation(rotation=0.03, shift=0.06, zoom=0.1, flip=True, contrast=0.2)
#: Against what tells hospitals apart rather than diseases: exposure, sharpness, frames.
WIDE = Augmentation(
    rotation=0.03, shift=0.06, zoom=0.15, flip=True, contrast=0.35, frame=0.12, sharpness=0.6
)


#: Beside imitated scanners, which change exposure and frames already.
GEOMETRY = Augmentation(rotation=0.022, shift=0.05, zoom=0.13, flip=True)


@dataclass(frozen=True)
class FitConfig:
    """Everything that decides a training run, besides the data.

    Attributes:
        model: Architecture.
        stages: (epochs, side in pixels of the reduced image) one after the other: growing images.
        input_size: (height, width) of ``pixels``.
        reduce: Averaging factor of the front; the last stage's side is input side / reduce.
        epoch_images: Films drawn an epoch; 0 = as many as there are.
        batch: Films a step.
        learning_rate: Peak of the cosine schedule (Loshchilov and Hutter 2017).
        warmup: Share of all steps with a rising rate.
        weight_decay: Decoupled (AdamW), not on biases and normalisation.
        dropout: Share dropped before the last layer.
        label_smoothing: Szegedy et al. 2016, section 7.
        average: Decay of the moving average of the weights (Polyak); validation and export use it.
        patience: Epochs without a better validation score after which training stops.
        weights: ``none``, ``imagenet``, the name of an earlier run, a checkpoint, or for ResNet50
            the ``resnet50.onnx`` of an exported panel, a shipped one as ``exported:<panel>``.
        precision: ``float32``, or ``mixed_bfloat16``: products in 16 bits, weights in 32. Faster on
            processors with such instructions (four-layer CNNs 1.4 times, ResNet50 1.2 times on
            AVX512-BF16), slower on others; the export is float32 in any case.
        augmentation: Geometry and exposure that the films go through.
        scanners: Share of the films on which other scanners are imitated
            (:mod:`training.data.scanners`); all four networks learn so, CCNN too: it stands for
            the preprocessing of another hospital, not for geometry.
        outside: Share of the films whose outside of the lungs is swapped for another film's; needs
            ``lungs``.
        lungs: A ``lungs.onnx``, that of a shipped panel as ``exported:<panel>``.
        teacher: Folder of a finished run with the same classes whose answers are learnt too.
        teacher_share: Of the loss that the teacher's answers make up.
        seed: Of weights, drawing and augmentation.
    """

    model: str
    stages: tuple[tuple[int, int], ...]
    input_size: tuple[int, int] = (224, 224)
    reduce: int = 2
    epoch_images: int = 0
    batch: int = 32
    learning_rate: float = 2e-3
    warmup: float = 0.1
    weight_decay: float = 0.02
    dropout: float = 0.3
    label_smoothing: float = 0.05
    average: float = 0.995
    patience: int = 100
    weights: str = "none"
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    augmentation: Augmentation = field(default=NO_AUGMENTATION)
    scanners: float = 0.0
    outside: float = 0.0
    lungs: str = ""
    teacher: str = ""
    teacher_share: float = 0.6
    seed: int = 20261

    def __post_init__(self) -> None:
        if not self.stages or any(epochs < 1 or side < 8 for epochs, side in self.stages):
            raise ValueError("Stages need at least one epoch and eight pixels each.")
        if any(side % self.reduce for side in self.input_size):
            raise ValueError("The input size must be a multiple of the reduction.")
        if self.outside and not self.lungs:
            raise ValueError("Swapping the outside of the lungs needs a lungs.onnx.")

    @property
    def epochs(self) -> int:
        """All stages together."""
        return sum(epochs for epochs, _ in self.stages)

    @property
    def body_side(self) -> int:
        """Side of the reduced image in the exported graph, pixels."""
        return self.input_size[0] // self.reduce

    def side_of_epoch(self, epoch: int) -> int:
        """Image side of an epoch counted from 0."""
        for epochs, side in self.stages:
            if epoch < epochs:
                return side
            epoch -= epochs
        return self.stages[-1][1]

    def to_dict(self) -> dict[str, object]:
        """For ``config.json``."""
        return dataclasses.asdict(self)


def config_from_dict(values: dict[str, object]) -> FitConfig:
    """Read ``config.json`` back."""
    fields = dict(values)
    fields["augmentation"] = Augmentation(**fields["augmentation"])  # type: ignore[arg-type]
    fields["stages"] = tuple(tuple(stage) for stage in fields["stages"])  # type: ignore[attr-defined]
    fields["input_size"] = tuple(fields["input_size"])  # type: ignore[arg-type]
    return FitConfig(**fields)  # type: ignore[arg-type]


def config_for(model: str, panel: str) -> FitConfig:
    """The committed configuration: the panel's own where there is one, else the general one."""
    module = importlib.import_module(f"{__name__}.{model}")
    config = module.CONFIGS.get(panel, module.CONFIG)
    assert isinstance(config, FitConfig)
    return config
