# SPDX-License-Identifier: Apache-2.0
"""The folders that become `/pfs`: an empty one for each try of a datum, emptied again in the background afterwards.

Emptying waits for nobody: a folder is handed over and a thread cleans it. Making and removing folders is what costs
most in a short datum (0.2 ms on ext4), so a clean folder is kept with its first level, one folder for each input and
`out`, and given out again for a datum with the same inputs. That needs commands that are surely dead by then;
without namespaces nothing is given out twice.
"""

import os
import queue
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from howdah.storage.local_files import explained
from howdah.worker.below import discard, empty, opened
from howdah.worker.volumes import left_in_memory, volume

__all__ = ["OUT", "Folders"]

OUT: Final = "out"
_DATUMS: Final = "datums"
_SPARE_MAX: Final = 32  # more than are in use at a time while all datums are short


class Shape(NamedTuple):
    """What a clean folder is good for: whether it lies in memory, and the names of the folders that it holds."""

    in_memory: bool
    names: frozenset[str]


class Folders:
    """Gives out folders below a work folder that is this worker's alone. For many threads."""

    def __init__(self, work: Path, *, reuse: bool) -> None:
        """Take the work folder over; it is made if need be, and what an earlier worker left there is removed.

        Raises:
            Refused, Unavailable: it cannot be made or written.
        """
        self._work = work
        self._reuse = reuse
        # Folders to be cleaned; whoever waits for those before; and the end.
        self._discarded: queue.SimpleQueue[str | threading.Event | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        # All below is guarded by _lock. The inputs that were asked for last, and clean folders for just these.
        self._shape = Shape(False, frozenset())
        self._spare: list[str] = []
        # The last number that a folder was named by, and the names of the inputs of each that is in use.
        self._number = 0
        self._shapes: dict[str, Shape] = {}
        base = work / _DATUMS
        with explained(work):
            base.mkdir(parents=True, exist_ok=True)
            left = [base / name for name in os.listdir(base)]
            # Type and rights of a folder that is made here; user code may change them.
            self._mode = os.lstat(base).st_mode
        # On disk, and in memory once that is wanted; written by one thread at a time, those that prefetch.
        self._bases = {False: str(base)}
        left += [path for place in left_in_memory(work) for path in place.glob(f"{_DATUMS}/*")]
        self._number = max((int(path.name) for path in left if path.name.isdecimal()), default=0)
        for path in left:
            self._discarded.put(str(path))
        self._thread = threading.Thread(target=self._clean_all, name="clean-folders", daemon=True)
        self._thread.start()

    def new(self, inputs: Iterable[str], *, in_memory: bool = False) -> str:
        """A folder with nothing in it but an empty folder for each input, and `out`.

        It lies on the disk, or with `in_memory` there, if this machine has memory to write to.

        Raises:
            Refused, Unavailable: it cannot be made: the disk is full, for instance.
        """
        base = self._base(in_memory)
        shape = Shape(in_memory, frozenset((*inputs, OUT)))
        with self._lock:
            if shape != self._shape:
                for folder in self._spare:
                    self._discarded.put(folder)
                self._shape, self._spare = shape, []
            if self._spare:
                folder = self._spare.pop()
                self._shapes[folder] = shape
                return folder
            self._number += 1
            folder = f"{base}/{self._number}"
        with explained(folder):
            os.mkdir(folder)
            for name in shape.names:
                os.mkdir(f"{folder}/{name}")
        with self._lock:
            self._shapes[folder] = shape
        return folder

    def keep_apart(self, folder: str) -> None:
        """Never give a folder out again: what had it may still be alive when it is taken back."""
        with self._lock:
            self._shapes.pop(folder, None)

    def discard(self, folder: str) -> None:
        """Take back a folder that nobody uses any more; returns at once."""
        self._discarded.put(folder)

    def settle(self) -> None:
        """Return when all folders that were taken back so far are clean or gone, and the disk has their room again."""
        clean = threading.Event()
        self._discarded.put(clean)
        clean.wait()

    def close(self) -> None:
        """Return when all folders that were taken back are clean or gone; nothing stays in memory."""
        self._discarded.put(None)
        self._thread.join()
        if (base := self._bases.get(True, self._bases[False])) != self._bases[False]:
            discard(os.path.dirname(base))

    def _base(self, in_memory: bool) -> str:
        """The folder in which datums' folders are made."""
        if in_memory not in self._bases:
            base = volume(self._work, in_memory=in_memory) / _DATUMS
            with explained(base):
                base.mkdir(exist_ok=True)
            self._bases[in_memory] = str(base)
        return self._bases[in_memory]

    def _clean_all(self) -> None:
        while (folder := self._discarded.get()) is not None:
            if isinstance(folder, threading.Event):
                folder.set()
                continue
            with self._lock:
                shape = self._shapes.pop(folder, None)
                wanted = self._reuse and shape == self._shape and len(self._spare) < _SPARE_MAX
            if not (wanted and shape and _is_emptied(folder, shape.names, self._mode)):
                discard(folder)
                continue
            with self._lock:
                if shape == self._shape:
                    self._spare.append(folder)
                else:
                    self._discarded.put(folder)


def _is_emptied(folder: str, names: frozenset[str], mode: int) -> bool:
    """Remove all that a datum left in a folder but its first level; False if that is not as it was made."""
    try:
        if not _is_as_made(folder, mode):
            return False
        found = os.listdir(folder)
        for name in found:
            path = f"{folder}/{name}"
            if name not in names or not _is_as_made(path, mode):
                return False
            with opened(path) as inside:
                empty(inside)
    except OSError:
        return False
    return len(found) == len(names)


def _is_as_made(folder: str, mode: int) -> bool:
    """Whether it is a folder with its rights, and ours: pipelines may run as other users."""
    status = os.lstat(folder)
    return status.st_mode == mode and status.st_uid == os.geteuid()
