# SPDX-License-Identifier: Apache-2.0
"""Chunks: immutable runs of bytes, named by the BLAKE3-256 of their plain content and stored once.

What is in a chunk is not known here: a piece of a big file (`storage.cutting`), or a pack of small ones
(`storage.packs`). The bytes of a chunk object, raw or as frames of zstd, are made and read by
`storage.chunk_format`.
"""

import threading
from collections import OrderedDict
from typing import Final

from blake3 import blake3

from howdah.errors import Damaged, ErrorKind
from howdah.storage import chunk_format
from howdah.storage.chunk_format import HEAD_BYTES, Layout
from howdah.storage.objects import Buffer, ObjectStore

__all__ = ["CHUNK_PREFIX", "Chunks", "chunk_key", "chunk_name"]

CHUNK_PREFIX: Final = "chunk/"

LAYOUTS_MAX: Final = 4096
"""Layouts kept: about 1 KiB each for a compressed chunk, and they stand for some 20 GiB of content."""

CACHE_BYTES: Final = 64 << 20
"""Bytes of whole chunks kept for readers of parts: four of the largest."""


def chunk_name(plain: Buffer) -> bytes:
    """The name that these bytes have as a chunk."""
    return blake3(plain).digest()


def chunk_key(name: bytes) -> str:
    """The key of a chunk's object."""
    digits = name.hex()
    return f"{CHUNK_PREFIX}{digits[:2]}/{digits}"


class Chunks:
    """Stores and reads chunks. May be shared by threads."""

    def __init__(self, store: ObjectStore, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.store = store
        self._cache_bytes_max = cache_bytes
        self._lock = threading.Lock()
        # Guarded by _lock, oldest use first. Only chunks that were verified are in _cache.
        self._layouts: OrderedDict[bytes, Layout] = OrderedDict()
        self._cache: OrderedDict[bytes, memoryview] = OrderedDict()
        self._cached_bytes = 0

    def put(self, plain: Buffer) -> bytes:
        """Store a chunk unless it is there, and return its name. Nothing may refer to it before `store.sync()`."""
        name = chunk_name(plain)
        self.put_named(name, plain)
        return name

    def put_named(self, name: bytes, plain: Buffer) -> bool:
        """Store a chunk whose name the caller has computed; True if it was stored now.

        One that is there is refreshed, so that no garbage collection takes it before it is referred to.
        """
        if self._refreshed(name, len(plain)):
            return False
        return self.store.put(chunk_key(name), *chunk_format.encode(plain))

    def refresh(self, name: bytes, plain_length: int) -> bool:
        """Whether a chunk of so many plain bytes is there; it is refreshed then, as by `put_named`."""
        return self._refreshed(name, plain_length)

    def skip(self, plain_length: int) -> None:
        """Be told that so many bytes need not be put, since other chunks have them; for who counts what is put."""

    def read(self, name: bytes, referrer: str) -> bytes:
        """The plain bytes of a chunk, checked against its name. `referrer` is what needs it: "file /a of …".

        Raises:
            Damaged: the chunk is missing or holds other bytes; the text names it and the `referrer`.
        """
        return bytes(self.read_view(name, referrer))

    def read_view(self, name: bytes, referrer: str) -> memoryview:
        """As `read`, without a copy."""
        try:
            return self._verified(name, referrer)
        except Damaged:
            if not self._forget(name):
                raise
            return self._verified(name, referrer)

    def _verified(self, name: bytes, referrer: str) -> memoryview:
        key = chunk_key(name)
        try:
            plain = chunk_format.decode(self.store.get(key))
        except chunk_format.MalformedError as error:
            raise self._damaged(key, referrer, str(error)) from error
        except Damaged as error:
            raise Damaged(error.kind, f"{referrer}: {error.message}") from error
        if chunk_name(plain) != name:
            raise self._damaged(key, referrer, "its bytes are not those of its name")
        return plain

    def read_cached(self, name: bytes, referrer: str) -> memoryview:
        """As `read_view`, and keep the chunk for the next reader of a part of it."""
        if (cached := self.cached(name)) is not None:
            return cached
        plain = self.read_view(name, referrer)
        with self._lock:
            if name not in self._cache and len(plain) <= self._cache_bytes_max:
                self._cache[name] = plain
                self._cached_bytes += len(plain)
            while self._cached_bytes > self._cache_bytes_max:
                self._cached_bytes -= len(self._cache.popitem(last=False)[1])
        return plain

    def cached(self, name: bytes) -> memoryview | None:
        """The verified chunk if a `read_cached` kept it."""
        with self._lock:
            if name in self._cache:
                self._cache.move_to_end(name)
            return self._cache.get(name)

    def read_part(self, name: bytes, start: int, length: int, referrer: str) -> bytes:
        """A part of a chunk, NOT checked: the caller proves the bytes by a hash of its own.

        Reads the frames that hold the part, and at the first use of a chunk its head.

        Raises:
            Damaged: the chunk is missing, or cannot be read at that place.
        """
        try:
            return self._part(name, start, length, referrer)
        except Damaged:
            if not self._forget(name):
                raise
            return self._part(name, start, length, referrer)

    def _part(self, name: bytes, start: int, length: int, referrer: str) -> bytes:
        key = chunk_key(name)
        try:
            layout = self._layout(name, key)
            first, last, offset, stored = layout.frames_of(start, length)
            return layout.unpack(self.store.get_range(key, offset, stored), first, last, start, length)
        except chunk_format.MalformedError as error:
            raise self._damaged(key, referrer, str(error)) from error
        except Damaged as error:
            raise Damaged(error.kind, f"{referrer}: {error.message}") from error

    def _layout(self, name: bytes, key: str) -> Layout:
        with self._lock:
            if layout := self._layouts.get(name):
                self._layouts.move_to_end(name)
                return layout
        layout = Layout.parse(self.store.get_head(key, HEAD_BYTES))
        with self._lock:
            self._layouts[name] = layout
            while len(self._layouts) > LAYOUTS_MAX:
                self._layouts.popitem(last=False)
        return layout

    def _forget(self, name: bytes) -> bool:
        """Drop whatever copy the damage may come from; whether it is worth while to read again."""
        with self._lock:
            self._layouts.pop(name, None)
        return self.store.forget(chunk_key(name))

    def _refreshed(self, name: bytes, plain_length: int) -> bool:
        key = chunk_key(name)
        return self._is_there(key, plain_length) and self.store.touch(key)

    def _is_there(self, key: str, plain_length: int) -> bool:
        """Whether the chunk's object is there, and as long as its own head says."""
        size = self.store.size(key)
        if size is None or size == chunk_format.HEADER_BYTES + plain_length:
            return size is not None
        try:
            layout = Layout.parse(self.store.get_head(key, HEAD_BYTES))
        except (chunk_format.MalformedError, Damaged):
            return False
        return layout.plain_length == plain_length and layout.stored_length == size

    def _damaged(self, key: str, referrer: str, reason: str) -> Damaged:
        text = f"{referrer}: object {key} of store {self.store.url} is damaged ({reason})"
        return Damaged(ErrorKind.OBJECT_CORRUPT, f"{text}; restore it from a copy of the store")
