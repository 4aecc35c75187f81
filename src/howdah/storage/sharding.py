# SPDX-License-Identifier: Apache-2.0
"""Cut a fileset into intervals of paths of about equal work, by vectors over its rows."""

from typing import Final

import numpy as np

from howdah.storage import rows
from howdah.storage.reader import Fileset

__all__ = ["SHARD_BYTES", "SHARD_FILES", "shards"]

SHARD_FILES: Final = 100_000
SHARD_BYTES: Final = 1 << 30
BOUNDS_BYTES_MAX: Final = 4 << 20  # all of them are one answer: each bound goes twice, and clients take 20 MiB

# What a bound takes beside its letters.
_BOUND_BYTES: Final = 8


def shards(fileset: Fileset, files: int = 0, size: int = 0) -> list[tuple[str, str]]:
    """Intervals (lower bound included, upper not) with about `files` files or `size` bytes each, 0 for the usual.

    An interval ends before the file that would be one too many, or after the one that brings it to `size`. Bounds at
    both ends are empty; an empty fileset has one interval. Where the bounds would be too many for one answer, intervals
    are joined by twos until they are not.
    """
    files, size = files or SHARD_FILES, size or SHARD_BYTES
    bounds = [""]
    count = total = 0
    last = ""
    for batch in fileset.batches():
        sizes = np.cumsum(batch.column(2).to_numpy().astype(np.int64))
        at, before = 0, 0
        while at < batch.num_rows:
            if count >= files or total >= size:
                path = rows.path_at(batch, at)
                if path != last:
                    bounds.append(path)
                    count = total = 0
            # The rows that still fit; at least one, so that there is progress.
            enough = int(np.searchsorted(sizes, before + max(size - total, 1))) + 1
            end = min(batch.num_rows, at + max(files - count, 1), max(enough, at + 1))
            count, total = count + end - at, total + int(sizes[end - 1]) - before
            at, before = end, int(sizes[end - 1])
            last = rows.path_at(batch, at - 1)
    bounds = _fewer(bounds)
    return list(zip(bounds, [*bounds[1:], ""], strict=True))


def _fewer(bounds: list[str]) -> list[str]:
    """Every second bound, as often as it takes; the first one stays."""
    while sum(len(bound.encode()) + _BOUND_BYTES for bound in bounds) > BOUNDS_BYTES_MAX:
        bounds = bounds[::2]
    return bounds
