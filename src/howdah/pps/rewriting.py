# SPDX-License-Identifier: Apache-2.0
"""New filesets out of old ones by vectors: rows are collected in any order, sorted in bounded memory, and merged.

The plan, the record of what was done, outputs and meta commits are all made this way. Unlike a user's
change (`storage.changes`), rows of several datums that share a path are all kept here, so that the
collision is seen and can be named.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.storage import rows
from howdah.storage.changes import Applied
from howdah.storage.filesets import Builder, Filesets
from howdah.storage.merge import Item, add_union, children_of
from howdah.storage.nodes import Child
from howdah.storage.picking import span

__all__ = ["RUN_ROWS", "SortedRows", "distinct", "grouped", "rewrite", "sorted_paths"]

# What is held in memory before it is laid down as a sorted run. Sorting takes as much again, and several are filled at
# a time: of these numbers finishing a job needs some 250 MB.
RUN_ROWS: Final = 200_000
_RUN_BYTES: Final = 32 << 20
# Rows of a run that are read at a time while runs are merged, and runs that are merged at a time.
_PIECE_ROWS: Final = 4_096
_RUNS_MAX: Final = 32


class SortedRows:
    """Rows added in any order, given back in the order of filesets: by the columns `path` and `datum`. For one thread.

    The columns are those of the first batch. What is too much for memory lies in files that have no name, so that
    nothing is left of them whatever happens, and no object is made that nothing will refer to.
    """

    def __init__(self, *, run_rows: int = RUN_ROWS) -> None:
        self._run_rows = run_rows
        self._batches: list[pa.RecordBatch] = []
        self._held = 0
        self._held_bytes = 0
        self._runs: list[IO[bytes]] = []
        self.count = 0
        """How many rows were added."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows; their order does not matter."""
        if not batch.num_rows:
            return
        self._batches.append(batch)
        self._held += batch.num_rows
        self._held_bytes += batch.nbytes
        self.count += batch.num_rows
        if self._held >= self._run_rows or self._held_bytes >= _RUN_BYTES:
            self._lay_down()

    def finish(self) -> Iterator[pa.RecordBatch] | None:
        """All rows, sorted, in batches of which none is empty and no two share a path; None if there are no rows."""
        if not self.count:
            return None
        if not self._runs:
            return iter((self._sorted(),))
        self._lay_down()
        return _merged(self._runs)

    def _lay_down(self) -> None:
        if not self._batches:
            return
        self._runs.append(_run(_pieces(self._sorted())))
        if len(self._runs) == _RUNS_MAX:
            self._runs = [_run(piece for batch in _merged(self._runs) for piece in _pieces(batch))]

    def _sorted(self) -> pa.RecordBatch:
        """What is held, which is let go of step by step."""
        joined, self._batches = rows.join(self._batches), []
        self._held = self._held_bytes = 0
        return rows.sort(joined)


def rewrite(
    filesets: Filesets,
    base: bytes,
    drop: pa.Array,
    put: Iterable[pa.RecordBatch] | None,
    referrer: str,
    *,
    replace: bool,
) -> Applied:
    """The fileset `base` without the paths `drop` (sorted, each once) and with the rows `put`. Durable at the return.

    `put` comes as `SortedRows.finish` gives it. With `replace` a row takes the place of whatever its path has;
    without, rows of the same path stand side by side, and the answer names the first such path that was touched.
    What neither touches is not read.
    """
    if not len(drop) and put is None:
        return Applied(base)
    builder = Builder(filesets, referrer)
    kept = _kept(filesets, children_of(filesets, base, referrer), drop, referrer)
    add_union(builder, filesets, kept, iter(put or ()), _replaced if replace else _both)
    return Applied(builder.finish(), builder.duplicate)


def sorted_paths(columns: Sequence[pa.Array]) -> pa.Array:
    """The distinct values of all columns, in order."""
    if not columns:
        return pa.array([], pa.string())
    found = pa.concat_arrays(columns).unique()
    return found.take(pc.sort_indices(found))


