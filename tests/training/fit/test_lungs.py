"""The lungs' network learns drawn lungs, resumes, and leaves by its gate only."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from desktop.core.errors import ModelRefused
from desktop.core.panels.contract import (
    LUNGS_CARD_METADATA_KEY,
    MANIFEST_NAME,
    PanelManifest,
    PanelMember,
)
from desktop.core.panels.lungs_card import LungsCard
from training.data.lung_masks import DrawnFilm, LungFilms, dice
from training.export.lungs import LungsGate, export_lungs, put_into_panel
from training.fit.lungs import LungsConfig, LungsFit, overlaps, vary
from training.models.lungs import build_lungs, mask_of

SIDE = 32
CHANNELS = (8, 16)


def _films(tmp: Path, count: int = 24) -> LungFilms:
    """Grey chests with two dark ellipses; every third film is held out."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    pixels, masks, drawn = [], [], []
    for number in range(count):
        left, right = 0.28 + random.normal(0, 0.02), 0.72 + random.normal(0, 0.02)
        lungs = np.minimum(
            ((x - left) / 0.16) ** 2 + ((y - 0.5) / 0.33) ** 2,
            ((x - right) / 0.16) ** 2 + ((y - 0.5) / 0.33) ** 2,
        )
        mask = lungs < 1
        grey = np.where(mask, 60, 180) + random.normal(0, 8, mask.shape)
        pixels.append(np.clip(grey, 0, 255).astype(np.uint8))
        masks.append(mask.astype(np.uint8) * 255)
        path = tmp / f"{number}.png"
        path.write_bytes(bytes([number]))
        source = ("montgomery", "cohen")[number % 2]
        drawn.append(DrawnFilm(path, path, source, str(number), number % 3 == 0))
    return LungFilms(tuple(drawn), np.stack(pixels)[..., np.newaxis], np.stack(masks))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> LungFilms:
    return _films(tmp_path_factory.mktemp("drawn"))


CONFIG = LungsConfig(steps=60, batch=8, learning_rate=1e-2, average=0.8, checkpoint=20)


@pytest.fixture(scope="module")
def trained(films: LungFilms, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    folder = tmp_path_factory.mktemp("run") / "lungs"
    body = LungsFit(CONFIG, films, folder, build_lungs(SIDE, CHANNELS)).run(lambda *_: None)
    return folder, body


def test_held_out_lungs_are_found(trained: tuple[Path, object], films: LungFilms) -> None:
    folder, body = trained
    found = overlaps(body, films)
    assert set(found) == {"montgomery", "cohen"}
    assert all(overlap.mean > 0.8 and overlap.films == 4 for overlap in found.values())
    kept = json.loads((folder / "metrics.json").read_text())
    assert kept["step"] == 60
    assert kept["dice"]["cohen"]["mean"] > 0.8


def test_a_stopped_run_goes_on_at_its_step(films: LungFilms, tmp_path: Path) -> None:
    seen: list[int] = []

    class StoppedError(Exception):
        pass

    def stop(step: int, *_: object) -> None:
        seen.append(step)
        if step == 4:
            raise StoppedError

    config = LungsConfig(steps=6, batch=4, checkpoint=2)
    with pytest.raises(StoppedError):
        LungsFit(config, films, tmp_path, build_lungs(SIDE, CHANNELS)).run(stop)
    again = LungsFit(config, films, tmp_path, build_lungs(SIDE, CHANNELS))
    assert again.step == 2  # The checkpoint of step 4 was not written any more.
    again.run(lambda step, *_: seen.append(step))
    assert seen == [2, 4, 4, 6]


def test_film_and_mask_are_moved_alike() -> None:
    tf.random.set_seed(2)
    masks = np.zeros((32, SIDE, SIDE, 1), np.float32)
    masks[:, 8:24, 6:14] = masks[:, 8:24, 18:26] = 1
    images, moved = vary(tf.constant(masks * 200 + 20), tf.constant(masks))
    alike = [
        np.corrcoef(image.ravel(), mask.ravel())[0, 1]
        for image, mask in zip(images.numpy(), moved.numpy(), strict=True)
    ]
    assert np.median(alike) > 0.6
    assert np.abs(moved.numpy() - masks).mean() > 0.05


def test_the_exported_file_says_what_keras_says_and_carries_its_card(
    trained: tuple[Path, object], films: LungFilms
) -> None:
    _, body = trained
    content = export_lungs(body, films, version="9", gate=LungsGate(0.7, 0.5), facts={"a": "b"})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (wanted,) = session.get_inputs()
    assert (wanted.name, wanted.type, wanted.shape[1:]) == ("pixels", "tensor(uint8)", [32, 32, 1])
    (masks,) = session.run(["mask"], {"pixels": films.pixels})
    assert masks.shape == (24, SIDE, SIDE)
    np.testing.assert_allclose(masks, mask_of(body, tf.constant(films.pixels)), atol=1e-4)
    card = LungsCard.from_json(session.get_modelmeta().custom_metadata_map[LUNGS_CARD_METADATA_KEY])
    assert card.input_size == (SIDE, SIDE)
    assert card.metrics["cohen_dice"]["n"] == 4
    assert card.training_data_sha256 == films.training_hash


def test_lungs_below_the_gate_do_not_leave(films: LungFilms) -> None:
    with pytest.raises(ModelRefused, match="overlap the drawn ones") as refusal:
        export_lungs(build_lungs(SIDE, CHANNELS), films, version="9", gate=LungsGate())
    assert refusal.value.code == "EXPORT-01"


def test_a_panel_gets_the_file_and_its_hash(tmp_path: Path) -> None:
    manifest = PanelManifest(
        "mine", "Mine", ("Sick", "Well"), (PanelMember("scnn", "scnn.onnx", "a" * 64),), 1.0, "1"
    )
    old = dataclasses.replace(manifest, contract_version=1)
    (tmp_path / MANIFEST_NAME).write_text(old.to_json())
    put_into_panel(tmp_path, b"the file")
    registered = PanelManifest.from_json((tmp_path / MANIFEST_NAME).read_text())
    assert registered.lungs is not None
    assert registered.contract_version == 2
    assert registered.lungs.file == "lungs.onnx"
    assert (tmp_path / "lungs.onnx").read_bytes() == b"the file"
    with pytest.raises(FileNotFoundError):
        put_into_panel(tmp_path / "nowhere", b"")


def test_dice_of_same_other_and_empty_masks() -> None:
    one = np.zeros((1, 4, 4), np.bool_)
    one[0, :2] = True
    assert dice(one, one)[0] == 1
    assert dice(one, ~one)[0] == 0
    assert dice(~one & one, one & ~one)[0] == 1


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="halved"):
        build_lungs(30, (4, 4, 4))
