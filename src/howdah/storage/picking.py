# SPDX-License-Identifier: Apache-2.0
"""Rows of a fileset that are named by a sorted list: only the ranges that may hold one of them are read.

The list may be a handful out of millions, or nearly all of them: the work grows with the ranges that are touched.
One interval of paths is the work of `storage.reader`, rows by their number that of `storage.slices`.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from howdah.storage import rows
from howdah.storage.nodes import Child
from howdah.storage.reader import Fileset

__all__ = ["rows_of", "span"]


def rows_of(fileset: Fileset, names: pa.Array, length: int | None = None) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """The rows whose path is one of `names` (sorted, each once), in order; and for each row the number of its name.

    With `length` the names are beginnings of paths, all of so many characters. Names that have no row are left out.
    """
    if not len(names):
        return
    children = fileset.filesets.node(fileset.root, fileset.referrer).children
    for batch in fileset.loaded(_ranges(fileset, children, names, length)):
        first, last = rows.path_at(batch, 0)[:length], rows.path_at(batch, -1)[:length]
        begin, end = span(names, first, last)
        heads = batch.column(0) if length is None else pc.utf8_slice_codeunits(batch.column(0), 0, length)
        at = pc.index_in(heads, value_set=names.slice(begin, end - begin))
        found = batch.filter(at.is_valid())
        if found.num_rows:
            yield found, pc.add(at.drop_null(), begin)


def span(names: pa.Array, first: str, last: str) -> tuple[int, int]:
    """Where those of sorted `names` begin and end that are not before `first` and not after `last`."""
    table = pa.RecordBatch.from_arrays([names], names=["path"])
    return rows.bounds(table, first, last + "\0")


def _ranges(fileset: Fileset, children: tuple[Child, ...], names: pa.Array, length: int | None) -> Iterator[Child]:
    for child in children:
        begin, end = span(names, child.first[:length], child.last[:length])
        if begin == end:
            continue
        if child.level:
            below = fileset.filesets.node(child.name, fileset.referrer).children
            yield from _ranges(fileset, below, names.slice(begin, end - begin), length)
        else:
            yield child
