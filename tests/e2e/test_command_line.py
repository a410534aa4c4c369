"""The real command in a real process: exit codes, bytes, interruptions, hostile folders."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.__main__ import main
from tests.helpers.command import REPOSITORY, environment
from tests.helpers.film_files import blur_films
from tests.helpers.tiny_models import write_panel

NOT_POSIX = sys.platform == "win32"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def run(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "desktop", *map(str, words)],
            cwd=cwd or tmp_path,
            env=environment(tmp_path / "home"),
            capture_output=True,
            timeout=120,
            check=False,
        )

    return run


Run = Callable[..., subprocess.CompletedProcess[bytes]]
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """The real ``main`` in this process, where a new one would only cost time."""
    for name, value in environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> tuple[int, str, str]:
        try:
            code = main(list(map(str, words)))
        except SystemExit as left:
            code = int(left.code or 0)
        spoken = capsys.readouterr()
        return code, spoken.out, spoken.err

    return run


def table(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_folder_becomes_a_table_with_one_row_an_image(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    done = command("label", films, "--panel", panel_folder, "-o", "votes.csv", "--heatmaps", "maps")
    assert done.returncode == 0, done.stderr.decode()
    rows = table((tmp_path / "votes.csv").read_bytes())
    assert [row["image"] for row in rows] == [f"film{number}.png" for number in range(6)]
    assert {row["status"] for row in rows} == {"ok"}
    assert len(list((tmp_path / "maps").glob("*.png"))) == 6
    manifest = json.loads((tmp_path / "votes.csv.run.json").read_text())
    assert manifest["complete"] is True
    assert manifest["counts"]["images"] == 6
    assert done.stdout == b""


def test_a_broken_image_is_a_row_and_exit_code_1(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    (films / "film2b.png").write_bytes(b"broken")
    done = command("label", films, "--panel", panel_folder)
    assert done.returncode == 1
    rows = table((tmp_path / "votes.csv").read_bytes())
    assert [row["status"] for row in rows].count("failed") == 1
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["image"] == "film2b.png"
    assert failed["code"] == "TYPE-01"
    assert failed["reason"]
    assert failed["reason"] in done.stderr.decode()


def test_on_error_fail_stops_and_keeps_what_is_done(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    (films / "film0b.png").write_bytes(b"broken")
    done = command("label", films, "--panel", panel_folder, "--on-error", "fail", "--batch", "1")
    assert done.returncode == 1
    assert "Stopped at the first image that failed" in done.stderr.decode()
    assert table((tmp_path / "votes.csv").read_bytes())[0]["image"] == "film0.png"


def test_a_dash_streams_plain_utf8_without_a_mark_or_other_files(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    to_file = command("label", films, "--panel", panel_folder, "-o", "votes.csv")
    streamed = command("label", films, "--panel", panel_folder, "-o", "-")
    assert to_file.returncode == streamed.returncode == 0
    assert streamed.stdout == (tmp_path / "votes.csv").read_bytes().removeprefix(b"\xef\xbb\xbf")


def test_json_lines_by_the_outputs_ending(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    assert command("label", films, "--panel", panel_folder, "-o", "votes.jsonl").returncode == 0
    lines = (tmp_path / "votes.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"] for line in lines] == [f"film{n}.png" for n in range(6)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["label"], "nothing to label"),
        (["label", "nowhere"], "does not exist"),
        (["label", ".", "--panel", "unknown"], "no panel called unknown"),
        (["label", ".", "--device", "quantum"], "invalid choice"),
        (["label", ".", "--batch", "0"], "must be 1 or more"),
        (["label", "empty"], "no image in empty"),
        (["label", ".", "-o", "-", "--format", "parquet"], "cannot be streamed"),
        (["label", ".", "-o", "x.csv", "--log-json", "x.csv"], "same file"),
        (["label", ".", "--heatmaps", "."], "among the films"),
        (["label", ".", "-r", "--heatmaps", "maps"], "among the films"),
        (["label", ".", "--watch", "--interval", "0"], "must be between"),
        (["label", "nowhere", "--watch"], "does not exist"),
        (["codes", "NOPE-1"], "no code NOPE-1"),
        ([], "no display"),
    ],
)
def test_wrong_words_exit_with_2_and_a_sentence(
    say: Say, tmp_path: Path, words: list[str], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    Image.new("L", (64, 64)).save(tmp_path / "film.png")
    code, _, errors = say(*words)
    assert code == 2
    assert sentence in errors


def test_strange_names_do_not_break_the_table(
    command: Run, panel_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    names = [b"=cmd.png", b"new\nline.png", b"bytes\xff.png", b'comma,quote".png', b"-o.png"]
    blur_films(folder, 1, seed=7, size=(280, 260))
    content = (folder / "film0.png").read_bytes()
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(content)
    done = command("label", folder, "--panel", panel_folder, "--heatmaps", "maps")
    assert done.returncode == 0, done.stderr.decode()
    found = {row["image"] for row in table((tmp_path / "votes.csv").read_bytes())}
    assert found == {
        "film0.png",
        "'=cmd.png",
        "new\nline.png",
        "bytes\\xff.png",
        'comma,quote".png',
        "'-o.png",
    }
    assert len(list((tmp_path / "maps").glob("*.png"))) == 6


def test_three_hundred_broken_files_cost_nothing_but_their_rows(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    sound = (films / "film0.png").read_bytes()
    jpeg = io.BytesIO()
    Image.open(films / "film1.png").save(jpeg, "JPEG")
    for number in range(300):
        content = bytearray([sound, jpeg.getvalue()][number % 2])
        kind = number % 5
        if kind == 0:
            content = content[: int(random.integers(0, len(content)))]
        elif kind == 1:
            content = bytearray(random.integers(0, 256, 400).astype(np.uint8).tobytes())
        elif kind == 2:
            content = bytearray()
        else:
            for place in random.integers(0, len(content), 40):
                content[place] = int(random.integers(0, 256))
        ending = (".png", ".jpg", ".dcm", ".tif", "")[number % 5]
        (films / f"broken{number:03}{ending}").write_bytes(bytes(content))
    done = command("label", films, "--panel", panel_folder)
    assert done.returncode == 1, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    rows = table((tmp_path / "votes.csv").read_bytes())
    sound_rows = [row for row in rows if row["image"].startswith("film")]
    assert [row["status"] for row in sound_rows] == ["ok"] * 6
    failed = [row for row in rows if row["status"] == "failed"]
    assert len(failed) > 150
    assert all(row["code"] and row["reason"] for row in failed)


@pytest.mark.skipif(NOT_POSIX, reason="signals")
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(
    command: Run, panel_folder: Path, tmp_path: Path, number: int
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "film0.png")  # takes a while to decode
    for copy in range(1, 60):
        (folder / f"film{copy}.png").hardlink_to(folder / "film0.png")
    words = ["label", folder, "--panel", panel_folder, "-o", "votes.csv", "--batch", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, words)],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stderr=subprocess.PIPE,
    )
    journal = tmp_path / "votes.csv.journal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 16_384):
        time.sleep(0.002)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    assert "Stopped." in errors.decode()
    kept = table((tmp_path / "votes.csv").read_bytes())
    assert 0 < len(kept) < 60
    assert json.loads((tmp_path / "votes.csv.run.json").read_text())["complete"] is False
    assert command(*words).returncode == 0
    rows = table((tmp_path / "votes.csv").read_bytes())
    assert len(rows) == 60
    assert rows[: len(kept)] == kept


@pytest.mark.skipif(NOT_POSIX or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said_before_any_work(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = command("label", films, "--panel", panel_folder, "-o", locked / "votes.csv")
    assert done.returncode == 1
    assert "OUTPUT-02" in done.stderr.decode()


def test_an_output_folder_that_is_missing_is_said_before_any_work(
    command: Run, panel_folder: Path, films: Path
) -> None:
    done = command("label", films, "--panel", panel_folder, "-o", "no/votes.csv")
    assert done.returncode == 1
    assert "OUTPUT-03" in done.stderr.decode()


def test_a_fallback_is_never_silent(command: Run, panel_folder: Path, films: Path) -> None:
    done = command("label", films, "--panel", panel_folder, "--device", "coreml", "-o", "-")
    if sys.platform == "darwin":
        pytest.skip("has Core ML")
    assert done.returncode == 0
    assert "no Core ML" in done.stderr.decode()
    assert "Running on CPU" in done.stderr.decode()


def test_quiet_is_quiet(command: Run, panel_folder: Path, films: Path) -> None:
    done = command("label", films, "--panel", panel_folder, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(
    panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    words = ["label", films, "--panel", panel_folder, "-o", "-"]
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, words)],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert process.returncode == 1
    assert b"Traceback" not in errors


def test_models_are_verified_and_a_wrong_one_is_told(
    say: Say, panel_folder: Path, tmp_path: Path
) -> None:
    bad = write_panel(tmp_path, name="bad")
    (bad / "scnn.onnx").write_bytes((bad / "ccnn.onnx").read_bytes())
    code, text, _ = say("models", panel_folder, bad, "--json")
    values = json.loads(text)
    assert code == 1
    assert [item["code"] for item in values["refused"]] == ["MODEL-09"]
    assert "Refused" in say("models", bad)[1]
    code, text, _ = say("models", write_panel(tmp_path, name="mine"), "--verify")
    assert "verified, runs" in text


def test_doctor_and_codes_speak_to_people_and_scripts(say: Say) -> None:
    _, text, _ = say("doctor")
    for heading in ("Device", "Panels", "Formats", "Folders"):
        assert heading in text
    for choice in ("provider", "threads", "streams", "batch", "decoders", "precision"):
        assert f"\n  {choice} " in text
    values = json.loads(say("doctor", "--json", "--threads", "1")[1])
    assert values["cores"] >= 1
    assert values["device"]["choices"]["threads"]["why"].startswith("As asked for")
    assert "DECODE-02" in say("codes")[1]
    assert json.loads(say("codes", "decode-02", "--json")[1])[0]["code"] == "DECODE-02"


def test_the_demo_runs_the_main_job_without_any_data(
    command: Run, panel_folder: Path, tmp_path: Path
) -> None:
    done = command("demo", "--panel", panel_folder, "--no-window")
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert "phantom_normal_1.png" in text
    assert "Research use, not a diagnosis" in text
    rows = table((tmp_path / "demo-output" / "votes.csv").read_bytes())
    pictures = list((tmp_path / "demo-output" / "heatmaps").glob("*.png"))
    assert len(pictures) == [row["status"] for row in rows].count("ok") > 5


def test_the_command_line_never_imports_qt(panel_folder: Path, films: Path, tmp_path: Path) -> None:
    """With PySide6 made impossible to import, every command still works."""
    blocker = tmp_path / "sitecustomize.py"
    blocker.write_text(
        "import sys\nsys.modules['PySide6'] = None\nsys.modules['tensorflow'] = None\n"
    )
    blocked = environment(tmp_path / "home")
    blocked["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{REPOSITORY}"
    for words in (["label", films, "--panel", panel_folder, "-o", "-"], ["codes"], ["--version"]):
        done = subprocess.run(
            [sys.executable, "-m", "desktop", *map(str, words)],
            cwd=tmp_path,
            env=blocked,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("shape", ["wide", "long"])
def test_parquet_and_long_tables_hold_what_the_json_lines_hold(
    say: Say, panel_folder: Path, films: Path, tmp_path: Path, shape: str
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("votes.parquet", "votes.jsonl"):
        assert say("label", films, "--panel", panel_folder, "-o", name, "--shape", shape)[0] == 0
    rows = [json.loads(line) for line in (tmp_path / "votes.jsonl").read_text().splitlines()]
    assert parquet.read_table(tmp_path / "votes.parquet").to_pylist() == rows
    assert len(rows) == (24 if shape == "long" else 6)
    streamed = say(
        "label", films, "--panel", panel_folder, "-q", "--shape", shape, "-o", "votes.csv"
    )
    assert streamed[0] == 0
    assert len(table((tmp_path / "votes.csv").read_bytes())) == len(rows)
    manifest = json.loads((tmp_path / "votes.csv.run.json").read_text())
    assert manifest["settings"]["shape"] == shape


def test_a_log_holds_what_happened_and_no_name_of_a_file(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    (films / "smith.png").write_bytes(b"broken")
    done = command(
        "label", films, "--panel", panel_folder, "--log-json", "run.log", "-o", "votes.csv"
    )
    assert done.returncode == 1
    text = (tmp_path / "run.log").read_text()
    assert "smith" not in text
    assert "film" not in text
    assert str(tmp_path) not in text
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in events[:2]] == ["run_started", "models_loaded"]
    rows = table((tmp_path / "votes.csv").read_bytes())
    images = [event for event in events if event["event"] == "image"]
    assert [(event["place"], event["sha256"], event["code"]) for event in images] == [
        (place, row["sha256"], row["code"]) for place, row in enumerate(rows)
    ]
    assert events[-1]["event"] == "run_ended"
    assert events[-1]["exit_code"] == 1
    assert set(events[-1]["stage_seconds"]) == {"decode", "infer", "draw", "write", "wait"}
    assert "Work of all cores: decode" in done.stderr.decode()


def test_a_log_on_standard_error_has_it_for_itself(
    command: Run, panel_folder: Path, films: Path
) -> None:
    (films / "smith.png").write_bytes(b"broken")
    done = command("label", films, "--panel", panel_folder, "--log-json", "-", "-o", "-")
    events = [json.loads(line)["event"] for line in done.stderr.decode().splitlines()]
    assert events.count("image") == 7
    assert len(table(done.stdout)) == 7


@pytest.mark.skipif(NOT_POSIX, reason="signals")
def test_a_watch_labels_what_arrives_and_ends_cleanly(
    command: Run, panel_folder: Path, films: Path, tmp_path: Path
) -> None:
    words = [
        "label",
        films,
        "--panel",
        panel_folder,
        "-o",
        "votes.csv",
        "--watch",
        "--interval",
        "0.1",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, words), "--log-json", "watch.log"],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stderr=subprocess.PIPE,
    )
    try:
        wait_for_images(tmp_path / "watch.log", 6, process)
        (films / "late").write_bytes((films / "film0.png").read_bytes())
        (films / "late").rename(films / "late.png")
        wait_for_images(tmp_path / "watch.log", 7, process)
        (films / "film3.png").write_bytes((films / "film4.png").read_bytes())
        wait_for_images(tmp_path / "watch.log", 8, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors.decode()
    rows = {row["image"]: row for row in table((tmp_path / "votes.csv").read_bytes())}
    assert len(rows) == 7
    assert rows["film3.png"]["sha256"] == rows["film4.png"]["sha256"]
    manifest = json.loads((tmp_path / "votes.csv.run.json").read_text())
    assert (manifest["counts"]["images"], manifest["complete"]) == (7, True)


@pytest.mark.skipif(NOT_POSIX, reason="signals")
def test_a_watch_streams_rows_as_they_come(panel_folder: Path, films: Path, tmp_path: Path) -> None:
    (films / "film2.png").write_bytes(b"broken")
    words = [
        "label",
        films,
        "--panel",
        panel_folder,
        "-o",
        "-",
        "--watch",
        "--interval",
        "0.1",
        "-q",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, words), "--format", "jsonl"],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        found = [json.loads(process.stdout.readline())["image"] for _ in range(6)]
        (films / "late.part").write_bytes((films / "film0.png").read_bytes())
        (films / "late.part").rename(films / "late.png")
        found.append(json.loads(process.stdout.readline())["image"])
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert found == [*(f"film{number}.png" for number in range(6)), "late.png"]
    assert rest == b""
    assert process.returncode == 1  # an image failed


def wait_for_images(log: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Until the log of a running watch speaks of so many images."""
    deadline = time.monotonic() + 100
    while not log.exists() or log.read_text().count('"event": "image"') < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(NOT_POSIX, reason="signals")
