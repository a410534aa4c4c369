"""The table that the app writes gives the scores that running the models gives."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from desktop.cli import main as app
from desktop.core.panels.registry import open_panel, shipped_panels_folder
from tests.helpers.data_location import shared_data
from tests.helpers.tiny_models import write_panel
from training.__main__ import main
from training.evaluation.label_table import read_label_table
from training.evaluation.predictions import ANSWERS_NAME, read_answers, read_scores


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_panel(tmp_path_factory.mktemp("panels"), name="tiny")


@pytest.fixture(scope="module")
def table(panel: Path, films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``cxr-quorum label`` writes of the drawn films."""
    path = tmp_path_factory.mktemp("table") / "votes.csv"
    arguments = ["label", str(films), "--recursive", "--panel", str(panel), "--output", str(path)]
    assert app([*arguments, "--device", "cpu"]) == 0
    return path


def _scores(path: Path) -> dict[str, dict[str, float]]:
    found = json.loads(path.read_text())
    models = {
        f"{model} {name}": row
        for model, rows in found["models"].items()
        for name, row in rows.items()
    }
    return found["scores"] | models


def test_a_table_gives_the_scores_of_the_films(
    panel: Path, films: Path, table: Path, tmp_path: Path
) -> None:
    direct, of_table = tmp_path / "direct.json", tmp_path / "table.json"
    assert main(["evaluate", str(panel), "--data", str(films), "--json", str(direct)]) == 0
    arguments = ["evaluate", str(panel), "--csv", str(table), "--labels", str(films)]
    assert main([*arguments, "--json", str(of_table)]) == 0
    one, other = _scores(direct), _scores(of_table)
    assert one.keys() == other.keys()
    assert "test_verdict_accuracy" in one
    for name, row in one.items():
        # Six decimals keep every vote; of the tiny models' extreme answers they make ties.
        exact = name.rsplit("test_", 1)[1].startswith(("accuracy", "recall", "verdict", "cons"))
        for key in ("value", "low", "high", "n"):
            close = 1e-9 if exact else 0.02
            assert other[name][key] == pytest.approx(row[key], abs=close), name


def test_classes_may_come_from_a_table_and_people_too(
    panel: Path, films: Path, table: Path, tmp_path: Path
) -> None:
    truth, people = tmp_path / "truth.csv", tmp_path / "people.csv"
    paths = sorted(path.relative_to(films) for path in films.rglob("*.png"))
    truth.write_text("image,label\n" + "".join(f"{p.as_posix()},{p.parent}\n" for p in paths))
    people.write_text(
        "filename,sex\n"
        + "".join(f"{p.as_posix()},{'f' if n % 3 else 'm'}\n" for n, p in enumerate(paths))
    )
    target = tmp_path / "found.json"
    arguments = ["--csv", str(table), "--labels", str(truth), "--metadata", str(people)]
    assert main(["evaluate", str(panel), *arguments, "--json", str(target)]) == 0
    found = json.loads(target.read_text())
    assert found["scores"]["truth_accuracy"]["n"] == len(paths)
    rows = {row["group"]: row["films"] for row in found["subgroups"]["truth"]}
    assert rows == {"female": 32, "male": 16}


def _changed(table: Path, target: Path, column: str, value: str) -> Path:
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        rows, header = list(reader), reader.fieldnames or []
    rows[0][column] = value
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, header)
        writer.writeheader()
        writer.writerows(rows)
    return target


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("scnn_sha256", "f" * 64, "another SCNN"), ("consensus", "Measles", "its own votes say")],
)
def test_a_table_of_other_models_or_changed_by_hand_is_refused(
    panel: Path,
    films: Path,
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    column: str,
    value: str,
    words: str,
) -> None:
    wrong = _changed(table, tmp_path / "wrong.csv", column, value)
    arguments = ["evaluate", str(panel), "--csv", str(wrong), "--labels", str(films)]
    assert main(arguments) == 1
    assert words in capsys.readouterr().err


def test_a_table_of_something_else_is_refused(panel: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("name,age\nx,3\n")
    with pytest.raises(ValueError, match="no table of panel tiny"):
        read_label_table(path, open_panel(panel))


def test_images_without_an_answer_are_left_out(panel: Path, table: Path, tmp_path: Path) -> None:
    failed = _changed(table, tmp_path / "failed.csv", "status", "failed")
    found = read_label_table(failed, open_panel(panel))
    assert found.unanswered == 1
    assert len(found.rows) == len(read_label_table(table, open_panel(panel)).rows) - 1


def test_a_table_needs_its_classes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "covid19", "--csv", "votes.csv"])
    assert stopped.value.code == 2
    assert "--labels" in capsys.readouterr().err


@pytest.mark.data
def test_the_report_comes_out_of_a_table_of_the_official_test(tmp_path: Path) -> None:
    data = shared_data()
    folder = shipped_panels_folder() / "covid19"
    if data is None:
        pytest.skip("the public X-rays are not on this machine")
    if not (folder / ANSWERS_NAME).is_file():
        pytest.skip("the shipped panel was exported before answers were kept")
    official = data / "covid19-image-dataset" / "test"
    votes, truth, target = (tmp_path / name for name in ("votes.csv", "test.csv", "found.json"))
    arguments = [
        "label",
        str(official),
        "--recursive",
        "--panel",
        "covid19",
        "--output",
        str(votes),
    ]
    assert app([*arguments, "--device", "cpu"]) == 0
    # The films of the report: those without a copy in training.
    names = read_answers(folder).members("test")[0].names
    lines = [f"{name.split('/', 1)[1]},{name.split('/')[1]}\n" for name in names]
    truth.write_text("image,label\n" + "".join(lines))
    arguments = ["--csv", str(votes), "--labels", str(truth), "--json", str(target)]
    assert main(["evaluate", "covid19", *arguments]) == 0
    found = json.loads(target.read_text())
    of_report = {name: row for name, row in read_scores(folder).items() if name.startswith("test_")}
    assert len(of_report) > 10
    for name, row in of_report.items():
        assert found["scores"][name]["n"] == row["n"]
        assert found["scores"][name]["value"] == pytest.approx(row["value"], abs=2e-3), name
    for model in open_panel("covid19").models:
        for name, row in model.card.metrics.items():
            if name.startswith("test_"):
                mine = found["models"][model.name][name]["value"]
                assert mine == pytest.approx(row["value"], abs=2e-3), (model.name, name)
