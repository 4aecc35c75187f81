# SPDX-License-Identifier: Apache-2.0
"""An object store in memory: for tests and for trying things out. The reference for what `ObjectStore` means."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from howdah.kit.clock import Clock, SystemClock
from howdah.storage.objects import Buffer, ObjectInfo, checked_key, missing_object, short_object

__all__ = ["MemoryStore"]


class MemoryStore:
    """Objects in a dictionary; gone with the process. `clock` gives the times that `list` tells."""

    overlap: Final = 0  # answers come from this machine

    def __init__(self, name: str = "", clock: Clock | None = None) -> None:
        self._url = f"memory://{name}"
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, datetime]] = {}  # guarded by _lock

    @property
    def url(self) -> str:
        """`memory://` and the name."""
        return self._url

    def put(self, key: str, *parts: Buffer) -> bool:
        """Store unless an object of that size is there; see `ObjectStore.put`."""
        data, now = b"".join(parts), self._clock.now()
        with self._lock:
            found = self._objects.get(checked_key(key))
            present = found is not None and len(found[0]) == len(data)
            self._objects[key] = (found[0] if found and present else data, now)
        return not present

    def create(self, key: str, *parts: Buffer) -> bool:
        """Store if the key is free; see `ObjectStore.create`."""
        with self._lock:
            if checked_key(key) in self._objects:
                return False
            self._objects[key] = (b"".join(parts), self._clock.now())
        return True

    def sync(self) -> None:
        """Nothing to do: memory lasts as long as the process."""

    def forget(self, key: str) -> bool:  # noqa: ARG002 - as the protocol has it
        """There is no nearer copy; see `ObjectStore.forget`."""
        return False

    def get(self, key: str) -> bytes:
        """All bytes of an object; see `ObjectStore.get`."""
        with self._lock:
            found = self._objects.get(checked_key(key))
        if found is None:
            raise missing_object(key, self._url)
        return found[0]

    def get_head(self, key: str, limit: int) -> bytes:
        """The first bytes of an object; see `ObjectStore.get_head`."""
        return self.get(key)[:limit]

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """A part of an object; see `ObjectStore.get_range`."""
        part = self.get(key)[start : start + length]
        if len(part) != length:
            raise short_object(key, self._url, length, len(part))
        return part

    def size(self, key: str) -> int | None:
        """The number of bytes, or None; see `ObjectStore.size`."""
        with self._lock:
            found = self._objects.get(checked_key(key))
        return None if found is None else len(found[0])

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return self.size(key) is not None

    def touch(self, key: str) -> bool:
        """Refresh the object's time; see `ObjectStore.touch`."""
        with self._lock:
            found = self._objects.get(checked_key(key))
            if found is None:
                return False
            self._objects[key] = (found[0], self._clock.now())
        return True

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects under a prefix as they are at the first step; see `ObjectStore.list`."""
        with self._lock:
            found = [ObjectInfo(key, len(data), at) for key, (data, at) in self._objects.items()]
        yield from sorted((info for info in found if info.key.startswith(prefix)), key=lambda info: info.key)

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with self._lock:
            self._objects.pop(checked_key(key), None)

    def move(self, key: str, to: str) -> bool:
        """Give an object another key; see `ObjectStore.move`."""
        with self._lock:
            found = self._objects.pop(checked_key(key), None)
            if found is not None:
                self._objects[checked_key(to)] = (found[0], self._clock.now())
        return found is not None
