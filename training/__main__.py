"""``cxr-train``: fit, export and evaluate the models of a panel.

TensorFlow is imported only by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training.cli.arguments import exit_code
from training.cli.studies import add_studies
from training.models import MODELS

_EXAMPLES = """\
examples:
  cxr-train run-all --smoke                           all four on drawn films, two minutes
  cxr-train run-all --data DATA --panel covid19       train and export one panel
  cxr-train fit --data MY_FILMS --panel mine --model scnn
                                                      MY_FILMS/Healthy, MY_FILMS/Sick, any names
  cxr-train export --data MY_FILMS --panel mine       what was trained, into exported_models/mine
  cxr-train evaluate exported_models/mine --data OTHER_FILMS
  cxr-train evaluate covid19 --csv votes.csv --labels DATA --metadata people.csv

A killed run goes on where its last epoch ended: type the same command again.
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``cxr-train``."""
    parser = argparse.ArgumentParser(
        prog="cxr-train",
        description="Train the four networks of a panel on folders of chest X-rays, and export "
        "them as files that CXR Quorum votes with. Research use only.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with one folder a class, directly or below train/ and test/; for the panels "
        "covid19 and pneumonia the folder that holds their data sets",
    )
    runs = argparse.ArgumentParser(add_help=False)
    runs.add_argument(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where checkpoints, curves and metrics go (default: runs)",
    )
    panel = argparse.ArgumentParser(add_help=False)
    panel.add_argument(
        "--panel",
        required=True,
        metavar="NAME",
        help="covid19, pneumonia, pretraining, or a new name of your own in lower case",
    )
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument(
        "--output",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder of panels to export into (default: exported_models)",
    )
    output.add_argument(
        "--version",
        default=None,
        metavar="V",
        help="version of the weights (default: year.month.1)",
    )

    fit = commands.add_parser(
        "fit", parents=[data, runs, panel], help="train one model, or resume it"
    )
    fit.add_argument("--model", choices=MODELS, required=True, help="which network")
    fit.add_argument(
        "--weights",
        metavar="W",
        help="ResNet50 only: imagenet, none, or a best.npz of an earlier run to start from",
    )
    fit.add_argument(
        "--epochs", type=int, metavar="N", help="train N epochs at the last image size"
    )
    fit.add_argument(
        "--epoch-films",
        dest="epoch_images",
        type=int,
        metavar="N",
        help="films drawn an epoch (default: the model's configuration; 0 = all)",
    )
    fit.add_argument("--batch", type=int, metavar="N", help="films a step")
    fit.add_argument("--seed", type=int, metavar="N", help="of weights, drawing and augmentation")
    fit.add_argument(
        "--allow-leaks",
        action="store_true",
        help="train although a film or a person stands on two sides of the split",
    )

    export = commands.add_parser(
        "export",
        parents=[data, runs, panel, output],
        help="export trained models as ONNX, after comparing them with Keras",
    )
    export.add_argument(
        "--model", choices=MODELS, action="append", help="only this one (repeatable; default: all)"
    )

    evaluate = commands.add_parser(
        "evaluate",
        parents=[data],
        help="score an exported panel on films it was not trained on",
        description="Either runs the panel on --data, or scores the CSV that cxr-quorum label "
        "wrote; where the report has the same figures, they are compared, with exit code 1 if one "
        "does not come out.",
    )
    evaluate.add_argument("panel_folder", metavar="PANEL", help="name or folder of the panel")
    evaluate.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="score this table of cxr-quorum label instead of running the models",
    )
    evaluate.add_argument(
        "--labels",
        type=Path,
        metavar="WHERE",
        help="true classes for --csv: a CSV with image and label, or a folder as for --data",
    )
    evaluate.add_argument(
        "--metadata",
        type=Path,
        metavar="WHERE",
        help="scores by subgroup: a CSV with filename and any of age, sex, view, site, or a folder "
        "of DICOM files",
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write all scores here as well")

    report = commands.add_parser("report", help="write the report of the exported panels")
    report.add_argument(
        "--models",
        type=Path,
        default=Path("exported_models"),
        metavar="DIR",
        help="folder of panels (default: exported_models)",
    )
    report.add_argument(
        "--output",
        type=Path,
        default=Path("docs/MODEL_REPORT.md"),
        metavar="FILE",
        help="Markdown file; the page with figures, model_report.html, is written beside it "
        "(default: docs/MODEL_REPORT.md)",
    )

    everything = commands.add_parser(
        "run-all", parents=[data, runs, output], help="pretrain, fit and export whole panels"
    )
    everything.add_argument(
        "--panel",
        action="append",
        metavar="NAME",
        help="repeatable; default: covid19 and pneumonia",
    )
    everything.add_argument(
        "--smoke",
        action="store_true",
        help="tiny networks on drawn films instead of data, in under two minutes",
    )
    add_studies(commands, data)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 = done, 1 = refused with a sentence, 2 = usage, 130 = interrupted."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    smoking = options.command == "run-all" and options.smoke
    tabular = options.command == "evaluate" and options.csv is not None
    if tabular and options.labels is None:
        parser.error("evaluate --csv needs --labels: a CSV or a folder with the true classes")
    without_films = options.command in ("report", "optimise") or smoking or tabular
    if not without_films and options.data is None:
        parser.error(f"{options.command} needs --data DIR")
    return exit_code(
        "cxr-train", lambda: options.study(options) if "study" in options else _run(options)
    )


def _run(options: argparse.Namespace) -> None:
    if options.command == "report":
        from training.report.report import write_report

        for path in write_report(options.models, options.output):
            print(path)
        return
    from training.audit.audit import refuse_leaks
    from training.cli import commands
    from training.data.split import split

    if options.command == "fit":
        changes: dict[str, object] = {
            name: getattr(options, name)
            for name in ("weights", "epoch_images", "batch", "seed")
            if getattr(options, name) is not None
        }
        recipe = commands.recipe_for(options.panel, options.data)
        if options.epochs is not None:
            from training.configs import config_for

            side = config_for(options.model, recipe.panel).stages[-1][1]
            changes["stages"] = ((options.epochs, side),)
        data = split(recipe, options.data)
        refuse_leaks(data, options.data, allow=options.allow_leaks)
        commands.fit_model(data, options.model, options.runs, changes)
    elif options.command == "export":
        data = split(commands.recipe_for(options.panel, options.data), options.data)
        models = options.model or [
            model
            for model in MODELS
            if (options.runs / f"{data.recipe.panel}-{model}" / "best.npz").is_file()
        ]
        if not models:
            raise FileNotFoundError(
                f"No trained model of panel {options.panel} in {options.runs}. "
                "Run cxr-train fit first."
            )
        commands.export_panel(
            data,
            models,
            options.runs,
            options.output or Path("exported_models"),
            options.version or commands.default_version(),
        )
    elif options.command == "evaluate":
        from training.evaluation.evaluate import evaluate_films, evaluate_table

        if options.csv is None:
            found = evaluate_films(options.panel_folder, options.data, options.metadata)
        else:
            found = evaluate_table(
                options.panel_folder, options.csv, options.labels, options.metadata
            )
        if options.json:
            from training.runtime.files import write_json

            write_json(options.json, found)
    elif options.smoke:
        commands.smoke_all(options.output)
    else:
        commands.run_all(
            options.panel or list(commands.SHIPPED),
            options.data,
            options.runs,
            options.output or Path("exported_models"),
            options.version or commands.default_version(),
        )


if __name__ == "__main__":
    sys.exit(main())
