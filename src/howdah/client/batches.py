# SPDX-License-Identifier: Apache-2.0
"""Files at hand, gathered so that many are stored at once and few are held."""

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["batches"]

_FILES: Final = 4096
_BYTES: Final = 32 << 20


def batches(files: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """The files in lists of at most 4,096, and of 32 MiB but for the last of each."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file[1])
        if len(batch) >= _FILES or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
