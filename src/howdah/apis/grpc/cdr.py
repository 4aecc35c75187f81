# SPDX-License-Identifier: Apache-2.0
"""Content references: how a client gets a file's bytes by itself, chunk by chunk, and proves them.

A file is the concatenation of slices of chunks; a chunk is fetched by a link and checked by its BLAKE2b hash. The
reference names whole chunks, so that a client which keeps them fetches a pack once for all its files.
"""

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import Final

from howdah.apis.chunk_links import ChunkLinks
from howdah.storage.chunks import Chunks
from howdah.storage.rows import Entry
from howdah.wire.stubs import cdr_pb2

__all__ = ["References"]

_REMEMBERED: Final = 65_536  # hashes of chunks: 64 bytes each, and they stand for some 256 GiB


class References:
    """Makes references to files. Safe for many threads. A chunk is read once to be hashed, and remembered."""

    def __init__(self, chunks: Chunks, links: ChunkLinks) -> None:
        self._chunks = chunks
        self._links = links
        self._lock = Lock()
        self._hashes: OrderedDict[bytes, bytes] = OrderedDict()

    def to(self, entry: Entry, referrer: str) -> cdr_pb2.Ref:
        """A reference to the bytes of a file.

        Raises:
            Damaged: a chunk of it is missing or corrupt.
        """
        return cdr_pb2.Ref(concat=cdr_pb2.Concat(refs=[self._slice(*extent, referrer) for extent in entry.extents]))

    def _slice(self, name: bytes, offset: int, length: int, referrer: str) -> cdr_pb2.Ref:
        http = cdr_pb2.Ref(http=cdr_pb2.HTTP(url=self._links.url(name)))
        proved = cdr_pb2.ContentHash(inner=http, algo=cdr_pb2.BLAKE2b_256, hash=self._hash(name, referrer))
        inner = cdr_pb2.Ref(content_hash=proved)
        return cdr_pb2.Ref(slice=cdr_pb2.Slice(inner=inner, start=offset, end=offset + length))

    def _hash(self, name: bytes, referrer: str) -> bytes:
        with self._lock:
            if (found := self._hashes.get(name)) is not None:
                self._hashes.move_to_end(name)
                return found
        made = blake2b(self._chunks.read_view(name, referrer), digest_size=32).digest()
        with self._lock:
            self._hashes[name] = made
            while len(self._hashes) > _REMEMBERED:
                self._hashes.popitem(last=False)
        return made
