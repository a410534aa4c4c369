"""A result reaches the disk whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.core.errors import OutputFailed
from desktop.core.system.atomic_write import (
    atomic_write,
    atomic_write_text,
    output_failed,
    remove_leftovers,
)


def test_a_new_file_holds_what_was_written(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "votes.csv") as stream:
        stream.write(b"image\r\n")
    assert (tmp_path / "votes.csv").read_bytes() == b"image\r\n"


def test_text_keeps_its_own_line_ends(tmp_path: Path) -> None:
    with atomic_write_text(tmp_path / "a.txt") as stream:
        stream.write("é\r\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\r\nb\n".encode()


def test_a_failure_half_way_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "votes.csv"
    target.write_text("old")

    def write_half() -> None:
        with atomic_write_text(target) as stream:
            stream.write("new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_nobody_else_can_read_the_temporary_file(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "votes.csv") as stream:
        stream.write(b"x")
        (temporary,) = tmp_path.iterdir()
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600


def test_the_new_file_keeps_the_permissions_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "votes.csv"
    target.write_text("old")
    target.chmod(0o640)
    with atomic_write(target) as stream:
        stream.write(b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    real = tmp_path / "real.csv"
    real.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(real)
    with atomic_write(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_leftovers_of_one_file_are_removed_and_no_others(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from desktop.core.system.atomic_write import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])):\n"
        "    os._exit(0)\n"
    )
    for name in ("votes.csv", "other.csv"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path / name)], check=True)
    assert len(list(tmp_path.glob(".*.tmp"))) == 2
    with atomic_write(tmp_path / "votes.csv") as stream:
        stream.write(b"x")
        remove_leftovers(tmp_path / "votes.csv")  # not what a living process is writing
    assert len(list(tmp_path.glob(".*.tmp"))) == 1
    assert (tmp_path / "votes.csv").read_bytes() == b"x"


@pytest.mark.skipif(os.name == "nt", reason="Windows inherits rights itself")
@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o600), (0o750, 0o640), (0o755, 0o644)])
def test_a_new_file_may_be_read_by_who_may_read_its_folder(
    tmp_path: Path, folder: int, file: int
) -> None:
    (tmp_path / "ward").mkdir(mode=folder)
    with atomic_write(tmp_path / "ward" / "votes.csv") as stream:
        stream.write(b"x")
    assert stat.S_IMODE((tmp_path / "ward" / "votes.csv").stat().st_mode) == file


def test_a_missing_folder_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed) as caught, atomic_write(tmp_path / "no" / "votes.csv"):
        pass
    assert caught.value.code == "OUTPUT-03"
    assert "does not exist" in str(caught.value)


def test_a_pipe_or_device_is_left_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputFailed) as caught, atomic_write(pipe):
        pass
    assert caught.value.code == "OUTPUT-05"


def test_a_disk_that_fills_up_is_said_in_words_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "votes.csv"
    target.write_text("old")

    # /dev/full is a real device that answers every write with "no space left".
    def write_to_a_full_device() -> None:
        with atomic_write(target), Path("/dev/full").open("wb") as device:
            device.write(b"x")
            device.flush()

    with pytest.raises(OutputFailed) as caught:
        write_to_a_full_device()
    assert caught.value.code == "OUTPUT-01"
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_that_is_not_about_writing_passes_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        (tmp_path / "missing").read_bytes()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "OUTPUT-01"),
        (errno.EDQUOT, "OUTPUT-01"),
        (errno.EROFS, "OUTPUT-02"),
        (errno.EACCES, "OUTPUT-02"),
        (errno.ENOENT, "OUTPUT-03"),
        (errno.EIO, "OUTPUT-05"),
    ],
)
def test_each_kind_of_failure_has_its_code(number: int, code: str) -> None:
    problem = output_failed(Path("votes.csv"), OSError(number, os.strerror(number)))
    assert problem.code == code
    assert "votes.csv" in str(problem)
