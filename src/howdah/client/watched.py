# SPDX-License-Identifier: Apache-2.0
"""Storage's own work told piece by piece: it knows of no progress, so what it is given does."""

import threading
from collections.abc import Iterator

from howdah.client.values import Progress, Written
from howdah.storage.chunks import Chunks
from howdah.storage.entries import Entry
from howdah.storage.extents import NAME_BYTES, Extent, Extents
from howdah.storage.objects import Buffer, ObjectStore

__all__ = ["Tally", "WatchedChunks", "watched"]


class WatchedChunks(Chunks):
    """Chunks that know which of them were stored now, and tell how many plain bytes went in."""

    def __init__(self, store: ObjectStore, fresh: set[bytes], progress: Progress | None = None) -> None:
        super().__init__(store)
        # 32 bytes for some MiB that are stored: it stays small for one write of any size.
        self._fresh = fresh
        self._progress = progress

    def put_named(self, name: bytes, plain: Buffer) -> bool:
        """Store a chunk, remember it if it was not there, then tell."""
        stored = super().put_named(name, plain)
        if stored:
            self._fresh.add(name)
        self.skip(len(plain))
        return stored

    def refresh(self, name: bytes, plain_length: int) -> bool:
        """Refresh a chunk, and tell if it is there."""
        there = super().refresh(name, plain_length)
        if there:
            self.skip(plain_length)
        return there

    def skip(self, plain_length: int) -> None:
        """Tell of bytes that need not be put."""
        if self._progress is not None:
            self._progress(plain_length, 0)


class Tally:
    """Counts the files that one writer has put, and those whose bytes were stored before it began."""

    def __init__(self) -> None:
        self.fresh: set[bytes] = set()
        """The chunks that were stored now; a set is changed as a whole, so it needs no lock."""
        self._lock = threading.Lock()
        self._files = self._bytes = self._known = self._empty = 0  # guarded by _lock

    def note(self, entry: Entry) -> None:
        """Count a file, whose chunks are stored by now."""
        names = entry.extents.names
        fresh = any(names[at : at + NAME_BYTES] in self.fresh for at in range(0, len(names), NAME_BYTES))
        with self._lock:
            self._files += 1
            self._bytes += entry.size
            self._empty += not names
            self._known += bool(names) and not fresh

    @property
    def written(self) -> Written:
        """What was counted so far. An empty file, which stores nothing, is known as soon as another one is."""
        with self._lock:
            known = self._known + self._empty if self._known else 0
            return Written(self._files, self._bytes, known)


class _WatchedExtents(Extents):
    """Extents that tell how many bytes were asked for; readers are a few chunks behind at most."""

    _progress: Progress

    def __iter__(self) -> Iterator[Extent]:
        for extent in super().__iter__():
            yield extent
            self._progress(extent[2], 0)


def watched(extents: Extents, progress: Progress) -> Extents:
    """The same extents, which tell `progress` as they are read."""
    made = _WatchedExtents(extents.names, extents.lengths, extents.offsets)
    object.__setattr__(made, "_progress", progress)  # frozen, but new
    return made
