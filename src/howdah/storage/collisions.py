# SPDX-License-Identifier: Apache-2.0
"""A path cannot be a file and a directory at once: finding the paths that a change made both.

The two do not stand side by side (`a-b` sorts between `a` and `a/x`), so they are looked for by search.
"""

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa

from howdah.storage import rows
from howdah.storage.diff import fresh, unequal
from howdah.storage.listing import opened_directories
from howdah.storage.reader import Cursor, Fileset, interval

__all__ = ["fault"]


def fault(old: Fileset, new: Fileset) -> str | None:
    """The first fault among the files of `new` that `old` does not have, in words; None if there is none.

    Faults are a path that two datums wrote, and a path that is both a file and a directory.
    """
    known: set[str] = set()
    for left, right in unequal(old, new):
        if (twice := rows.duplicate(right)) is not None:
            path, *datums = twice
            return f"duplicate path output by different datums ({path} from {datums[0]} and {datums[1]})"
        batch = fresh(right, left)
        found = chain(_directories_as_files(new, batch, known), _files_as_directories(new, batch, right))
        for path in found:
            return f"file / directory path collision ({path})"
    return None


def _directories_as_files(fileset: Fileset, batch: pa.RecordBatch, known: set[str]) -> Iterator[str]:
    for _, name in opened_directories(batch, "", "/"):
        if name not in known and name != "/":
            known.add(name)
            if fileset.find(name[:-1]):
                yield name[:-1]


def _files_as_directories(fileset: Fileset, batch: pa.RecordBatch, around: pa.RecordBatch) -> Iterator[str]:
    """Those files of `batch` below which there is something; `around` is the run of rows that they are from.

    All paths that begin with a file's own follow it, so a file whose follower does not begin so has nothing below it.
    """
    paths = around.column(0).to_pylist()
    followers = [*paths[1:], *paths[-1:]]  # what follows the last is not known: it counts as one that may
    if possible := {path for path, follower in zip(paths, followers, strict=True) if follower.startswith(path)}:
        for path in sorted(possible.intersection(batch.column(0).to_pylist())):
            if Cursor(fileset, *interval(path + "/")).first() is not None:
                yield path
