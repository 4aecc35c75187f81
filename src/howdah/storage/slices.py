# SPDX-License-Identifier: Apache-2.0
"""Rows of a fileset by their number: the nodes know how many files lie below each child, so nothing is counted.

Work is handed out as "files number n to m of this fileset"; the paths themselves are looked up by `reader`.
"""

from collections.abc import Iterator

import pyarrow as pa

from howdah.storage import rows
from howdah.storage.nodes import Child
from howdah.storage.reader import Fileset

__all__ = ["index_of", "slice_rows"]


def slice_rows(fileset: Fileset, first: int, count: int) -> Iterator[pa.RecordBatch]:
    """The rows number `first` (counted from 0) to `first + count - 1`, in order; fewer where the fileset ends.

    Reads the ranges that hold them and the nodes above, whatever the size of the fileset.
    """
    if first < 0 or count < 0:
        raise ValueError(f"rows {first} to {first + count} of a fileset do not exist")
    children = fileset.filesets.node(fileset.root, fileset.referrer).children
    yield from _slices(fileset, children, first, first + count)


def _slices(fileset: Fileset, children: tuple[Child, ...], begin: int, end: int) -> Iterator[pa.RecordBatch]:
    """The rows begin..end among those below `children`."""
    at = 0
    for child in children:
        if at >= end:
            return
        low, high = max(begin - at, 0), min(end - at, child.files)
        if low < high and child.level:
            yield from _slices(fileset, fileset.filesets.node(child.name, fileset.referrer).children, low, high)
        elif low < high:
            yield fileset.filesets.rows(child.name, fileset.referrer).slice(low, high - low)
        at += child.files


def index_of(fileset: Fileset, path: str) -> int:
    """How many rows have a path before `path`: the number of its own row, if it is there."""
    at = 0
    children = fileset.filesets.node(fileset.root, fileset.referrer).children
    while True:
        for child in children:
            if child.last >= path:
                break
            at += child.files
        else:
            return at
        if not child.level:
            return at + rows.bounds(fileset.filesets.rows(child.name, fileset.referrer), path, None)[0]
        children = fileset.filesets.node(child.name, fileset.referrer).children
