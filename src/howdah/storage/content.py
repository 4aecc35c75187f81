# SPDX-License-Identifier: Apache-2.0
"""The content of files: bytes to extents (`ContentWriter`). The way back is in `storage.reading`.

Big files are cut (`storage.cutting`), and their chunks named, compressed and stored by a few threads while
the next bytes are read and hashed. Small ones go into packs, many at a time (`storage.packs`); one that
comes alone is a chunk of its own. Nothing here knows paths or commits: filesets do.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

from howdah.storage.chunks import Chunks
from howdah.storage.cutting import BIG_FILE, FileSource, Source, StreamSource, Window, Windows, cut
from howdah.storage.extents import Extent, Extents
from howdah.storage.filehash import BLOCK, FileHasher, hash_small
from howdah.storage.local_files import explained
from howdah.storage.objects import Buffer
from howdah.storage.old_version import OldVersion
from howdah.storage.patching import CutChunk, Patching
from howdah.storage.reading import ContentReader

__all__ = ["SHORT_EXTENT", "SHORT_EXTENTS_MAX", "ContentWriter", "Stored", "resumed_hasher", "small_or_stream"]

SHORT_EXTENT: Final = 1 << 20
SHORT_EXTENTS_MAX: Final = 32
"""So many extents under 1 MiB may stand at a file's end; with one more they are rewritten."""

STORE_THREADS: Final = 3  # on two cores: two compute while one waits for its fsync; and those that the store wants
FILES_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Stored:
    """A file's content in the store: what a fileset keeps of it. `peaks` are those of `storage.filehash`."""

    size: int
    hash: bytes
    peaks: bytes
    extents: Extents


def small_or_stream(pieces: Iterable[Buffer]) -> bytes | Iterator[Buffer]:
    """Tell small files from big ones: all the bytes of a stream under 1 MiB, or the untouched bigger stream."""
    seen: list[Buffer] = []
    size = 0
    source = iter(pieces)
    for piece in source:
        seen.append(piece)
        size += len(piece)
        if size >= BIG_FILE:
            return chain(seen, source)
    return b"".join(seen)


def resumed_hasher(old: Stored, reader: ContentReader, referrer: str) -> FileHasher:
    """The hasher that goes on at the end of `old`; reads its last, incomplete block.

    Raises:
        Damaged: that block's chunk is missing or wrong.
    """
    rest = old.size % BLOCK
    tail = b"".join(reader.read(old.extents, old.size - rest, rest, referrer))
    return FileHasher.resume(old.size, old.peaks, tail)


