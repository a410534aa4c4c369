"""Model cards: the same numbers for the file's metadata, for people and for reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.core.panels.contract import RESEARCH_USE, ModelCard
from desktop.core.panels.registry import open_panel
from training.configs import FitConfig, config_from_dict
from training.metrics.calibration import read_calibration
from training.metrics.classification import interval

if TYPE_CHECKING:  # TensorFlow, which a reader of cards does not need
    from training.export.onnx_export import ServedModel
    from training.export.parity_check import Differences

_PURPOSE = {
    "covid19": (
        "One vote of four on whether a frontal chest radiograph looks like COVID-19, like no "
        "finding, "
        "or like viral pneumonia."
    ),
    "pneumonia": "One vote of four on whether a frontal chest radiograph shows pneumonia.",
}
_LIMITS = {
    "covid19": (
        "Viral pneumonia was learnt from children only and COVID-19 almost only from adults: for "
        "an adult with another viral pneumonia the answer means little. Most COVID-19 and most "
        "normal adults come from different hospitals, so part of the score may be the hospital. "
        "The few official test films that are no copies of training films give wide intervals. "
        "Not validated for any clinical use."
    ),
    "pneumonia": (
        "Learnt mostly from children of one hospital. The adults' labels were mined from reports "
        "and "
        "are noisy; the score on adults is much lower, see the unseen adults below. Cannot name a "
        "cause. Not validated for any clinical use."
    ),
}
_OTHER_LIMITS = (
    "Known only on the data set it was trained with. Not validated for any clinical use."
)
_SIDE_TITLES = {
    "validation": "Validation (the model was selected and calibrated on these)",
    "test": "Official test split",
    "unseen_adult_supplement": "Unseen adults: held-out patients of the adult supplement",
    "unseen_covid19_radiography_224": "Unseen adults: held-out blocks of the radiography database",
}


def facts_of(
    run: Path,
    described: Mapping[str, Any],
    config: FitConfig,
    served: ServedModel,
    differences: Differences,
) -> dict[str, str]:
    """The card's facts, all text, from what the run wrote."""
    from training.models.layers import FEATURES

    state = json.loads((run / "metrics.json").read_text())
    panel = str(described["panel"])
    notes = described["notes"]
    films = described["films"]
    grid = served.body.get_layer(FEATURES).output.shape[1:3]
    stages = ", ".join(f"{epochs} at {side} px" for epochs, side in config.stages)
    shift = ", ".join(f"{value:+.3f}" for value in served.calibration.shift)
    facts = {
        "purpose": _PURPOSE.get(panel, "One vote of a panel on its own data set."),
        "limits": _LIMITS.get(panel, _OTHER_LIMITS),
        "training_films": _counts(films.get("train", {})),
        "validation_films": _counts(films.get("validation", {})),
        "test_films": _counts(films.get("test", {})),
        "unseen_films": "; ".join(
            f"{_counts(films[side])}" for side in sorted(films) if side.startswith("unseen")
        ),
        "split": (
            "By person, patient or block of neighbouring numbers; near-duplicates (144-bit "
            "perceptual "
            "hash, distance 18 or less) on one side."
        ),
        "left_out": (
            f"{notes.get('leaked_test', 0)} official test films that are copies of training "
            f"films, not "
            f"scored; {notes.get('dropped_near_test', 0)} training films that are copies of test "
            f"films; {notes.get('dropped_near_validation', 0)} training films that are copies of "
            f"validation films; {notes.get('dropped_twins_in_training', 0)} second copies inside "
            f"training; {notes.get('dropped_same_person', 0)} training films of people in a test; "
            f"{notes.get('relabelled_by_publisher', 0)} labels corrected by the publisher and "
            f"{notes.get('test_films_with_wrong_label', 0)} test films with a wrong label left "
            f"out; {notes.get('unreadable', 0)} unreadable files."
        ),
        "epochs": (
            f"{state['epoch']} of {config.epochs} ({stages}), best {state['best_epoch'] + 1}; "
            f"{(config.epoch_images or sum(films.get('train', {}).values()))} films drawn an epoch"
        ),
        "training_seconds": f"{state['seconds']:.0f}",
        "parameters": str(described["parameters"]),
        "heatmap_grid": f"{grid[0]} x {grid[1]}",
        "pretraining": _pretraining(run, config),
        "augmentation": _augmentation(config),
        "calibration": (
            f"softmax(logits / {served.calibration.temperature:.3f} + [{shift}]), fitted on "
            f"{'hospitals left out of training' if read_calibration(run) else 'validation'}"
        ),
        "gate": (
            f"Keras against ONNX Runtime on {differences.images} films: probabilities "
            f"{differences.probabilities:.1e}, Grad-CAM against GradientTape "
            f"{differences.cams:.1e} relative"
        ),
        "weights": "kernels rounded to 16-bit floats",
        "trainer": str(described.get("trainer", "")),
        "none_of_these_films": _counts(films.get("none: train", {})),
        "research_use": RESEARCH_USE,
    }
    return {name: text for name, text in facts.items() if text}


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(rows.items()))


def _augmentation(config: FitConfig) -> str:
    settings = config.augmentation
    parts = []
    if settings.rotation:
        parts.append(f"rotation up to {settings.rotation * 360:.0f} degrees")
    if settings.shift:
        parts.append(f"shift up to {settings.shift:.0%}")
    if settings.zoom:
        parts.append(f"zoom up to {settings.zoom:.0%}")
    if settings.flip:
        parts.append("horizontal flip")
    if settings.contrast:
        parts.append(f"gamma {1 - settings.contrast:g} to {1 + settings.contrast:g}")
    if config.scanners:
        parts.append(
            f"scanners imitated on {config.scanners:.0%} of the films (tone curves, low "
            "frequencies, resizing, sharpness, noise, frames, markers)"
        )
    if config.outside:
        parts.append(
            f"what lies outside the lungs swapped for another film's in {config.outside:.0%} of "
            "the films"
        )
    if config.teacher:
        parts.append(f"a teacher's answers make up {config.teacher_share:.0%} of the loss")
    return ", ".join(parts) or "none"


