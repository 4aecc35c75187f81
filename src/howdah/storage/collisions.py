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

# Up to so many new files each is looked up; for more, one pass over the files around them costs less.
_LOOKUPS_MAX = 1000


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
        found = chain(_directories_as_files(new, batch, known), _files_as_directories(new, batch))
        for path in found:
            return f"file / directory path collision ({path})"
    return None


def _directories_as_files(fileset: Fileset, batch: pa.RecordBatch, known: set[str]) -> Iterator[str]:
    for _, name in opened_directories(batch, "", "/"):
        if name not in known and name != "/":
            known.add(name)
            if fileset.find(name[:-1]):
                yield name[:-1]


def _files_as_directories(fileset: Fileset, batch: pa.RecordBatch) -> Iterator[str]:
    paths = batch.column(0).to_pylist()
    if len(paths) <= _LOOKUPS_MAX:
        yield from (path for path in paths if Cursor(fileset, *interval(path + "/")).first() is not None)
        return
    wanted = set(paths)
    seen = ""
    for around in fileset.batches(paths[0], interval(paths[-1] + "/")[1]):
        yield from (name[:-1] for _, name in opened_directories(around, seen, "/") if name[:-1] in wanted)
        last = rows.path_at(around, -1)
        seen = last[: last.rindex("/") + 1]
