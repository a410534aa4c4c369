"""Lists of films in a file: long ones cost no memory, and what is no list ends in a sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.errors import UsageError
from desktop.core.files import path_list
from desktop.core.files.inputs import list_inputs
from desktop.core.files.path_list import PathList, refuse_addresses
from tests.helpers import command
from tests.helpers import film_files as films
from tests.helpers.tiny_models import write_panel

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def refusal(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        PathList(file)
    assert caught.value.code == "USAGE-01"
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    return sentence


def listed(file: Path, content: bytes) -> list[Path | str]:
    file.write_bytes(content)
    return list(PathList(file))


def test_a_list_names_one_place_a_line_after_the_words_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbfa.png\r\n\n  \nward/b.dcm\ns3://ward/c.dcm")
    places = PathList(tmp_path / "list", [Path("first.png")])
    wanted = [Path("first.png"), Path("a.png"), Path("ward/b.dcm"), "s3://ward/c.dcm"]
    assert list(places) == list(places) == wanted  # again and again
    assert len(places) == 4
    assert Path("a.png") in places
    both = [iter(places), iter(places)]
    assert [next(both[turn % 2]) for turn in range(8)] == [one for one in wanted for _ in range(2)]


def test_lines_across_the_blocks_of_reading_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"film{number}.png" for number in range(500)]
    for block in (1, 2, 7, 64):
        monkeypatch.setattr(path_list, "_BLOCK", block)
        found = listed(tmp_path / "list", "\r\n".join(names).encode())
        assert found == [Path(name) for name in names]


def test_addresses_are_refused_by_what_reads_only_files() -> None:
    refuse_addresses([Path("a.png")])
    with pytest.raises(UsageError, match="only --engine ray"):
        refuse_addresses([Path("a.png"), "s3://ward/b.dcm"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n  \n\r\n", "is empty"),
        (films.encoded(films.grey_film(), "PNG"), "zero byte in line"),
        (films.dicom(films.grey_film()), "zero byte in line 1"),
        ("film1.png\nfilm2.png\n".encode("utf-16"), "zero byte in line 1"),
        (b"a.png\nb.png\nc\0.png\n", "zero byte in line 3"),
        (b"a.png\n" + b"x" * 200_000, "65,536 bytes in line 2"),
        (b"x" * 3_000_000 + b"\n", "65,536 bytes in line 1"),
    ],
)
def test_what_is_no_list_of_paths_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "list").write_bytes(content)
    assert words in refusal(tmp_path / "list")


def test_a_missing_list_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "missing")
    assert "is a folder" in refusal(tmp_path)


@POSIX
def test_devices_sockets_and_ten_gigabytes_of_nothing_are_refused(tmp_path: Path) -> None:
    for device in ("/dev/zero", "/dev/null"):
        assert "is a device" in refusal(Path(device))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s")[-100:])
        assert "a socket" in refusal(tmp_path / "s")
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(10 * 2**30)
    assert "zero byte in line 1" in refusal(tmp_path / "sparse")


def written_to(pipe: Path, write: Callable[[int], object]) -> threading.Thread:
    def work() -> None:
        handle = os.open(pipe, os.O_WRONLY)
        try:
            write(handle)
        except BrokenPipeError:
            pass
        finally:
            os.close(handle)

    os.mkfifo(pipe)
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@POSIX
def test_a_pipe_is_read_once_and_gone_through_again_and_again(tmp_path: Path) -> None:
    names = "".join(f"film{number}.png\n" for number in range(20_000)).encode()
    writer = written_to(tmp_path / "pipe", lambda handle: os.write(handle, names))
    places = PathList(tmp_path / "pipe")
    writer.join()
    assert list(places) == list(places)
    assert len(places) == 20_000


@POSIX
def test_a_pipe_without_an_end_or_without_a_word_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_list, "MAX_PIPE_BYTES", 5_000_000)
    monkeypatch.setattr(path_list, "SILENCE_S", 0.2)

    def for_ever(handle: int) -> None:
        while True:
            os.write(handle, b"film.png\n" * 1000)

    writer = written_to(tmp_path / "endless", for_ever)
    assert "gives more than 5 MB" in refusal(tmp_path / "endless")
    writer.join()
    os.mkfifo(tmp_path / "silent")
    assert "has said nothing" in refusal(tmp_path / "silent")


def test_a_list_that_is_shortened_or_lengthened_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_bytes(b"film.png\n" * 10)
    places = PathList(file)
    with file.open("ab") as stream:
        stream.write(b"later.png\n")
    assert set(places) == {Path("film.png")}
    os.truncate(file, 20)
    with pytest.raises(UsageError, match="was shortened"):
        list(places)


def test_a_list_whose_folders_change_meanwhile_is_refused_and_no_error(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            (tmp_path / folder / f"{name}.png").touch()
    file = tmp_path / "list"
    file.write_text(f"{tmp_path}/one/a.png\n{tmp_path}/one/b.png\n")
    found = list_inputs(PathList(file))  # type: ignore[arg-type]  # no addresses in it
    file.write_text(f"{tmp_path}/two/a.png\n{tmp_path}/two/b.png\n")
    with pytest.raises(UsageError, match="was changed"):
        list(found)


def test_films_named_twice_are_labelled_once_whatever_names_them(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "ward/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    file = tmp_path / "list"

    def images(*names: str) -> list[str]:
        file.write_text("".join(f"{tmp_path}/{name}\n" for name in names))
        return [found.image for found in list_inputs(PathList(file))]  # type: ignore[arg-type]  # no addresses in it

    assert images("b.png", "a.png", "b.png", "./b.png") == ["b.png", "a.png"]
    assert images("ward/c.png", "ward", "a.png") == ["ward/c.png", "a.png"]
    assert images("ward") == ["c.png"]
    assert images("ward/c.png") == ["c.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in kilobytes")
def test_a_long_list_costs_no_memory(tmp_path: Path) -> None:
    """As path objects, and names to find what comes twice, these were 37 MB."""
    with (tmp_path / "list").open("w") as stream:
        for number in range(40_000):
            film = tmp_path / f"study-0001-film-{number:09d}.png"
            film.touch()
            stream.write(f"{film}\n")
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from desktop.core.files.inputs import list_inputs\n"
        "from desktop.core.files.path_list import PathList\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "places = PathList(Path(sys.argv[1]))\n"
        "for places in (places, places):\n"
        "    assert sum(1 for _ in list_inputs(places)) == 40_000\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "list"],
        cwd=command.REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16_000


@POSIX
def test_the_command_labels_a_list_from_a_pipe_and_refuses_what_has_no_end(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    odd = os.fsdecode(b"film \xff.png")
    for name in ("a.png", odd):
        Image.fromarray(films.grey_film()).save(tmp_path / name)
    words: list[str | Path] = ["label", "--panel", panel, "--list"]
    names = b"a.png\n" + os.fsencode(odd) + b"\n"
    writer = written_to(tmp_path / "pipe", lambda handle: os.write(handle, names))
    done = command.run([*words, "pipe"], tmp_path)
    writer.join()
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "votes.csv").read_bytes().splitlines()) == 3
    done = command.run([*words, "/dev/zero"], tmp_path)
    assert done.returncode == 2
    assert b"is a device or a socket, not a text file" in done.stderr
    assert b"[USAGE-01]" in done.stderr