def _pretraining(run: Path, config: FitConfig) -> str:
    """Where the first weights came from, through all earlier runs."""
    if config.weights == "none":
        return "none, trained from random weights"
    if config.weights == "imagenet":
        return "ImageNet weights of keras.applications"
    steps: list[str] = []
    weights = config.weights
    if weights.endswith(".onnx"):
        file = Path(weights)
        card = next(one.card for one in open_panel(file.parent).models if one.name == file.stem)
        return (
            f"in-domain, the exported {card.title} of panel {card.panel}, version {card.version} "
            f"(itself: {card.facts.get('pretraining', 'not known')}; then "
            f"{card.facts.get('epochs', 'not known')} on that panel)"
        )
    while weights not in ("none", "imagenet"):
        folder = run.parent / Path(weights).parent.name
        if not (folder / "config.json").is_file():
            return "in-domain checkpoint"
        described = json.loads((folder / "config.json").read_text())
        state = json.loads((folder / "metrics.json").read_text())
        earlier = config_from_dict(described["fit"])
        stages = ", ".join(f"{epochs} at {side} px" for epochs, side in earlier.stages)
        steps.append(
            f"{sum(described['films']['train'].values())} training films with the labels "
            f"{', '.join(described['class_names'])} (epochs: {stages}; "
            f"{earlier.epoch_images} films each; {state['seconds']:.0f} s)"
        )
        weights = earlier.weights
    start = "ImageNet weights" if weights == "imagenet" else "random weights, no ImageNet"
    return f"in-domain, from {start}: " + "; then ".join(reversed(steps))


def metric_tables(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown tables of all metrics, one a side."""
    sides = [*_SIDE_TITLES]
    for name in metrics:
        if name.startswith("unseen_") and not any(name.startswith(side + "_") for side in sides):
            known = ("accuracy", "balanced_accuracy", "auc", "macro_auc", "log_loss")
            side = next((name[: -len(end) - 1] for end in known if name.endswith("_" + end)), "")
            if side and side not in sides and not side.endswith("balanced"):
                sides.append(side)
    text = []
    order = ["test", *[side for side in sides if side.startswith("unseen")], "validation"]
    for side in order:
        rows = {
            name[len(side) + 1 :]: values
            for name, values in metrics.items()
            if name.startswith(side + "_")
        }
        if not rows:
            continue
        count = int(next(iter(rows.values()))["n"])
        text.append(f"### {_SIDE_TITLES.get(side, side.replace('_', ' '))}: {count} films\n")
        text.append("| metric | value (95 % interval) |\n| --- | --- |")
        text += [
            f"| {name.replace('_', ' ')} | {interval(values)} |" for name, values in rows.items()
        ]
        text.append("")
    return "\n".join(text)


def _lungs(card: ModelCard) -> list[str]:
    """Heatmap in the lung box and votes that survive without lungs, as Markdown."""
    if not card.lungs:
        return []
    rows = []
    for name in card.class_names:
        found = card.lungs.get(name, {})
        inside, kept = found.get("share_inside"), found.get("kept_without_lungs")
        rows.append(
            f"| {name} | {'none' if inside is None else f'{inside:.2f}'} | "
            f"{'no such vote' if kept is None else f'{kept:.0%}'} |"
        )
    return [
        "## Does it look at lungs?",
        "",
        "On up to 60 validation films a class: share of the class's positive heatmap in a fixed "
        "box around the lungs (an even map has 0.57), and share of the votes for the class that "
        "stay when the lungs are covered.",
        "",
        "| vote | heatmap in the lung box | kept without lungs |\n| --- | --- | --- |",
        *rows,
        "",
    ]


def model_page(card: ModelCard, size_bytes: int) -> str:
    """The card as Markdown, written beside the file."""
    facts = dict(card.facts)
    lines = [
        f"# {card.title} ({card.panel})",
        "",
        f"{facts.pop('purpose', '')}",
        "",
        f"**{facts.pop('research_use', RESEARCH_USE)}**",
        "",
        f"Version {card.version}, exported {card.created}, {size_bytes / 1e6:.1f} MB, "
        f"contract version {card.contract_version}. Trained by commit "
        f"`{card.commit[:12] or 'unknown'}`, exported by commit "
        f"`{card.exported_commit[:12] or 'unknown'}`.",
        "",
        "## Limits",
        "",
        facts.pop("limits", _OTHER_LIMITS),
        "",
        "## Scores",
        "",
        "Recomputed from the exported file; intervals by 1,000 bootstrap samples within each "
        "class. Calibration errors are in ten bins of equal width, or of equal mass where they say "
        "so; *before* is without temperature and shift.",
        "",
        metric_tables(card.metrics),
        *_lungs(card),
        "## How it was made",
        "",
        "| fact | value |\n| --- | --- |",
        f"| classes | {', '.join(card.class_names)} |",
        f"| input | uint8 {card.input_size[0]} x {card.input_size[1]} x 1 |",
        f"| temperature | {card.temperature:g} |",
        "| operating points | "
        + ", ".join(f"{name} {value:g}" for name, value in card.operating_points.items())
        + " |",
        f"| training data sha256 | `{card.training_data_sha256}` |",
        *[f"| {name.replace('_', ' ')} | {value} |" for name, value in facts.items()],
        "",
    ]
    return "\n".join(lines)
