# SPDX-License-Identifier: Apache-2.0
"""Into a local folder: files of a fileset, many small ones at once, big ones in parallel.

A get that is interrupted leaves what it had; it is simply done again. For a worker, whose folder nobody sees before
it is complete, files are written in place; for anybody else each appears whole, by a rename. Two threads write, since
nearly all of the time is in the kernel. Reading and verifying is in
`storage.reading`; the way there is in `storage.tree_put`.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.storage.cutting import BIG_FILE
from howdah.storage.extents import NAME_BYTES, Extents
from howdah.storage.local_files import explained, local_error
from howdah.storage.objects import Buffer
from howdah.storage.reading import ContentReader
from howdah.storage.whole_files import partial_name

__all__ = ["LocalFolder", "write_tree"]

WRITE_THREADS: Final = 2
PENDING_MAX: Final = 4  # batches that wait: each holds a pack at a time, 8 MiB, while it is written
BATCH_FILES_MIN: Final = 256  # a batch ends at a change of pack, but not for a handful of files
BATCH_FILES_MAX: Final = 4096

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW

FileExtents = tuple[str, Extents]


class LocalFolder:
    """A folder that files are written into; it and the folders below are made as needed. May be shared by threads.

    With `whole` a file has all its bytes as soon as it is seen under its name, and `replaced` counts those that were
    there before.
    """

    def __init__(self, folder: str | os.PathLike[str], *, overwrite: bool = True, whole: bool = False) -> None:
        self.replaced = 0
        self._base = os.path.abspath(folder)
        self._whole = whole
        self._partial = f"{partial_name()}-"
        self._numbers = count()  # of files that are not whole yet
        self._lock = threading.Lock()  # guards replaced
        self._made: set[str] = set()
        self._flags = _FLAGS | (os.O_TRUNC if overwrite else os.O_EXCL)

    def place(self, path: str) -> str:
        """The local path for a file's path (without a slash at its start), whose folder exists by then.

        Raises:
            BadRequest: the path would lead out of the folder, or a file lies where a folder must be.
            Refused, Unavailable: the folder cannot be made.
        """
        directory, _, name = path.rpartition("/")
        if directory not in self._made:
            self._make(directory)
        if name in ("", ".", "..") or path.startswith("/"):
            raise _bad_path(path)
        return f"{self._base}/{path}"

    def place_new(self, path: str) -> str:
        """As `place`, and refuse a path that is taken if nothing is to be overwritten.

        Raises:
            AlreadyExists: there is something, and `overwrite` is off.
        """
        place = self.place(path)
        if self._flags & os.O_EXCL and os.path.lexists(place):
            raise local_error(FileExistsError(), place)
        return place

    @contextmanager
    def written(self, path: str) -> Iterator[str]:
        """Where to write the bytes of a file of any size; it has its name when the block ends.

        Raises:
            AlreadyExists, BadRequest, Refused, Unavailable: as `write`.
        """
        place = self.place_new(path)
        if not self._whole:
            yield place
            return
        partial = self._partial_place(place)
        try:
            yield partial
            self._name(partial, place)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial)
            raise

    def write(self, files: Iterable[tuple[str, Buffer]]) -> int:
        """Write small files; the number of their bytes. A link that has the name of a file is not written through.

        Raises:
            AlreadyExists: a file is there, and `overwrite` is off.
            BadRequest, Refused, Unavailable: as `place`, or the file cannot be written.
        """
        size = 0
        for path, data in files:
            place = self.place(path)
            try:
                if not self._whole:
                    size += _write_file(place, data, self._flags)
                    continue
                with self.written(path) as partial:
                    size += _write_file(partial, data, self._flags)
            except OSError as error:
                raise local_error(error, place) from error
        return size

    def _partial_place(self, place: str) -> str:
        return f"{place.rpartition('/')[0]}/{self._partial}{next(self._numbers)}"

    def _name(self, partial: str, place: str) -> None:
        """Give a whole file its name."""
        with explained(place):
            if self._flags & os.O_EXCL:
                # Unlike a rename, this refuses a name that is taken.
                os.link(partial, place, follow_symlinks=False)
                os.unlink(partial)
                return
            replaces = os.path.lexists(place)
            os.rename(partial, place)
            if replaces:
                with self._lock:
                    self.replaced += 1

    def _make(self, directory: str) -> None:
        if directory and not {"", ".", ".."}.isdisjoint(directory.split("/")):
            raise _bad_path(directory)
        place = f"{self._base}/{directory}" if directory else self._base
        try:
            os.makedirs(place, exist_ok=True)
        except FileExistsError as error:
            text = f"local path {place!r} is a file and a folder is needed there; remove it or choose another place"
            raise BadRequest(ErrorKind.BAD_PATH, text) from error
        except OSError as error:
            raise local_error(error, place) from error
        self._made.add(directory)


def _write_file(place: str, data: Buffer, flags: int) -> int:
    file = os.open(place, flags, 0o666)
    try:
        written = os.write(file, data)
        while written < len(data):
            written += os.write(file, memoryview(data)[written:])
    finally:
        os.close(file)
    return written


def write_tree(
    reader: ContentReader,
    folder: LocalFolder,
    files: Iterable[FileExtents],
    referrer: Callable[[str], str] = repr,
    *,
    threads: int = WRITE_THREADS,
) -> int:
    """Write files of any size into a folder; the number of their bytes.

    `files` are best in the order of their paths: then each pack is read once. `referrer` makes from a path
    what an error names: "file /a of commit …".

    Raises:
        Damaged: bytes of a file are missing or wrong; no wrong byte is written.
        AlreadyExists, BadRequest, Refused, Unavailable: as `LocalFolder.write`.
    """
    size = 0
    pending: deque[Future[int]] = deque()
    with ThreadPoolExecutor(threads + reader.overlap // 2, thread_name_prefix="write-files") as pool:
        try:
            for batch in _batches(files):
                if len(pending) >= PENDING_MAX + threads + reader.overlap:
                    size += pending.popleft().result()
                pending.append(pool.submit(_write_batch, reader, folder, batch, referrer))
            while pending:
                size += pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
    return size


def _batches(files: Iterable[FileExtents]) -> Iterator[list[FileExtents]]:
    batch: list[FileExtents] = []
    last = b""
    for path, extents in files:
        first = extents.names[:NAME_BYTES]
        if len(batch) >= BATCH_FILES_MAX or (len(batch) >= BATCH_FILES_MIN and first != last):
            yield batch
            batch = []
        batch.append((path, extents))
        last = extents.names[-NAME_BYTES:]
        if len(extents.lengths) > 4 or int.from_bytes(extents.lengths, "little") >= BIG_FILE:
            yield batch
            batch = []
    if batch:
        yield batch


def _write_batch(
    reader: ContentReader, folder: LocalFolder, batch: list[FileExtents], referrer: Callable[[str], str]
) -> int:
    pieces = [(path, extents) for path, extents in batch if len(extents) == 1 and extents.total < BIG_FILE]
    others = [(path, extents) for path, extents in batch if len(extents) != 1 or extents.total >= BIG_FILE]
    size = folder.write(_small_contents(reader, pieces, referrer))
    for path, extents in others:
        if not len(extents):
            folder.write([(path, b"")])
            continue
        with folder.written(path) as place, explained(place):
            reader.write_file(extents, place, referrer(path))
        size += extents.total
    return size


def _small_contents(
    reader: ContentReader, files: list[FileExtents], referrer: Callable[[str], str]
) -> Iterator[tuple[str, Buffer]]:
    contents = reader.read_many((next(iter(extents)), referrer(path)) for path, extents in files)
    return zip([path for path, _ in files], contents, strict=True)


def _bad_path(path: str) -> BadRequest:
    text = f"path {path!r} would lead out of the folder that is written to; get the file by itself"
    return BadRequest(ErrorKind.BAD_PATH, text)
