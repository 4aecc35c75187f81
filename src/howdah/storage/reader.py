# SPDX-License-Identifier: Apache-2.0
"""Reading a fileset: one path, an interval of paths, the summary of a directory.

A directory's entries stand together, between `dir/` and `dir0` (the character after the slash). Its digest is
what the fileset of just these entries would have, so it never depends on its neighbours. Pages of
listings and globs are in `listing`, differences in `diff`.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice

import pyarrow as pa

from howdah.storage import nodes, rows
from howdah.storage.filesets import EMPTY_ROOT, Filesets, top
from howdah.storage.nodes import Child
from howdah.storage.rows import Entry

__all__ = ["Cursor", "Fileset", "Summary", "interval"]

# Ranges that are fetched ahead of a scan, and the threads that do it.
_AHEAD = 8
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Summary:
    """What lies below a directory: number of files, their bytes together, digest."""

    files: int
    size: int
    digest: bytes


def interval(directory: str) -> tuple[str, str]:
    """The interval of paths below a directory that ends in a slash: lower bound included, upper excluded."""
    return directory, directory[:-1] + "0"


class Fileset:
    """One fileset of a store, by its root. Immutable; safe for many threads. Paths begin with a slash.

    Every method may raise `Damaged`: an object is missing or corrupt; the text names it and `referrer`.
    """

    def __init__(self, filesets: Filesets, root: bytes = EMPTY_ROOT, referrer: str = "a fileset") -> None:
        self.filesets = filesets
        self.root = root
        self.referrer = referrer

    @property
    def total(self) -> Summary:
        """Number of files, bytes and digest of the whole."""
        child = top(self.filesets.node(self.root, self.referrer), self.root)
        return Summary(child.files, child.size, child.digest)

    def find(self, path: str) -> list[Entry]:
        """The entries of exactly this path, one for each datum that wrote it; empty if there is none."""
        return [entry for batch in self.batches(path, path + "\0") for entry in rows.entries(batch)]

    def summary(self, directory: str) -> Summary | None:
        """What lies below a directory (ending in a slash); None if nothing does."""
        cursor = Cursor(self, *interval(directory))
        return cursor.take_directory(directory) if cursor.first() is not None else None

    def batches(self, lower: str = "", upper: str | None = None) -> Iterator[pa.RecordBatch]:
        """The rows with `lower <= path < upper`, in order, range by range; fetched ahead."""
        found = self._ranges(self.filesets.node(self.root, self.referrer).children, lower, upper)
        for batch in self.loaded(found):
            begin, end = rows.bounds(batch, lower, upper)
            if begin < end:
                yield batch.slice(begin, end - begin)

    def loaded(self, found: Iterator[Child]) -> Iterator[pa.RecordBatch]:
        """The rows of some ranges of this fileset, range by range; fetched ahead."""
        head = list(islice(found, 2))
        return self._ahead(chain(head, found)) if len(head) > 1 else map(self._load, head)

    def _ranges(self, children: tuple[Child, ...], lower: str, upper: str | None) -> Iterator[Child]:
        for child in children:
            if upper is not None and child.first >= upper:
                return
            if child.last < lower:
                continue
            if child.level:
                yield from self._ranges(self.filesets.node(child.name, self.referrer).children, lower, upper)
            else:
                yield child

    def _load(self, child: Child) -> pa.RecordBatch:
        return self.filesets.rows(child.name, self.referrer)

    def _ahead(self, ranges: Iterator[Child]) -> Iterator[pa.RecordBatch]:
        with ThreadPoolExecutor(_THREADS + self.filesets.store.overlap, "ranges") as pool:
            waiting: list[Future[pa.RecordBatch]] = []
            for child in ranges:
                waiting.append(pool.submit(self._load, child))
                if len(waiting) == _AHEAD + self.filesets.store.overlap:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()


class Cursor:
    """Walks the entries of an interval in order and can step over whole directories without reading them."""

    def __init__(self, fileset: Fileset, lower: str, upper: str | None) -> None:
        self._fileset = fileset
        self._lower = lower
        self._upper = upper
        self._stack: list[Iterator[Child]] = [iter(fileset.filesets.node(fileset.root, fileset.referrer).children)]
        # The item at the head: a subtree, or rows of which those before `_at` are done.
        self._child: Child | None = None
        self._batch: pa.RecordBatch | None = None
        self._at = 0
        self._digests: rows.digests | None = None
        self._advance()

    def first(self) -> str | None:
        """The path at the head, read from its range; None at the end."""
        batch = self._rows()
        return None if batch is None else rows.path_at(batch, self._at)

    def rest(self) -> tuple[pa.RecordBatch, int] | None:
        """The rows of the range at the head and the index of the first that is not done; None at the end."""
        batch = self._rows()
        return None if batch is None else (batch, self._at)

    def done(self, index: int) -> None:
        """Step to row `index` of the range at the head."""
        assert self._batch is not None
        self._at = index
        if index >= self._batch.num_rows:
            self._advance()

    def take_directory(self, directory: str) -> Summary:
        """Step over everything below `directory`, whose first entry is at the head, and sum it up."""
        upper = interval(directory)[1]
        digester = _Digester(self._fileset)
        while True:
            if self._child is not None and self._child.last < upper:
                digester.add(self._child)
                self._advance()
                continue
            ended = self._child is not None and self._child.first >= upper
            if ended or (batch := self._rows()) is None or not self._take_piece(batch, upper, digester):
                return digester.finish()

    def _take_piece(self, batch: pa.RecordBatch, upper: str, digester: "_Digester") -> bool:
        begin, end = self._at, rows.bounds(batch, "", upper)[1]
        if begin >= end:
            return False
        if self._digests is None:
            self._digests = rows.digests(batch)
        sums = self._digests
        cut = rows.cut_level(rows.path_at(batch, end - 1)) if end == batch.num_rows else 0
        digester.add_piece(0, sums.of(begin, end), end - begin, sums.size(begin, end), cut)
        whole: bool = end == batch.num_rows
        self.done(end)
        return whole

    def _rows(self) -> pa.RecordBatch | None:
        """Make the head a batch of rows."""
        while self._child is not None:
            child = self._child
            if child.level:
                below = self._fileset.filesets.node(child.name, self._fileset.referrer).children
                self._stack.append(iter(below))
                self._advance()
                continue
            self._child = None
            batch = self._fileset.filesets.rows(child.name, self._fileset.referrer)
            begin, end = rows.bounds(batch, self._lower, self._upper)
            if begin < end:
                self._batch, self._at, self._digests = batch.slice(0, end), begin, None
            else:
                self._advance()
        return self._batch

    def _advance(self) -> None:
        self._batch, self._child = None, None
        while self._stack:
            child = next(self._stack[-1], None)
            if child is None:
                self._stack.pop()
            elif self._upper is not None and child.first >= self._upper:
                self._stack.clear()
            elif child.last >= self._lower:
                self._child = child
                return


class _Digester:
    """The digest of consecutive entries: that of the fileset which holds just them. See `filesets.Builder`."""

    def __init__(self, fileset: Fileset) -> None:
        self._fileset = fileset
        self._open: list[list[bytes]] = [[]]
        self._files = 0
        self._bytes = 0

    def add(self, child: Child) -> None:
        """Add a whole subtree; it is opened only if it does not begin where a node would."""
        if child.level and any(self._open[: child.level]):
            for below in self._fileset.filesets.node(child.name, self._fileset.referrer).children:
                self.add(below)
        else:
            self.add_piece(child.level, child.digest, child.files, child.size, child.cut)

    def add_piece(self, level: int, digest: bytes, files: int, size: int, cut: int) -> None:
        """Add the digest of entries that end at a cut of `cut` levels."""
        self._files += files
        self._bytes += size
        self._push(level, digest, cut)

    def finish(self) -> Summary:
        """The summary of all that was added."""
        digest = nodes.digest([])
        for index in range(len(self._open)):
            if any(self._open[index + 1 :]):
                if self._open[index]:
                    self._push(index + 1, self._close(index), 0)
            elif index and len(self._open[index]) == 1:
                digest = self._open[index][0]
            elif self._open[index]:
                digest = self._close(index)
        return Summary(self._files, self._bytes, digest)

    def _push(self, level: int, digest: bytes, cut: int) -> None:
        while len(self._open) <= level:
            self._open.append([])
        self._open[level].append(digest)
        if cut > level + 1:
            self._push(level + 1, self._close(level), cut)

    def _close(self, index: int) -> bytes:
        parts, self._open[index] = self._open[index], []
        return nodes.digest(parts)
