# SPDX-License-Identifier: Apache-2.0
"""The folders that become `/pfs`: a fresh one for each try of a datum, removed in the background afterwards.

Removing waits for nobody: a folder is handed over and a thread takes it away. Whatever an earlier worker left in the
same place is moved aside at once and removed in the same way.
"""

import os
import queue
import shutil
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from howdah.storage.local_files import explained

__all__ = ["Folders"]

_DATUMS: Final = "datums"


class Folders:
    """Gives out empty folders below a work folder that is this worker's alone. For many threads."""

    def __init__(self, work: Path) -> None:
        """Take the work folder over; it is made if need be.

        Raises:
            Refused, Unavailable: it cannot be made or written.
        """
        self._base = work / _DATUMS
        self._lock = threading.Lock()
        self._number = 0
        self._discarded: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with explained(work):
            self._base.mkdir(parents=True, exist_ok=True)
            for name in os.listdir(self._base):
                self._discarded.put(str(self._base / name))
            self._number = _first_free(os.listdir(self._base))
        self._thread = threading.Thread(target=self._remove_all, name="remove-folders", daemon=True)
        self._thread.start()

    def new(self) -> str:
        """An empty folder.

        Raises:
            Refused, Unavailable: it cannot be made: the disk is full, for instance.
        """
        with self._lock:
            self._number += 1
            folder = f"{self._base}/{self._number}"
        with explained(folder):
            os.mkdir(folder)
        return folder

    def discard(self, folder: str) -> None:
        """Have a folder removed that nobody uses any more; returns at once."""
        self._discarded.put(folder)

    def close(self) -> None:
        """Return when all discarded folders are gone."""
        self._discarded.put(None)
        self._thread.join()

    def _remove_all(self) -> None:
        while (folder := self._discarded.get()) is not None:
            _remove(folder)


def _first_free(names: list[str]) -> int:
    return max((int(name) for name in names if name.isdecimal()), default=0)


def _remove(folder: str) -> None:
    """Remove a folder of user code, whatever rights and depth it gave its own; what resists is left."""
    try:
        _remove_below(folder)
    except (OSError, RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


def _remove_below(folder: str) -> None:
    try:
        found = os.scandir(folder)
    except PermissionError:
        os.chmod(folder, stat.S_IRWXU)
        found = os.scandir(folder)
    except NotADirectoryError:
        os.unlink(folder)
        return
    with found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                _remove_below(entry.path)
            else:
                _unlink(folder, entry.path)
    os.rmdir(folder)


def _unlink(folder: str, path: str) -> None:
    try:
        os.unlink(path)
    except PermissionError:
        os.chmod(folder, stat.S_IRWXU)
        with suppress(FileNotFoundError):
            os.unlink(path)
