"""The window's engine and the command line write the same table, byte for byte."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.__main__ import main
from desktop.core.cases import CaseResult
from desktop.core.engine.process import (
    CaseDone,
    EngineEvent,
    EngineFailed,
    EngineIdle,
    EngineProcess,
    EngineReady,
    EngineRequest,
)
from desktop.core.export.table import TableRow, write_table
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.phantoms import draw_phantom
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, find_panels, open_panel
from tests.helpers.data_location import shared_data
from tests.helpers.tiny_models import write_panel


def engine_table(panel: Panel, folder: Path, output: Path, order: int) -> None:
    """Label a folder as the window does, in another order, and write the table."""
    files = list(list_inputs([folder], recursive=True))
    answers: dict[str, CaseResult] = {}
    device = ""
    finished = threading.Event()
    trouble: list[EngineFailed] = []

    def hear(event: EngineEvent) -> None:
        nonlocal device
        match event:
            case EngineReady():
                device = event.device
            case CaseDone():
                answers[event.result.image] = event.result
            case EngineFailed():
                trouble.append(event)
                finished.set()
            case EngineIdle():
                if len(answers) == len(files):
                    finished.set()
            case _:
                pass

    request = EngineRequest(panel.folder, device="cpu")
    with EngineProcess(request, root=folder, on_event=hear, nice=0) as engine:
        engine.add([file.path for file in files][::order])
        assert finished.wait(120)
    assert not trouble
    rows = [TableRow(answers[file.image], device=device) for file in files]
    write_table(output, panel, rows)


def compare(panel: Panel, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "command.csv"
    words = ["label", folder, "--panel", panel.folder, "--device", "cpu", "-r", "-q", "-o", output]
    assert main(list(map(str, words))) in (0, 1)
    for order in (1, -1):
        engine_table(panel, folder, tmp_path / "window.csv", order)
        assert (tmp_path / "window.csv").read_bytes() == output.read_bytes()


def test_on_drawn_and_broken_films(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path))
    folder = tmp_path / "films"
    (folder / "below").mkdir(parents=True)
    random = np.random.default_rng(2)
    for number in range(7):
        grey = random.integers(0, 256, (9, 9)).astype(np.uint8)
        picture = Image.fromarray(grey).resize((280, 260), Image.Resampling.BICUBIC)
        picture.save(folder / ("below" if number % 2 else ".") / f"film{number}.png")
    (folder / "broken.png").write_bytes(b"broken")
    compare(panel, folder, tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["covid19", "pneumonia"])
def test_on_real_films_with_the_shipped_models(tmp_path: Path, name: str) -> None:
    data = shared_data()
    if data is None or name not in [panel.name for panel in find_panels()]:
        pytest.skip("no films or no shipped panel")
    folder = tmp_path / "films"
    folder.mkdir()
    films = sorted((data / "covid19-image-dataset" / "test").rglob("*.*"))
    for film in [path for path in films if path.is_file()][::6]:
        (folder / f"{film.parent.name}-{film.name}").symlink_to(film)
    compare(open_panel(name), folder, tmp_path)


@pytest.mark.parametrize("name", ["covid19", "pneumonia"])
def test_a_shipped_model_answers_an_image_the_same_in_every_batch(name: str) -> None:
    if name not in [panel.name for panel in find_panels()]:
        pytest.skip("no shipped panel")
    panel = open_panel(name)
    films = [draw_phantom("normal", seed, (224, 224))[..., np.newaxis] for seed in range(3)]
    turned = [np.ascontiguousarray(film[:, ::-1]) for film in films]
    images = np.stack([*films, *turned])
    alone = PanelSession(panel, "cpu", 1).predict(images, maps=False)
    session = PanelSession(panel, "cpu", 2)
    for size in (1, 2, 3, 4):
        for start in range(0, len(images), size):
            answers = session.predict(images[start : start + size])
            for answer, expected in zip(answers, alone[start:], strict=False):
                assert answer.predictions == expected.predictions