def test_ctrl_c_twice_stops_now_and_keeps_what_is_done(
    command: Run, panel_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "film0.png")
    for copy in range(1, 60):
        (folder / f"film{copy}.png").hardlink_to(folder / "film0.png")
    words = ["label", folder, "--panel", panel_folder, "-o", "votes.csv", "--batch", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *map(str, words)],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stderr is not None
    journal = tmp_path / "votes.csv.journal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 16_384):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    said = b""
    while b"again to stop now" not in said and process.poll() is None:
        said += process.stderr.read(200)
    process.send_signal(signal.SIGINT)
    said += process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 130
    assert b"Traceback" not in said
    assert not (tmp_path / "votes.csv").exists()
    done = command(*words)
    assert done.returncode == 0
    assert "taken over" in done.stderr.decode()
    assert len(table((tmp_path / "votes.csv").read_bytes())) == 60


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device of Linux")
@pytest.mark.parametrize("words", [("label", "films", "-o", "-", "-q"), ("codes",)])
def test_an_output_stream_that_is_full_is_said_in_words(
    films: Path, panel_folder: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    words += ("--panel", str(panel_folder)) if words[0] == "label" else ()
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "desktop", *words],
            cwd=tmp_path, env=environment(tmp_path / "home"), stdout=full,
            stderr=subprocess.PIPE, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert b"[OUTPUT-01]" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.skipif(NOT_POSIX, reason="a folder in use cannot be deleted there")
def test_a_command_in_a_deleted_folder_is_said_in_words(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from desktop.__main__ import main\n"
        "os.rmdir(os.getcwd())\n"
        "sys.exit(main(['label', 'films']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=gone, env=environment(tmp_path / "home"), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"[FOLDER-01]" in done.stderr
    assert b"Traceback" not in done.stderr
