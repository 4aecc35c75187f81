# SPDX-License-Identifier: Apache-2.0
"""Reading a commit's files at the object store: what the server would answer, from the same fileset."""

import os
from collections.abc import Iterator

import pyarrow as pa

from howdah.client.values import Progress, Transferred
from howdah.client.watched import watched
from howdah.client.ways import Buffer, LocalPath
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.refs import Commit
from howdah.storage import listing, rows
from howdah.storage.extents import Extents
from howdah.storage.local_files import explained
from howdah.storage.reader import Fileset, interval
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree import Tree
from howdah.storage.tree_get import LocalFolder, write_tree

__all__ = ["DirectView"]


class DirectView:
    """The files of a commit at one moment; nothing that is written later is seen."""

    def __init__(self, commit: Commit, fileset: Fileset, storage: Storage, progress: Progress | None) -> None:
        place, look = f"repo {commit.repo} at commit {commit.id}", f"howdah list file {commit}"
        self.commit = commit
        self.tree = Tree(fileset, storage.reader, f"commit {commit}", place, look)
        self._reader = storage.reader
        self._progress = progress

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path."""
        return self.tree.inspect(path)

    def list(self, path: str, after: str, number: int, reverse: bool) -> Iterator[FileInfo]:
        """What lies directly in a directory, or the file itself."""
        return self.tree.list(path, after=after, number=number, reverse=reverse)

    def walk(self, path: str) -> Iterator[FileInfo]:
        """Everything at and below a path."""
        return (info for batch in self.tree.walk(path) for info in listing.infos(batch))

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Everything that matches."""
        return (info for batch in self.tree.glob(pattern) for info in listing.infos(batch))

    def table(self, pattern: str) -> pa.Table:
        """Everything that matches, as columns."""
        return pa.Table.from_batches(self.tree.glob(pattern), schema=listing.COLUMNS)

    def read(self, path: str, offset: int, length: int | None) -> Iterator[Buffer]:
        """The verified bytes of the one file that a path or pattern means."""
        return self.tree.get(path, offset=offset, length=length)

    def save(self, path: str, local: LocalPath) -> int:
        """Write a file to a local path, over what is there."""
        entry = self.tree.file(path)
        extents = entry.extents if self._progress is None else watched(entry.extents, self._progress)
        self._reader.write_file(extents, local, self.tree.of(entry.path), sync=True)
        if self._progress is not None:
            self._progress(0, 1)
        return entry.size

    def save_folder(self, path: str, folder: LocalPath) -> Transferred:
        """Write all files below a directory into a local folder; of a file, the file itself."""
        clean = paths.clean(path)
        found = None if clean == "/" else self.inspect(path)
        if found is not None and not found.is_dir:
            base, batches = paths.parent(clean), self.tree.fileset.batches(clean, clean + "\0")
        else:
            base, batches = clean, self.tree.fileset.batches(*interval(clean.rstrip("/") + "/"))
        total = _Counted(self._progress)
        skip = len(base.rstrip("/")) + 1
        files = ((e.path[skip:], e.extents) for batch in batches for e in rows.entries(batch))
        target = LocalFolder(folder)
        with explained(folder):
            os.makedirs(folder, exist_ok=True)
        write_tree(self._reader, target, total.counted(files), lambda below: self.tree.of(f"{base}/{below}"))
        return Transferred(total.files, total.bytes)

    def entries(self, info: FileInfo) -> Iterator[Entry]:
        """The entries of a file, or of every file below a directory."""
        return self.tree.entries(info)


class _Counted:
    """Counts files on their way to be written."""

    def __init__(self, progress: Progress | None) -> None:
        self.files = 0
        self.bytes = 0
        self._progress = progress

    def counted(self, files: Iterator[tuple[str, Extents]]) -> Iterator[tuple[str, Extents]]:
        for file in files:
            size = file[1].total
            self.files += 1
            self.bytes += size
            yield file
            if self._progress is not None:
                self._progress(size, 1)
