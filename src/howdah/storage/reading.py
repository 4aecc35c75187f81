# SPDX-License-Identifier: Apache-2.0
"""The way back from extents to bytes: verified, ahead of the reader, in bounded memory.

No byte leaves this module unproved. A chunk is proved by its name; a small file that is read out of a pack,
without reading all of the pack, by its own hash. Writing many files into a local folder is in
`storage.tree_get`.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from howdah.errors import Damaged, ErrorKind
from howdah.storage import writeback
from howdah.storage.chunks import Chunks
from howdah.storage.extents import Extent, Extents
from howdah.storage.filehash import BLOCK, hash_small
from howdah.storage.local_files import explained

__all__ = ["ContentReader"]

READ_THREADS: Final = 2  # and those that the store wants
AHEAD: Final = 4  # chunks read before they are asked for: 64 MiB at most, some 20 MiB as a rule; from afar three times


class ContentReader:
    """Reads the content of files. May be shared by threads."""

    def __init__(self, chunks: Chunks, *, threads: int | None = None) -> None:
        self._chunks = chunks
        self._ahead = AHEAD + chunks.store.overlap
        threads = threads or READ_THREADS + chunks.store.overlap
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="read-chunk")

    @property
    def overlap(self) -> int:
        """How many readers more than there are cores keep the store busy; see `ObjectStore.overlap`."""
        return self._chunks.store.overlap

    def __enter__(self) -> "ContentReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; a reading that goes on in another thread fails."""
        self._threads.shutdown(cancel_futures=True)

    def read_small(self, extents: Extents, size: int, hashed: bytes, referrer: str) -> bytes:
        """All bytes of a file of at most 1 MiB, with as few bytes read as its packs allow.

        Raises:
            Damaged: its bytes are missing, or are not those of its hash.
        """
        parts = [self._small_part(extent, referrer) for extent in extents]
        data = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
        if len(data) == size and hash_small(data) == hashed:
            return data
        # Find out which object is to blame: a chunk that is damaged says so itself.
        data = b"".join(self._piece(extent, referrer) for extent in extents)
        if len(data) == size and hash_small(data) == hashed:
            return data
        text = f"{referrer}: its {len(data)} bytes in store {self._chunks.store.url} are not those of its hash"
        raise Damaged(ErrorKind.OBJECT_CORRUPT, f"{text} {hashed.hex()}; write the file again")

    def read_many(self, wanted: Iterable[tuple[Extent, str]]) -> Iterator[memoryview]:
        """The bytes of each extent, which comes with its referrer; a pack is read once for all that stand together.

        Raises:
            Damaged: as `read`.
        """
        last, plain = b"", memoryview(b"")
        for extent, referrer in wanted:
            if extent[0] != last:
                last, plain = extent[0], self._chunks.read_view(extent[0], referrer)
            yield self._cut_out(plain, extent, referrer)

    def read(self, extents: Extents, start: int, length: int, referrer: str) -> Iterator[memoryview]:
        """The bytes of a file from `start` on, in pieces of at most a chunk, the next ones read meanwhile.

        Ends where the file ends. A piece stays good as long as it is held.

        Raises:
            Damaged: a chunk is missing, or its bytes are not those of its name; none of its bytes is given out.
        """
        wanted = deque(extents.slice(start, length))
        if len(wanted) <= 1:
            yield from (self._piece(extent, referrer) for extent in wanted)
            return
        pending: deque[Future[memoryview]] = deque()
        try:
            while wanted or pending:
                while wanted and len(pending) < self._ahead:
                    pending.append(self._threads.submit(self._piece, wanted.popleft(), referrer))
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def write_file(self, extents: Extents, path: str | os.PathLike[str], referrer: str, *, sync: bool = False) -> None:
        """Write a file's bytes to a local path, over what is there; with `sync`, return when they are durable.

        Every byte is verified before it is written. A call that fails leaves a part of the file; repeat it.

        Raises:
            Damaged: as `read`.
            NotFound, Refused, BadRequest, Unavailable: the local file cannot be written.
        """
        with explained(path, writing=True):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                os.ftruncate(file, 0)
                self._write_pieces(extents, file, referrer, sync)
                if sync:
                    os.fsync(file)
            finally:
                os.close(file)

    def _write_pieces(self, extents: Extents, file: int, referrer: str, sync: bool) -> None:
        pending: deque[Future[None]] = deque()
        at = 0
        try:
            for extent in extents:
                if len(pending) >= self._ahead:
                    pending.popleft().result()
                pending.append(self._threads.submit(self._copy_piece, extent, file, at, referrer, sync))
                at += extent[2]
        finally:
            # The file may be closed only when no thread writes to it any more.
            errors = [error for future in pending if (error := future.exception())]
        if errors:
            raise errors[0]

    def _copy_piece(self, extent: Extent, file: int, at: int, referrer: str, sync: bool) -> None:
        piece = self._piece(extent, referrer)
        begin = at
        while piece:
            written = os.pwrite(file, piece, at)
            piece, at = piece[written:], at + written
        if sync:
            writeback.start(file, begin, at - begin)

    def _small_part(self, extent: Extent, referrer: str) -> bytes | memoryview:
        name, offset, length = extent
        plain = self._chunks.cached(name)
        if plain is not None:
            return self._cut_out(plain, extent, referrer)
        return self._chunks.read_part(name, offset, length, referrer)

    def _piece(self, extent: Extent, referrer: str) -> memoryview:
        """The verified bytes of an extent. A chunk of which only a part is wanted is kept for the next one."""
        name, offset, length = extent
        whole = offset == 0 and length >= BLOCK and self._chunks.cached(name) is None
        plain = self._chunks.read_view(name, referrer) if whole else self._chunks.read_cached(name, referrer)
        return self._cut_out(plain, extent, referrer)

    def _cut_out(self, plain: memoryview, extent: Extent, referrer: str) -> memoryview:
        name, offset, length = extent
        if offset + length > len(plain):
            text = f"{referrer}: chunk {name.hex()} has {len(plain)} bytes and {offset} to {offset + length} are wanted"
            raise Damaged(ErrorKind.OBJECT_CORRUPT, f"{text}; write the file again")
        return plain[offset : offset + length]
