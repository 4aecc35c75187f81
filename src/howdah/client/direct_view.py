# SPDX-License-Identifier: Apache-2.0
"""Reading a commit's files at the object store: what the server would answer, from the same fileset."""

import os
from collections.abc import Iterator

import pyarrow as pa

from howdah.client.values import Progress, Transferred
from howdah.client.ways import FileContent, LocalPath, base_of
from howdah.model.files import FileInfo
from howdah.model.refs import Commit
from howdah.storage import listing
from howdah.storage.entries import Entry
from howdah.storage.extents import Extents
from howdah.storage.local_files import explained
from howdah.storage.reader import Fileset
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

    def contents(self, path: str) -> Iterator[FileContent]:
        """Every file at or below a path or pattern, with its bytes; a pack is read once for all that stand together."""
        for entry in self.tree.files(path):
            pieces = self._reader.read(entry.extents, 0, entry.size, self.tree.of(entry.path))
            yield entry.path, entry.size, pieces

    def save_folder(self, path: str, folder: LocalPath, overwrite: bool, parallel: int) -> Transferred:
        """Write all files at and below a path or pattern into a local folder."""
        base = base_of(self, path).rstrip("/")
        total = _Counted(self._progress)
        files = ((e.path[len(base) + 1 :], e.extents) for e in self.tree.files(path))
        target = LocalFolder(folder, overwrite=overwrite, whole=True)
        with explained(folder):
            os.makedirs(folder, exist_ok=True)
        write_tree(
            self._reader,
            target,
            total.counted(files),
            lambda below: self.tree.of(f"{base}/{below}"),
            threads=parallel,
        )
        return Transferred(total.files, total.bytes, target.replaced)

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
