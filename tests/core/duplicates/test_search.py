"""Near-duplicates of a reviewed folder: hashed once, found again from the kept hashes."""

from __future__ import annotations

import hashlib
import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.cases import Decision
from desktop.core.duplicates import search as duplicate_search
from desktop.core.duplicates.hash_cache import FilmHashes
from desktop.core.duplicates.search import (
    FoundCopies,
    Searching,
    SearchRequest,
    run_search,
    search_copies,
)
from desktop.core.imaging.decoders.decoder import Decoder, ThreadDecoder
from desktop.core.imaging.phantoms import draw_phantom
from desktop.core.review.case_table import CaseTable
from desktop.core.review.query import select_text
from desktop.core.store.review_store import ReviewStore
from tests.helpers.review_cases import case, manifest, record


@pytest.fixture
def films(tmp_path: Path) -> dict[str, bytes]:
    """Three films; one again as a darker JPEG, one byte for byte."""
    for number, kind in enumerate(("normal", "covid", "viral"), start=1):
        Image.fromarray(draw_phantom(kind, number, (300, 280))).save(
            tmp_path / f"film_{number}.png"
        )
    copy = Image.open(tmp_path / "film_2.png").resize((200, 214)).point(lambda grey: grey * 0.9)
    copy.save(tmp_path / "sent_again.jpg", quality=80)
    (tmp_path / "the_same.png").write_bytes((tmp_path / "film_3.png").read_bytes())
    return {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in sorted(tmp_path.iterdir())
    }


def decoder() -> AbstractContextManager[Decoder]:
    return nullcontext(ThreadDecoder())


def found(contents: dict[str, bytes], root: Path, cache: Path) -> FoundCopies:
    kept = FilmHashes(cache)
    try:
        *_, result = search_copies(contents, root, kept, decoder)
    finally:
        kept.close()
    assert isinstance(result, FoundCopies)
    return result


def pairs(result: FoundCopies) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for image, group in zip(result.images, result.groups.tolist(), strict=True):
        groups.setdefault(group, set()).add(image)
    return {frozenset(members) for members in groups.values()}


def test_a_film_saved_again_is_found_and_other_films_are_not(
    films: dict[str, bytes], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = found(films, tmp_path, tmp_path_factory.mktemp("cache") / "hashes.sqlite")
    assert pairs(result) == {
        frozenset({"film_2.png", "sent_again.jpg"}),
        frozenset({"film_3.png", "the_same.png"}),
    }
    assert result.compared == 5


def test_the_second_search_reads_no_file(
    films: dict[str, bytes], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("cache") / "hashes.sqlite"
    first = found(films, tmp_path, cache)
    for path in tmp_path.iterdir():
        path.unlink()
    again = found(films, tmp_path, cache)
    assert pairs(again) == pairs(first)


def test_a_damaged_cache_is_begun_anew(
    films: dict[str, bytes], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("cache") / "hashes.sqlite"
    cache.write_bytes(b"not a database at all" * 100)
    assert len(pairs(found(films, tmp_path, cache))) == 2
    assert FilmHashes(cache).known()


def test_a_search_given_up_keeps_what_it_has_read(
    films: dict[str, bytes], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = FilmHashes(tmp_path_factory.mktemp("cache") / "hashes.sqlite")
    (tmp_path / "film_1.png").unlink()
    news = list(search_copies(films, tmp_path, kept, decoder))
    assert news[0] == Searching(0, 4)
    assert len(kept.known()) == 3
    kept.close()


def test_only_decided_copies_with_different_labels_conflict() -> None:
    table = CaseTable(("Covid", "Normal"), ("scnn",))
    table.add_images(["a", "b", "c", "d", "e"])
    table.set_duplicate_groups({0: 0, 1: 0, 2: 0, 3: 3, 4: 3})

    def decided(label: str) -> Decision:
        return Decision(label=label, state="labelled", label_source="own")

    table.set_decisions({"a": decided("Covid"), "d": decided("Covid"), "e": decided("Covid")})
    assert not table.conflicting().any()
    table.set_decision("b", decided("Normal"))
    assert np.flatnonzero(table.conflicting()).tolist() == [0, 1]
    table.set_decision("e", Decision(state="unsure"))
    assert select_text(table, "is:conflict").tolist() == [0, 1, 3, 4]
    assert table.copies(0) == [1, 2]


class Window:
    """The other end of the search's pipe, as the window holds it: it may be closing."""

    def __init__(self, *, closing: bool = False) -> None:
        self.heard: list[object] = []
        self.closing = closing

    def send(self, news: object) -> None:
        self.heard.append(news)

    def poll(self) -> bool:
        return self.closing


@pytest.mark.parametrize("closing", [False, True])
def test_a_search_reads_the_review_and_ends_when_the_window_does(
    closing: bool, films: dict[str, bytes], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    with ReviewStore.open(tmp_path, manifest(), home=home) as store:
        record(store, *(case(name, sha256=content.hex()) for name, content in films.items()))
    window = Window(closing=closing)
    before = signal.getsignal(signal.SIGINT)
    try:
        run_search(window, SearchRequest(tmp_path, manifest(), home))  # type: ignore[arg-type]
    finally:
        signal.signal(signal.SIGINT, before)
    assert isinstance(window.heard[0], Searching)
    if closing:
        assert len(window.heard) == 1
    else:
        result = window.heard[-1]
        assert isinstance(result, FoundCopies)
        assert frozenset({"film_3.png", "the_same.png"}) in pairs(result)


def test_a_search_is_kept_and_told_every_few_films(
    films: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setattr(duplicate_search, "_SAVED_EVERY", 2)
    kept = FilmHashes(tmp_path_factory.mktemp("cache") / "hashes.sqlite")
    news = list(search_copies(films, tmp_path, kept, decoder))
    assert [item.done for item in news if isinstance(item, Searching)] == [0, 2, 4]
    assert set(kept.known()) == set(films.values())
    kept.close()
