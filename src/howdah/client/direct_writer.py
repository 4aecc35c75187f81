# SPDX-License-Identifier: Apache-2.0
"""Writing any number of files at the object store: chunks go there from here, and the server gets one small change.

A write begins as a `light_writer`, which becomes this when it has more to do than a few files.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from howdah.client.batches import batches
from howdah.client.sources import file_path, is_local_path, local_size, pieces_of
from howdah.client.values import Transferred, Written
from howdah.client.ways import Buffer, Excluded, LocalPath, Source
from howdah.client.write_session import WriteSession
from howdah.model import paths
from howdah.model.refs import Commitish, File
from howdah.storage import changes
from howdah.storage.cutting import BIG_FILE
from howdah.storage.entries import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree_put import LocalFile, read_small_files, scan
from howdah.storage.writer import ChangeWriter

if TYPE_CHECKING:
    from howdah.client.direct_view import DirectView

__all__ = ["DirectWriter"]

_Batch = tuple[list[LocalFile], list[bytes | None]]


class DirectWriter:
    """A writer within a session, whose lease lives until the change is handed in or given up."""

    def __init__(self, session: WriteSession, storage: Storage, view: Callable[[Commitish], "DirectView"]) -> None:
        self._session = session
        self._view = view
        self._done = session.done
        self._writer = ChangeWriter(
            storage,
            storage.fileset(session.base_root or None, f"the target {session.target}"),
            chunks=session.chunks,
            content=session.content,
            note=session.tally.note,
        )

    @property
    def written(self) -> Written:
        """What was put and copied so far; small files count when their pack is stored."""
        return self._session.tally.written

    def put(self, path: str, source: Source, append: bool) -> None:
        """Store a file's bytes; what is equal to what is there already is not stored again."""
        clean = file_path(path)
        if is_local_path(source):
            self._put_local(clean, *local_size(source), append)
        else:
            self._writer.put(clean, self._counted(pieces_of(source)), append=append)
        self._done(0, 1)

    def put_all(self, files: Iterable[tuple[str, bytes]], append: bool) -> None:
        """Store files whose bytes are at hand, many at a time."""
        for batch in batches(files):
            small = [(file_path(path), data) for path, data in batch if len(data) < BIG_FILE]
            self._writer.put_small(small, append=append)
            self._done(sum(len(data) for _, data in small), len(small))
            for path, data in batch:
                if len(data) >= BIG_FILE:
                    self.put(path, data, append)

    def put_folder(self, path: str, folder: LocalPath, append: bool, excluded: Excluded | None) -> Transferred:
        """Store all files of a folder; the next batch is read while one is stored."""
        base = paths.clean(path).rstrip("/")
        local = os.fspath(folder)
        files = total = 0
        for batch, contents in _read_ahead(local, excluded):
            small = [
                (paths.clean(f"{base}/{file.path}"), data)
                for file, data in zip(batch, contents, strict=True)
                if data is not None
            ]
            self._writer.put_small(small, append=append)
            size = sum(len(data) for _, data in small)
            self._done(size, len(small))
            big = [file.path for file, data in zip(batch, contents, strict=True) if data is None]
            files, total = files + len(batch), total + size + self._put_big(base, local, big, append)
        return Transferred(files, total)

    def put_stored(self, entry: Entry, append: bool) -> None:
        """Put a file whose bytes are stored already."""
        self._writer.put_entries([entry], append=append)

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
        self._session.hand_in(changes.encode(self._writer.finish()))

    def close(self) -> None:
        """Give up what was not handed in."""
        self._writer.close()
        self._session.close()

    def _put_local(self, path: str, local: str, size: int, append: bool) -> None:
        if size < BIG_FILE:
            data = read_small_files(os.path.dirname(local) or ".", [LocalFile(os.path.basename(local), size)])[0]
            if data is not None:
                self._writer.put_small([(path, data)], append=append)
                self._done(len(data), 0)
                return
        old = self._writer.old_version(path, append=append)
        stored = self._session.local.put_file(local, old)
        self._writer.put_entries(
            [Entry(path, "", stored.size, stored.hash, stored.peaks, stored.extents)], append=append
        )

    def _put_big(self, base: str, local: str, files: list[str], append: bool) -> int:
        """Store big files of a folder, some at a time; the number of their bytes."""
        size = 0
        places = [f"{local}/{path}" for path in files]
        targets = [paths.clean(f"{base}/{path}") for path in files]
        olds = (self._writer.old_version(target, append=append) for target in targets)
        every = self._session.local.put_files(places, olds=olds, at_once=self._session.parallel)
        for clean, stored in zip(targets, every, strict=True):
            entry = Entry(clean, "", stored.size, stored.hash, stored.peaks, stored.extents)
            self._writer.put_entries([entry], append=append)
            size += stored.size
            self._done(0, 1)
        return size

    def _counted(self, pieces: Iterator[Buffer]) -> Iterator[Buffer]:
        for piece in pieces:
            yield piece
            self._done(len(piece), 0)


def _read_ahead(folder: str, excluded: Excluded | None) -> Iterator[_Batch]:
    """The batches of a folder with the bytes of their small files; one batch is read ahead."""
    scanned = scan(folder, excluded=excluded)

    def read() -> _Batch | None:
        batch = next(scanned, None)
        return None if batch is None else (batch, read_small_files(folder, batch))

    with ThreadPoolExecutor(1, "read-folder") as thread:
        following: Future[_Batch | None] = thread.submit(read)
        while (batch := following.result()) is not None:
            following = thread.submit(read)
            yield batch
