"""Sessions of accelerators this machine does not have: real ones of the processor that fail on cue.

They run real models and raise what ONNX Runtime raises, with its own exception types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import EPFail, Fail, RuntimeException

from desktop.core.inference.providers import Provider
from desktop.core.inference.session import make_session

NO_ROOM = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv "
    "node. bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 1073741824"
)
CUDA_NO_ROOM = "CUDA failure 2: out of memory ; GPU=0 ; hostname=node ; expr=cudaMalloc(...);"
LOST = "CUDA failure 700: an illegal memory access was encountered ; GPU=0"

__all__ = ["CUDA_NO_ROOM", "LOST", "NO_ROOM", "EPFail", "Fail", "FakeGpu", "RuntimeException"]

Trouble = Callable[[int, int], BaseException | None]
"""(films of this call, calls so far) -> what to raise, None = answer."""


def name_of(provider: Provider) -> str:
    return provider if isinstance(provider, str) else provider[0]


class GpuSession:
    """A session of the processor that calls itself an accelerator's."""

    def __init__(self, session: Any, providers: list[str], trouble: Trouble) -> None:
        self._session, self._providers, self.trouble = session, providers, trouble
        self.sizes: list[int] = []

    def get_providers(self) -> list[str]:
        return self._providers

    def io_binding(self) -> Any:
        binding = self._session.io_binding()
        # What the real class keeps to itself: how many films were bound.
        self._bound = 0
        bind, session = binding.bind_ortvalue_input, self

        def bind_ortvalue_input(name: str, value: Any) -> None:
            session._bound = value.shape()[0]
            bind(name, value)

        binding.bind_ortvalue_input = bind_ortvalue_input
        return binding

    def run_with_iobinding(self, binding: Any) -> None:
        self._count(self._bound)
        self._session.run_with_iobinding(binding)

    def run(self, names: Sequence[str], feeds: dict[str, Any]) -> Any:
        self._count(len(feeds["pixels"]))
        return self._session.run(names, feeds)

    def _count(self, size: int) -> None:
        self.sizes.append(size)
        problem = self.trouble(size, len(self.sizes))
        if problem is not None:
            raise problem


class FakeGpu:
    """Makes sessions for ``PanelSession(session_maker=...)``.

    Args:
        refuse: (provider, model bytes) -> what making a session raises, None = it is made.
        silent: Sessions are made, but on the processor, as ONNX Runtime does by itself.
        trouble: What calls of the sessions raise.
    """

    def __init__(
        self,
        refuse: Callable[[str, bytes], BaseException | None] = lambda provider, content: None,
        *,
        silent: bool = False,
        trouble: Trouble = lambda size, calls: None,
    ) -> None:
        self._refuse, self._silent, self._trouble = refuse, silent, trouble
        self.made: list[GpuSession] = []
        self.asked: list[tuple[Provider, ...]] = []

    def __call__(
        self, content: bytes, options: onnxruntime.SessionOptions, providers: Sequence[Provider]
    ) -> Any:
        self.asked.append(tuple(providers))
        session = make_session(content, options, ["CPUExecutionProvider"])
        first = name_of(providers[0])
        if first == "CPUExecutionProvider":
            return session
        problem = self._refuse(first, content)
        if problem is not None:
            raise problem
        if self._silent:
            return session
        self.made.append(GpuSession(session, list(map(name_of, providers)), self._trouble))
        return self.made[-1]
