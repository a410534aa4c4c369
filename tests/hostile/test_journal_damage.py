"""A damaged journal is never half a table: the rows are the same, or the run says why not."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from random import Random

import pytest

from desktop.core.batch.journal import FinishedCase, RunJournal
from desktop.core.cases import CaseResult, ImageFile, Prediction
from desktop.core.errors import OutputFailed
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.vote import verdict
from tests.helpers.tiny_models import write_panel
from tests.hostile.journal_damage import PAGE, damaged

COUNT = 60


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return open_panel(write_panel(tmp_path_factory.mktemp("panel")))


@pytest.fixture(scope="module")
def truth(panel: Panel) -> list[tuple[ImageFile, CaseResult]]:
    """What a run over sixty files finds; every seventh is refused."""
    random = Random(3)
    found = []
    for number in range(COUNT):
        name = f"ward {number % 4}/film {number}.png"
        file = ImageFile(Path(name), name, 1000 + number, 10**18 + number)
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        if number % 7 == 6:
            result = CaseResult(name, sha256, "failed", "DECODE-01", f"{name} is damaged.")
        else:
            shares = [[random.random() + 0.1 for _ in panel.class_names] for _ in panel.models]
            predictions = tuple(
                Prediction(model, tuple(x / sum(share) for x in share), random.random())
                for model, share in zip(panel.model_names, shares, strict=True)
            )
            says = verdict(predictions, panel.model_names, len(panel.class_names), panel.ood_limit)
            result = CaseResult(name, sha256, "ok", predictions=predictions, verdict=says)
        found.append((file, result))
    return found


@pytest.fixture(scope="module")
def sound(
    tmp_path_factory: pytest.TempPathFactory,
    panel: Panel,
    truth: list[tuple[ImageFile, CaseResult]],
) -> bytes:
    """The journal of a whole run."""
    output = tmp_path_factory.mktemp("run") / "votes.csv"
    with RunJournal(output, panel) as journal:
        label(journal, truth)
    content = output.with_name("votes.csv.journal").read_bytes()
    assert len(content) > 6 * PAGE
    return content


def label(journal: RunJournal, truth: list[tuple[ImageFile, CaseResult]]) -> int:
    """As ``LabelRun`` does: take over what is finished, label the rest; the number labelled."""
    labelled = 0
    for position, (file, result) in enumerate(truth):
        if journal.finished(file, lambda _, known=result.sha256: known) is not None:
            journal.set_position(file.image, position)
        else:
            journal.add(file, result, "cpu", position)
            labelled += 1
    journal.commit()
    return labelled


def check(
    content: bytes, folder: Path, panel: Panel, truth: list[tuple[ImageFile, CaseResult]]
) -> str:
    """Run on a damaged journal and hold the table against the truth; what the run said."""
    expected = [FinishedCase(result, "cpu") for _, result in truth]
    folder.mkdir()
    stopped, finished = folder / "stopped.csv", folder / "votes.csv"
    for output in (stopped, finished):
        output.with_name(f"{output.name}.journal").write_bytes(content)
    with RunJournal(stopped, panel) as journal:  # stopped before the first image
        rows = list(journal.rows(unreached=True))
        assert rows == expected or (journal.notice and not rows) or not content
    with RunJournal(finished, panel) as journal:
        notice = journal.notice
        labelled = label(journal, truth)
        assert list(journal.rows()) == expected
        journal.forget_unreached()
    assert labelled in (0, COUNT)
    assert bool(labelled) == bool(notice) or not content
    with RunJournal(finished, panel) as journal:  # and the next run finds everything done
        assert label(journal, truth) == 0
    return notice


def attack(
    seed: int,
    times: int,
    content: bytes,
    folder: Path,
    panel: Panel,
    truth: list[tuple[ImageFile, CaseResult]],
) -> int:
    random, told = Random(seed), 0
    for number in range(times):
        bad = damaged(content, random)
        told += bool(check(bad, folder / str(number), panel, truth))
        shutil.rmtree(folder / str(number))
    return told


def test_random_damage_never_gives_another_table(
    tmp_path: Path, panel: Panel, truth: list[tuple[ImageFile, CaseResult]], sound: bytes
) -> None:
    assert attack(1, 40, sound, tmp_path, panel, truth) > 20


@pytest.mark.slow
def test_much_random_damage_never_gives_another_table(
    tmp_path: Path, panel: Panel, truth: list[tuple[ImageFile, CaseResult]], sound: bytes
) -> None:
    assert attack(2, 500, sound, tmp_path, panel, truth) > 250


def test_a_journal_that_lost_its_last_bytes_is_no_half_table(
    tmp_path: Path, panel: Panel, truth: list[tuple[ImageFile, CaseResult]], sound: bytes
) -> None:
    for cut in (1, 100, PAGE - 1):
        assert check(sound[:-cut], tmp_path / str(cut), panel, truth)


def test_a_changed_digit_is_not_taken_over(
    tmp_path: Path, panel: Panel, truth: list[tuple[ImageFile, CaseResult]], sound: bytes
) -> None:
    start = sound.index(b'"predictions": [[') + 40
    digit = next(i for i in range(start, start + 40) if chr(sound[i]).isdigit())
    other = b"7" if sound[digit : digit + 1] != b"7" else b"3"
    assert check(sound[:digit] + other + sound[digit + 1 :], tmp_path / "a", panel, truth)


def test_rows_that_vanish_during_the_run_end_it_with_a_code(
    tmp_path: Path, panel: Panel, truth: list[tuple[ImageFile, CaseResult]]
) -> None:
    with RunJournal(tmp_path / "votes.csv", panel) as journal:
        label(journal, truth)
        journal._database.execute("DELETE FROM cases WHERE position = 5")
        with pytest.raises(OutputFailed) as caught:
            list(journal.rows())
    assert caught.value.code == "OUTPUT-08"
