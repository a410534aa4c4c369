"""The model report: every number from the cards and scores of the exported panels, none typed."""

from __future__ import annotations

import json
from pathlib import Path

from desktop.core.catalogue import Panel, open_panel
from desktop.core.contract import MANIFEST_NAME, RESEARCH_USE, ModelCard
from training.cards import interval
from training.panel import SCORES_NAME, odd_table

_SIDES = (
    ("test", "official test"),
    ("unseen_adult_supplement", "unseen adults, supplement"),
    ("unseen_covid19_radiography_224", "unseen adults, radiography blocks"),
    ("validation", "validation"),
)
_COLUMNS = (
    "accuracy",
    "balanced_accuracy",
    "auc",
    "macro_auc",
    "auc_covid_vs_normal",
    "sensitivity",
    "specificity",
    "recall_covid",
    "normal_called_covid",
    "calibration_error",
)
_LIMITS = """\
## Limits first

- **Research use.** Nothing here was validated for a diagnosis, on any population.
- The three-class official test has few films left once copies of training films are taken out:
  read the intervals, not the digits.
- Its normal and viral films are children, its COVID-19 films adults. The panel is trained with
  normal and ill people of both ages, and the rows of unseen adults say what is left when age
  cannot help. There is no adult with another viral pneumonia in any folder: for such a person the
  answer means little.
- The radiography set's COVID-19 and normal films come from different hospitals. Its held-out
  blocks share those hospitals with training; the supplement's held-out patients come from
  collections that training saw other patients of. Neither is a new hospital.
- The two-class official test is not like its training set: normal films are called pneumonia far
  more often there than in validation (compare specificity). The threshold was not moved to repair
  this, because it could only be seen on the test.
- Adults' pneumonia labels (ChestX-ray8) were mined from reports; scores on them are low for every
  model and partly because of the labels.
- Cues at the border of the films alone nearly name the class of the training sets
  ([AUDIT.md](AUDIT.md)); what the models still say with the lungs covered: [LUNGS.md](LUNGS.md).
- One seed a model. The intervals are about the films, not about training again.
"""
_METHOD = """\
## How it was done

- **Data** as in `training/recipes.py`: folders, roles, weights. Each film goes through
  `desktop.core.pixels`, the app's own decoder, to 224 x 224.
- **Split** by person, patient or block of 50 neighbouring numbers, by a hash of the group's name,
  so that a person is on the same side in every recipe, the pretraining included. Near-duplicates:
  144-bit perceptual hash, distance 18 or less. An official test film with a copy in its own
  training folder is left out of the scores and counted; any other training film with a copy in a
  test is dropped.
- **Training**: per-image standardisation inside the graph, AdamW with a cosine, every class drawn
  equally often, moving average of the weights, best epoch by the mean of macro AUC and balanced
  accuracy on validation.
- **ResNet50** was pretrained on all training folders with five labels (COVID-19, normal,
  bacterial, viral, other pneumonia) from random weights; no ImageNet. Films that either panel
  tests on, or their copies, were not in it.
- **Calibration**: one temperature, for `covid19` also one shift a class, fitted on validation
  with every class and in it every data set counted the same; no shift for `pneumonia` (see
  limits).
- **Heatmaps**: Grad-CAM of every class as a closed form in the graph, compared with automatic
  differentiation at export; the largest difference is in the tables below.
- **Out of distribution**: distances of features and of a 14 x 14 thumbnail from the training
  films; see `training/out_of_distribution.py`. The odd images below are made of unseen films
  or drawn; no real hand and no real lateral film was
  at hand. More kinds, CT slices among them: [OOD.md](OOD.md).
- **The tests were opened more than once.** SCNN of `covid19` was scored before the weighting of
  calibration was settled; the settling used validation rows only (adult normals called COVID-19
  there), but the test rows were on the screen. Members were exported as they finished, so the
  first members' test scores were known while later ones trained; no setting was changed because
  of them. Epochs and image sizes of ResNet50 were cut because of the hours left.
"""
_COMMANDS = """\
## Do it again

```
cxr-train run-all --data DATA --panel covid19 --panel pneumonia --runs runs --output exported_models
cxr-train evaluate covid19 --data DATA
cxr-train report --output docs/MODEL_REPORT.md
```

`DATA` holds the four folders `covid19-image-dataset`, `chest-xray-pneumonia-224`,
`covid19-radiography-224` and `adult-supplement`.
"""


