# SPDX-License-Identifier: Apache-2.0
"""A store far away with copies of what was read from it on this machine's disk (`storage.disk_cache`).

Only objects that are named by their content are copied: they can never be out of date, and every reader proves
them. A reader that cannot says `forget` and reads again. Whether an object is there is always asked of the store
itself.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from howdah.storage.disk_cache import CacheSettings, DiskCache
from howdah.storage.objects import Buffer, ObjectInfo, ObjectStore

__all__ = ["CachedStore", "near", "source"]

_CONTENT_NAMED: Final = ("chunk/", "range/", "node/")

# So many parts of an object are fetched by themselves before it is fetched whole: who reads one small file
# does not want the other megabytes of its pack, who reads many does.
_PARTS_MAX: Final = 3
_COUNTED_MAX: Final = 4096


def near(store: ObjectStore, cache: CacheSettings | None) -> ObjectStore:
    """The store with a cache before it, if its answers come from far away and a cache is wanted."""
    return CachedStore(store, DiskCache(cache)) if cache is not None and store.overlap else store


def source(store: ObjectStore) -> ObjectStore:
    """The store itself, without a cache before it: for whoever wants to know what is really there."""
    return store.behind if isinstance(store, CachedStore) else store


class CachedStore:
    """Another store, with copies nearby. May be shared by threads."""

    def __init__(self, behind: ObjectStore, cache: DiskCache) -> None:
        self.behind: Final = behind
        self._cache = cache
        self._lock = threading.Lock()
        # How many parts were fetched of an object that has no copy; guarded by _lock, oldest first.
        self._parts: OrderedDict[str, int] = OrderedDict()

    @property
    def url(self) -> str:
        """Where the objects really are."""
        return self.behind.url

    @property
    def overlap(self) -> int:
        """As the store behind wants it."""
        return self.behind.overlap

    def put(self, key: str, *parts: Buffer) -> bool:
        """Store it behind; what is written is not copied. See `ObjectStore.put`."""
        return self.behind.put(key, *parts)

    def create(self, key: str, *parts: Buffer) -> bool:
        """Create it behind; see `ObjectStore.create`."""
        return self.behind.create(key, *parts)

    def sync(self) -> None:
        """As the store behind; see `ObjectStore.sync`."""
        self.behind.sync()

    def forget(self, key: str) -> bool:
        """Drop the copy; see `ObjectStore.forget`."""
        return self._cache.drop(key)

    def get(self, key: str) -> bytes:
        """The copy, or the object, of which one is made; see `ObjectStore.get`."""
        if not key.startswith(_CONTENT_NAMED):
            return self.behind.get(key)
        data = self._cache.get(key)
        if data is None:
            data = self.behind.get(key)
            self._cache.add(key, data)
        return data

    def get_head(self, key: str, limit: int) -> bytes:
        """From the copy if there is one; see `ObjectStore.get_head`."""
        copy = self._cache.get_range(key, 0, limit) if key.startswith(_CONTENT_NAMED) else None
        return self.behind.get_head(key, limit) if copy is None else copy

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """From the copy; without one from the store, and from the fourth part on by way of a copy."""
        if not key.startswith(_CONTENT_NAMED):
            return self.behind.get_range(key, start, length)
        copy = self._cache.get_range(key, start, length)
        if copy is not None:
            return copy
        if self._is_asked_often(key):
            data = self.get(key)[start : start + length]
            if len(data) == length:
                return data
        return self.behind.get_range(key, start, length)

    def size(self, key: str) -> int | None:
        """Of the object behind; see `ObjectStore.size`."""
        return self.behind.size(key)

    def exists(self, key: str) -> bool:
        """Whether the object is there, behind."""
        return self.behind.exists(key)

    def touch(self, key: str) -> bool:
        """Refresh it behind; see `ObjectStore.touch`."""
        return self.behind.touch(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects behind; see `ObjectStore.list`."""
        return self.behind.list(prefix)

    def delete(self, key: str) -> None:
        """Remove object and copy; see `ObjectStore.delete`."""
        self.behind.delete(key)
        self._cache.drop(key)

    def move(self, key: str, to: str) -> bool:
        """Move it behind, and drop the copy; see `ObjectStore.move`."""
        self._cache.drop(key)
        return self.behind.move(key, to)

    def _is_asked_often(self, key: str) -> bool:
        with self._lock:
            count = self._parts.pop(key, 0) + 1
            if count > _PARTS_MAX:
                return True
            self._parts[key] = count
            while len(self._parts) > _COUNTED_MAX:
                self._parts.popitem(last=False)
        return False
