# SPDX-License-Identifier: Apache-2.0
"""Sets of names of objects, 32 bytes each, as sorted vectors: millions of them fit where a Python set would not.

NumPy drops zero bytes at the end of a value that is taken out of such a vector, and ignores them in comparisons.
All names are equally long, so no two are taken for each other; one that is taken out is filled up (`name_at`).
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import numpy as np

from howdah.storage.extents import NAME_BYTES

__all__ = ["NO_NAMES", "NameSet", "Names", "as_names", "name_at", "names_in", "places"]

Names: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bytes_]]

Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
Places: TypeAlias = np.ndarray[tuple[int], np.dtype[np.intp]]

_TYPE: Final = np.dtype(f"S{NAME_BYTES}")
# Names that are collected before they are sorted in among the others.
_FRESH_MAX: Final = 1 << 16

NO_NAMES: Final[Names] = np.empty(0, _TYPE)


def as_names(names: Iterable[bytes]) -> Names:
    """A vector of names, in the given order."""
    return names_in(b"".join(names))


def names_in(data: bytes | memoryview) -> Names:
    """The names that stand one after the other in `data`, without a copy."""
    return np.frombuffer(data, _TYPE)


def name_at(names: Names, index: int) -> bytes:
    """One name of a vector, with all its bytes."""
    return bytes(names[index]).ljust(NAME_BYTES, b"\0")


def places(where: Names, names: Names) -> tuple[Places, Flags]:
    """For each of `names`: its index in the sorted vector `where`, and whether it is there at all."""
    if not len(where):
        return np.zeros(len(names), np.intp), np.zeros(len(names), np.bool_)
    at = np.minimum(np.searchsorted(where, names), len(where) - 1)
    return at, where[at] == names


class NameSet:
    """A growing set of names. For one thread."""

    def __init__(self) -> None:
        self._sorted: Names = NO_NAMES
        self._single: set[bytes] = set()
        self._vectors: list[Names] = []
        self._waiting = 0

    def __len__(self) -> int:
        return len(self.names())

    def __iter__(self) -> Iterator[bytes]:
        names = self.names()
        return (name_at(names, index) for index in range(len(names)))

    def add(self, name: bytes) -> bool:
        """Add one name; whether it was new. Not to be mixed with `update`."""
        if name in self._single or bool(places(self._sorted, names_in(name))[1][0]):
            return False
        self._single.add(name)
        if len(self._single) >= _FRESH_MAX:
            self._settle()
        return True

    def update(self, names: Names) -> None:
        """Add many names, in any order, each as often as you like."""
        self._vectors.append(np.unique(names))
        self._waiting += len(self._vectors[-1])
        if self._waiting >= max(_FRESH_MAX, len(self._sorted)):
            self._settle()

    def contains(self, names: Names) -> Flags:
        """For each name, whether it is in the set."""
        return places(self.names(), names)[1]

    def names(self) -> Names:
        """All of them, sorted, each once."""
        self._settle()
        return self._sorted

    def _settle(self) -> None:
        if self._single or self._vectors:
            fresh = [*self._vectors, as_names(self._single)] if self._single else self._vectors
            self._sorted = np.unique(np.concatenate([self._sorted, *fresh]))
            self._single, self._vectors, self._waiting = set(), [], 0
