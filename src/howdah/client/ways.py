# SPDX-License-Identifier: Apache-2.0
"""The two ways of a file's bytes: through the server, or directly between the caller and the object store.

Both do the same things and give the same answers; `howdah.client.files` chooses one for each client and
hides it. `through` is the first, `direct` the second; both are loaded only when a file is touched.
"""

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, SupportsIndex

from howdah.client.values import FileDiff, Transferred
from howdah.model.files import FileInfo
from howdah.model.refs import Commitish, File

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Buffer", "LocalPath", "Readable", "Source", "View", "Way", "Writer"]

Buffer = bytes | bytearray | memoryview
LocalPath = str | os.PathLike[str]


class Readable(Protocol):
    """An open binary file, or anything that is read like one."""

    def read(self, size: SupportsIndex, /) -> bytes:
        """At most `size` bytes; none at the end."""


Source = Buffer | LocalPath | Readable | Iterable[Buffer]
"""What a file is made of: its bytes, the path of a local file, an open binary file, or pieces of its bytes."""


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

    def save(self, path: str, local: LocalPath) -> int:
        """Write a file to a local path, durably; the number of its bytes."""

    def save_folder(self, path: str, folder: LocalPath) -> Transferred:
        """Write all files below a directory into a local folder."""


class Writer(Protocol):
    """Operations on the files of one target, in order; all of them are applied by `finish`, or none."""

    def put(self, path: str, source: Source, append: bool) -> None:
        """Write a file."""

    def put_folder(self, path: str, folder: LocalPath, append: bool) -> Transferred:
        """Write every file of a local folder below `path`."""

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

    def writer(self, commit: Commitish) -> Writer:
        """A writer into an open commit, or onto a branch."""

    def diff(self, new: File, old: File | None, shallow: bool) -> Iterator[FileDiff]:
        """Where two places differ; without `old`, from the same path in the parent commit."""

    def close(self) -> None:
        """End what this way holds open."""
