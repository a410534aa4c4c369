"""How much faster a panel is in int8 than in fp32, and whether it says the same.

Both forms of every model answer the same films turn and turn about on one thread, whose own
processor time counts; then whole folders of full-size films go through the pipeline in both, by the
processor time of all threads. Ratios are what to look at. Of several turns the median counts.

    python tests/benchmarks/bench_int8.py [--panel covid19] [--panels DIR] [--images DIR]

Only models whose int8 form passed at its exporter (``int8.json``) run in int8, as in the app; with
``--all`` every model that has a form.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from desktop.core.batch.pipeline import DEFAULT_BATCH, label
from desktop.core.cases import ImageFile
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.decoders.decoder import ThreadDecoder, decode_file
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.inference.session import PanelSession
from desktop.core.int8.calibration import read_calibration
from desktop.core.int8.processor import this_processor
from desktop.core.panels.registry import Panel, open_panel
from tests.helpers.data_location import shared_data


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--panel", default="covid19", help="name of the panel")
    parser.add_argument("--panels", type=Path, default=Path("exported_models"), metavar="DIR")
    parser.add_argument("--images", type=Path, help="folder of full-size films")
    parser.add_argument("--count", type=int, default=48, help="films")
    parser.add_argument("--turns", type=int, default=25, help="timed turns a model")
    parser.add_argument("--pipelines", type=int, default=3, help="turns of the whole pipeline")
    parser.add_argument("--all", action="store_true", help="also forms that did not pass")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    panel = open_panel((arguments.panels / arguments.panel).absolute())
    plan = plan_of(panel, everything=arguments.all)
    data = shared_data()
    folder = arguments.images or (data / "full-size" if data else None)
    if folder is None:
        sys.exit("Name a folder of films with --images, or the shared data with CXR_QUORUM_DATA.")
    files = list(list_inputs([folder], recursive=True))[: arguments.count]
    print(f"{panel.name} on {this_processor().words}; {plan.bits}-bit weights; {len(files)} films")
    figures = alone(panel, plan, files, arguments.turns)
    figures |= pipelines(panel, plan, files, arguments.pipelines)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def plan_of(panel: Panel, *, everything: bool) -> PrecisionPlan:
    """int8 in the models that passed, or in all that have a form."""
    recipe = read_calibration(panel)
    if recipe is None:
        sys.exit(f"{panel.name} has no int8.json. Run cxr-train int8 --panel {panel.name} first.")
    bits = this_processor().weight_bits
    forms = {model.name: recipe.form(model, bits) for model in panel.models}
    names = [n for n, form in forms.items() if form is not None and (form.passed or everything)]
    return PrecisionPlan("int8", frozenset(names), bits, recipe)


def alone(
    panel: Panel, plan: PrecisionPlan, files: list[ImageFile], turns: int
) -> dict[str, float]:
    """Each model and the panel on tensors in memory, with maps."""
    decoded = [decode_file(file, panel.input_sizes, film=False) for file in files]
    figures: dict[str, float] = {}
    before = after = 0.0
    for model in panel.models:
        size = model.card.input_size
        batch = np.stack([item.pixels[size] for item in decoded[:DEFAULT_BATCH]])
        one = replace(panel, models=(model,))
        mine = replace(plan, int8=plan.int8 & {model.name})
        sessions = [PanelSession(one, "cpu", 1, on_cpu=item) for item in (ALL_FP32, mine)]
        taken: list[list[float]] = [[], []]
        for turn in range(turns + 2):
            for session, times in zip(sessions, taken, strict=True):
                begun = time.thread_time()
                session.predict(batch)
                if turn >= 2:
                    times.append((time.thread_time() - begun) / len(batch))
        fp32, other = (median(times) for times in taken)
        if not mine.int8:
            other = fp32
        before, after = before + fp32, after + other
        figures[f"{model.name}_gain"] = fp32 / other
        word = f"{fp32 / other:5.2f} x" if mine.int8 else "stays fp32"
        print(f"{model.card.title:10} fp32 {1e3 * fp32:7.2f} ms  now {1e3 * other:7.2f} ms  {word}")
    figures |= {"inference_fp32": before, "inference_int8": after, "inference_gain": before / after}
    print(
        f"{'Panel':10} fp32 {1e3 * before:7.2f} ms  now {1e3 * after:7.2f} ms  "
        f"{before / after:5.2f} x"
    )
    return figures


def pipelines(
    panel: Panel, plan: PrecisionPlan, files: list[ImageFile], turns: int
) -> dict[str, float]:
    """The whole way from full-size files to answers with maps, by processor time."""
    sessions = [PanelSession(panel, "cpu", 1, on_cpu=item) for item in (ALL_FP32, plan)]
    taken: list[list[float]] = [[], []]
    answers: list[list[int | None]] = [[], []]
    for _ in range(turns):
        for session, times, said in zip(sessions, taken, answers, strict=True):
            begun = time.process_time()
            cases = list(label(files, session, decoder=ThreadDecoder(1)))
            times.append((time.process_time() - begun) / len(files))
            said[:] = [case.result.verdict and case.result.verdict.consensus for case in cases]
    fp32, int8 = (median(times) for times in taken)
    equal = float(np.mean([a == b for a, b in zip(*answers, strict=True)]))
    print(
        f"Pipeline   fp32 {1e3 * fp32:7.2f} ms  now {1e3 * int8:7.2f} ms  {fp32 / int8:5.2f} x  "
        f"(reading and decoding are the same in both); {100 * equal:.1f} % equal consensus"
    )
    return {"pipeline_fp32": fp32, "pipeline_int8": int8, "pipeline_gain": fp32 / int8}


if __name__ == "__main__":
    main()
