# SPDX-License-Identifier: Apache-2.0
"""Packs: small files laid together in chunks, in the order in which they come (the order of their paths).

A pack ends after a file whose hash says so, on average after 4 MiB, so that one inserted file changes one
pack and not all that follow; it never has more than 8 MiB. The chunk's own format makes each member
readable by itself (`storage.chunk_format`). A big file is cut instead (`storage.cutting`).
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from howdah.storage.chunks import Chunks

__all__ = ["PACK_AVERAGE", "PACK_MAX", "Pack", "Packer"]

PACK_AVERAGE: Final = 4 << 20
PACK_MAX: Final = 8 << 20

PACK_THREADS: Final = 2  # and those that the store wants
PENDING_MAX: Final = 4  # packs that wait to be stored: 32 MiB at most; for a store far away three times as many

# A file of s bytes ends its pack with probability s / PACK_AVERAGE: the first 64 bits of its hash,
# big end first, are below s << _SHIFT.
_SHIFT: Final = 64 - 22

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Pack(Generic[K]):
    """A stored pack: its chunk's name, and for each file its key, offset and length, in order."""

    name: bytes
    members: list[tuple[K, int, int]]


class Packer(Generic[K]):
    """Collects small files into packs, which a few threads store meanwhile. For one thread at a time.

    Files are known by keys of the caller's choice. An empty file needs no pack; do not add it.
    """

    def __init__(self, chunks: Chunks, *, threads: int | None = None) -> None:
        self._chunks = chunks
        self._pending_max = PENDING_MAX + chunks.store.overlap
        threads = threads or PACK_THREADS + chunks.store.overlap
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store-pack")
        # The pack that is open: its files' bytes, its members, its size.
        self._parts: list[bytes] = []
        self._members: list[tuple[K, int, int]] = []
        self._size = 0
        self._pending: deque[Future[Pack[K]]] = deque()

    def add(self, files: Iterable[tuple[K, bytes, bytes]]) -> list[Pack[K]]:
        """Add files as (key, content, hash), each under 1 MiB; the packs that are stored by now, in order.

        Nothing may refer to a pack before `store.sync()`.

        Raises:
            Unavailable, Refused: the store could not take a pack; the packer is of no use any more.
        """
        for key, data, hashed in files:
            length = len(data)
            if self._size + length > PACK_MAX:
                self._close()
            self._members.append((key, self._size, length))
            self._parts.append(data)
            self._size += length
            if int.from_bytes(hashed[:8], "big") < length << _SHIFT:
                self._close()
        return self._stored(self._pending_max)

    def flush(self) -> list[Pack[K]]:
        """End the open pack, and wait for every pack that was not given out yet. Raises as `add`."""
        self._close()
        return self._stored(0)

    def close(self) -> None:
        """End the threads. What was not flushed is lost."""
        self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> "Packer[K]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _close(self) -> None:
        if not self._members:
            return
        parts, members = self._parts, self._members
        self._parts, self._members, self._size = [], [], 0
        while len([each for each in self._pending if not each.done()]) >= self._pending_max:
            next(each for each in self._pending if not each.done()).result()
        self._pending.append(self._threads.submit(self._store, parts, members))

    def _store(self, parts: list[bytes], members: list[tuple[K, int, int]]) -> Pack[K]:
        return Pack(self._chunks.put(b"".join(parts)), members)

    def _stored(self, pending_max: int) -> list[Pack[K]]:
        found = []
        while self._pending and (len(self._pending) > pending_max or self._pending[0].done()):
            found.append(self._pending.popleft().result())
        return found
