"""Small promises of small modules: words for a precision, hashes, locks, names."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from desktop.core.cases import Prediction
from desktop.core.engine.messages import EngineRequest
from desktop.core.errors import UsageError
from desktop.core.files.listing import list_folder
from desktop.core.imaging.decoder import FILM_SIDE, ThreadDecoder, _reduced, file_sha256
from desktop.core.imaging.dicom import _occurs
from desktop.core.imaging.dicom_metadata import number
from desktop.core.imaging.dicom_voi import _limits
from desktop.core.inference.names import checked_precision
from desktop.core.inference.precision import ALL_FP32, plan_precision
from desktop.core.inference.predictions import ModelFailure
from desktop.core.inference.session import _same_answer
from desktop.core.onnx_graph.graph import tensor, tensor_values
from desktop.core.review.query_terms import All, Some
from desktop.core.store.connection import _sqlite_code
from desktop.core.store.decision_log import _decision
from desktop.core.store.recovery import latest_aside, rebuild
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.quiet_warnings import quiet
from tests.helpers.review_cases import case, fact, labelling, open_store
from tests.helpers.tiny_models import write_panel


# precision ---------------------------------------------------------------------------------------
def test_a_precision_is_known_in_any_case_and_any_other_word_is_refused() -> None:
    assert checked_precision("FP32") == "fp32"
    with pytest.raises(UsageError, match="no precision fp8"):
        checked_precision("fp8")


def test_who_asks_for_32_bits_gets_them_without_a_look_at_the_machine(tmp_path: Path) -> None:
    from desktop.core.panels.registry import open_panel

    panel = open_panel(write_panel(tmp_path))
    assert plan_precision(panel, "fp32") is ALL_FP32


# files -------------------------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_has_no_hash_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert file_sha256(tmp_path / "pipe.png") == ""
    assert file_sha256(tmp_path / "missing.png") == ""


def test_only_a_large_film_is_reduced() -> None:
    small = np.zeros((40, 60), np.uint8)
    assert _reduced(small) is small
    large = _reduced(np.zeros((FILM_SIDE * 2, FILM_SIDE), np.uint8))
    assert large.shape == (FILM_SIDE, FILM_SIDE // 2)


@pytest.mark.parametrize(("low", "high", "found"), [(5, 5, True), (6, 6, False), (6, 9, True)])
def test_padding_of_one_value_or_of_a_range_is_looked_for(low: int, high: int, found: bool) -> None:
    assert _occurs(np.array([[5, 8]]), low, high, first=0) is found


# the engine --------------------------------------------------------------------------------------
@pytest.mark.parametrize("micro_batch", [0, 10_000])
def test_a_micro_batch_that_could_not_be_in_hand_is_refused(micro_batch: int) -> None:
    with pytest.raises(ValueError, match="micro-batch"):
        EngineRequest(panel_folder=Path(), micro_batch=micro_batch)


def test_silence_lasts_until_the_last_one_leaves() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with quiet():
            with quiet():
                warnings.warn("inner", stacklevel=1)
            warnings.warn("still quiet", stacklevel=1)
        warnings.warn("loud again", stacklevel=1)
    assert [str(item.message) for item in heard] == ["loud again"]


# queries -----------------------------------------------------------------------------------------
def test_a_query_has_one_form_only() -> None:
    for parts in ((All(()),),):
        with pytest.raises(ValueError, match="conjunction"):
            All(parts)
        with pytest.raises(ValueError, match="disjunction"):
            Some(parts)


# the review store --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, sqlite3.SQLITE_FULL),
        (errno.EROFS, sqlite3.SQLITE_CANTOPEN),
        (errno.EIO, sqlite3.SQLITE_IOERR),
    ],
)
def test_trouble_of_the_disk_is_told_by_its_kind(number: int, code: int) -> None:
    assert _sqlite_code(OSError(number, os.strerror(number))) == code


def test_the_store_set_aside_last_is_found_among_files_of_other_names(tmp_path: Path) -> None:
    for name in (
        "review.damaged-20261123T090000.sqlite",
        "review.damaged-20261123T090000-2.sqlite",
        "review.damaged-20261123T090000-copy.sqlite",
    ):
        (tmp_path / name).touch()
    found = latest_aside(tmp_path / "review.sqlite")
    assert found is not None
    assert found.name == "review.damaged-20261123T090000-2.sqlite"


@pytest.mark.parametrize("faster", [False, True])
def test_a_damaged_store_is_replaced_where_links_are_unknown_but_never_a_new_one(
    faster: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path) as store:
        store.record_results([(case("a.png", "CCCC"), fact("a.png"))])
        store.apply(labelling(store, "a.png"))
        path = store.path

    def no_links(self: Path, target: Path) -> None:
        if faster:
            self.write_bytes(b"another window's")
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    _, saved = rebuild(path, "ward")
    assert saved == 1
    assert (path.read_bytes() == b"another window's") == faster


def test_a_decision_without_a_sound_revision_is_damage() -> None:
    for revision in (None, -1, "3"):
        with pytest.raises(sqlite3.DatabaseError, match="damaged row"):
            _decision([*[None] * 9, revision])


# tensors and tags --------------------------------------------------------------------------------
def test_a_tensor_comes_back_from_its_bytes_and_other_kinds_are_left_alone() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    whole = tensor("w", values)
    assert np.array_equal(tensor_values(whole), values)
    onnx = pytest.importorskip("onnx")
    plain = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, (2, 3), values.ravel())
    assert np.array_equal(tensor_values(plain.SerializeToString()), values)
    words = onnx.helper.make_tensor("w", onnx.TensorProto.STRING, (1,), [b"text"])
    assert tensor_values(words.SerializeToString()) is None
    cut = onnx.TensorProto(name="w", dims=(4, 3), data_type=1, raw_data=bytes(24))
    assert tensor_values(cut.SerializeToString()) is None


def test_two_answers_are_the_same_only_where_both_are_answers_or_neither_is() -> None:
    none = ModelFailure("INFER-01", "It stopped.")
    some = Prediction("scnn", (0.7, 0.3))
    assert _same_answer(none, none)
    assert not _same_answer(none, some)
    assert not _same_answer(some, none)
    assert _same_answer(some, Prediction("scnn", (0.7, 0.3)))
    assert not _same_answer(some, Prediction("scnn", (0.3, 0.7)))


def test_a_tag_that_holds_several_numbers_gives_its_first_and_a_damaged_one_none() -> None:
    dataset = Dataset()
    dataset.WindowCenter = [40, 80]
    dataset.WindowWidth = 400
    dataset.PatientName = "Doe"
    assert number(dataset, "WindowCenter") == 40.0
    assert number(dataset, "WindowWidth") == 400.0
    assert number(dataset, "PatientName") is None
    assert number(dataset, "Rows") is None


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_window_without_finite_limits_or_width_is_none(function: str) -> None:
    assert _limits(float("nan"), 400.0, function) is None
    assert _limits(40.0, float("inf"), function) is None
    assert _limits(40.0, -1.0, function) is None
    low, high = _limits(40.0, 400.0, function) or (0.0, 0.0)
    assert low < 40.0 < high


def test_a_search_that_is_stopped_decodes_nothing_more(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    (tmp_path / "a.png").write_bytes(b"never opened")
    files = [file for batch in list_folder(tmp_path) for file in batch]
    assert list(ThreadDecoder(cancel=cancel).decode(files, ((224, 224),), film=True)) == []
