# SPDX-License-Identifier: Apache-2.0
"""Differences of two filesets, found by comparing digests: what is equal is stepped over, whatever its size."""

from collections.abc import Iterator
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from howdah.model.files import FileInfo
from howdah.storage import rows
from howdah.storage.listing import infos, inspect, walk
from howdah.storage.nodes import Child
from howdah.storage.reader import Fileset

__all__ = ["changed_paths", "diff", "fresh", "unequal", "unequal_between"]


def diff(old: Fileset, new: Fileset, old_base: str, new_base: str) -> Iterator[tuple[FileInfo | None, FileInfo | None]]:
    """Pairs (new, old) of all files and directories at and below the bases that differ, in order of path.

    The bases name the same place in both (usually they are equal); a side without the path is None.
    """
    if old_base != new_base:
        yield from _paired(_below(old, old_base), _below(new, new_base))
        return
    seen = ""
    for path in changed_paths(old, new, old_base):
        here = path[: path.rindex("/") + 1]
        for slash in range(len(here)):
            name = here[: slash + 1]
            if here[slash] == "/" and name.startswith(new_base) and not seen.startswith(name):
                yield inspect(new, name), inspect(old, name)
        seen = here
        yield _file(new, path), _file(old, path)


def _below(fileset: Fileset, base: str) -> Iterator[tuple[bytes, FileInfo]]:
    """Everything at and below `base`, directories included, by its path relative to it, in order."""
    skip = len(base.rstrip("/"))
    for batch in walk(fileset, base):
        for info in infos(batch):
            yield info.path[skip:].encode(), info


_Side: TypeAlias = Iterator[tuple[bytes, FileInfo]]


def _paired(old: _Side, new: _Side) -> Iterator[tuple[FileInfo | None, FileInfo | None]]:
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            yield None, left[1]
            left = next(old, None)
        elif left is None or right[0] < left[0]:
            yield right[1], None
            right = next(new, None)
        else:
            if left[1].hash != right[1].hash:
                yield right[1], left[1]
            left, right = next(old, None), next(new, None)


def _file(fileset: Fileset, path: str) -> FileInfo | None:
    entries = fileset.find(path)
    return FileInfo(path, False, sum(e.size for e in entries), entries[-1].hash) if entries else None


def changed_paths(old: Fileset, new: Fileset, base: str = "/") -> Iterator[str]:
    """The paths of files at and below `base` that are on one side only or differ in content, in order."""
    for left, right in unequal(old, new, base):
        changed = pc.array_filter(left.column(0), pc.invert(_known(left, right))).to_pylist()
        changed += pc.array_filter(right.column(0), pc.invert(_known(right, left))).to_pylist()
        for path in sorted(set(changed)):
            if path == base or base == "/" or path.startswith(base.rstrip("/") + "/"):
                yield path


def fresh(batch: pa.RecordBatch, other: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of `batch` that `other` does not have with the same content."""
    return batch.filter(pc.invert(_known(batch, other)))


def _known(batch: pa.RecordBatch, other: pa.RecordBatch) -> pa.BooleanArray:
    """Which rows have the same path and content on the other side."""
    at = pc.index_in(batch.column(0), other.column(0))
    hashes = other.column(3).take(at)
    return pc.fill_null(pc.equal(batch.column(3), hashes), False)


def unequal(old: Fileset, new: Fileset, base: str = "/") -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """The rows (old, new) of the intervals of paths in which the two differ; among them may be equal ones."""
    yield from unequal_between(old, new, base.rstrip("/"), base.rstrip("/") + "0")


def unequal_between(
    old: Fileset, new: Fileset, lower: str, upper: str
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """As `unequal`, of the paths with `lower <= path < upper`; among the rows may be some around these."""
    left, right = _Walk(old, lower, upper), _Walk(new, lower, upper)
    while left.item is not None and right.item is not None:
        if left.same(right):
            left.advance()
            right.advance()
        elif left.level or right.level:
            (left if left.level >= right.level else right).expand()
        elif left.last < right.first:
            yield left.take(left.last), rows.EMPTY
        elif right.last < left.first:
            yield rows.EMPTY, right.take(right.last)
        else:
            until = min(left.last, right.last)
            yield left.take(until), right.take(until)
    for side, flip in ((left, False), (right, True)):
        while side.item is not None:
            if side.level:
                side.expand()
            else:
                batch = side.take(side.last)
                yield (rows.EMPTY, batch) if flip else (batch, rows.EMPTY)


class _Walk:
    """One side of a comparison: like the sides of a merge, but equal means equal digests."""

    def __init__(self, fileset: Fileset, lower: str, upper: str) -> None:
        self._fileset = fileset
        self._bounds = (lower, upper)
        self._stack: list[Iterator[Child]] = [iter(fileset.filesets.node(fileset.root, fileset.referrer).children)]
        self.item: Child | pa.RecordBatch | None = None
        self.first = self.last = ""
        self.advance()

    @property
    def level(self) -> int:
        return self.item.level if isinstance(self.item, Child) else 0

    def same(self, other: "_Walk") -> bool:
        """Whether both heads are subtrees of the same entries."""
        mine, theirs = self.item, other.item
        if not isinstance(mine, Child) or not isinstance(theirs, Child):
            return False
        return mine.digest == theirs.digest and (mine.first, mine.last) == (theirs.first, theirs.last)

    def expand(self) -> None:
        """Replace the node at the head by its children."""
        assert isinstance(self.item, Child)
        self._stack.append(iter(self._fileset.filesets.node(self.item.name, self._fileset.referrer).children))
        self.advance()

    def take(self, until: str) -> pa.RecordBatch:
        """The rows of the head up to and with path `until`; the rest stays."""
        item = self.item
        batch = self._fileset.filesets.rows(item.name, self._fileset.referrer) if isinstance(item, Child) else item
        assert batch is not None
        if self.last <= until:
            self.advance()
            return batch
        end = rows.bounds(batch, until + "\0", None)[0]
        self.item = batch.slice(end)
        self.first = rows.path_at(self.item, 0)
        return batch.slice(0, end)

    def advance(self) -> None:
        """Step to the next item that reaches into the bounds."""
        lower, upper = self._bounds
        self.item = None
        while self._stack:
            child = next(self._stack[-1], None)
            if child is None or child.first >= upper:
                self._stack.pop()
            elif child.last >= lower:
                self.item, self.first, self.last = child, child.first, child.last
                return
