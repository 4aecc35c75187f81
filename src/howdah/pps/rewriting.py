# SPDX-License-Identifier: Apache-2.0
"""New filesets out of old ones by vectors: rows are collected in any order, sorted in bounded memory, and merged.

The plan, the record of what was done, outputs and meta commits are all made this way. Unlike a user's
change (`storage.changes`), rows of several datums that share a path are all kept here, so that the
collision is seen and can be named.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.storage import rows
from howdah.storage.changes import Applied
from howdah.storage.filesets import EMPTY_ROOT, Builder, Filesets
from howdah.storage.merge import Source, add_union, children_of, merged, without
from howdah.storage.reader import Fileset

__all__ = ["SortedRows", "rewrite", "rows_at", "sorted_paths", "within"]

# Rows that are held in memory before they are laid down as a sorted run: some 50 MB.
RUN_ROWS: Final = 200_000
# So many paths are taken out by search, and the rest of the fileset is not read; for more, one pass over it is less.
DROPS_MAX: Final = 1_000
# Up to so many paths each is looked up.
_LOOKUPS_MAX: Final = 32


class SortedRows:
    """Rows added in any order, given back in the order of filesets. For one thread."""

    def __init__(self, filesets: Filesets, referrer: str, *, run_rows: int = RUN_ROWS) -> None:
        self._filesets = filesets
        self._referrer = referrer
        self._run_rows = run_rows
        self._batches: list[pa.RecordBatch] = []
        self._held = 0
        # Roots of the runs that are laid down.
        self._runs: list[bytes] = []
        self.count = 0
        """How many rows were added."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows; their order does not matter."""
        if not batch.num_rows:
            return
        self._batches.append(batch)
        self._held += batch.num_rows
        self.count += batch.num_rows
        if self._held >= self._run_rows:
            self._lay_down()

    def finish(self) -> Source | None:
        """All rows, sorted: at hand if they are few, else as a stored fileset; None if there are none."""
        if not self._runs:
            return rows.sort(rows.join(self._batches)) if self._batches else None
        self._lay_down()
        while len(self._runs) > 1:
            left, right = self._runs[0], self._runs[1]
            self._runs[:2] = []
            self._runs.append(merged(self._filesets, left, right, _both, self._referrer))
        return self._runs[0]

    def _lay_down(self) -> None:
        if not self._batches:
            return
        builder = Builder(self._filesets, self._referrer)
        builder.add_rows(rows.sort(rows.join(self._batches)))
        self._batches, self._held = [], 0
        self._runs.append(builder.finish())


def rewrite(
    filesets: Filesets, base: bytes, drop: pa.Array, put: Source | None, referrer: str, *, replace: bool
) -> Applied:
    """The fileset `base` without the paths `drop` (sorted, each once) and with the rows `put`. Durable at the return.

    With `replace` a row takes the place of whatever its path has; without, rows of the same path stand side by
    side, and the answer names the first such path that was touched.
    """
    if not len(drop) and put is None:
        return Applied(base)
    builder = Builder(filesets, referrer)
    if len(drop) <= DROPS_MAX:
        kept = without(filesets, children_of(filesets, base, referrer), (), [(path, None) for path in drop.to_pylist()])
    else:
        kept = _kept(Fileset(filesets, base, referrer), drop)
    add_union(builder, filesets, kept, children_of(filesets, put, referrer), _replaced if replace else _both)
    return Applied(builder.finish(), builder.duplicate)


def rows_at(fileset: Fileset, paths: pa.Array) -> Iterator[pa.RecordBatch]:
    """The rows of these paths (sorted, each once), in order; paths that are not there are left out."""
    if len(paths) <= _LOOKUPS_MAX:
        for path in paths.to_pylist():
            yield from fileset.batches(path, path + "\0")
        return
    for batch in fileset.batches(paths[0].as_py(), paths[-1].as_py() + "\0"):
        found = batch.filter(pc.is_in(batch.column(0), value_set=_near(paths, batch)))
        if found.num_rows:
            yield found


def sorted_paths(columns: Sequence[pa.Array]) -> pa.Array:
    """The distinct values of all columns, in order."""
    if not columns:
        return pa.array([], pa.string())
    found = pa.concat_arrays(columns).unique()
    return found.take(pc.sort_indices(found))


def _kept(fileset: Fileset, drop: pa.Array) -> Iterator[pa.RecordBatch]:
    if fileset.root == EMPTY_ROOT:
        return
    for batch in fileset.batches():
        left = batch.filter(pc.invert(pc.is_in(batch.column(0), value_set=_near(drop, batch))))
        if left.num_rows:
            yield left


def within(paths: pa.Array, batch: pa.RecordBatch) -> range:
    """Which of sorted `paths` can be in a batch of sorted rows."""
    table = pa.RecordBatch.from_arrays([paths], names=["path"])
    return range(*rows.bounds(table, rows.path_at(batch, 0), rows.path_at(batch, -1) + "\0"))


def _near(paths: pa.Array, batch: pa.RecordBatch) -> pa.Array:
    """Those paths themselves: a small set is quicker to look in."""
    found = within(paths, batch)
    return paths.slice(found.start, len(found))


def _both(old: pa.RecordBatch, new: pa.RecordBatch) -> pa.RecordBatch:
    return rows.sort(rows.join([old, new]))


def _replaced(old: pa.RecordBatch, new: pa.RecordBatch) -> pa.RecordBatch:
    kept = old.filter(pc.invert(pc.is_in(old.column(0), value_set=new.column(0))))
    return rows.sort(rows.join([kept, new])) if kept.num_rows else new
