# SPDX-License-Identifier: Apache-2.0
"""Keys for `IN (...)`, so many at a time: a statement takes some thirty thousand parameters and no more."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Final, TypeVar

__all__ = ["batches"]

_SIZE: Final = 5_000

K = TypeVar("K", int, str)


def batches(keys: Collection[K]) -> Iterator[list[K]]:
    """The keys in their order, in lists that one statement can take; nothing for no keys."""
    rest = iter(keys)
    while batch := list(islice(rest, _SIZE)):
        yield batch