def model_report(models_folder: Path) -> str:
    """The report as Markdown.

    Args:
        models_folder: Folder of panels, each with a manifest.
    """
    panels = [
        open_panel(path)
        for path in sorted(models_folder.iterdir())
        if (path / MANIFEST_NAME).is_file()
    ]
    parts = [
        "# Model report",
        "",
        f"**{RESEARCH_USE}**",
        "",
        "Written by `cxr-train report` from the cards inside the exported files and the panels' "
        "`scores.json`; brackets are 95 % bootstrap intervals over films.",
        "",
        _LIMITS,
        *[_panel(panel) for panel in panels],
        _METHOD,
        _COMMANDS,
    ]
    return "\n".join(parts)


def _panel(panel: Panel) -> str:
    kept = json.loads((panel.folder / SCORES_NAME).read_text("utf-8"))
    scores, flagged = kept["scores"], kept["flagged"]
    cards = [model.card for model in panel.models]
    lines = [f"## Panel {panel.name}: {panel.title}", ""]
    for side, title in _SIDES:
        rows = {card.title: _side(card.metrics, side) for card in cards}
        rows["Panel, mean probability"] = _side(scores, side)
        columns = [name for name in _COLUMNS if name in rows["Panel, mean probability"]]
        if not columns:
            continue
        count = int(rows["Panel, mean probability"]["accuracy"]["n"])
        lines += [f"### {title[0].upper() + title[1:]}: {count} films", ""]
        lines.append(f"| | {' | '.join(name.replace('_', ' ') for name in columns)} |")
        lines.append(f"| --- |{' --- |' * len(columns)}")
        for name, row in rows.items():
            cells = [interval(row[column]) if column in row else "" for column in columns]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        verdict, share, agreed = (
            interval(scores[f"{side}_{name}"])
            for name in ("verdict_accuracy", "consensus_share", "consensus_accuracy")
        )
        lines += [
            "",
            f"Verdict (majority of the models): right in {verdict} of all films, no consensus "
            f"counted as wrong; a consensus in {share}; right where there is one: {agreed}.",
            "",
        ]
    lines += [
        "Flagged as out of distribution: "
        + ", ".join(f"{side} {part:.1%}" for side, part in flagged.items())
        + f" (limit {panel.ood_limit:g}). And among images made of unseen films, or drawn:",
        "",
        odd_table(kept["odd_images"]),
        "### The models",
        "",
        "| | parameters | file | epochs | training | temperature | Keras against ONNX |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_model(model.card, model.size_bytes) for model in panel.models]
    first = cards[0].facts
    lines += [
        "",
        f"Trained on: {first['training_films']}.",
        f"Validation: {first['validation_films']}.",
        f"Left out: {first['left_out']}",
        "",
    ]
    lines += [
        f"{card.title}: pretraining {card.facts['pretraining']}; augmentation "
        f"{card.facts['augmentation']}."
        for card in cards
    ]
    lines.append("")
    return "\n".join(lines)


def _side(metrics: dict[str, dict[str, float]] | object, side: str) -> dict[str, dict[str, float]]:
    assert isinstance(metrics, dict)
    start = f"{side}_"
    return {name[len(start) :]: row for name, row in metrics.items() if name.startswith(start)}


def _model(card: ModelCard, size_bytes: int) -> str:
    facts = card.facts
    return (
        f"| {card.title} | {int(facts['parameters']):,} | {size_bytes / 1e6:.1f} MB | "
        f"{facts['epochs']} | {int(facts['training_seconds']) / 60:.0f} min | "
        f"{card.temperature:.2f} | {facts['gate']} |"
    )
