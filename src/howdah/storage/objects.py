# SPDX-License-Identifier: Apache-2.0
"""The object store: immutable bytes under a key. The one interface between howdah's bytes and where they lie.

All that a lake holds are objects: chunks and packs (`storage.chunks`), filesets, and `lake.json`
(`storage.lake`). Implementations: `storage.directory_store`, `storage.remote_store`, `storage.memory_store`,
and `storage.cached_store`, which keeps copies of another one's objects nearby. Each passes the suite
that `howdah.testing.store_contract` ships.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from howdah.errors import BadRequest, Damaged, ErrorKind

__all__ = ["Buffer", "ObjectInfo", "ObjectStore", "checked_key", "missing_object", "short_object"]

Buffer = bytes | bytearray | memoryview

_KEY: Final = re.compile(r"(?!tmp/)[0-9A-Za-z_-][0-9A-Za-z._-]*(/[0-9A-Za-z_-][0-9A-Za-z._-]*)*")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells about an object; `modified` is when it was stored or last refreshed, in UTC."""

    key: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """Stores objects under keys such as `chunk/ab/abcd`. Every method may be called from many threads at once.

    An object never changes: whoever stores a key again stores the same bytes. Any call may raise
    `Unavailable` (a passing fault, or no space) and, where it writes, `Refused` (the store is read-only).
    """

    @property
    def url(self) -> str:
        """The address of the store; `storage.lake.open_store` opens the same store from it."""

    @property
    def overlap(self) -> int:
        """How many calls more than there are cores keep the store busy: 0 if answers come from this machine."""

    def put(self, key: str, *parts: Buffer) -> bool:
        """Store the concatenation of `parts` under `key` unless it is there; True if it was stored now.

        An object of that size which is there already is refreshed, as `touch` does. One of another size is
        what a fault left behind, and is replaced. This store's own callers find the object at once; others, and
        anyone after a crash, only after `sync`: nothing may refer to it before that. Repeating does no harm.
        """

    def create(self, key: str, *parts: Buffer) -> bool:
        """Store an object only if `key` does not exist: of several callers exactly one gets True.

        For the few objects that are not named by their content. Otherwise as `put`.
        """

    def sync(self) -> None:
        """Return when every object that this store's `put`, `create` and `touch` have answered for is durable."""

    def forget(self, key: str) -> bool:
        """Drop a copy of the object that is nearer than the store itself, because its bytes are not the right ones.

        True if there was one: to read the object again may then give other bytes.
        """

    def get(self, key: str) -> bytes:
        """All bytes of an object.

        Raises:
            Damaged: there is no such object, or it cannot be read to its end.
        """

    def get_head(self, key: str, limit: int) -> bytes:
        """The first `limit` bytes of an object, or all if it is shorter. Raises as `get`."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from byte `start` on.

        Raises:
            Damaged: there is no such object, or it ends before.
        """

    def size(self, key: str) -> int | None:
        """The number of bytes of an object; None if it is not there."""

    def exists(self, key: str) -> bool:
        """Whether the object is there."""

    def touch(self, key: str) -> bool:
        """Refresh an object's `modified` to now, so that it counts as newly stored; False if it is not there."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects whose key begins with `prefix`, in order of the key's bytes, read in pages.

        An object that is stored or deleted meanwhile may be listed or not; all others are listed once.
        """

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens if it is not there."""

    def move(self, key: str, to: str) -> bool:
        """Give an object another key, in the place of what has it; False, and nothing happens, if it is not there.

        It counts as stored now. At every moment it is under one of the keys, or under both. Several callers may move
        the same object: at least one of them gets True. Durable after `sync`; a crash before leaves it where it was or
        brings it where it should be.
        """


def checked_key(key: str) -> str:
    """The key itself, if it is one that every store can hold.

    Raises:
        BadRequest: it has an empty component or one that begins with a dot, a character other than ASCII
            letters, digits and `._-`, or lies under `tmp/`.
    """
    if not _KEY.fullmatch(key):
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{key!r} is not the key of an object; keys look like chunk/ab/abcd")
    return key


def missing_object(key: str, url: str) -> Damaged:
    """The error of a key that should be there and is not."""
    text = f"object {key} is missing from store {url}; restore it from a copy of the store"
    return Damaged(ErrorKind.OBJECT_MISSING, text)


def short_object(key: str, url: str, expected: int, actual: int) -> Damaged:
    """The error of an object that ends before it should."""
    text = f"object {key} of store {url} gave {actual} bytes of {expected}; restore it from a copy of the store"
    return Damaged(ErrorKind.OBJECT_CORRUPT, text)
