"""What the subcommands of ``cxr-train`` do."""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
import tempfile
import time
from pathlib import Path

from desktop.core.panels.registry import open_panel, shipped_panels_folder
from training.configs import EXPORTED, FitConfig, config_for
from training.data import synthetic as smoke
from training.data.datasets import RECIPES, recipe_for, recipe_for_folder
from training.data.split import SplitData, split
from training.export.exporter import export_model
from training.export.int8 import quantise_panel
from training.export.panel import finish_panel
from training.fit.trainer import Fit
from training.models import TITLES
from training.runtime.progress import CONSOLE, reporting


def default_version() -> str:
    """``year.month.1``."""
    today = datetime.datetime.now(datetime.UTC).date()
    return f"{today.year}.{today.month}.1"


def fit_model(
    data: SplitData, model: str, runs: Path, changes: dict[str, object], *, tiny: bool = False
) -> Path:
    """Train one model, or finish or skip what was begun; returns its run folder."""
    recipe = data.recipe
    config = dataclasses.replace(config_for(model, recipe.panel), **changes)  # type: ignore[arg-type]
    if config.weights in RECIPES:
        earlier = config.weights
        checkpoint = runs / f"{earlier}-{model}" / "best.npz"
        if not tiny and not checkpoint.is_file():
            raise FileNotFoundError(
                f"{TITLES[model]} of panel {recipe.panel} starts from the run {earlier}, which is "
                f"not there yet. Run `cxr-train fit --panel {earlier} --model {model}` first, or "
                "give --weights none."
            )
        config = dataclasses.replace(config, weights=str(checkpoint))
    elif config.weights.startswith(EXPORTED):
        file = shipped_panels_folder() / config.weights.removeprefix(EXPORTED) / f"{model}.onnx"
        config = dataclasses.replace(config, weights=str(file))
    if config.lungs.startswith(EXPORTED):
        file = shipped_panels_folder() / config.lungs.removeprefix(EXPORTED) / "lungs.onnx"
        config = dataclasses.replace(config, lungs=str(file))
    if tiny:
        config = smoke.tiny(config)
    folder = runs / f"{recipe.panel}-{model}"
    _same_run(folder, config, data)
    title = f"{recipe.panel} {TITLES[model]}"
    run = Fit(config, data, folder)
    if run.state.epoch:
        CONSOLE.print(f"{title}: resumed after epoch {run.state.epoch} of {config.epochs}")
    with reporting(title) as reporter:
        state = run.run(on_progress=reporter.step, on_epoch=reporter.epoch)
    CONSOLE.print(
        f"{title}: best epoch {state.best_epoch + 1} of {state.epoch}, {state.seconds:.0f} s, in "
        f"{folder}"
    )
    return folder


def _same_run(folder: Path, config: FitConfig, data: SplitData) -> None:
    """Refuse to resume a run that was begun with other settings or other films."""
    path = folder / "config.json"
    if not path.is_file() or not (folder / "last.npz").is_file():
        return
    described = json.loads(path.read_text())
    wanted = json.loads(json.dumps(config.to_dict()))
    changed = sorted(name for name in wanted if described["fit"].get(name) != wanted[name])
    if described["training_data_sha256"] != data.training_hash:
        changed.append("the training films")
    if changed:
        raise ValueError(
            f"{folder} holds a run with other settings ({', '.join(changed)}). Give another --runs "
            "folder, or delete it to start anew."
        )


def export_panel(
    data: SplitData, models: list[str], runs: Path, output: Path, version: str
) -> Path:
    """Export finished runs into ``output/<panel>`` with its page; returns that folder."""
    folder = output / data.recipe.panel
    for model in models:
        started = time.monotonic()
        with CONSOLE.status(f"{data.recipe.panel} {TITLES[model]}") as status:
            exported = export_model(
                runs / f"{data.recipe.panel}-{model}",
                data,
                folder,
                version=version,
                on_stage=lambda stage, title=TITLES[model]: status.update(f"{title}: {stage}"),
            )
        found = exported.differences
        CONSOLE.print(
            f"{TITLES[model]}: {exported.path.stat().st_size / 1e6:.1f} MB in "
            f"{time.monotonic() - started:.0f} s; Keras and the file differ by "
            f"{found.probabilities:.1e} in probabilities and {found.cams:.1e} in heatmaps on "
            f"{found.images} films"
        )
    finish_panel(folder, runs, data)
    with CONSOLE.status(f"{data.recipe.panel}: int8") as status:
        quantise_panel(folder, data, on_progress=lambda stage: status.update(f"int8: {stage}"))
    return folder


def smoke_all(output: Path | None) -> Path:
    """Draw phantoms, train and export all four tiny models; returns the panel's folder.

    Without ``output`` everything is made in a temporary folder and removed again.
    """
    scratch = Path(tempfile.mkdtemp(prefix="cxr-train-smoke-"))
    try:
        root = smoke.draw_films(scratch / "phantoms")
        data = split(recipe_for_folder(root, "smoke"), root, (64, 64))
        for model in TITLES:
            fit_model(data, model, scratch / "runs", {}, tiny=True)
        target = output or scratch / "exported"
        folder = export_panel(data, list(TITLES), scratch / "runs", target, default_version())
        opened = open_panel(folder)
        CONSOLE.print(
            f"Panel {opened.name} with {', '.join(opened.model_names)} agrees with Keras."
        )
        return folder
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def earlier_runs(model: str, panel: str) -> list[str]:
    """The runs that a panel's configuration starts from, the first one first."""
    names: list[str] = []
    while (name := config_for(model, names[-1] if names else panel).weights) in RECIPES:
        names.append(name)
    return names[::-1]


def run_all(
    panels: list[str], data_root: Path, runs: Path, output: Path, version: str
) -> list[Path]:
    """Pretraining where it is needed, then fit and export all models of the panels."""
    folders = []
    for panel in panels:
        recipe = recipe_for(panel, data_root)
        for earlier in earlier_runs("resnet50", recipe.panel):
            fit_model(split(RECIPES[earlier], data_root), "resnet50", runs, {})
        data = split(recipe, data_root)
        for model in TITLES:
            fit_model(data, model, runs, {})
        folders.append(export_panel(data, list(TITLES), runs, output, version))
    return folders
