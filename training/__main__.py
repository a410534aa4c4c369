"""``cxr-train``: fit, evaluate and export the models of a panel."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Before TensorFlow is imported: its start-up chatter would stand between the progress lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

MODELS = ("scnn", "ccnn", "daccnn", "resnet50")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="cxr-train")
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser("fit")
    fit.add_argument("--data", type=Path, required=True)
    fit.add_argument("--panel", required=True)
    fit.add_argument("--model", choices=MODELS, required=True)
    fit.add_argument("--runs", type=Path, default=Path("runs"))
    fit.add_argument("--weights", default=None)
    options = parser.parse_args(arguments)

    from training.config import config_for
    from training.recipes import RECIPES, recipe_for_folder
    from training.splits import split
    from training.train import Fit

    recipe = RECIPES.get(options.panel) or recipe_for_folder(options.data, options.panel)
    config = config_for(options.model, recipe.panel)
    weights = options.weights or config.weights
    if weights == "pretraining":
        weights = str(options.runs / "pretraining-resnet50" / "best.npz")
    config = dataclasses.replace(config, weights=weights)
    data = split(recipe, options.data, config.input_size)
    run = Fit(config, data, options.runs / f"{recipe.panel}-{config.model}")
    state = run.run(on_epoch=lambda row: print(row, flush=True))
    print(f"best epoch {state.best_epoch + 1} score {state.best_score:.4f} in {state.seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
