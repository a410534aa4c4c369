"""Decode films once, through the app's own decoder, and keep the arrays in the user's cache."""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from desktop.core.duplicates.perceptual_hash import HASH_BITS, perceptual_hash
from desktop.core.errors import ImageRefused
from desktop.core.imaging.decode import eight_bit, model_pixels, read_radiograph
from training.data.films import Film

#: Raise when desktop.core.imaging.decode gives other values for a file: old arrays then go unused.
DECODER_GENERATION = 1
_THREADS = 2


def decode(path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """One file as a model sees it: uint8 [H, W, 1]; the very steps of the app."""
    film = eight_bit(read_radiograph(path, at_least=2 * max(size)))
    return model_pixels(film, size)


def decode_films(
    films: list[Film], size: tuple[int, int]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], list[str]]:
    """Decode all films, or take them from the cache.

    Args:
        films: N films.
        size: (height, width) of the model input.

    Returns:
        Pixels uint8 [N, H, W, 1]; perceptual hashes bool [N, 144]; and one sentence for each file
        that could not be read ("" for the others; its pixels are zero).
    """
    key = hashlib.sha256(
        f"{DECODER_GENERATION} {size} {' '.join(film.sha256 for film in films)}".encode()
    ).hexdigest()[:32]
    folder = Path(platformdirs.user_cache_dir("cxr-quorum")) / "decoded"
    cached = folder / f"{key}.npz"
    if cached.is_file():
        with np.load(cached) as arrays:
            return arrays["pixels"], arrays["hashes"], arrays["problems"].tolist()

    pixels = np.zeros((len(films), *size, 1), np.uint8)
    hashes = np.zeros((len(films), HASH_BITS), np.bool_)

    def one(index: int) -> str:
        try:
            pixels[index] = decode(films[index].path, size)
        except ImageRefused as refusal:
            return str(refusal)
        hashes[index] = perceptual_hash(pixels[index, ..., 0])
        return ""

    with ThreadPoolExecutor(_THREADS) as pool:
        problems = list(pool.map(one, range(len(films))))
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    with os.fdopen(handle, "wb") as stream:
        np.savez(stream, pixels=pixels, hashes=hashes, problems=np.array(problems, dtype=np.str_))
    Path(name).replace(cached)
    return pixels, hashes, problems
