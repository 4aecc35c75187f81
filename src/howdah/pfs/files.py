# SPDX-License-Identifier: Apache-2.0
"""Reading the files of a commit: inspect, list, walk, glob, get, diff.

A commit is first turned into a `View`, an immutable fileset; all answers come from that, so they fit
together however the commit changes meanwhile. An open commit is its base plus the changes so far. How
files are written is in `pfs.writes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pyarrow as pa

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, NotFound, Refused, Unavailable
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.model.refs import Commit, Commitish
from howdah.pfs import commit_rows
from howdah.pfs.closing import forgotten
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.open_commits import OpenCommits
from howdah.pfs.resolve import resolve
from howdah.storage import listing, rows
from howdah.storage.diff import diff as diff_filesets
from howdah.storage.reader import Fileset, interval
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage

__all__ = ["Files", "View", "diff"]

_GLOB_CHARACTERS = frozenset("*?[]{}()\\")


@dataclass(frozen=True, slots=True)
class View:
    """The files of a commit at one moment. Paths need not be clean; patterns are those of `model.globs`.

    `committed` is when the commit was closed, None while it is open. Whatever reads may raise `Damaged`.
    """

    commit: Commit
    committed: datetime | None
    fileset: Fileset
    storage: Storage

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path.

        Raises:
            NotFound: FILE_NOT_FOUND: the commit has neither.
        """
        found = listing.inspect(self.fileset, _kept_slash(path))
        if found is None:
            raise self._missing(path)
        return found

    def list(self, path: str, *, after: str = "", number: int = 0, reverse: bool = False) -> Iterator[FileInfo]:
        """What lies directly in a directory, in order of path; of a file, the file itself.

        `after` is the path of the last entry of the page before (in reverse: everything below it comes),
        `number` the size of a page, 0 for all.

        Raises:
            NotFound: FILE_NOT_FOUND: the path is not there (the root always is).
        """
        clean = paths.clean(path)
        directory = clean if clean == "/" else clean + "/"
        found = None if clean == "/" else self.inspect(path)
        if found is not None and not found.is_dir:
            everything = iter([found] if not after else [])
        elif reverse:
            everything = listing.children_reversed(self.fileset, directory, after)
        else:
            everything = listing.children(self.fileset, directory, after)
        return islice(everything, number) if number else everything

    def walk(self, path: str, *, after: str = "") -> Iterator[pa.RecordBatch]:
        """Columns (`listing.COLUMNS`) of everything at and below a path, itself included, depth first.

        Raises:
            NotFound: FILE_NOT_FOUND: the path is not there (the root always is).
        """
        if paths.clean(path) != "/":
            self.inspect(path)
        return listing.walk(self.fileset, _kept_slash(path), after)

    def glob(self, pattern: str, *, lower: str = "", upper: str = "") -> Iterator[pa.RecordBatch]:
        """Columns of the files and directories that match, in order; nothing if none does.

        An entry of exactly the pattern's text wins over its meaning as a pattern. `lower` (included) and
        `upper` (excluded) bound the paths.

        Raises:
            BadRequest: BAD_PATTERN.
        """
        exact = self._exact(pattern)
        found = iter([listing.columns([exact])]) if exact else listing.glob(self.fileset, Glob.parse(pattern))
        for batch in found:
            if lower or upper:
                begin, end = rows.bounds(batch, lower, upper or None)
                batch = batch.slice(begin, end - begin)
            if batch.num_rows:
                yield batch

    def file(self, path: str) -> Entry:
        """The one file that a path or pattern means.

        Raises:
            NotFound: FILE_NOT_FOUND: nothing has that path or matches.
            Refused: NOT_A_FILE: it is a directory, or several match.
        """
        infos = [info for batch in islice(self.glob(path), 2) for info in listing.infos(batch)[:2]]
        if not infos:
            raise self._missing(path)
        if len(infos) > 1:
            text = f"{self._of(path)} matched multiple files. Use GetFileTAR instead; or howdah get file -r"
            raise Refused(ErrorKind.NOT_A_FILE, text)
        if infos[0].is_dir:
            text = "cannot get directory or non-regular file. Use GetFileTAR instead; or howdah get file -r"
            raise Refused(ErrorKind.NOT_A_FILE, f"{self._of(path)}: {text}")
        return self.fileset.find(infos[0].path)[0]

    def get(self, path: str, *, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The bytes of the one file that a path or pattern means, from `offset` on; verified before they are given out.

        Raises:
            NotFound, Refused: as `file`.
            BadRequest: BAD_ARGUMENT: a negative offset or length.
        """
        if offset < 0 or (length is not None and length < 0):
            text = f"offset {offset} and length {length} of {path} must not be negative"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        return self.read(self.file(path), offset, length)

    def read(self, entry: Entry, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The bytes of an entry of this view."""
        wanted = max(0, entry.size - offset) if length is None else length
        if entry.size <= 1 << 20 and wanted:
            data = self.storage.reader.read_small(entry.extents, entry.size, entry.hash, self._of(entry.path))
            return iter([memoryview(data)[offset : offset + wanted]])
        return self.storage.reader.read(entry.extents, offset, wanted, self._of(entry.path))

    def files(self, path: str) -> Iterator[Entry]:
        """Every file at or below a path or pattern, in order of path, each once.

        Raises:
            NotFound: FILE_NOT_FOUND: nothing has that path or matches.
        """
        last = ""
        found = False
        for info in (info for batch in self.glob(path) for info in listing.infos(batch)):
            found = True
            lower, upper = interval(info.path) if info.is_dir else (info.path, info.path + "\0")
            if info.path == "/" or not (last and info.path.startswith(last)):
                last = info.path if info.is_dir else last
                for batch in self.fileset.batches(lower, upper):
                    yield from rows.entries(batch)
        if not found and paths.clean(path) != "/":
            raise self._missing(path)

    def _exact(self, path: str) -> FileInfo | None:
        if not _GLOB_CHARACTERS & set(path):
            return listing.inspect(self.fileset, _kept_slash(path))
        try:
            return listing.inspect(self.fileset, paths.clean(path))
        except BadRequest:
            return None

    def _missing(self, path: str) -> NotFound:
        repo, commit = self.commit.repo, self.commit.id
        clean = path if path.startswith("/") else "/" + path
        return NotFound(ErrorKind.FILE_NOT_FOUND, f"file {clean} not found in repo {repo} at commit {commit}")

    def _of(self, path: str) -> str:
        return f"file {path} of commit {self.commit}"


class Files:
    """Makes views of commits. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, open_commits: OpenCommits) -> None:
        self._db = db
        self._storage = storage
        self._open = open_commits

    def view(self, ref: Commitish, *, partial: bool = False) -> View:
        """The files that a commit has now.

        A commit with an error shows those of its nearest good ancestor or, with `partial`, its own.

        Raises:
            NotFound: there is no such repo, branch or commit.
            Unavailable: COMMIT_OPEN: it is being finished, or its base is not finished yet; wait for it.
            Refused: COMMIT_FORGOTTEN.
        """
        with self._db.read() as tx:
            asked = resolve(tx, ref)
            row = asked if partial else _good(tx, asked)
        if row is None:
            return View(
                asked.commit, asked.finished_at, self._storage.fileset(None, f"commit {asked.commit}"), self._storage
            )
        if row.finishing_at is not None and row.finished_at is None:
            text = f"commit {row.commit} not finished; it is being closed: howdah wait commit {row.commit}"
            raise Unavailable(ErrorKind.COMMIT_OPEN, text)
        if row.forgotten:
            raise forgotten(row.commit)
        root = row.root if row.finished_at is not None else self._open.root(row.id)
        fileset = self._storage.fileset(root, f"commit {row.commit}")
        return View(asked.commit, asked.finishing_at, fileset, self._storage)


def _good(tx: Transaction, row: CommitRow) -> CommitRow | None:
    return row if not row.error or row.finished_at is None else commit_rows.last_good(tx, row.id)


def diff(
    new: View, new_path: str, old: View, old_path: str, *, shallow: bool = False
) -> Iterator[tuple[FileInfo | None, FileInfo | None]]:
    """Pairs (new, old) of the files and directories at and below the paths that differ, in order of path.

    With `shallow`, only what lies directly in the directories is compared.
    """
    if shallow:
        return _shallow(new, new_path, old, old_path)
    return diff_filesets(old.fileset, new.fileset, paths.clean(old_path), paths.clean(new_path))


def _shallow(new: View, new_path: str, old: View, old_path: str) -> Iterator[tuple[FileInfo | None, FileInfo | None]]:
    sides = [
        {info.path[len(paths.clean(path)) :]: info for info in view.list(path)}
        for view, path in ((new, new_path), (old, old_path))
    ]
    for name in sorted(sides[0].keys() | sides[1].keys()):
        left, right = sides[0].get(name), sides[1].get(name)
        if left is None or right is None or left.hash != right.hash:
            yield left, right


def _kept_slash(path: str) -> str:
    """The clean path; a slash at its end stays, so that only a directory is meant."""
    clean = paths.clean(path)
    return clean + "/" if path.endswith("/") and clean != "/" else clean
