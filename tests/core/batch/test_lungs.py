"""Masks of the lungs beside a table: at the film's size, whole, resumed, and never guessed."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.batch.pipeline import batch_plan, label
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.errors import ModelRefused, UsageError
from desktop.core.export.columns import TableRow
from desktop.core.export.table import write_table
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.imaging.lungs import film_mask, lung_share
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.store.review_store import ReviewStore
from tests.helpers.tiny_models import write_panel

# The tiny network calls dark places lungs: two dark halves, on white.
LUNGS = (slice(200, 700), slice(100, 800))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film = np.full((1000, 900), 240, np.uint8)
    film[LUNGS] = 30
    Image.fromarray(film).save(folder / "chest.png")
    # Stored lying down and turned by its EXIF block; the decoder also skips detail.
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(np.rot90(film))
    lying.save(folder / "turned.jpg", quality=95, exif=exif)
    speck = np.full((300, 260), 250, np.uint8)
    speck[40:80, 60:100] = 10  # less than any lungs
    Image.fromarray(speck).save(folder / "white.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return open_panel(write_panel(tmp_path_factory.mktemp("panels"), lungs=True))


@pytest.fixture(scope="module")
def session(panel: Panel) -> PanelSession:
    return PanelSession(panel, "cpu", 1, lungs=True)


def run(
    output: Path, films: Path, session: PanelSession, lungs: Path | None = None, **more: bool
) -> LabelRun:
    settings = RunSettings(output, lungs=lungs, **more)
    with LabelRun(session.panel, settings) as labelling:
        plan = batch_plan(1)
        with DecodePool(plan.decoders, sizes=session.panel.decode_sizes) as decoder:
            list(labelling.results(list_inputs([films]), session, decoder=decoder))
        labelling.write_table()
    return labelling


def column(output: Path, name: str) -> dict[str, str]:
    text = io.StringIO(output.read_bytes().decode("utf-8-sig"), newline="")
    return {row["image"]: row[name] for row in csv.DictReader(text)}


def test_masks_are_written_at_the_size_of_the_film(
    films: Path, session: PanelSession, tmp_path: Path
) -> None:
    labelling = run(tmp_path / "votes.csv", films, session, tmp_path / "lungs")
    names = sorted(path.name for path in (tmp_path / "lungs").iterdir())
    assert names == ["chest.png.lungs.png", "turned.jpg.lungs.png", "white.png.lungs.png"]
    for name in names[:2]:
        with Image.open(tmp_path / "lungs" / name) as picture:
            assert (picture.mode, picture.size) == ("L", (900, 1000))
            mask = np.asarray(picture)
        assert set(np.unique(mask).tolist()) == {0, 255}
        truth = np.zeros((1000, 900), bool)
        truth[LUNGS] = True
        both = np.count_nonzero((mask == 255) & truth)
        assert 2 * both / (np.count_nonzero(mask) + np.count_nonzero(truth)) > 0.95
    with Image.open(tmp_path / "lungs" / "white.png.lungs.png") as picture:
        assert picture.size == (260, 300)
        assert not np.asarray(picture).any()
    found = column(tmp_path / "votes.csv", "lungs_found")
    assert found == {
        "broken.png": "",
        "chest.png": "true",
        "turned.jpg": "true",
        "white.png": "false",
    }
    assert labelling.counts.no_lungs == 1


def test_a_rerun_writes_what_is_missing_and_nothing_else(
    films: Path, session: PanelSession, tmp_path: Path
) -> None:
    output, lungs = tmp_path / "votes.csv", tmp_path / "lungs"
    run(output, films, PanelSession(session.panel, "cpu", 1))
    assert set(column(output, "lungs_found").values()) == {""}
    run(output, films, session, lungs)
    with_lungs = output.read_bytes()
    assert column(output, "lungs_found")["white.png"] == "false"
    (lungs / "chest.png.lungs.png").unlink()
    kept = {path: path.stat().st_mtime_ns for path in lungs.iterdir()}
    again = run(output, films, session, lungs)
    assert again.counts.resumed == 3
    assert (lungs / "chest.png.lungs.png").is_file()
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert output.read_bytes() == with_lungs
    # Masks that lie there already do not make up for rows that do not know of lungs.
    other = tmp_path / "other.csv"
    run(other, films, PanelSession(session.panel, "cpu", 1))
    run(other, films, session, lungs)
    assert other.read_bytes() == with_lungs


def test_the_store_gives_the_same_bytes(films: Path, session: PanelSession, tmp_path: Path) -> None:
    run(tmp_path / "votes.csv", films, session)
    files = list(list_inputs([films]))
    panel = session.panel
    with ReviewStore.open(films, panel.manifest, home=tmp_path / "home") as store:
        store.record_results([(case.result, case.source) for case in label(files, session)])
        stored = [store.case_result(file.image) for file in files]
    kept = [TableRow(result, device="cpu") for result in stored if result is not None]
    write_table(tmp_path / "window.csv", panel, kept)
    expected = (tmp_path / "votes.csv").read_text("utf-8-sig")
    # What was never read ran nowhere; the run says where it would have.
    assert (tmp_path / "window.csv").read_text("utf-8-sig") == expected


def test_a_panel_without_lungs_refuses_to_write_masks(tmp_path: Path) -> None:
    plain = open_panel(write_panel(tmp_path / "panels"))
    with pytest.raises(UsageError, match="no network that finds lungs") as refusal:
        LabelRun(plain, RunSettings(tmp_path / "votes.csv", lungs=tmp_path / "lungs"))
    assert refusal.value.code == "USAGE-05"
    assert not (tmp_path / "lungs").exists()


def test_the_file_is_verified_and_in_the_fingerprint(panel: Panel, tmp_path: Path) -> None:
    folder = write_panel(tmp_path, lungs=True)
    without = dataclasses.replace(panel.manifest, lungs=None)
    assert without.fingerprint != panel.fingerprint
    check_in_sandbox(open_panel(folder), home=tmp_path / "home")
    with (folder / "lungs.onnx").open("ab") as stream:
        stream.write(b"\x00")
    with pytest.raises(ModelRefused) as refusal:
        open_panel(folder)
    assert refusal.value.code == "MODEL-08"


def test_the_edge_of_an_enlarged_mask_lies_where_the_probability_crosses() -> None:
    mask = np.zeros((4, 4), np.float32)
    mask[:, 2:] = 1
    large = film_mask(mask, (40, 80), 0.5)
    assert large.shape == (40, 80)
    assert (large[:, 40:] == 255).all()
    assert not large[:, :40].any()
    assert lung_share(mask, 0.5) == 0.5
