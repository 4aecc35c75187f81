# SPDX-License-Identifier: Apache-2.0
"""Merging: one fileset out of a base and what a layer of changes does to it.

Both sides are trees cut at the same paths, so the merge walks them side by side and looks inside only
where they differ: a subtree that the other side does not touch is taken as it is, whatever its size.
What the layers are, see `changes`.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from howdah.storage import rows
from howdah.storage.filesets import EMPTY_ROOT, Builder, Filesets
from howdah.storage.nodes import Child

__all__ = ["Item", "Source", "add_union", "children_of", "merged", "without"]

Item: TypeAlias = Child | pa.RecordBatch
"""A whole subtree, or loose sorted rows."""

Source: TypeAlias = bytes | pa.RecordBatch
"""Rows by the root of a fileset, or at hand."""

Resolve: TypeAlias = Callable[[pa.RecordBatch, pa.RecordBatch], pa.RecordBatch]
"""Given the rows of the old and the new side that lie in one interval, the rows that shall be there."""


def children_of(filesets: Filesets, source: Source | None, referrer: str) -> Iterator[Item]:
    """The items of a source, in order; none for None."""
    if source is None or source == EMPTY_ROOT:
        return
    if isinstance(source, bytes):
        yield from filesets.node(source, referrer).children
    elif source.num_rows:
        yield source


def without(
    filesets: Filesets, items: Iterator[Item], directories: Sequence[str], paths: Sequence[tuple[str, str | None]]
) -> Iterator[Item]:
    """The items less everything below `directories` (each ending in a slash) and less `paths`.

    A path comes with the datum whose part goes, or None for all parts. Both are sorted.
    """
    intervals = [(name, name[:-1] + "0") for name in directories]
    keys = [path for path, _ in paths]
    if not intervals and not keys:
        yield from items
        return

    def touched(first: str, last: str) -> bool:
        at = bisect_left(keys, first)
        return (at < len(keys) and keys[at] <= last) or any(first < high and low <= last for low, high in intervals)

    def cut(batch: pa.RecordBatch) -> pa.RecordBatch:
        for low, high in intervals:
            begin, end = rows.bounds(batch, low, high)
            if begin < end:
                batch = rows.join([batch.slice(0, begin), batch.slice(end)])
        return _drop_paths(batch, paths[bisect_left(keys, rows.path_at(batch, 0)) :]) if batch.num_rows else batch

    for item in items:
        first, last = _ends(item)
        if any(low <= first and last < high for low, high in intervals):
            continue
        if not touched(first, last):
            yield item
        elif isinstance(item, Child) and item.level:
            yield from without(filesets, iter(filesets.node(item.name, "a node").children), directories, paths)
        else:
            batch = cut(_loaded(filesets, item))
            if batch.num_rows:
                yield batch


def _drop_paths(batch: pa.RecordBatch, paths: Sequence[tuple[str, str | None]]) -> pa.RecordBatch:
    last = rows.path_at(batch, -1)
    whole: list[str] = []
    for path, datum in paths:
        if path > last:
            break
        if datum is None:
            whole.append(path)
        else:
            match = pc.and_(pc.equal(batch.column(0), path), pc.equal(batch.column(1), datum))
            batch = batch.filter(pc.invert(match))
    if whole:
        batch = batch.filter(pc.invert(pc.is_in(batch.column(0), value_set=pa.array(whole, pa.string()))))
    return batch


def add_union(builder: Builder, filesets: Filesets, old: Iterator[Item], new: Iterator[Item], resolve: Resolve) -> None:
    """Add the union of two sides to a builder; where both have rows in one interval `resolve` decides."""
    left, right = _Side(filesets, old), _Side(filesets, new)
    while left.item is not None and right.item is not None:
        if left.last < right.first:
            _add(builder, left.take())
        elif right.last < left.first:
            _add(builder, right.take())
        elif _equal(left.item, right.item):
            left.take()
            _add(builder, right.take())
        elif left.level or right.level:
            (left if left.level >= right.level else right).expand()
        else:
            until = min(left.last, right.last)
            batch = resolve(left.take_rows(until), right.take_rows(until))
            if batch.num_rows:
                builder.add_rows(batch)
    for side in (left, right):
        while side.item is not None:
            _add(builder, side.take())


def merged(filesets: Filesets, old: Source | None, new: Source | None, resolve: Resolve, referrer: str) -> bytes:
    """The root of the union of two sources; see `add_union`."""
    builder = Builder(filesets, referrer)
    left, right = children_of(filesets, old, referrer), children_of(filesets, new, referrer)
    add_union(builder, filesets, left, right, resolve)
    return builder.finish()


def _add(builder: Builder, item: Item) -> None:
    if isinstance(item, Child):
        builder.add(item)
    else:
        builder.add_rows(item)


def _equal(left: Item, right: Item) -> bool:
    return (
        isinstance(left, Child) and isinstance(right, Child) and left.name == right.name and left.level == right.level
    )


def _ends(item: Item) -> tuple[str, str]:
    if isinstance(item, Child):
        return item.first, item.last
    return rows.path_at(item, 0), rows.path_at(item, -1)


def _loaded(filesets: Filesets, item: Item) -> pa.RecordBatch:
    return filesets.rows(item.name, "a node") if isinstance(item, Child) else item


class _Side:
    """One side of a union: the item at its head, which can be taken, opened, or taken in part."""

    def __init__(self, filesets: Filesets, items: Iterator[Item]) -> None:
        self._filesets = filesets
        self._stack: list[Iterator[Item]] = [items]
        self.item: Item | None = None
        self.first = self.last = ""
        self._advance()

    @property
    def level(self) -> int:
        """The level of the item at the head; 0 also for loose rows."""
        return self.item.level if isinstance(self.item, Child) else 0

    def take(self) -> Item:
        """The item at the head; the next one takes its place."""
        item = self.item
        assert item is not None
        self._advance()
        return item

    def expand(self) -> None:
        """Replace the node at the head by its children."""
        assert isinstance(self.item, Child)
        self._stack.append(iter(self._filesets.node(self.item.name, "a node").children))
        self._advance()

    def take_rows(self, until: str) -> pa.RecordBatch:
        """The rows of the head up to and with path `until`; what is left of it stays at the head."""
        assert self.item is not None
        batch = _loaded(self._filesets, self.item)
        if self.last <= until:
            self._advance()
            return batch
        end = rows.bounds(batch, until + "\0", None)[0]
        self._set(batch.slice(end))
        return batch.slice(0, end)

    def _advance(self) -> None:
        while self._stack:
            item = next(self._stack[-1], None)
            if item is not None:
                self._set(item)
                return
            self._stack.pop()
        self.item = None

    def _set(self, item: Item) -> None:
        self.item = item
        self.first, self.last = _ends(item)
