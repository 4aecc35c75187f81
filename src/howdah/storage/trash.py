# SPDX-License-Identifier: Apache-2.0
"""The trash of a store: objects that garbage collection took away, kept for a while under `trash/<key>`.

Whoever reads an object that is in the trash gets it, and thereby puts it back (`RecoveringStore`): so a
reader of files that were deleted a moment ago, and a writer that found an object in its place right before it was
taken away, never miss it. Who decides what goes there and what leaves it for good: `howdah.upkeep.collector`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, TypeVar

from howdah.errors import Damaged, ErrorKind, HowdahError
from howdah.storage.objects import Buffer, ObjectInfo, ObjectStore

__all__ = ["TRASH_PREFIX", "RecoveringStore", "put_back", "throw_away", "trashed"]

TRASH_PREFIX: Final = "trash/"

T = TypeVar("T")


def throw_away(store: ObjectStore, key: str) -> bool:
    """Put an object into the trash; False if it is not there. The time of what is in the trash is that of this call."""
    return store.move(key, TRASH_PREFIX + key)


def put_back(store: ObjectStore, key: str) -> bool:
    """Take an object out of the trash; False if it is not in it. One that was stored again meanwhile stays as it is.

    Only for whoever alone throws away. Readers have a way of their own: `RecoveringStore`.
    """
    if store.exists(key):
        store.delete(TRASH_PREFIX + key)
        return True
    return store.move(TRASH_PREFIX + key, key)


def trashed(store: ObjectStore) -> Iterator[ObjectInfo]:
    """What is in the trash, by the keys that it had, with the time since when it is there."""
    for info in store.list(TRASH_PREFIX):
        yield ObjectInfo(info.key.removeprefix(TRASH_PREFIX), info.size, info.modified)


class RecoveringStore:
    """A store in which reading finds also what is in the trash. Everything else is passed on as it is."""

    def __init__(self, inner: ObjectStore) -> None:
        self.inner: Final = inner

    @property
    def url(self) -> str:
        """The address of the store itself."""
        return self.inner.url

    @property
    def overlap(self) -> int:
        """See `ObjectStore.overlap`."""
        return self.inner.overlap

    def put(self, key: str, *parts: Buffer) -> bool:
        """See `ObjectStore.put`; what is only in the trash is stored again."""
        return self.inner.put(key, *parts)

    def create(self, key: str, *parts: Buffer) -> bool:
        """See `ObjectStore.create`."""
        return self.inner.create(key, *parts)

    def sync(self) -> None:
        """See `ObjectStore.sync`."""
        self.inner.sync()

    def forget(self, key: str) -> bool:
        """See `ObjectStore.forget`."""
        return self.inner.forget(key)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return self._recovered(key, lambda: self.inner.get(key))

    def get_head(self, key: str, limit: int) -> bytes:
        """See `ObjectStore.get_head`."""
        return self._recovered(key, lambda: self.inner.get_head(key, limit))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        return self._recovered(key, lambda: self.inner.get_range(key, start, length))

    def size(self, key: str) -> int | None:
        """See `ObjectStore.size`; None for what is only in the trash, so that a writer stores it again."""
        return self.inner.size(key)

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`; what is in the trash is put back first."""
        return self.inner.exists(key) or self._put_back(key)

    def touch(self, key: str) -> bool:
        """See `ObjectStore.touch`."""
        return self.inner.touch(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        return self.inner.list(prefix)

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        self.inner.delete(key)

    def move(self, key: str, to: str) -> bool:
        """See `ObjectStore.move`."""
        return self.inner.move(key, to)

    def _recovered(self, key: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except Damaged as error:
            if error.kind is not ErrorKind.OBJECT_MISSING or not self._put_back(key):
                raise
        return read()

    def _put_back(self, key: str) -> bool:
        """Whether the object is at its place now: put there by us, or by another reader or writer at the same time.

        Nothing is deleted here, as `put_back` does: what is at its place may be on its way into the trash just now.
        """
        with suppress(HowdahError):  # such as a store that we may only read; what is missing then is the error
            return self.inner.move(TRASH_PREFIX + key, key) or self.inner.exists(key)
        return False
