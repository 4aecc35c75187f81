# SPDX-License-Identifier: Apache-2.0
"""Writing at the object store: chunks go there from here, and the server gets one small change."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from howdah.client.channel import Wire
from howdah.client.sources import file_path, is_local_path, pieces_of
from howdah.client.values import Progress, Transferred
from howdah.client.watched import WatchedChunks
from howdah.client.ways import Buffer, LocalPath, Source
from howdah.errors import HowdahError, Unavailable
from howdah.model import paths
from howdah.model.refs import Commitish, File
from howdah.storage import changes
from howdah.storage.content import ContentWriter
from howdah.storage.cutting import BIG_FILE
from howdah.storage.local_files import explained
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree_put import LocalFile, read_small_files, scan
from howdah.storage.writer import ChangeWriter
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd

if TYPE_CHECKING:
    from howdah.client.direct_view import DirectView

__all__ = ["DirectWriter", "KeptLease"]

_Batch = tuple[list[LocalFile], list[bytes | None]]


class DirectWriter:
    """A writer under a lease, which a thread renews until the change is handed in or given up."""

    def __init__(
        self,
        wire: Wire,
        storage: Storage,
        target: Commitish,
        view: Callable[[Commitish], "DirectView"],
        progress: Progress | None,
    ) -> None:
        self._wire = wire
        self._target = commit_message(target)
        self._view = view
        self._progress = progress
        self._content = None if progress is None else ContentWriter(WatchedChunks(storage.store, progress))
        answer = wire.call(wire.lake.StartWrite, hd.StartWriteRequest(commit=self._target))
        self._lease = KeptLease(wire, answer.lease_id, answer.lease_seconds)
        self._writer = ChangeWriter(storage, storage.fileset(answer.base_root or None, f"the target {target}"))

    def put(self, path: str, source: Source, append: bool) -> None:
        """Store a file's bytes; what is equal to what is there already is not stored again."""
        clean = file_path(path)
        if not is_local_path(source):
            self._writer.put(clean, self._counted(pieces_of(source)), append=append)
        else:
            local = os.fspath(cast(LocalPath, source))
            with explained(local):
                size = os.stat(local).st_size
            self._put_local(clean, local, size, append)
        self._done(0, 1)

    def put_folder(self, path: str, folder: LocalPath, append: bool) -> Transferred:
        """Store all files of a folder; the next batch is read while one is stored."""
        base = paths.clean(path).rstrip("/")
        local = os.fspath(folder)
        files = total = 0
        for batch, contents in _read_ahead(local):
            small = [
                (f"{base}/{file.path}", data) for file, data in zip(batch, contents, strict=True) if data is not None
            ]
            self._writer.put_small([(paths.clean(p), data) for p, data in small], append=append)
            size = sum(len(data) for _, data in small)
            self._done(size, len(small))
            for file, data in zip(batch, contents, strict=True):
                if data is None:
                    size += file.size
                    self._put_local(paths.clean(f"{base}/{file.path}"), f"{local}/{file.path}", BIG_FILE, append)
                    self._done(0, 1)
            files, total = files + len(batch), total + size
        return Transferred(files, total)

    def delete(self, path: str) -> None:
        """Remove a file or, if the path ends in a slash, a directory."""
        if path.endswith("/"):
            clean = paths.clean(path)
            self._writer.delete_directory(clean if clean == "/" else clean + "/")
        else:
            self._writer.delete(file_path(path))

    def copy(self, source: File, path: str, append: bool) -> None:
        """Take over the extents of a file, or of all files of a directory."""
        view = self._view(source.commit)
        found = view.inspect(source.path)
        target, skip = paths.clean(path), len(found.path.rstrip("/"))
        self._writer.put_entries(
            (
                Entry(file_path(target + e.path[skip:]), "", e.size, e.hash, e.peaks, e.extents)
                for e in view.entries(found)
            ),
            append=append,
        )

    def finish(self) -> None:
        """Make all of it durable, and hand the change in."""
        change = changes.encode(self._writer.finish())
        request = hd.HandInRequest(commit=self._target, lease_id=self._lease.id, change=change)
        self._wire.call(self._wire.lake.HandIn, request)
        self.close()

    def close(self) -> None:
        """Give up what was not handed in."""
        self._lease.end()
        self._writer.close()
        if self._content is not None:
            self._content.close()

    def _put_local(self, path: str, local: str, size: int, append: bool) -> None:
        if size < BIG_FILE:
            data = read_small_files(os.path.dirname(local) or ".", [LocalFile(os.path.basename(local), size)])[0]
            if data is not None:
                self._writer.put_small([(path, data)], append=append)
                self._done(len(data), 0)
                return
        if self._content is None:
            self._writer.put_local(path, local, append=append)
            return
        stored = self._content.put_file(local)
        entry = Entry(path, "", stored.size, stored.hash, stored.peaks, stored.extents)
        self._writer.put_entries([entry], append=append)

    def _counted(self, pieces: Iterator[Buffer]) -> Iterator[Buffer]:
        for piece in pieces:
            yield piece
            self._done(len(piece), 0)

    def _done(self, size: int, files: int) -> None:
        if self._progress is not None:
            self._progress(size, files)


def _read_ahead(folder: str) -> Iterator[_Batch]:
    """The batches of a folder with the bytes of their small files; one batch is read ahead."""
    scanned = scan(folder)

    def read() -> _Batch | None:
        batch = next(scanned, None)
        return None if batch is None else (batch, read_small_files(folder, batch))

    with ThreadPoolExecutor(1, "read-folder") as thread:
        following: Future[_Batch | None] = thread.submit(read)
        while (batch := following.result()) is not None:
            following = thread.submit(read)
            yield batch


class KeptLease:
    """Keeps a lease alive from a thread of its own."""

    def __init__(self, wire: Wire, id: str, seconds: float) -> None:
        self.id = id
        self._wire = wire
        self._seconds = seconds or 1
        self._ended = threading.Event()
        # Not a timer for each renewal: one thread that sleeps costs nothing and ends with the process.
        threading.Thread(target=self._renew, name="renew-lease", daemon=True).start()

    def end(self) -> None:
        """Let the lease run out; ending it again does nothing."""
        self._ended.set()

    def _renew(self) -> None:
        # Three renewals in each lifetime, so that two may be lost.
        while not self._ended.wait(self._seconds / 3):
            try:
                self._wire.call(self._wire.lake.RenewWrite, hd.RenewWriteRequest(lease_id=self.id))
            except Unavailable:
                continue
            except HowdahError:
                return  # the lease is lost; handing in will say so