class ContentWriter:
    """Stores the content of files. May be shared by threads; each stream uses up to 100 MiB of its own, and as much
    again where the new version of a file differs from the old one.

    Nothing may refer to what it returns before `chunks.store.sync()`, which is left to the caller, once
    for many files.
    """

    def __init__(self, chunks: Chunks, *, threads: int | None = None) -> None:
        self._chunks = chunks
        self._reader = ContentReader(chunks)
        threads = threads or STORE_THREADS + chunks.store.overlap
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store-chunk")
        self._spare: deque[Windows] = deque(maxlen=FILES_AT_ONCE)  # kept: the next stream finds its memory mapped

    def __enter__(self) -> "ContentWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the threads and end them."""
        self._threads.shutdown()
        self._reader.close()

    def put_small(self, data: Buffer) -> Stored:
        """Store a file of less than 1 MiB as a chunk of its own; an empty one needs none."""
        hashed = hash_small(data)
        extents = Extents.one(self._chunks.put(data), 0, len(data)) if len(data) else Extents()
        return Stored(len(data), hashed, b"", extents)

    def put_file(
        self, source: str | os.PathLike[str] | int | Iterable[Buffer], old: OldVersion | None = None
    ) -> Stored:
        """Store all bytes of a local file, or of a stream of buffers, as chunks. Returns when they are stored.

        A number is that of an open file, which stays open.

        The same bytes give the same chunks, however they come. A file that changes meanwhile is stored as
        it was read, and its hash is that of what is stored. Of an `old` version, whose chunks the caller's lease
        protects, parts are named instead of stored again (`storage.patching`).

        Raises:
            NotFound, BadRequest, Refused: the local file cannot be read.
            Unavailable, Refused: the store cannot take the bytes.
        """
        hasher = FileHasher.new()
        with _opened(source) as opened:
            extents = self._store_all(opened, hasher, old)
        if old is not None:
            extents = self.tidy_tail(extents, old.referrer)
        return Stored(hasher.size, hasher.digest(), hasher.peaks(), extents)

    def put_files(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        olds: Iterable[OldVersion | None] = (),
        at_once: int = FILES_AT_ONCE,
    ) -> Iterator[Stored]:
        """Store local files as `put_file` does, some at a time; what was stored comes in the order of `paths`.

        `olds` are their old versions, in the same order; those that it ends before have none.

        For files of a few MiB, each of which alone would mostly wait for the disk.

        Raises:
            as `put_file`, at the step of the file that it is about.
        """
        pending: deque[Future[Stored]] = deque()
        with ThreadPoolExecutor(at_once, thread_name_prefix="put-file") as threads:
            try:
                for path, old in zip(paths, chain(olds, repeat(None)), strict=False):
                    pending.append(threads.submit(self.put_file, path, old))
                    if len(pending) > at_once:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def append(self, old: Stored, more: str | os.PathLike[str] | Iterable[Buffer], referrer: str) -> Stored:
        """Store `more` as the new end of `old`, of which at most the last block is read; `old` stays as it is.

        `referrer` is what an error names as the owner of `old`.

        Raises:
            Damaged: the last block of `old` is missing or wrong.
            NotFound, BadRequest, Refused, Unavailable: as `put_file`.
        """
        hasher = resumed_hasher(old, self._reader, referrer)
        with _opened(more) as opened:
            extents = old.extents.concat(self._store_all(opened, hasher))
        return Stored(hasher.size, hasher.digest(), hasher.peaks(), self.tidy_tail(extents, referrer))

    def tidy_tail(self, extents: Extents, referrer: str) -> Extents:
        """Rewrite the short extents at a file's end when there are more than 32: the same bytes in few chunks.

        Raises:
            Damaged: one of them is missing or wrong.
        """
        every = list(extents)
        short = 0
        while short < len(every) and every[-1 - short][2] < SHORT_EXTENT:
            short += 1
        if short <= SHORT_EXTENTS_MAX:
            return extents
        kept, tail = Extents.of(every[:-short]), Extents.of(every[-short:])
        pieces = self._reader.read(tail, 0, tail.total, referrer)
        return kept.concat(self._store_all(StreamSource(pieces), FileHasher.new()))

    def _store_all(self, source: Source, hasher: FileHasher, old: OldVersion | None = None) -> Extents:
        try:
            windows = self._spare.pop()
        except IndexError:
            windows = Windows()
        pieces = cut(source, windows, hasher.update)
        extents = self._store_cut(pieces) if old is None else Patching(self._chunks, self._threads, old).store(pieces)
        self._spare.append(windows)
        return extents

    def _store_cut(self, pieces: Iterator[CutChunk]) -> Extents:
        stored: list[Extent] = []
        pending: deque[tuple[Future[bytes], int]] = deque()
        try:
            for window, chunk in pieces:
                window.hold()
                pending.append((self._threads.submit(self._store, window, chunk), len(chunk)))
                # A store that fails is noticed here, not after the rest of a long stream.
                while pending[0][0].done():
                    stored.append(_extent(*pending.popleft()))
                    if not pending:
                        break
            stored += [_extent(*each) for each in pending]
        except BaseException:
            for future, _ in pending:
                future.cancel()
            raise
        return Extents.of(stored)

    def _store(self, window: Window, chunk: memoryview) -> bytes:
        try:
            return self._chunks.put(chunk)
        finally:
            window.release()


def _extent(name: Future[bytes], length: int) -> Extent:
    return name.result(), 0, length


@contextmanager
def _opened(source: str | os.PathLike[str] | int | Iterable[Buffer]) -> Iterator[Source]:
    if isinstance(source, int):
        yield _ExplainedFile(source, f"number {source}")
        return
    if not isinstance(source, str | os.PathLike):
        yield StreamSource(source)
        return
    with explained(source):
        file = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield _ExplainedFile(file, source)
    finally:
        os.close(file)


class _ExplainedFile(FileSource):
    """A file whose errors name it."""

    def __init__(self, file: int, path: str | os.PathLike[str]) -> None:
        super().__init__(file)
        self._path = path

    def read_into(self, view: memoryview) -> int:
        with explained(self._path):
            return super().read_into(view)
