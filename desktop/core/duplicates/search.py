"""Which films of a reviewed folder are nearly the same: runs in a niced process of its own.

A film is decoded once for its content (the same pixels that the models get, so that training's
leak audit and the window call the same films equal), its hash is kept in `film_hashes`, and all
hashes are compared. Only images that the models have read are compared; a failed one has no film.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.cases import ImageFile
from desktop.core.duplicates.hash_cache import HASHES_NAME, Bits, FilmHashes
from desktop.core.duplicates.perceptual_hash import group_near, perceptual_hash
from desktop.core.errors import CxrError
from desktop.core.imaging.decoders.decoder import Decoder
from desktop.core.imaging.decoders.pool import DEFAULT_SIZES, DecodePool
from desktop.core.panels.contract import PanelManifest
from desktop.core.review.case_table import READ
from desktop.core.store.review_store import ReviewStore

_SAVED_EVERY = 100


@dataclass(frozen=True)
class SearchRequest:
    """The review to look through: folder, panel, home of the stores (None = the user's)."""

    root: Path
    manifest: PanelManifest
    home: Path | None = None


@dataclass(frozen=True)
class Searching:
    """Progress: films hashed, and all that had no hash yet."""

    done: int
    total: int


@dataclass(frozen=True)
class FoundCopies:
    """The end of a search.

    Attributes:
        images: Paths of the images that have at least one near-duplicate.
        groups: int32 [n], equal for near-duplicates.
        compared: Number of images compared.
    """

    images: list[str]
    groups: npt.NDArray[np.int32]
    compared: int


@dataclass(frozen=True)
class SearchFailed:
    """The search could not be done."""

    problem: CxrError


def search_copies(
    contents: Mapping[str, bytes],
    root: Path,
    kept: FilmHashes,
    decoder: Callable[[], contextlib.AbstractContextManager[Decoder]],
) -> Iterator[Searching | FoundCopies]:
    """Hash what has no hash yet, then compare everything.

    Args:
        contents: Image -> raw hash of its content, in the order of the listing.
        root: Folder to which the images are relative.
        decoder: Begins a decoder; not called where every hash is kept.

    Yields:
        Progress, then once the result. Closing the generator keeps what was hashed so far.
    """
    known = kept.known()
    wanted: dict[bytes, str] = {}
    for image, content in contents.items():
        if content not in known:
            wanted.setdefault(content, image)
    if wanted:
        sources = [ImageFile(root / image, image) for image in wanted.values()]
        fresh: list[tuple[bytes, Bits]] = []
        yield Searching(0, len(sources))
        try:
            with decoder() as decoding:
                decoded_films = decoding.decode(sources, DEFAULT_SIZES, film=False)
                for done, decoded in enumerate(decoded_films, start=1):
                    if not decoded.code:
                        bits = perceptual_hash(decoded.pixels[DEFAULT_SIZES[0]][..., 0])
                        # By what was read now: the file may have changed since its votes.
                        fresh.append((bytes.fromhex(decoded.sha256), bits))
                    if done % _SAVED_EVERY == 0:
                        kept.put(fresh)
                        known.update(fresh)
                        fresh = []
                        yield Searching(done, len(sources))
        finally:
            kept.put(fresh)
            known.update(fresh)
    compared = [image for image, content in contents.items() if content in known]
    numbers = np.array(group_near([known[contents[image]] for image in compared]), np.int32)
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[inverse] > 1) if len(numbers) else np.empty(0, np.intp)
    images = [compared[index] for index in several.tolist()]
    yield FoundCopies(images, numbers[several], len(compared))


def run_search(connection: Connection, request: SearchRequest) -> None:
    """The process' main function: sends `Searching`, then `FoundCopies` or `SearchFailed`."""
    try:
        with ReviewStore.open(request.root, request.manifest, home=request.home) as store:
            columns = store.result_columns()
            path = store.path.with_name(HASHES_NAME)
    except CxrError as problem:
        connection.send(SearchFailed(problem))
        return
    contents = {
        image: bytes.fromhex(sha256)
        for image, sha256, status in zip(
            columns.images, columns.sha256, columns.status.tolist(), strict=True
        )
        if status == READ and sha256
    }
    kept = FilmHashes(path)
    try:
        for news in search_copies(contents, request.root, kept, lambda: DecodePool(1, ahead=8)):
            connection.send(news)
            if connection.poll():
                return  # the window is closing
    except CxrError as problem:
        connection.send(SearchFailed(problem))
    finally:
        kept.close()
