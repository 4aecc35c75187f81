# SPDX-License-Identifier: Apache-2.0
"""What a caller writes files with: `with client.commit("images@master") as commit: commit.put(…)`."""

from types import TracebackType
from typing import Self

from howdah.client.coerce import FileLike, a_file
from howdah.client.values import Transferred
from howdah.client.ways import LocalPath, Source, Writer
from howdah.model.refs import Commitish

__all__ = ["CommitWriter"]


class CommitWriter:
    """Puts, copies and deletes, in order, that are applied together when the `with` block ends well.

    Nothing of it can be read before; a block that raises changes nothing. For one thread.
    """

    def __init__(self, writer: Writer, commit: Commitish, project: str) -> None:
        self.commit = commit
        self._writer = writer
        self._project = project

    def put(self, path: str, source: Source, *, append: bool = False) -> None:
        """Write a file, over what the path has or, with `append`, after it.

        `source` is the bytes, the path of a local file, an open binary file, or pieces of bytes.

        Raises:
            BadRequest: BAD_PATH.
            NotFound, Refused: the local file is missing, or may not be read.
        """
        self._writer.put(path, source, append)

    def put_folder(self, path: str, folder: LocalPath, *, append: bool = False) -> Transferred:
        """Write each file of a local folder to its place below `path`; other files there stay.

        A link to a file counts as the file; a link to a folder is left out. Unchanged files store nothing.

        Raises:
            NotFound, Refused, BadRequest: a file cannot be read, or cannot be in a commit.
        """
        return self._writer.put_folder(path, folder, append)

    def delete(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file; with `recursive`, or for a path that ends in a slash, everything below a directory.

        What is not there is no error.
        """
        self._writer.delete(path + "/" if recursive and not path.endswith("/") else path)

    def copy(self, source: FileLike, path: str, *, append: bool = False) -> None:
        """Give `path` the file or directory `source` of any commit that can be read; no bytes move.

        Raises:
            NotFound: there is no such commit or file.
        """
        self._writer.copy(a_file(source, self._project), path, append)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._writer.finish()
                return
            except BaseException:
                self._writer.close()
                raise
        self._writer.close()
