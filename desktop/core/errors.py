"""Refusals in the user's words: ``str(error)`` is the sentence shown, ``error.code`` its name.

A sentence says what happened, what it means and what to do. Codes are stable: they are a CSV
column, the key of the troubleshooting page and what a script branches on.
"""

from __future__ import annotations


class CxrError(Exception):
    """A problem that a person can understand and act on.

    Args:
        code: Stable upper-case code such as ``DECODE-02``.
        sentence: What happened, what it means and what to do, in one or two short sentences.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

    def __reduce__(self) -> tuple[type[CxrError], tuple[str, str]]:
        """Keep the code when the error crosses a process border."""
        return type(self), (self.code, str(self))


class ImageRefused(CxrError):  # noqa: N818 - the past event is what the reader of a log looks for
    """One file cannot be used as a radiograph; the other images are unaffected."""


class ModelRefused(CxrError):  # noqa: N818
    """A model file or a panel breaks the contract and is not run."""


class OutputFailed(CxrError):  # noqa: N818
    """A result could not be written; what stood there before is intact."""


class StoreFailed(CxrError):  # noqa: N818
    """The review store could not be read or written; nothing was overwritten."""


class UsageError(CxrError):
    """A command or setting asks for something that does not exist."""
