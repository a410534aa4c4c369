"""OpenVINO behind the few calls that are made of an ONNX Runtime session.

An offer for Intel and AMD processors (extra ``openvino``): the same verified bytes, the same fp32.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.inference.devices import PROVIDER_OF


class OpenVinoSession:
    """A model compiled by OpenVINO; ``run`` may be called from several threads at once.

    Args:
        content: The ONNX file; verified.
        threads: Processor threads, over all callers.
        streams: Callers that run at once.
    """

    def __init__(self, content: bytes, threads: int, streams: int) -> None:
        core = _core()
        self._model = core.compile_model(
            core.read_model(content),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": max(1, min(streams, threads)),
                # Its own choice would be bfloat16 where the processor has it.
                "INFERENCE_PRECISION_HINT": "f32",
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._of_thread = threading.local()

    def get_providers(self) -> list[str]:
        """As ONNX Runtime's: what runs, first."""
        return [PROVIDER_OF["openvino"]]

    def run(
        self, names: Sequence[str], feeds: Mapping[str, npt.NDArray[Any]]
    ) -> list[npt.NDArray[Any]]:
        """Outputs by name, copied."""
        request = getattr(self._of_thread, "request", None)
        if request is None:
            request = self._of_thread.request = self._model.create_infer_request()
        request.infer(dict(feeds), share_inputs=True)
        return [np.array(request.get_tensor(name).data) for name in names]


def _core() -> Any:
    # Importing OpenVINO asks its telemetry package to report to an analytics service on the
    # internet. Without that package it does without; nothing may leave this computer.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino.Core()
