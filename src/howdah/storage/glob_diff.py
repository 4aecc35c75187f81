# SPDX-License-Identifier: Apache-2.0
"""What a pattern matches in one fileset and not, or otherwise, in another: found from what differs alone.

`listing.glob` of both, compared, would say the same. A directory that matches counts as changed when anything below
it did.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

import pyarrow as pa

from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.storage.diff import fresh, unequal
from howdah.storage.listing import columns, inspect, matching
from howdah.storage.reader import Fileset

__all__ = ["DIRECTORIES_MAX", "TooManyError", "glob_diff"]

DIRECTORIES_MAX: Final = 2_000
"""So many changed directories are summed up one by one; where there are more, one pass over everything is less."""


class TooManyError(Exception):
    """More differs than is worth to be looked at one by one: use `listing.glob`."""


def glob_diff(old: Fileset, new: Fileset, pattern: Glob) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Pairs of columns (as `listing.COLUMNS`): what matched in `old` and what does in `new`, where they differ.

    A path whose content changed is in both. Work grows with what differs, whatever the size of the filesets.

    Raises:
        TooManyError: more than `DIRECTORIES_MAX` directories that match have changed; before anything that is wrong
            was yielded, and perhaps after some of the pairs.
    """
    if pattern.literal is not None:
        yield _changed(old, new, [pattern.literal])
        return
    directories: set[str] = set()
    for left, right in unequal(old, new):
        gone, come = fresh(left, right), fresh(right, left)
        yield _matches(gone, pattern), _matches(come, pattern)
        directories |= _directories(chain(gone.column(0).to_pylist(), come.column(0).to_pylist()), pattern)
        if len(directories) > DIRECTORIES_MAX:
            raise TooManyError
    yield _changed(old, new, sorted(directories))


def _matches(batch: pa.RecordBatch, pattern: Glob) -> pa.RecordBatch:
    found = list(matching(batch, 0, batch.num_rows, pattern))
    return found[0] if found else columns([])


def _directories(paths: Iterator[str], pattern: Glob) -> set[str]:
    """The directories above some paths that match, without the slash at their end."""
    found: set[str] = set()
    seen = ""
    for path in paths:
        here = path[: path.rindex("/")]
        if here == seen:
            continue
        seen = here
        parts = here.split("/")
        if pattern.depth is not None:
            # Every match has so many components, and the path of a directory above has just its own.
            parts = parts[: pattern.depth + 1]
            above = ["/".join(parts)] if len(parts) == pattern.depth + 1 else []
        else:
            above = ["/".join(parts[:end]) for end in range(2, len(parts) + 1)]
        found.update(each for each in above if each not in found and pattern.matches(each))
    return found


def _changed(old: Fileset, new: Fileset, names: list[str]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """What these paths are in both, where that differs."""
    gone: list[FileInfo] = []
    come: list[FileInfo] = []
    for name in names:
        before, after = inspect(old, name), inspect(new, name)
        if before != after:
            gone += [before] if before is not None else []
            come += [after] if after is not None else []
    return columns(gone), columns(come)
