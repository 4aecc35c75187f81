# SPDX-License-Identifier: Apache-2.0
"""Give written files their final names, some at a time: fsync each, then rename.

The fsync of a new file commits the journal of the file system. Right after one another the first commit
serves them all, and the disk has begun to write the others meanwhile. Nobody else sees a file before it is renamed,
so what stands under a final name is whole; this process waits for its own files when it wants to read them.
"""

import os
import threading
from collections.abc import Callable
from typing import Final

from howdah.kit import fail
from howdah.storage import writeback

__all__ = ["Settling"]

# Files that may wait: a few commits of the journal for a big file of a hundred chunks, and few open files.
_WAITING_MAX: Final = 8


class Settling:
    """The files of a store that are written and have no final name yet. Safe for many threads."""

    def __init__(self, named: Callable[[str], None]) -> None:
        # Called with a directory after a file got its name there.
        self._named = named
        self._lock = threading.Lock()
        # Final path to open file and temporary path, oldest first; guarded by _lock.
        self._waiting: dict[str, tuple[int, str]] = {}
        # Held while files that left _waiting are being settled: who comes next finds them done.
        self._busy = threading.Lock()
        # The paths being settled; changed with _busy and _lock held.
        self._leaving: frozenset[str] = frozenset()
        self._failed: OSError | None = None

    def add(self, file: int, temporary: str, path: str) -> None:
        """Take a written file, which is open, to be settled soon; the eighth settles all."""
        writeback.start(file)
        with self._lock:
            twice = path in self._waiting
            if not twice:
                self._waiting[path] = (file, temporary)
            full = len(self._waiting) >= _WAITING_MAX
        if twice:
            os.close(file)
            os.unlink(temporary)
        if full:
            self.settle()

    def has(self, path: str) -> bool:
        """Whether a file of that final path waits, or is being settled."""
        with self._lock:
            return path in self._waiting or path in self._leaving

    def wait_for(self, path: str) -> None:
        """Return when no file of that final path waits any more."""
        if self.has(path):
            self.settle()

    def settle(self) -> None:
        """Return when every file that was added before has its final name, with all its bytes on the disk.

        Raises:
            OSError: the disk did not take the bytes, now or before: what the kernel then still holds cannot be
                trusted, so nothing more is settled, and the process must be started again.
        """
        with self._busy:
            with self._lock:
                taken, self._waiting = self._waiting, {}
                self._leaving = frozenset(taken)
            try:
                self._settle(taken)
            finally:
                with self._lock:
                    self._leaving = frozenset()

    def _settle(self, taken: dict[str, tuple[int, str]]) -> None:
        try:
            for file, _ in taken.values():
                if self._failed is None:
                    os.fsync(file)
        except OSError as error:
            self._failed = error
        finally:
            for file, _ in taken.values():
                os.close(file)
        if self._failed is not None:
            raise self._failed
        fail.here("object_synced_not_renamed")
        for path, (_, temporary) in taken.items():
            os.rename(temporary, path)
            fail.here("objects_renamed_not_synced")
            self._named(os.path.dirname(path))
