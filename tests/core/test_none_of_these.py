"""Films of none of the panel's classes: score, flag, table, journal and store agree."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.batch.pipeline import label
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.export.columns import TableRow
from desktop.core.export.table import write_table
from desktop.core.files.inputs import list_inputs
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.review.case_table import CaseTable
from desktop.core.review.query import select_text
from desktop.core.store.review_store import ReviewStore
from tests.helpers.tiny_models import write_panel

# The tiny models call a film the more "none" the darker it is.
GREYS = {"bright.png": 230, "dark.png": 20, "middle.png": 100}
LIMIT = 0.7


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for number, (name, grey) in enumerate(GREYS.items()):
        noise = np.random.default_rng(number).integers(-15, 16, (256, 240))
        Image.fromarray((grey + noise).astype(np.uint8)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return open_panel(write_panel(tmp_path_factory.mktemp("panels"), none_limit=LIMIT))


@pytest.fixture(scope="module")
def session(panel: Panel) -> PanelSession:
    return PanelSession(panel, "cpu", 1)


def run(output: Path, films: Path, session: PanelSession) -> bytes:
    with LabelRun(session.panel, RunSettings(output)) as labelling:
        list(labelling.results(list_inputs([films]), session))
        labelling.write_table()
    return output.read_bytes()


def rows(table: bytes) -> dict[str, dict[str, str]]:
    text = io.StringIO(table.decode("utf-8-sig"), newline="")
    return {row["image"]: row for row in csv.DictReader(text)}


def test_the_table_has_the_score_and_the_vote_stays_one_of_the_classes(
    films: Path, session: PanelSession, tmp_path: Path
) -> None:
    found = rows(run(tmp_path / "votes.csv", films, session))
    for name, grey in GREYS.items():
        assert float(found[name]["none_of_these"]) == pytest.approx(1 - grey / 255, abs=0.01)
        assert len(found[name]["none_of_these"].split(".")[1]) == 6
        assert found[name]["consensus"] in (*session.panel.class_names, "no consensus")


def test_only_films_above_the_limit_carry_it(films: Path, session: PanelSession) -> None:
    cases = {case.result.image: case.result for case in label(list_inputs([films]), session)}
    flags = {name: result.verdict.none_of_these for name, result in cases.items() if result.verdict}
    assert flags == {"bright.png": False, "dark.png": True, "middle.png": False}


def test_a_panel_of_version_1_has_neither_column_nor_score(films: Path, tmp_path: Path) -> None:
    plain = open_panel(write_panel(tmp_path / "panels"))
    found = rows(run(tmp_path / "votes.csv", films, PanelSession(plain, "cpu", 1)))
    assert all("none_of_these" not in row for row in found.values())


def test_the_limit_decides_results_so_it_is_in_the_fingerprint(panel: Panel) -> None:
    other = dataclasses.replace(panel.manifest, none_limit=LIMIT / 2)
    assert other.fingerprint != panel.fingerprint


def test_store_and_resumed_run_write_the_same_bytes(
    films: Path, session: PanelSession, tmp_path: Path
) -> None:
    panel, files = session.panel, list(list_inputs([films]))
    first = run(tmp_path / "votes.csv", films, session)
    # Everything is taken over from the journal.
    assert run(tmp_path / "votes.csv", films, session) == first
    with ReviewStore.open(films, panel.manifest, home=tmp_path / "home") as store:
        store.record_results([(case.result, case.source) for case in label(files, session)])
        stored = [store.case_result(file.image) for file in files]
        table = CaseTable(panel.class_names, panel.model_names)
        table.set_results(store.result_columns())
    kept = [TableRow(result, device="cpu") for result in stored if result is not None]
    write_table(tmp_path / "window.csv", panel, kept)
    assert (tmp_path / "window.csv").read_bytes() == first
    flags = dict(zip(table.images, table.flags("none_of_these").tolist(), strict=True))
    assert flags == {
        result.image: result.verdict.none_of_these
        for result in stored
        if result is not None and result.verdict is not None
    }
    for query, sort, wanted in (
        ("is:none", "", ["dark.png"]),
        ("none<0.2", "", ["bright.png"]),
        ("", "-none", ["dark.png", "middle.png", "bright.png"]),
    ):
        assert [table.images[row] for row in select_text(table, query, sort)] == wanted
