# SPDX-License-Identifier: Apache-2.0
"""The parts of storage put together over one object store: what servers, clients and workers open."""

from collections.abc import Sequence
from typing import Final

from howdah.storage import changes
from howdah.storage.changes import Applied, Layer
from howdah.storage.chunks import Chunks
from howdah.storage.collisions import fault
from howdah.storage.content import ContentWriter, Stored, resumed_hasher
from howdah.storage.edits import folded
from howdah.storage.filesets import EMPTY_ROOT, Filesets
from howdah.storage.objects import ObjectStore
from howdah.storage.reader import Fileset
from howdah.storage.reading import ContentReader
from howdah.storage.rows import Entry
from howdah.storage.trash import RecoveringStore

__all__ = ["CACHE_BYTES", "Storage"]

# Enough to keep the entries of a million files, at 100 bytes each; filled only by what is read.
CACHE_BYTES: Final = 192 << 20


class Storage:
    """Chunks and filesets of one store. May be shared by threads; close it to end its own.

    What was read is kept in up to `cache_bytes` of memory, a third of it as chunks.
    """

    def __init__(self, store: ObjectStore, *, cache_bytes: int = CACHE_BYTES) -> None:
        # What garbage collection took away a moment ago can still be read.
        self.store: Final = RecoveringStore(store)
        self.chunks = Chunks(self.store, cache_bytes=cache_bytes // 3)
        self.filesets = Filesets(self.store, cache_bytes=cache_bytes - cache_bytes // 3)
        self.content = ContentWriter(self.chunks)
        self.reader = ContentReader(self.chunks)

    def __enter__(self) -> "Storage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; closing again does nothing."""
        self.content.close()
        self.reader.close()
        self.filesets.close()

    def fileset(self, root: bytes | None, referrer: str) -> Fileset:
        """The fileset of that root; the empty one for None. `referrer` is what errors name as its owner."""
        return Fileset(self.filesets, root or EMPTY_ROOT, referrer)

    def apply(self, base: bytes | None, layers: Sequence[Layer], referrer: str) -> Applied:
        """The durable fileset that `layers` make of `base`; equal calls give equal roots."""
        fewer = folded(self.filesets, layers, self.append, referrer) if len(layers) > 1 else layers
        return changes.apply(self.filesets, base or EMPTY_ROOT, fewer, self.append, referrer)

    def fault(self, base: bytes | None, root: bytes, referrer: str) -> str | None:
        """What is wrong with the files that `root` has and `base` has not; None if nothing is. See `collisions`."""
        return fault(self.fileset(base, referrer), self.fileset(root, referrer))

    def append(self, old: Entry, new: Entry) -> Entry:
        """The entry of one file that has the bytes of `old` and then those of `new`; no bytes move.

        The hash of the whole takes reading the last block of `old` and all of `new`.
        """
        referrer = f"file {old.path}"
        hasher = resumed_hasher(Stored(old.size, old.hash, old.peaks, old.extents), self.reader, referrer)
        for piece in self.reader.read(new.extents, 0, new.size, referrer):
            hasher.update(piece)
        extents = self.content.tidy_tail(old.extents.concat(new.extents), referrer)
        return Entry(old.path, old.datum, hasher.size, hasher.digest(), hasher.peaks(), extents)
