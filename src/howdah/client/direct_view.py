# SPDX-License-Identifier: Apache-2.0
"""Reading a commit's files at the object store: what the server would answer, from the same fileset."""

import os
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from howdah.client.sources import ranged
from howdah.client.values import Progress, Transferred
from howdah.client.watched import watched
from howdah.client.ways import Buffer, LocalPath
from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.model.refs import Commit
from howdah.storage import listing, rows
from howdah.storage.cutting import BIG_FILE
from howdah.storage.extents import Extents
from howdah.storage.local_files import explained
from howdah.storage.reader import Fileset, interval
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree_get import LocalFolder, write_tree

__all__ = ["DirectView"]


class DirectView:
    """The files of a commit at one moment; nothing that is written later is seen."""

    def __init__(self, commit: Commit, fileset: Fileset, storage: Storage, progress: Progress | None) -> None:
        self.commit = commit
        self.fileset = fileset
        self._storage = storage
        self._progress = progress

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path."""
        found = listing.inspect(self.fileset, _kept_slash(path))
        if found is None:
            raise self._missing(path)
        return found

    def list(self, path: str, after: str, number: int, reverse: bool) -> Iterator[FileInfo]:
        """What lies directly in a directory, or the file itself."""
        if reverse and not number:
            raise BadRequest(ErrorKind.BAD_ARGUMENT, "a reversed page needs its size; give a number")
        clean = paths.clean(path)
        directory = clean if clean == "/" else clean + "/"
        found = None if clean == "/" else self.inspect(path)
        if found is not None and not found.is_dir:
            everything = iter([] if after else [found])
        elif reverse:
            everything = listing.children_reversed(self.fileset, directory, after)
        else:
            everything = listing.children(self.fileset, directory, after)
        return islice(everything, number) if number else everything

    def walk(self, path: str) -> Iterator[FileInfo]:
        """Everything at and below a path."""
        if paths.clean(path) != "/":
            self.inspect(path)
        return (info for batch in listing.walk(self.fileset, _kept_slash(path)) for info in listing.infos(batch))

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Everything that matches."""
        return (info for batch in self._matches(pattern) for info in listing.infos(batch))

    def table(self, pattern: str) -> pa.Table:
        """Everything that matches, as columns."""
        return pa.Table.from_batches(self._matches(pattern), schema=listing.COLUMNS)

    def read(self, path: str, offset: int, length: int | None) -> Iterator[Buffer]:
        """The verified bytes of the one file that a path or pattern means."""
        ranged(path, offset, length)
        entry = self._file(path)
        wanted = max(0, entry.size - offset) if length is None else length
        if entry.size < BIG_FILE:
            data = self._storage.reader.read_small(entry.extents, entry.size, entry.hash, self._of(entry.path))
            return iter([memoryview(data)[offset : offset + wanted]])
        return self._storage.reader.read(entry.extents, offset, wanted, self._of(entry.path))

    def save(self, path: str, local: LocalPath) -> int:
        """Write a file to a local path, over what is there."""
        entry = self._file(path)
        extents = entry.extents if self._progress is None else watched(entry.extents, self._progress)
        self._storage.reader.write_file(extents, local, self._of(entry.path), sync=True)
        if self._progress is not None:
            self._progress(0, 1)
        return entry.size

    def save_folder(self, path: str, folder: LocalPath) -> Transferred:
        """Write all files below a directory into a local folder; of a file, the file itself."""
        clean = paths.clean(path)
        found = None if clean == "/" else self.inspect(path)
        if found is not None and not found.is_dir:
            base, batches = paths.parent(clean), self.fileset.batches(clean, clean + "\0")
        else:
            base, batches = clean, self.fileset.batches(*interval(clean.rstrip("/") + "/"))
        total = _Counted(self._progress)
        skip = len(base.rstrip("/")) + 1
        files = ((e.path[skip:], e.extents) for batch in batches for e in rows.entries(batch))
        target = LocalFolder(folder)
        with explained(folder):
            os.makedirs(folder, exist_ok=True)
        write_tree(self._storage.reader, target, total.counted(files), lambda below: self._of(f"{base}/{below}"))
        return Transferred(total.files, total.bytes)

    def entries(self, info: FileInfo) -> Iterator[Entry]:
        """The entries of a file, or of every file below a directory."""
        bounds = interval(info.path) if info.is_dir else (info.path, info.path + "\0")
        for batch in self.fileset.batches(*bounds):
            yield from rows.entries(batch)

    def _matches(self, pattern: str) -> Iterator[pa.RecordBatch]:
        exact = self._exact(pattern)
        return iter([listing.columns([exact])]) if exact else listing.glob(self.fileset, Glob.parse(pattern))

    def _exact(self, path: str) -> FileInfo | None:
        try:
            return listing.inspect(self.fileset, _kept_slash(path))
        except BadRequest:
            return None  # good as a pattern, perhaps: the pattern's reader will say

    def _file(self, path: str) -> Entry:
        infos = [info for batch in islice(self._matches(path), 2) for info in listing.infos(batch)[:2]]
        if not infos:
            raise self._missing(path)
        if len(infos) > 1:
            text = f"{self._of(path)} matched multiple files. Use GetFileTAR instead; or howdah get file -r"
            raise Refused(ErrorKind.NOT_A_FILE, text)
        if infos[0].is_dir:
            text = "cannot get directory or non-regular file. Use GetFileTAR instead; or howdah get file -r"
            raise Refused(ErrorKind.NOT_A_FILE, f"{self._of(path)}: {text}")
        return self.fileset.find(infos[0].path)[0]

    def _missing(self, path: str) -> NotFound:
        clean = path if path.startswith("/") else "/" + path
        text = f"file {clean} not found in repo {self.commit.repo} at commit {self.commit.id}"
        return NotFound(ErrorKind.FILE_NOT_FOUND, text)

    def _of(self, path: str) -> str:
        return f"file {path} of commit {self.commit}"


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


def _kept_slash(path: str) -> str:
    """The clean path; a slash at its end stays, so that only a directory is meant."""
    clean = paths.clean(path)
    return clean + "/" if path.endswith("/") and clean != "/" else clean