def distinct(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Sorted rows without those whose path has come already."""
    for batch in batches:
        paths = batch.column(0)
        if len(paths) > 1 and pc.any(pc.equal(paths[:-1], paths[1:])).as_py():
            again = pa.concat_arrays([pa.array([False]), pc.equal(paths[:-1], paths[1:])])
            yield batch.filter(pc.invert(again))
        else:
            yield batch


def grouped(batches: Iterable[pa.RecordBatch], count: int) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches, of at least `count` rows but the last; none is empty."""
    held: list[pa.RecordBatch] = []
    number = 0
    for batch in batches:
        held.append(batch)
        number += batch.num_rows
        if number >= count:
            yield rows.join(held)
            held, number = [], 0
    if number:
        yield rows.join(held)


def _kept(filesets: Filesets, items: Iterator[Item], drop: pa.Array, referrer: str) -> Iterator[Item]:
    """The items less the paths `drop`; subtrees that have none of them are passed on as they are."""
    for item in items:
        if not isinstance(item, Child) or not len(drop):
            yield item
            continue
        begin, end = span(drop, item.first, item.last)
        near = drop.slice(begin, end - begin)
        if begin == end:
            yield item
        elif item.level:
            yield from _kept(filesets, iter(filesets.node(item.name, referrer).children), near, referrer)
        else:
            batch = filesets.rows(item.name, referrer)
            left = batch.filter(pc.invert(pc.is_in(batch.column(0), value_set=near)))
            if left.num_rows:
                yield left


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A sorted batch in parts, the rows of one path together."""
    paths, begin, count = batch.column(0), 0, batch.num_rows
    while begin < count:
        end = min(begin + _PIECE_ROWS, count)
        while end < count and paths[end - 1] == paths[end]:
            end += 1
        yield batch.slice(begin, end - begin)
        begin = end


def _run(pieces: Iterator[pa.RecordBatch]) -> IO[bytes]:
    """A file with these batches. It has no name, and goes when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever has read it
    first = next(pieces)
    with pa.ipc.new_stream(pa.PythonFile(file, "w"), first.schema, options=_COMPRESSED) as stream:
        stream.write_batch(first)
        for piece in pieces:
            stream.write_batch(piece)
    return file


def _read(run: IO[bytes]) -> Iterator[pa.RecordBatch]:
    run.seek(0)
    with run, pa.ipc.open_stream(pa.PythonFile(run, "r")) as stream:
        yield from stream


def _merged(runs: Sequence[IO[bytes]]) -> Iterator[pa.RecordBatch]:
    """The rows of sorted runs in one order. What is held is a piece of each."""
    sides = [_read(run) for run in runs]
    heads = [next(side) for side in sides]
    while heads:
        until = min(rows.path_at(head, -1) for head in heads)
        taken: list[pa.RecordBatch] = []
        for at in reversed(range(len(heads))):
            end = rows.bounds(heads[at], until + "\0", None)[0]
            taken.append(heads[at].slice(0, end))
            if end < heads[at].num_rows:
                heads[at] = heads[at].slice(end)
            elif (following := next(sides[at], None)) is not None:
                heads[at] = following
            else:
                del heads[at], sides[at]
        yield rows.sort(rows.join(taken))


def _both(old: pa.RecordBatch, new: pa.RecordBatch) -> pa.RecordBatch:
    return rows.sort(rows.join([old, new]))


def _replaced(old: pa.RecordBatch, new: pa.RecordBatch) -> pa.RecordBatch:
    kept = old.filter(pc.invert(pc.is_in(old.column(0), value_set=new.column(0))))
    return rows.sort(rows.join([kept, new])) if kept.num_rows else new


_COMPRESSED: Final = pa.ipc.IpcWriteOptions(compression="lz4")
