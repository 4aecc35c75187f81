# SPDX-License-Identifier: Apache-2.0
"""Which objects can be reached from filesets: the mark of garbage collection, and where every proof of bytes begins.

What commits share is visited once: a node or range that was seen is not read again, so a thousand commits of
one changed file each cost a thousand ranges and nodes more than one commit. Held are names alone.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import pyarrow as pa

from howdah.storage import columnar
from howdah.storage.chunks import CHUNK_PREFIX
from howdah.storage.filesets import EMPTY_ROOT, Filesets
from howdah.storage.name_sets import NO_NAMES, Names, NameSet, names_in
from howdah.storage.objects import ObjectStore

__all__ = ["KINDS", "NODE_PREFIX", "RANGE_PREFIX", "Marks", "chunks_of"]

NODE_PREFIX: Final = "node/"
RANGE_PREFIX: Final = "range/"
KINDS: Final = (CHUNK_PREFIX, NODE_PREFIX, RANGE_PREFIX)
"""The prefixes of all objects that are named by their content; nothing else is ever swept."""

_THREADS: Final = 4
# Ranges that are read before the next are looked for; what is held of each is the names in it.
_BATCH: Final = 256
_CACHE_BYTES: Final = 16 << 20  # each object is read once


def chunks_of(batch: pa.RecordBatch) -> Names:
    """The chunks that rows of a fileset lie in, sorted, each once."""
    column = batch.column(5)
    return np.unique(names_in(columnar.Strings(column).part(0, len(column))[1])) if len(column) else NO_NAMES


class Marks:
    """All that can be reached from what was added. For one thread.

    After an error it is of no more use: what lies below the damaged object is not marked.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._filesets = Filesets(store, cache_bytes=_CACHE_BYTES)
        self.nodes = NameSet()
        self.ranges = NameSet()
        self.chunks = NameSet()

    def add(self, roots: Iterable[tuple[bytes, str]]) -> None:
        """Mark filesets, each given with its referrer, and all that they refer to.

        Raises:
            Damaged: a node or range is missing or corrupt; the text names it and the referrer.
        """
        with ThreadPoolExecutor(_THREADS, "mark") as threads:
            batch: list[tuple[bytes, str]] = []
            for found in self._ranges(roots):
                batch.append(found)
                if len(batch) >= _BATCH:
                    self._read(threads, batch)
                    batch = []
            self._read(threads, batch)

    def of(self, prefix: str) -> NameSet:
        """The names of one of `KINDS`."""
        return {CHUNK_PREFIX: self.chunks, NODE_PREFIX: self.nodes, RANGE_PREFIX: self.ranges}[prefix]

    def _ranges(self, roots: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
        """The ranges below the roots that were not seen yet."""
        for root, referrer in roots:
            waiting = [root]
            while waiting:
                name = waiting.pop()
                if name == EMPTY_ROOT or not self.nodes.add(name):
                    continue
                for child in self._filesets.node(name, referrer).children:
                    if child.level:
                        waiting.append(child.name)
                    elif self.ranges.add(child.name):
                        yield child.name, referrer

    def _read(self, threads: ThreadPoolExecutor, batch: list[tuple[bytes, str]]) -> None:
        for chunks in threads.map(lambda each: chunks_of(self._filesets.rows(*each)), batch):
            self.chunks.update(chunks)
