# SPDX-License-Identifier: Apache-2.0
"""The files of one fileset as callers ask for them: by path or pattern, with the errors that they get.

The server's views of commits (`pfs.files`) and the client's (`client.direct_view`) are both such trees, so the same
question has the same answer, or the same error, whichever way it goes. Single listings are made in `listing`.
"""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.storage import listing, rows
from howdah.storage.cutting import BIG_FILE
from howdah.storage.diff import diff as diff_filesets
from howdah.storage.reader import Fileset, interval
from howdah.storage.reading import ContentReader
from howdah.storage.rows import Entry

__all__ = ["Pair", "Tree", "diff"]

_GLOB_CHARACTERS = frozenset("*?[]{}()\\")

Pair = tuple[FileInfo | None, FileInfo | None]
"""A file or directory on the new side and on the old one; None where it is missing."""


class Tree:
    """The files of a fileset. Immutable; safe for many threads.

    Paths need not be clean; patterns are those of `model.globs`. `owner` is what errors call the fileset
    ("commit …"), `place` where a missing file was looked for ("repo … at commit …"), `look` the command that shows
    what there is. Whatever reads may raise `Damaged`.
    """

    def __init__(self, fileset: Fileset, reader: ContentReader, owner: str, place: str, look: str) -> None:
        self.fileset = fileset
        self._reader = reader
        self._owner = owner
        self._place = place
        self._look = look

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path; with a slash at its end, only a directory.

        Raises:
            NotFound: FILE_NOT_FOUND: there is neither.
            BadRequest: BAD_PATH.
        """
        found = listing.inspect(self.fileset, _kept_slash(path))
        if found is None:
            raise self.missing(path)
        return found

    def list(self, path: str, *, after: str = "", number: int = 0, reverse: bool = False) -> Iterator[FileInfo]:
        """What lies directly in a directory, in order of path; of a file, the file itself.

        `after` is the path of the last entry of the page before (in reverse: everything below it comes),
        `number` the size of a page, 0 for all; a page in reverse must have one.

        Raises:
            NotFound: FILE_NOT_FOUND: the path is not there (the root always is).
            BadRequest: BAD_PATH, or BAD_ARGUMENT.
        """
        _check_page(number, reverse)
        clean = paths.clean(path)
        directory = clean if clean == "/" else clean + "/"
        found = None if clean == "/" else self.inspect(path)
        if found is not None and not found.is_dir:
            everything = iter([found] if _in_page(found.path, after, reverse) else [])
        elif reverse:
            everything = listing.children_reversed(self.fileset, directory, after)
        else:
            everything = listing.children(self.fileset, directory, after)
        return islice(everything, number) if number else everything

    def walk(self, path: str, *, after: str = "") -> Iterator[pa.RecordBatch]:
        """Columns (`listing.COLUMNS`) of everything at and below a path, itself included, depth first.

        Raises:
            NotFound: FILE_NOT_FOUND: the path is not there (the root always is).
            BadRequest: BAD_PATH.
        """
        if paths.clean(path) != "/":
            self.inspect(path)
        return listing.walk(self.fileset, _kept_slash(path), after)

    def glob(self, pattern: str, *, lower: str = "", upper: str = "") -> Iterator[pa.RecordBatch]:
        """Columns of the files and directories that match, in order; nothing if none does.

        An entry of exactly the pattern's text wins over its meaning as a pattern. `lower` (included) and
        `upper` (excluded) bound the paths.

        Raises:
            BadRequest: BAD_PATTERN, or BAD_PATH where it can only be a path.
        """
        exact = self._exact(pattern)
        found = iter([listing.columns([exact])]) if exact else listing.glob(self.fileset, Glob.parse(pattern))
        return _bounded(found, lower, upper) if lower or upper else found

    def file(self, path: str) -> Entry:
        """The one file that a path or pattern means.

        Raises:
            NotFound: FILE_NOT_FOUND: nothing has that path or matches.
            Refused: NOT_A_FILE: it is a directory, or several match.
            BadRequest: as `glob`.
        """
        infos = [info for batch in islice(self.glob(path), 2) for info in listing.infos(batch)[:2]]
        if not infos:
            raise self.missing(path)
        if len(infos) > 1:
            text = f"{self.of(path)} matched multiple files. Use GetFileTAR instead; or howdah get file -r"
            raise Refused(ErrorKind.NOT_A_FILE, text)
        if infos[0].is_dir:
            text = "cannot get directory or non-regular file. Use GetFileTAR instead; or howdah get file -r"
            raise Refused(ErrorKind.NOT_A_FILE, f"{self.of(path)}: {text}")
        return self.fileset.find(infos[0].path)[0]

    def get(self, path: str, *, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The bytes of the one file that a path or pattern means, from `offset` on; verified before they are given out.

        Raises:
            NotFound, Refused: as `file`.
            BadRequest: as `glob`, or BAD_ARGUMENT: a negative offset or length.
        """
        if offset < 0 or (length is not None and length < 0):
            text = f"offset {offset} and length {length} of {path} must not be negative"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        return self.read(self.file(path), offset, length)

    def read(self, entry: Entry, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The bytes of an entry of this tree."""
        wanted = max(0, entry.size - offset) if length is None else length
        if entry.size <= BIG_FILE and wanted:
            data = self._reader.read_small(entry.extents, entry.size, entry.hash, self.of(entry.path))
            return iter([memoryview(data)[offset : offset + wanted]])
        return self._reader.read(entry.extents, offset, wanted, self.of(entry.path))

    def files(self, path: str) -> Iterator[Entry]:
        """Every file at or below a path or pattern, in order of path, each once.

        Raises:
            NotFound: FILE_NOT_FOUND: nothing has that path or matches (the root always is there).
            BadRequest: as `glob`.
        """
        last = ""
        found = False
        for info in (info for batch in self.glob(path) for info in listing.infos(batch)):
            found = True
            if info.path == "/" or not (last and info.path.startswith(last)):
                last = info.path if info.is_dir else last
                yield from self.entries(info)
        if not found and paths.clean(path) != "/":
            raise self.missing(path)

    def entries(self, info: FileInfo) -> Iterator[Entry]:
        """The entries of a file, or of every file below a directory."""
        bounds = interval(info.path) if info.is_dir else (info.path, info.path + "\0")
        for batch in self.fileset.batches(*bounds):
            yield from rows.entries(batch)

    def missing(self, path: str) -> NotFound:
        """The error that says that nothing has that path."""
        clean = path if path.startswith("/") else "/" + path
        text = f"file {clean} not found in {self._place}; see what there is: {self._look}"
        return NotFound(ErrorKind.FILE_NOT_FOUND, text)

    def of(self, path: str) -> str:
        """What errors call the file of that path."""
        return f"file {path} of {self._owner}"

    def _exact(self, path: str) -> FileInfo | None:
        try:
            return listing.inspect(self.fileset, _kept_slash(path))
        except BadRequest:
            if not _GLOB_CHARACTERS & set(path):
                raise
            return None  # good as a pattern, perhaps: the pattern's reader will say


def diff(new: Tree, new_path: str, old: Tree, old_path: str, *, shallow: bool = False) -> Iterator[Pair]:
    """Pairs (new, old) of the files and directories at and below the paths that differ, in order of path.

    With `shallow`, only what lies directly in the directories is compared. A path that one side does not have is an
    empty directory there.
    """
    if shallow:
        return _shallow(new, new_path, old, old_path)
    return diff_filesets(old.fileset, new.fileset, paths.clean(old_path), paths.clean(new_path))


def _shallow(new: Tree, new_path: str, old: Tree, old_path: str) -> Iterator[Pair]:
    sides: list[dict[str, FileInfo]] = []
    for tree, path in ((new, new_path), (old, old_path)):
        try:
            sides.append({info.path[len(paths.clean(path)) :]: info for info in tree.list(path)})
        except NotFound:
            sides.append({})
    for name in sorted(sides[0].keys() | sides[1].keys()):
        left, right = sides[0].get(name), sides[1].get(name)
        if left is None or right is None or left.hash != right.hash:
            yield left, right


def _bounded(found: Iterator[pa.RecordBatch], lower: str, upper: str) -> Iterator[pa.RecordBatch]:
    for batch in found:
        begin, end = rows.bounds(batch, lower, upper or None)
        if begin < end:
            yield batch.slice(begin, end - begin)


def _check_page(number: int, reverse: bool) -> None:
    if reverse and not number:
        text = "a listing in reverse must be a page; give its number of files"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)


def _in_page(path: str, after: str, reverse: bool) -> bool:
    """Whether a lone entry comes in the page that begins at the marker `after`."""
    if not after:
        return True
    here, marker = path.encode(), after.encode()
    return here < marker if reverse else here > marker


def _kept_slash(path: str) -> str:
    """The clean path; a slash at its end stays, so that only a directory is meant."""
    clean = paths.clean(path)
    return clean + "/" if path.endswith("/") and clean != "/" else clean
