# SPDX-License-Identifier: Apache-2.0
"""An object store in a directory: one file for each object, durable in the order that its contract promises.

An object is written to `tmp/` in the same file system, fsynced, and renamed to its key: a file under its
final name is always whole. `storage.settling` does the last two for some objects at a time, so that they share
a commit of the journal. The names themselves become durable with `sync`, which fsyncs each directory
that was touched since; that is one commit for all of them. A process that is killed leaves files in `tmp/` at
worst; `remove_leftovers` takes those away.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from howdah.errors import ErrorKind, HowdahError, Refused, Unavailable
from howdah.kit import fail
from howdah.storage.objects import Buffer, ObjectInfo, checked_key, missing_object, short_object
from howdah.storage.settling import Settling

__all__ = ["LEFTOVER_SECONDS", "DirectoryStore"]

LEFTOVER_SECONDS: Final = 24 * 3600
"""The age from which a file in `tmp/` cannot belong to a writer that lives: no object takes a day to write."""

_TEMPORARY: Final = "tmp"
_NO_SPACE: Final = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM}
_PARTS_MAX: Final = 512  # below the 1024 buffers that one writev takes


class DirectoryStore:
    """Objects as files below one directory, which is made with the first object."""

    overlap: Final = 0  # answers come from this machine

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.path.abspath(root)
        self._url = Path(self._root).as_uri()
        self._lock = threading.Lock()
        self._known: set[str] = set()  # directories that exist; guarded by _lock
        self._unsynced: set[str] = set()  # directories with names that a power cut may take; guarded by _lock
        self._settling = Settling(self._note_use)
        self._syncing = threading.Lock()  # held while directories that left _unsynced are not durable yet

    @property
    def url(self) -> str:
        """The directory as a `file://` address."""
        return self._url

    def put(self, key: str, *parts: Buffer) -> bool:
        """Store unless an object of that size is there; see `ObjectStore.put`."""
        path = self._path(key)
        with self._explained(f"write object {key}"):
            self._settling.wait_for(path)
            if self._is_there(path, sum(map(_byte_count, parts))):
                return False
            self._settling.add(*self._write(path, parts), path)
        return True

    def create(self, key: str, *parts: Buffer) -> bool:
        """Store if the key is free; see `ObjectStore.create`."""
        path = self._path(key)
        with self._explained(f"create object {key}"):
            file, temporary = self._write(path, parts)
            try:
                os.fsync(file)
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                os.close(file)
                os.unlink(temporary)
        self._note_use(os.path.dirname(path))
        return True

    def sync(self) -> None:
        """Settle what was put, and fsync every directory that was touched; see `ObjectStore.sync`."""
        with self._explained("sync objects"):
            self._settling.settle()
        # Whoever finds nothing left to do waits here for the one who is still doing it.
        with self._syncing:
            with self._lock:
                unsynced, self._unsynced = self._unsynced, set()
            try:
                with self._explained("sync directories"):
                    for directory in sorted(unsynced):
                        _sync_directory(directory)
            except HowdahError:
                with self._lock:
                    self._unsynced |= unsynced
                raise

    def forget(self, key: str) -> bool:  # noqa: ARG002 - as the protocol has it
        """There is no nearer copy; see `ObjectStore.forget`."""
        return False

    def get(self, key: str) -> bytes:
        """All bytes of an object; see `ObjectStore.get`."""
        with self._opened(key) as file:
            size = os.fstat(file).st_size
            return self._read(file, key, 0, size)

    def get_head(self, key: str, limit: int) -> bytes:
        """The first bytes of an object; see `ObjectStore.get_head`."""
        with self._opened(key) as file:
            return _read_up_to(file, 0, limit)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """A part of an object; see `ObjectStore.get_range`."""
        with self._opened(key) as file:
            return self._read(file, key, start, length)

    def size(self, key: str) -> int | None:
        """The number of bytes, or None; see `ObjectStore.size`."""
        path = self._path(key)
        with self._explained(f"look at object {key}"):
            self._settling.wait_for(path)
            try:
                return os.stat(path).st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return self.size(key) is not None

    def touch(self, key: str) -> bool:
        """Refresh the object's time; see `ObjectStore.touch`."""
        path = self._path(key)
        with self._explained(f"refresh object {key}"):
            if self._settling.has(path):
                return True
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
        # Another process may have named it and not synced that yet.
        self._note_use(os.path.dirname(path))
        return True

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects under a prefix, one directory after the other; see `ObjectStore.list`."""
        folder, _, start = prefix.rpartition("/")
        with self._explained(f"list objects under {prefix!r}"):
            self._settling.settle()
            yield from self._walk(folder + "/" if folder else "", start)

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        path = self._path(key)
        with self._explained(f"delete object {key}"), suppress(FileNotFoundError):
            self._settling.wait_for(path)
            os.unlink(path)

    def move(self, key: str, to: str) -> bool:
        """Rename the file of an object; see `ObjectStore.move`."""
        path, target = self._path(key), self._path(to)
        with self._explained(f"move object {key}"):
            self._settling.wait_for(path)
            self._settling.wait_for(target)
            self._make_directory(os.path.dirname(target))
            try:
                # First the time: whoever finds it at its new place shall never take it for an old one.
                os.utime(path)
                os.rename(path, target)
            except (FileNotFoundError, NotADirectoryError):
                return False
        self._note_use(os.path.dirname(path))
        self._note_use(os.path.dirname(target))
        return True

    def remove_leftovers(self, now: datetime, older_than_seconds: float = LEFTOVER_SECONDS) -> int:
        """Remove what writers that died have left in `tmp/`; the number of files removed."""
        oldest = now.timestamp() - older_than_seconds
        removed = 0
        with self._explained("remove leftovers"), suppress(FileNotFoundError), os.scandir(self._temporary()) as found:
            for entry in found:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        os.unlink(entry.path)
                        removed += 1
        return removed

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked_key(key)}"

    def _temporary(self) -> str:
        return f"{self._root}/{_TEMPORARY}"

    def _is_there(self, path: str, size: int) -> bool:
        """Whether an object of that size is at `path`; if so it is refreshed."""
        try:
            if os.stat(path).st_size != size:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        self._note_use(os.path.dirname(path))
        return True

    def _write(self, path: str, parts: tuple[Buffer, ...]) -> tuple[int, str]:
        """Write a temporary file, open and not synced, and make the directory that `path` will be in."""
        self._make_directory(self._temporary())
        self._make_directory(os.path.dirname(path))
        temporary = f"{self._temporary()}/{os.urandom(12).hex()}"
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            _write_all(file, parts)
            fail.here("object_written_not_synced")
        except BaseException:
            os.close(file)
            os.unlink(temporary)
            raise
        return file, temporary

    def _make_directory(self, directory: str) -> None:
        if directory not in self._known:
            os.makedirs(directory, exist_ok=True)

    def _note_use(self, directory: str) -> None:
        """Have `sync` make the names in `directory` durable, and those of the directories above it.

        Called after a name was made there, never before: a `sync` in between would forget it.
        """
        with self._lock:
            self._unsynced.add(directory)
            while directory not in self._known:
                self._known.add(directory)
                if directory == self._root:
                    self._unsynced.add(os.path.dirname(directory))
                    break
                directory = os.path.dirname(directory)
                self._unsynced.add(directory)

    def _read(self, file: int, key: str, start: int, length: int) -> bytes:
        data = _read_up_to(file, start, length)
        if len(data) != length:
            raise short_object(key, self._url, length, len(data))
        return data

    def _walk(self, folder: str, start: str) -> Iterator[ObjectInfo]:
        """The objects below `folder` (empty, or with a slash at its end) whose next component begins with `start`."""
        try:
            with os.scandir(f"{self._root}/{folder}") as found:
                entries = [(entry.name + "/" * entry.is_dir(), entry) for entry in found]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name, entry in sorted(entries, key=lambda each: each[0]):
            if not name.startswith(start) or (not folder and name == f"{_TEMPORARY}/"):
                continue
            if name.endswith("/"):
                yield from self._walk(folder + name, "")
                continue
            with suppress(FileNotFoundError):
                status = entry.stat()
                yield ObjectInfo(folder + name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    @contextmanager
    def _opened(self, key: str) -> Iterator[int]:
        path = self._path(key)
        with self._explained(f"read object {key}"):
            self._settling.wait_for(path)
            try:
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError):
                raise missing_object(key, self._url) from None
            try:
                yield file
            finally:
                os.close(file)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn an error of the operating system into one of ours; `what` is what could not be done."""
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                text = f"no space left in store {self._url} to {what}; free some there or move the lake, then retry"
                raise Unavailable(ErrorKind.NO_SPACE, text) from error
            reason = (error.strerror or str(error)).lower()
            if error.errno in _READ_ONLY:
                text = f"store {self._url} refused to {what} ({reason}); give this user the right to, then retry"
                raise Refused(ErrorKind.READ_ONLY, text) from error
            text = f"store {self._url} could not {what} ({reason}); look after the disk, then retry"
            raise Unavailable(ErrorKind.STORE_FAILED, text) from error


def _byte_count(part: Buffer) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part)


def _write_all(file: int, parts: tuple[Buffer, ...]) -> None:
    waiting = [memoryview(part).cast("B") for part in parts if _byte_count(part)]
    while waiting:
        written = os.writev(file, waiting[:_PARTS_MAX])
        done = 0
        while done < len(waiting) and written >= len(waiting[done]):
            written -= len(waiting[done])
            done += 1
        waiting = waiting[done:]
        if written:
            waiting[0] = waiting[0][written:]


def _read_up_to(file: int, start: int, length: int) -> bytes:
    """The bytes from `start` on, fewer than `length` only where the file ends."""
    data = os.pread(file, length, start)
    while data and len(data) < length:  # the system reads at most 2 GiB at once
        piece = os.pread(file, length - len(data), start + len(data))
        if not piece:
            break
        data += piece
    return data


def _sync_directory(directory: str) -> None:
    try:
        file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # removed since; so were the names in it
    try:
        os.fsync(file)
    finally:
        os.close(file)
