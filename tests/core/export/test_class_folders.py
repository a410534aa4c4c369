"""Films in class folders: real files, real links, nothing overwritten."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.cases import OPEN
from desktop.core.errors import OutputFailed, UsageError
from desktop.core.export.class_folders import (
    Mode,
    PlacedFile,
    class_of,
    dicom_notice,
    place_files,
    plan_class_folders,
    safe_name,
)
from desktop.core.review import decisions
from desktop.core.system.cancel_token import CancelToken
from tests.helpers.review_cases import CLASSES, STAMP, case, failed

LABELLED = decisions.label(OPEN, "Normal", STAMP, votes_shown=True)
UNSURE = decisions.mark_unsure(OPEN, STAMP, votes_shown=True)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    root = tmp_path / "films"
    (root / "ward").mkdir(parents=True)
    (root / "a.png").write_bytes(b"film a")
    (root / "ward" / "a.png").write_bytes(b"another film a")
    (root / "b.dcm").write_bytes(bytes(128) + b"DICM" + b"tags")
    return root


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def place(
    films: Path, classes: dict[str, str], *, mode: Mode = "copy", target: str = "out"
) -> list[PlacedFile]:
    plan = plan_class_folders(
        (image, name, hash_of(films / image) if (films / image).exists() else "")
        for image, name in classes.items()
    )
    return list(place_files(films, films.parent / target, plan, mode=mode))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("letters", "decision", "basis", "expected"),
    [
        ("CCCN", LABELLED, "label", "Normal"),
        ("CCCN", LABELLED, "consensus", "Covid"),
        ("CCCN", LABELLED, "label or consensus", "Normal"),
        ("CCCN", UNSURE, "label", "unsure"),
        ("CCCN", OPEN, "label", None),
        ("CCCN", OPEN, "label or consensus", "Covid"),
        ("CCNN", OPEN, "consensus", "no consensus"),
    ],
)
def test_the_class_is_the_readers_or_the_panels(
    letters: str, decision: object, basis: str, expected: str | None
) -> None:
    assert class_of(case("a", letters), decision, CLASSES, basis) == expected  # type: ignore[arg-type]


def test_images_without_a_class_are_left_out() -> None:
    assert class_of(failed("a"), OPEN, CLASSES, "consensus") is None
    assert class_of(None, OPEN, CLASSES, "label or consensus") is None


def test_equal_names_from_subfolders_do_not_collide(films: Path) -> None:
    placed = place(films, {"a.png": "Covid", "ward/a.png": "Covid", "b.dcm": "Viral Pneumonia"})
    assert [item.state for item in placed] == ["written"] * 3
    assert contents(films.parent / "out") == {
        "Covid/a.png": b"film a",
        "Covid/ward__a.png": b"another film a",
        "Viral Pneumonia/b.dcm": (films / "b.dcm").read_bytes(),
    }


def test_copies_keep_the_time_and_are_files_of_their_own(films: Path) -> None:
    os.utime(films / "a.png", ns=(10**18, 10**18))
    (placed,) = place(films, {"a.png": "Covid"})
    assert placed.path is not None
    assert placed.path.stat().st_mtime_ns == 10**18
    assert placed.path.stat().st_nlink == 1
    assert not list(placed.path.parent.glob(".*"))


@pytest.mark.parametrize("mode", ["copy", "hard link", "symbolic link"])
def test_running_again_finds_everything_there(films: Path, mode: Mode) -> None:
    classes = {"a.png": "Covid", "ward/a.png": "Normal"}
    assert [item.state for item in place(films, classes, mode=mode)] == ["written"] * 2
    before = contents(films.parent / "out")
    assert [item.state for item in place(films, classes, mode=mode)] == ["there"] * 2
    assert contents(films.parent / "out") == before


def test_links_are_links(films: Path) -> None:
    (hard,) = place(films, {"a.png": "Covid"}, mode="hard link", target="hard")
    (soft,) = place(films, {"a.png": "Covid"}, mode="symbolic link", target="soft")
    assert hard.path is not None
    assert soft.path is not None
    assert hard.path.samefile(films / "a.png")
    assert soft.path.readlink() == (films / "a.png").resolve()


def test_another_file_of_that_name_is_never_overwritten(films: Path) -> None:
    taken = films.parent / "out" / "Covid" / "a.png"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody else's")
    (placed,) = place(films, {"a.png": "Covid"})
    assert taken.read_bytes() == b"somebody else's"
    assert placed.path == taken.with_name("a-2.png")
    (again,) = place(films, {"a.png": "Covid"})
    assert (again.state, again.path) == ("there", placed.path)


def test_a_file_that_changed_since_it_was_labelled_is_refused(films: Path) -> None:
    plan = plan_class_folders([("a.png", "Covid", hash_of(films / "a.png"))])
    (films / "a.png").write_bytes(b"other pixels")
    for mode in ("copy", "hard link"):
        (placed,) = place_files(films, films.parent / "out", plan, mode=mode)
        assert (placed.state, placed.code) == ("refused", "CLASS-02")
    assert contents(films.parent / "out") == {}


def test_a_missing_file_is_one_refusal_and_the_others_go_on(films: Path) -> None:
    placed = place(films, {"gone.png": "Covid", "a.png": "Covid"})
    assert [(item.state, item.code) for item in placed] == [
        ("refused", "CLASS-05"),
        ("written", ""),
    ]
    assert "gone.png" in placed[0].reason


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm is another file system there")
def test_a_hard_link_to_another_disk_is_refused_with_the_way_out(films: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == films.stat().st_dev:
        pytest.skip("no second file system here")
    import tempfile

    with tempfile.TemporaryDirectory(dir=other) as folder:
        plan = plan_class_folders([("a.png", "Covid", "")])
        (placed,) = place_files(films, Path(folder) / "out", plan, mode="hard link")
    assert placed.code == "CLASS-04"
    assert "Choose copies" in placed.reason


def test_the_target_cannot_lie_inside_the_opened_folder(films: Path) -> None:
    for target in (films, films / "sorted"):
        with pytest.raises(UsageError) as refused:
            list(place_files(films, target, ()))
        assert refused.value.code == "CLASS-01"


def test_a_target_that_cannot_be_made_is_told(films: Path) -> None:
    (films.parent / "file").write_text("")
    with pytest.raises(OutputFailed):
        list(place_files(films, films.parent / "file" / "out", ()))


def test_cancel_keeps_what_is_done(films: Path) -> None:
    cancel = CancelToken()
    plan = plan_class_folders([("a.png", "Covid", ""), ("b.dcm", "Covid", "")])
    running = place_files(films, films.parent / "out", plan, cancel=cancel)
    assert next(running).state == "written"
    cancel.cancel()
    assert list(running) == []
    assert list(contents(films.parent / "out")) == ["Covid/a.png"]


def test_patient_tags_are_pointed_out_before_and_after(films: Path) -> None:
    plan = plan_class_folders([("a.png", "Covid", ""), ("b.dcm", "Covid", "")])
    assert "1 of the files are DICOM" in dicom_notice(plan)
    assert dicom_notice(plan[:1]) == ""
    placed = list(place_files(films, films.parent / "out", plan))
    assert [item.dicom for item in placed] == [False, True]


def test_names_differ_also_where_case_does_not_count() -> None:
    plan = plan_class_folders(
        [
            ("A.png", "Covid", ""),
            ("a.png", "covid", ""),
            ("x/a.png", "Covid", ""),
            ("x__a.png", "Covid", ""),
        ]
    )
    assert [(item.class_folder, item.name) for item in plan] == [
        ("Covid", "A.png"),
        ("covid-2", "a.png"),
        ("Covid", "x__a.png"),
        ("Covid", "x__a-2.png"),
    ]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b", "a_b"),
        ("..", "_"),
        ("CON", "_CON"),
        ("com1.png", "_com1.png"),
        ("Pneumonia?", "Pneumonia_"),
        ("ends. ", "ends"),
        ("", "_"),
    ],
)
def test_class_names_become_folder_names_of_every_system(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=300), max_size=20, unique=True), st.text(max_size=60))
def test_any_names_give_unique_names_that_fit(images: list[str], class_name: str) -> None:
    plan = plan_class_folders(
        [(image.encode("utf-8", "ignore").decode() or "x", class_name, "") for image in images]
    )
    assert len({(item.class_folder, item.name.casefold()) for item in plan}) == len(plan)
    for item in plan:
        for name in (item.class_folder, item.name):
            assert name not in {"", ".", ".."}
            assert not set(name) & set('/\\\0:*?"<>|\n')
            assert len(name.encode()) <= 255


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_a_disk_that_takes_no_more_is_one_refusal_and_leaves_no_half_file(films: Path) -> None:
    import resource
    import signal

    (films / "large.png").write_bytes(bytes(200_000))
    plan = plan_class_folders([("large.png", "Covid", ""), ("a.png", "Covid", "")])
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        placed = list(place_files(films, films.parent / "out", plan))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert [(item.state, item.code) for item in placed] == [
        ("refused", "CLASS-03"),
        ("written", ""),
    ]
    assert contents(films.parent / "out") == {"Covid/a.png": b"film a"}


def refusing_links(error: int, before: str = "") -> object:
    """What ``os.link`` does on a file system without hard links, such as exFAT."""

    def link(self: Path, target: Path) -> None:
        if before:
            self.write_text(before)
        raise OSError(error, os.strerror(error))

    return link


def test_copies_arrive_where_the_file_system_knows_no_links(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", refusing_links(errno.EPERM))
    (placed,) = place(films, {"a.png": "Covid"})
    assert placed.state == "written"
    assert contents(films.parent / "out") == {"Covid/a.png": b"film a"}


def test_a_file_that_appears_while_one_is_copied_is_never_replaced(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", refusing_links(errno.EPERM, before="somebody's"))
    (placed,) = place(films, {"a.png": "Covid"})
    assert placed.state == "refused"
    assert contents(films.parent / "out") == {"Covid/a.png": b"somebody's"}


@pytest.mark.parametrize(
    ("error", "code"),
    [(errno.ENOSPC, "CLASS-03"), (errno.EXDEV, "CLASS-04"), (errno.EACCES, "CLASS-05")],
)
def test_each_trouble_of_the_disk_has_its_code_and_leaves_nothing_behind(
    films: Path, monkeypatch: pytest.MonkeyPatch, error: int, code: str
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", refusing_links(error))
    (placed,) = place(films, {"a.png": "Covid"})
    assert (placed.state, placed.code) == ("refused", code)
    assert contents(films.parent / "out") == {}


def test_a_name_too_long_for_a_file_system_keeps_its_end_and_stays_unique() -> None:
    one, other = safe_name("a" * 300 + "_7.png"), safe_name("b" + "a" * 299 + "_7.png")
    assert one != other
    for name in (one, other):
        assert len(name.encode()) <= 255
        assert name.endswith("aa_7.png")


def test_a_folder_that_has_the_name_of_a_film_is_passed_by(films: Path) -> None:
    (films.parent / "out" / "Covid" / "a.png").mkdir(parents=True)
    (placed,) = place(films, {"a.png": "Covid"})
    assert placed.path is not None
    assert placed.path.name == "a-2.png"
