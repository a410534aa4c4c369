"""Tensors of a model as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from desktop.core.onnx_graph.graph import tensor, tensor_values


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
