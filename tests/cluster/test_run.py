"""A cluster run with its one worker in this process: same bytes, resumable, every film once."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.cluster.inputs import list_films
from desktop.cluster.run import ClusterRun, PartSettings, default_store
from desktop.cluster.worker import PartLabeller
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.errors import OutputFailed, UsageError
from desktop.core.export.columns import TableShape
from desktop.core.export.table import TableFormat
from desktop.core.files.inputs import list_inputs
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel
from desktop.core.system.cancel_token import CancelToken
from tests.cluster.inline_backend import InlineEngine


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy films in two folders, and two files that are none."""
    folder = tmp_path_factory.mktemp("drawn") / "films"
    (folder / "below").mkdir(parents=True)
    random = np.random.default_rng(5)
    for number in range(70):
        grey = Image.fromarray(random.integers(0, 256, (9, 9)).astype(np.uint8))
        place = folder / "below" if number % 3 == 0 else folder
        grey.resize((90, 80), Image.Resampling.BICUBIC).save(place / f"film{number}.png")
    (folder / "film5b.png").write_bytes(b"no picture at all")
    (folder / "below" / "film7b.png").write_bytes(b"")
    return folder


@pytest.fixture
def films(tmp_path: Path, drawn: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(drawn, tmp_path / "films")
    return tmp_path / "films"


def local_table(
    output: Path, films: Path, panel: Panel, form: TableFormat = "csv", shape: TableShape = "wide"
) -> bytes:
    session = PanelSession(panel, "cpu", 1)
    with LabelRun(panel, RunSettings(output, form=form, shape=shape)) as run:
        for _ in run.results(list_inputs([films], recursive=True), session):
            pass
        run.write_table()
    return output.read_bytes()


def cluster_run(
    settings: RunSettings,
    places: Sequence[Path | str],
    panel: Panel,
    most: int | None = None,
    **parts: object,
) -> ClusterRun:
    assert settings.output is not None
    chosen = replace(
        PartSettings(default_store(settings.output), size=16, device="cpu"),
        **parts,  # type: ignore[arg-type]
    )
    with ClusterRun(panel, settings, chosen) as run:
        run.plan(list_films(places, recursive=True), 1)
        for _ in run.results(InlineEngine(most), run.job(), CancelToken()):
            pass
        run.write_table()
    return run


@pytest.mark.parametrize(
    ("form", "shape"), [("csv", "wide"), ("jsonl", "long"), ("parquet", "wide")]
)
def test_the_table_has_the_bytes_of_a_run_on_one_machine(
    tmp_path: Path, drawn: Path, panel: Panel, form: TableFormat, shape: TableShape
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    expected = local_table(tmp_path / f"local.{form}", drawn, panel, form, shape)
    output = tmp_path / f"cluster.{form}"
    run = cluster_run(RunSettings(output, form=form, shape=shape), [drawn], panel)
    assert output.read_bytes() == expected
    assert run.complete
    assert (run.counts.images, run.counts.failed) == (72, 2)


def test_a_run_that_was_killed_goes_on_with_what_is_missing(
    tmp_path: Path, drawn: Path, panel: Panel
) -> None:
    expected = local_table(tmp_path / "local.csv", drawn, panel)
    settings = RunSettings(tmp_path / "cluster.csv")
    first = cluster_run(settings, [drawn], panel, most=2)
    assert not first.complete
    assert 0 < first.counts.images < 72
    second = cluster_run(settings, [drawn], panel)
    assert (tmp_path / "cluster.csv").read_bytes() == expected
    # A film that could not be read is always tried again.
    assert first.counts.images - 1 <= second.counts.resumed <= first.counts.images
    third = cluster_run(settings, [drawn], panel)
    assert third.counts.resumed == 71
    assert (tmp_path / "cluster.csv").read_bytes() == expected


def test_a_stop_keeps_what_is_finished_and_begins_no_other_part(
    tmp_path: Path, drawn: Path, panel: Panel
) -> None:
    settings = RunSettings(tmp_path / "cluster.csv")
    parts = PartSettings(default_store(tmp_path / "cluster.csv"), size=16, device="cpu")
    with ClusterRun(panel, settings, parts) as run:
        run.plan(list_films([drawn], recursive=True), 1)
        reports = run.results(InlineEngine(), run.job(), CancelToken())
        first = next(reports)
        run.ask_to_stop()
        assert list(reports) == []
        assert not run.complete
        assert run.write_table() == first.images


def test_changed_new_and_removed_films_are_noticed(
    tmp_path: Path, films: Path, panel: Panel
) -> None:
    settings = RunSettings(tmp_path / "cluster.csv")
    cluster_run(settings, [films], panel)
    # The same size and time, another content: only its hash tells.
    before = (films / "film1.png").stat()
    data = bytearray((films / "film1.png").read_bytes())
    other = (films / "film2.png").read_bytes()
    (films / "film1.png").write_bytes((other + bytes(len(data)))[: len(data)])
    os.utime(films / "film1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copy(films / "film4.png", films / "film4b.png")
    (films / "film8.png").unlink()
    run = cluster_run(settings, [films], panel)
    assert run.counts.resumed == 71 - 2
    expected = local_table(tmp_path / "local.csv", films, panel)
    assert (tmp_path / "cluster.csv").read_bytes() == expected


def test_trusting_times_takes_over_without_reading(
    tmp_path: Path, films: Path, panel: Panel
) -> None:
    settings = RunSettings(tmp_path / "cluster.csv")
    cluster_run(settings, [films], panel)
    before = (films / "film1.png").stat()
    (films / "film1.png").write_bytes(bytes(before.st_size))
    os.utime(films / "film1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    (films / "film2.png").write_bytes((films / "film4.png").read_bytes())
    run = cluster_run(settings, [films], panel, recheck="time")
    assert run.counts.resumed == 71 - 1


def test_a_second_attempt_at_a_part_writes_the_same_file(
    tmp_path: Path, drawn: Path, panel: Panel
) -> None:
    settings = RunSettings(tmp_path / "cluster.csv", fresh=True)
    store = PartSettings(default_store(tmp_path / "cluster.csv"), size=16, device="cpu")
    with ClusterRun(panel, settings, store) as run:
        run.plan(list_films([drawn], recursive=True), 1)
        job = run.job()
        parts = list(run._parts)
        folder = Path(store.store)
        with PartLabeller(job) as one, PartLabeller(job) as other:
            one.label(parts[1])
            first = (folder / parts[1].file).read_bytes()
            (folder / parts[1].file).unlink()
            other.label(parts[1])
            assert (folder / parts[1].file).read_bytes() == first
            assert other.label(parts[1]).resumed == parts[1].count


def test_a_damaged_part_is_made_again(tmp_path: Path, drawn: Path, panel: Panel) -> None:
    settings = RunSettings(tmp_path / "cluster.csv")
    cluster_run(settings, [drawn], panel)
    whole = (tmp_path / "cluster.csv").read_bytes()
    part = sorted(Path(default_store(tmp_path / "cluster.csv")).glob("part-*.jsonl"))[0]
    part.write_bytes(part.read_bytes()[:-40])
    run = cluster_run(settings, [drawn], panel)
    assert run.counts.resumed < 71
    assert (tmp_path / "cluster.csv").read_bytes() == whole


def test_two_runs_on_one_output_do_not_mix(tmp_path: Path, drawn: Path, panel: Panel) -> None:
    settings = RunSettings(tmp_path / "votes.csv")
    store = PartSettings(default_store(tmp_path / "votes.csv"))
    (tmp_path / "link.csv").symlink_to("votes.csv")
    linked = RunSettings(tmp_path / "link.csv")
    assert default_store(tmp_path / "link.csv") == store.store
    with ClusterRun(panel, settings, store):
        for begin in (
            lambda: ClusterRun(panel, settings, store),
            lambda: LabelRun(panel, settings),
            lambda: ClusterRun(panel, linked, store),
            lambda: LabelRun(panel, linked),
        ):
            with pytest.raises(OutputFailed) as refused:
                begin()
            assert refused.value.code == "OUTPUT-06"
    LabelRun(panel, settings).close()


def test_addresses_give_the_same_table(tmp_path: Path, drawn: Path, panel: Panel) -> None:
    pytest.importorskip("fsspec")
    expected = local_table(tmp_path / "local.csv", drawn, panel)
    store = f"file://{tmp_path}/remote parts"
    cluster_run(RunSettings(tmp_path / "a.csv"), [f"file://{drawn}"], panel, store=store)
    assert (tmp_path / "a.csv").read_bytes() == expected
    again = cluster_run(RunSettings(tmp_path / "a.csv"), [f"file://{drawn}"], panel, store=store)
    assert again.counts.resumed == 71


def test_films_inside_an_archive_are_read_by_address(
    tmp_path: Path, drawn: Path, panel: Panel
) -> None:
    pytest.importorskip("fsspec")
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for path in sorted(drawn.glob("film*")):
            archive.write(path, path.name)
    names = [f"film{number}.png" for number in (1, 2, 4, 4)]
    listed = [f"zip://{name}::file://{tmp_path}/films.zip" for name in [*names, "gone.png"]]
    run = cluster_run(RunSettings(tmp_path / "zip.csv"), listed, panel)
    assert (run.counts.images, run.counts.failed, run.counts.codes["READ-02"]) == (4, 1, 1)
    table = (tmp_path / "zip.csv").read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == [*names[:3], "gone.png"]
    assert "gone.png is not there (any more)" in table
    assert [film.image for film in list_films([f"zip://::file://{tmp_path}/films.zip"])] == [
        film.image for film in list_films([drawn])
    ]


def test_without_merging_every_part_has_its_table(
    tmp_path: Path, drawn: Path, panel: Panel
) -> None:
    expected = local_table(tmp_path / "local.csv", drawn, panel).decode("utf-8-sig")
    cluster_run(RunSettings(tmp_path / "votes.csv"), [drawn], panel, merge=False)
    folder = Path(default_store(tmp_path / "votes.csv"))
    header, *rows = expected.splitlines()
    found: list[str] = []
    for name in (folder / "order.txt").read_text().splitlines():
        first, *lines = (folder / name).read_text(encoding="utf-8-sig").splitlines()
        assert first == header
        found += lines
    assert found == rows
    assert not (tmp_path / "votes.csv").exists()


def test_paths_and_addresses_do_not_mix(drawn: Path) -> None:
    with pytest.raises(UsageError) as refused:
        list_films([drawn, f"file://{drawn}"])
    assert refused.value.code == "USAGE-05"


def test_a_node_with_another_version_refuses(tmp_path: Path, panel: Panel) -> None:
    store = PartSettings(default_store(tmp_path / "votes.csv"))
    with ClusterRun(panel, RunSettings(tmp_path / "votes.csv"), store) as run:
        with pytest.raises(UsageError) as refused:
            PartLabeller(replace(run.job(), version="0.0.1", made_by="another"))
        assert refused.value.code == "CLUSTER-03"
