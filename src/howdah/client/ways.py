# SPDX-License-Identifier: Apache-2.0
"""The two ways of a file's bytes: through the server, or directly between the caller and the object store.

Both do the same things and give the same answers; `howdah.client.files` chooses one for each client and
hides it. `through` is the first, `direct` the second; both are loaded only when a file is touched.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, SupportsIndex

from howdah.client.values import FileDiff, Transferred, Written
from howdah.errors import BadRequest, NotFound
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.model.refs import Commitish, File

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Buffer",
    "Excluded",
    "FileContent",
    "Inspectable",
    "LocalPath",
    "Readable",
    "Source",
    "View",
    "Way",
    "Writer",
    "base_of",
]

Buffer = bytes | bytearray | memoryview
LocalPath = str | os.PathLike[str]

Excluded = Callable[[str], bool]
"""Whether a path below a local folder is left out; a folder's ends in a slash."""

FileContent = tuple[str, int, Iterator[Buffer]]
"""A file's path, its size, and its bytes in pieces, which are read before the next file is asked for."""


class Readable(Protocol):
    """An open binary file, or anything that is read like one."""

    def read(self, size: SupportsIndex, /) -> bytes:
        """At most `size` bytes; none at the end."""


Source = Buffer | LocalPath | Readable | Iterable[Buffer]
"""What a file is made of: its bytes, the path of a local file, an open binary file, or pieces of its bytes."""


class Inspectable(Protocol):
    """What tells files from directories."""

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path. Raises NotFound."""


class View(Protocol):
    """The files of one commit. Paths need not be clean."""

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path. Raises NotFound."""

    def list(self, path: str, after: str, number: int, reverse: bool) -> Iterator[FileInfo]:
        """What lies directly in a directory; of a file, the file itself. Raises NotFound."""

    def walk(self, path: str) -> Iterator[FileInfo]:
        """Everything at and below a path, itself included. Raises NotFound."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Everything that matches. Raises BadRequest."""

    def table(self, pattern: str) -> "pa.Table":
        """The same as columns: path, size, hash."""

    def read(self, path: str, offset: int, length: int | None) -> Iterator[Buffer]:
        """The bytes of a file. Raises NotFound, Refused."""

    def contents(self, path: str) -> Iterator[FileContent]:
        """Every file at or below a path or pattern, with its bytes. Raises NotFound."""

    def save(self, path: str, local: LocalPath) -> int:
        """Write a file to a local path, durably; the number of its bytes."""

    def save_folder(self, path: str, folder: LocalPath, overwrite: bool, parallel: int) -> Transferred:
        """Write all files at and below a path or pattern into a local folder."""


def base_of(view: "Inspectable", path: str) -> str:
    """The directory that the files of a path or pattern are told apart from: what a local folder stands for.

    Of a directory itself, of a file the one that it is in, of a pattern the last before anything special.

    Raises:
        NotFound: nothing has that path, which is no pattern.
    """
    if path.strip("/") == "":
        return "/"
    try:
        found = view.inspect(path)
    except (NotFound, BadRequest):
        glob = Glob.parse(path)
        if glob.literal is not None:
            raise
        return glob.prefix.rpartition("/")[0] or "/"
    return found.path.rstrip("/") if found.is_dir else paths.parent(found.path)


class Writer(Protocol):
    """Operations on the files of one target, in order; all of them are applied by `finish`, or none."""

    def put(self, path: str, source: Source, append: bool) -> None:
        """Write a file."""

    @property
    def written(self) -> Written:
        """What was put, when it is finished."""

    def put_all(self, files: Iterable[tuple[str, bytes]], append: bool) -> None:
        """Write many files whose bytes are at hand."""

    def put_folder(self, path: str, folder: LocalPath, append: bool, excluded: Excluded | None) -> Transferred:
        """Write every file of a local folder below `path`."""

    def put_url(self, path: str, url: str, recursive: bool, concurrency: int, append: bool) -> None:
        """Let the server fetch a file. Raises Unsupported beside the server."""

    def delete(self, path: str) -> None:
        """Remove a file or, if the path ends in a slash, a directory."""

    def copy(self, source: File, path: str, append: bool) -> None:
        """Copy a file or directory by reference."""

    def finish(self) -> None:
        """Apply everything. When this returns it is durable."""

    def close(self) -> None:
        """Give up what was not finished; closing again does nothing."""


class Way(Protocol):
    """One of the two ways."""

    def view(self, commit: Commitish) -> View:
        """The files of a commit."""

    def writer(self, commit: Commitish, parallel: int) -> Writer:
        """A writer into an open commit, or onto a branch, which stores so many big files at once if it can."""

    def diff(self, new: File, old: File | None, shallow: bool) -> Iterator[FileDiff]:
        """Where two places differ; without `old`, from the same path in the parent commit."""

    def close(self) -> None:
        """End what this way holds open."""
