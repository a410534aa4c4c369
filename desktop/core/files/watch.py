"""A folder that films arrive in: what is complete and new, look by look.

Looks are listings, not the system's change messages, because those do not cross a network share.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from desktop.core.cases import FileStamp, ImageFile
from desktop.core.errors import UsageError
from desktop.core.files.inputs import list_inputs
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.text import display_name


class FolderWatch:
    """Gives each file once it is complete, and again after it has changed.

    A file is taken for complete when two looks in a row see the same size and time. One that was
    still growing all the same has another size or time at a later look, and is given again.

    Args:
        paths: Folders and files, as for ``list_inputs``.
        recursive: Also look in the folders below.
    """

    def __init__(self, paths: Collection[Path], *, recursive: bool = False) -> None:
        self._paths = paths
        self._recursive = recursive
        self._seen: dict[str, FileStamp] = {}
        self._given: dict[str, FileStamp] = {}

    @property
    def unsettled(self) -> int:
        """Files of the last look that may still be growing."""
        return len(self._seen)

    def look(self, cancel: CancelToken | None = None) -> list[ImageFile]:
        """List once; the files that are complete and not given in this state yet, in order.

        Args:
            cancel: When set, the listing is broken off and nothing given.

        Raises:
            UsageError: A path cannot be listed now. Nothing is forgotten: a share that comes back
                goes on where it was.
        """
        seen: dict[str, FileStamp] = {}
        complete = []
        try:
            for file in list_inputs(self._paths, recursive=self._recursive):
                if cancel is not None and cancel.cancelled:
                    return []
                stamp = file.stamp
                if self._given.get(file.image) == stamp:
                    continue
                if self._seen.get(file.image) == stamp:
                    complete.append(file)
                else:
                    seen[file.image] = stamp
        except OSError as error:  # a share that drops in the middle of the listing
            raise UsageError(
                "FOLDER-03",
                f"The folder {display_name(next(iter(self._paths)))} cannot be read "
                f"({error.strerror}). "
                "Check its connection.",
            ) from error
        self._seen = seen
        self._given.update((file.image, file.stamp) for file in complete)
        return complete
