"""Listing a folder: natural order, batches, no loops, and nothing that fails is kept silent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.cases import ImageFile
from desktop.core.errors import ImageRefused, UsageError
from desktop.core.files.listing import list_folder
from desktop.core.imaging.decode import read_radiograph
from desktop.core.imaging.file_type import DICOM, TIFF, UNKNOWN, sniff
from desktop.core.system.text import natural_key
from tests.helpers import film_files as films


def names(folder: Path, **options: bool) -> list[str]:
    return [found.image for batch in list_folder(folder, **options) for found in batch]


def touch(folder: Path, *files: str) -> None:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_numbers_count_and_case_does_not(tmp_path: Path) -> None:
    touch(tmp_path, "film10.png", "Film2.png", "film1.png", "a.png", "film02.png", "film2b.png")
    assert names(tmp_path) == [
        "a.png",
        "film1.png",
        "Film2.png",
        "film02.png",
        "film2b.png",
        "film10.png",
    ]


def test_names_of_any_kind_can_be_sorted() -> None:
    odd = ["", "1", "a1", "1a", "²", "٣", "9" * 300, "\udcff", "ä2", "A"]
    assert len(sorted(odd, key=natural_key)) == len(odd)


def test_every_image_extension_is_listed_whatever_it_holds(tmp_path: Path) -> None:
    wanted = ["a.JPG", "b.jpeg", "c.PnG", "d.tif", "e.tiff", "f.bmp", "g.webp", "h.dcm", "i.dicom"]
    touch(tmp_path, *wanted, "notes.txt", "votes.csv", "report.pdf", "model.onnx")
    assert names(tmp_path) == wanted


def test_pictures_that_are_not_read_are_listed_and_say_why(tmp_path: Path) -> None:
    grey = Image.new("L", (128, 128), 90)
    for name in ("a.gif", "b.pgm", "c.ppm"):
        grey.save(tmp_path / name)
    assert names(tmp_path) == ["a.gif", "b.pgm", "c.ppm"]
    with pytest.raises(ImageRefused) as gif:
        read_radiograph(tmp_path / "a.gif")
    assert gif.value.code == "TYPE-01"
    assert "GIF image" in str(gif.value)
    with pytest.raises(ImageRefused) as pgm:
        read_radiograph(tmp_path / "b.pgm")
    assert "PGM" in str(pgm.value)


def test_files_without_an_extension_are_listed_for_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "1.2.840.113619.2.5").write_bytes(films.dicom(films.grey_film()))
    (tmp_path / "IM0001").write_bytes(films.bare_data_set(films.grey_film(), implicit=True))
    (tmp_path / "scan").write_bytes(films.encoded(films.grey_film(), "PNG"))
    (tmp_path / "README").write_bytes(b"Read this first.\n" * 20)
    (tmp_path / "Makefile.am").write_bytes(b"all:\n\ttrue\n")
    assert names(tmp_path) == ["1.2.840.113619.2.5", "IM0001", "scan"]


def test_litter_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    touch(
        tmp_path, "film.png", ".DS_Store", "._film.png", ".hidden.png", "Thumbs.db", "desktop.ini"
    )
    touch(tmp_path, "DICOMDIR", "__MACOSX/film.png", "@eaDir/film.png", ".git/film.png")
    assert names(tmp_path, recursive=True) == ["film.png"]


def test_folders_below_follow_only_on_request_in_natural_order(tmp_path: Path) -> None:
    touch(tmp_path, "z.png", "s10/a.png", "s2/b.png", "s2/inner/c.png", "S1/d.png")
    assert names(tmp_path) == ["z.png"]
    assert names(tmp_path, recursive=True) == [
        "z.png",
        "S1/d.png",
        "s2/b.png",
        "s2/inner/c.png",
        "s10/a.png",
    ]


def test_a_file_carries_its_identity_and_where_it_is(tmp_path: Path) -> None:
    touch(tmp_path, "below/film.png")
    ((found,),) = list_folder(tmp_path, recursive=True)
    status = (tmp_path / "below/film.png").stat()
    path = tmp_path / "below" / "film.png"
    assert found == ImageFile(path, "below/film.png", status.st_size, status.st_mtime_ns)


def test_batches_are_bounded_and_come_while_the_listing_runs(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number}.png" for number in range(25)), *(f"s/{n}.png" for n in range(5)))
    batches = list_folder(tmp_path, recursive=True, batch=10)
    assert isinstance(batches, Iterator)
    assert [found.image for found in next(batches)] == [f"{number}.png" for number in range(10)]
    (tmp_path / "s" / "late.png").touch()
    assert [len(batch) for batch in batches] == [10, 10, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_circles_of_links_end_and_each_folder_is_entered_once(tmp_path: Path) -> None:
    touch(tmp_path, "a/film.png", "b/other.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b" / "self").symlink_to(".", target_is_directory=True)
    (tmp_path / "c").symlink_to("a", target_is_directory=True)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "link.png").symlink_to("a/film.png")
    (tmp_path / "dangling.png").symlink_to("nowhere.png")
    assert names(tmp_path, recursive=True) == [
        "circle",
        "dangling.png",
        "link.png",
        "a/film.png",
        "b/other.png",
    ]


@pytest.mark.skipif(os.name != "posix", reason="POSIX files")
def test_pipes_never_block_the_listing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.png")
    assert names(tmp_path) == ["pipe.png"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bytes as names")
def test_names_that_are_not_utf8_keep_their_bytes(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(raw, "wb"):  # noqa: PTH123
        pass
    ((found,),) = list_folder(tmp_path)
    assert os.fsencode(found.path) == raw
    assert os.fsencode(found.image) == b"caf\xe9.png"


def as_nobody(folder: Path) -> int:
    """Become a user whom permissions stop, as root is not; returns who one was."""
    user = os.geteuid()
    if user == 0:
        for parent in (folder, *folder.parents[:-2]):
            parent.chmod(parent.stat().st_mode | 0o755)
        os.seteuid(65534)
    return user


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="POSIX users")
def test_what_may_not_be_read_is_listed_so_that_its_row_says_why(tmp_path: Path) -> None:
    touch(tmp_path, "open/film.png", "closed/film.png", "unknown")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "unknown").chmod(0)
    user = as_nobody(tmp_path)
    try:
        assert names(tmp_path, recursive=True) == ["unknown", "closed", "open/film.png"]
        with pytest.raises(UsageError) as refusal:
            names(tmp_path / "closed")
    finally:
        os.seteuid(user)
        (tmp_path / "closed").chmod(0o755)
    assert refusal.value.code == "FOLDER-03"


def test_a_folder_that_is_none_says_so(tmp_path: Path) -> None:
    touch(tmp_path, "film.png")
    for path, code in ((tmp_path / "gone", "FOLDER-01"), (tmp_path / "film.png", "FOLDER-02")):
        with pytest.raises(UsageError) as refusal:
            names(path)
        assert refusal.value.code == code


def test_files_that_vanish_during_the_listing_do_no_harm(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number}.png" for number in range(6)), "s/a.png")
    batches = list_folder(tmp_path, recursive=True, batch=2)
    next(batches)
    for path in tmp_path.glob("*.png"):
        path.unlink()
    (tmp_path / "s" / "a.png").unlink()
    (tmp_path / "s").rmdir()
    rest = [found for batch in batches for found in batch]
    assert [found.image for found in rest] == ["2.png", "3.png", "4.png", "5.png", "s"]


@pytest.mark.slow
def test_tens_of_thousands_of_files_come_in_order_and_in_batches(tmp_path: Path) -> None:
    for number in range(20_000):
        (tmp_path / f"film{number}.png").touch()
    batches = list(list_folder(tmp_path))
    assert [len(batch) for batch in batches] == [2000] * 10
    images = [found.image for batch in batches for found in batch]
    assert images == [f"film{number}.png" for number in range(20_000)]


def test_types_are_known_by_their_first_bytes() -> None:
    assert sniff(films.dicom(films.grey_film())[:256]) is DICOM
    # A TIFF may hide in a DICOM preamble and the other way round: DICM decides.
    assert sniff(b"II*\0".ljust(128, b"\0") + b"DICM") is DICOM
    assert sniff(b"II*\0" + bytes(300)) is TIFF
    assert sniff(b"") is UNKNOWN
    assert sniff(b"BMxxxx is a text") is UNKNOWN
    named = {
        b"%PDF-1.4": "PDF document",
        b"\0\0\0\x1cftypheic": "HEIF, AVIF or film file",
        b"RIFF\0\0\0\0WAVE": "RIFF sound or film",
        bytes(344) + b"n+1\0": "NIfTI volume",
    }
    for start, name in named.items():
        assert (sniff(start).name, sniff(start).readable) == (name, False)
    assert not sniff(b"%PDF-1.4").readable
