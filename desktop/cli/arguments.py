"""Words of the command line. Commands are imported when they run, so --help answers at once."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import desktop
from desktop.core.files.path_list import path_or_address
from desktop.core.inference.names import DEVICES, PRECISIONS
from desktop.core.panels.contract import RESEARCH_USE
from desktop.core.system.text import printable

COMMANDS = ("label", "models", "doctor", "prove", "demo", "codes")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """As always, but a word may be a file's name, and that any bytes."""
        super().error("\n".join(map(printable, message.split("\n"))))


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Turn words into a namespace whose ``run`` is the command; exits with 2 at wrong words."""
    return build_parser().parse_args(words)


def build_parser() -> argparse.ArgumentParser:
    """The complete parser; the man page, the completions and the manual are made from it."""
    parser = _Parser(
        prog="cxr-quorum",
        description="Four neural networks vote on chest X-rays and a human decides.",
        epilog=f"Without a command, or with a folder, the window opens. {RESEARCH_USE}",
    )
    parser.add_argument("--version", action="version", version=f"CXR Quorum {desktop.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _label(commands)
    _models(commands)
    _doctor(commands)
    _prove(commands)
    _demo(commands)
    _codes(commands)
    return parser


def _label(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "label",
        help="label radiographs and write one row an image",
        description="Label radiographs: four votes, the consensus and, if asked for, heatmaps.",
        epilog="Stopping is safe: Ctrl+C finishes the images in hand, and the same command goes on "
        "with the rest. Exit codes: 0 all images read, 1 some failed, 2 usage, 130 interrupted.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=path_or_address,
        metavar="PATH",
        help="folder or image; with --engine ray also an address such as s3://bucket/films",
    )
    parser.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="also label what FILE names, one path or address a line",
    )
    _panel(parser, "panel that votes (%(default)s)")
    parser.add_argument(
        "-o",
        "--output",
        default="votes.csv",
        metavar="FILE",
        help="table to write; - streams to standard output (%(default)s)",
    )
    parser.add_argument(
        "--format",
        choices=("csv", "jsonl", "parquet"),
        help="default: by the output's ending, else csv; parquet needs pyarrow",
    )
    parser.add_argument(
        "--shape",
        choices=("wide", "long"),
        default="wide",
        help="one row an image, or one row an image and model (%(default)s)",
    )
    parser.add_argument(
        "--heatmaps", type=Path, metavar="DIR", help="write one heatmap picture an image"
    )
    parser.add_argument(
        "--lungs",
        type=Path,
        metavar="DIR",
        help="write one mask of the lungs an image, at the film's size (255 = lung, else 0)",
    )
    _recursive(parser)
    _device(parser)
    _precision(parser)
    parser.add_argument(
        "--on-error",
        choices=("skip", "fail"),
        default="skip",
        help="at an image that cannot be read: note it and go on, or stop (%(default)s)",
    )
    parser.add_argument("--batch", type=_positive, metavar="N", help="images in a micro-batch")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--resume",
        action="store_true",
        help="take over what an earlier run on this output finished; this is the default",
    )
    group.add_argument("--fresh", action="store_true", help="label everything again")
    parser.add_argument(
        "--watch",
        action="store_true",
        help="go on and label images as they arrive, once each and complete ones only, until "
        "Ctrl+C",
    )
    parser.add_argument(
        "--interval",
        type=_seconds,
        default=2.0,
        metavar="SECONDS",
        help="with --watch, time between two looks at the folder (%(default)s)",
    )
    parser.add_argument(
        "--log-json",
        metavar="FILE",
        help="add what happens to FILE, one JSON object a line, without names of files; - is "
        "standard error and leaves out all other words there",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no summary")
    _cluster(parser)
    parser.set_defaults(run=_command("label"))


def _cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="label on this machine, or on all nodes of a Ray cluster (%(default)s)",
    )
    parser.add_argument(
        "--address",
        default="",
        metavar="HOST:PORT",
        help="with --engine ray, the cluster; default: RAY_ADDRESS, else Ray on this machine",
    )
    parser.add_argument(
        "--parts",
        default="",
        metavar="DIR|ADDRESS",
        help="with --engine ray, where part files go; every node must reach it (OUTPUT.parts)",
    )
    parser.add_argument(
        "--part-size",
        type=_positive,
        metavar="N",
        help="with --engine ray, images in a part on average, a power of two (by the number of "
        "images, 16 to 1024)",
    )
    parser.add_argument(
        "--actors",
        type=_positive,
        metavar="N",
        help="with --engine ray, most workers at once (as many as there is room for); each has "
        "--threads threads, 1 if nothing is said",
    )
    parser.add_argument(
        "--recheck",
        choices=("content", "time"),
        default="content",
        help="with --engine ray, how a rerun sees that a finished image has not changed: read and "
        "hash it again, or trust size and time (%(default)s)",
    )
    parser.add_argument(
        "--no-merge",
        action="store_true",
        help="with --engine ray, leave one table a part in OUTPUT.parts instead of one table",
    )


def _models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "models",
        help="list the installed panels and verify their files",
        description="List panels and models and verify every file's hash.",
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="further panels")
    parser.add_argument(
        "--verify", action="store_true", help="also load each model and run a grey image"
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=_command("models"))


def _doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor",
        help="what runs on this machine, and why",
        description="What runs here, and why: device, threads, panels, formats, folders.",
    )
    _device(parser)
    _precision(parser)
    parser.add_argument("--json", action="store_true", help="for scripts and bug reports")
    parser.set_defaults(run=_command("doctor"))


def _prove(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "prove",
        help="measure whether int8 is worth it on this processor",
        description="Run every model in fp32 and in int8, in turns, on drawn phantoms "
        "and on films of yours, and keep what was found: from then on --precision auto takes int8 "
        "where it answers alike and is at least 1.7 times as fast. Exit code 0 where it is, "
        "else 1.",
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="folder or image, the first 512 of all"
    )
    _panel(parser, "panel to measure (%(default)s)")
    _recursive(parser)
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=_command("prove"))


def _demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="label samples, show the votes, open the window",
        description="Label sample films, print the votes, write table and heatmaps, and open the "
        "window if there is a display. Samples are drawn phantoms and, where pydicom-data is "
        "installed, a real chest DICOM; what they are is in their names.",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="folder to write (%(default)s)",
    )
    _panel(parser, "(%(default)s)")
    parser.add_argument("--no-window", action="store_true", help="do not open the window")
    _device(parser)
    parser.set_defaults(run=_command("demo"))


def _codes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "codes",
        help="what the codes in the table mean",
        description="Every code of a refusal, what it means and what to do.",
    )
    parser.add_argument("code", nargs="?", help="only this one, e.g. DECODE-02")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=_command("codes"))


def _panel(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("--panel", default="covid19", metavar="NAME|FOLDER", help=help_text)


def _recursive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="also look in the folders below"
    )


def _device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help="what the models run on; where it is not available the CPU runs them and the reason "
        "is told (%(default)s)",
    )
    parser.add_argument(
        "--threads", type=_positive, metavar="N", help="processor threads (all usable cores)"
    )


def _precision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="what the models compute in; auto is fp32 unless fewer bits give the same answers "
        "faster, which on the CPU cxr-quorum prove finds out (%(default)s)",
    )


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _seconds(word: str) -> float:
    number = float(word)
    if not 0.05 <= number <= 86_400:
        raise argparse.ArgumentTypeError("must be between 0.05 and 86400 seconds")
    return number


def _command(name: str) -> object:
    def run(arguments: argparse.Namespace) -> int:
        module = importlib.import_module(f"{__package__}.{name}")
        return int(module.run(arguments))

    return run
