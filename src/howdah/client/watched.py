# SPDX-License-Identifier: Apache-2.0
"""Storage's own work on big files, told piece by piece: it knows of no progress, so what it is given does."""

from collections.abc import Iterator

from howdah.client.values import Progress
from howdah.storage.chunks import Chunks
from howdah.storage.extents import Extent, Extents
from howdah.storage.objects import Buffer, ObjectStore

__all__ = ["WatchedChunks", "watched"]


class WatchedChunks(Chunks):
    """Chunks that tell how many plain bytes went in."""

    def __init__(self, store: ObjectStore, progress: Progress) -> None:
        super().__init__(store)
        self._progress = progress

    def put(self, plain: Buffer) -> bytes:
        """Store a chunk, then tell."""
        name = super().put(plain)
        self._progress(len(plain), 0)
        return name


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
