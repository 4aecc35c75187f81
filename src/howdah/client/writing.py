# SPDX-License-Identifier: Apache-2.0
"""What a caller writes files with: `with client.commit("images@master") as commit: commit.put(…)`."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from howdah.client.coerce import FileLike, a_file
from howdah.client.split import Split
from howdah.client.values import Transferred, Written
from howdah.client.ways import LocalPath, Source, View, Writer
from howdah.model.refs import Commitish

__all__ = ["CommitWriter"]


class CommitWriter:
    """Puts, copies and deletes, in order, that are applied together when the `with` block ends well.

    Nothing of it can be read before; a block that raises changes nothing. For one thread.
    """

    def __init__(self, writer: Writer, commit: Commitish, project: str, view: Callable[[], View]) -> None:
        self.commit = commit
        self._writer = writer
        self._view = view
        self._project = project

    def put(self, path: str, source: Source, *, append: bool = False) -> None:
        """Write a file, over what the path has or, with `append`, after it.

        `source` is the bytes, the path of a local file, an open binary file, or pieces of bytes.

        Raises:
            BadRequest: BAD_PATH.
            NotFound, Refused: the local file is missing, or may not be read.
        """
        self._writer.put(path, source, append)

    def put_files(self, files: Iterable[tuple[str, bytes]], *, append: bool = False) -> None:
        """Write many files whose bytes are at hand, as pairs of path and bytes; quickest in order of path.

        Raises:
            BadRequest: BAD_PATH.
        """
        self._writer.put_all(files, append)

    def put_folder(
        self, path: str, folder: LocalPath, *, append: bool = False, exclude: Sequence[str] = ()
    ) -> Transferred:
        """Write each file of a local folder to its place below `path`; other files there stay.

        A link to a file counts as the file; a link to a folder is left out, and so is what a pattern of `exclude`
        matches, which are read as lines of a .gitignore in the folder. What is stored already, by an earlier put or by
        one that was broken off, is not stored again.

        Raises:
            NotFound, Refused, BadRequest: a file cannot be read, or cannot be in a commit.
        """
        if not exclude:
            return self._writer.put_folder(path, folder, append, None)
        from howdah.client.excludes import excluded  # noqa: PLC0415 - few need its patterns

        return self._writer.put_folder(path, folder, append, excluded(exclude))

    def put_url(
        self, path: str, url: str, *, append: bool = False, recursive: bool = False, concurrency: int = 0
    ) -> None:
        """Have the server fetch a file from an http, https or object store URL when the write is applied.

        With `recursive` all objects under the URL go below `path`, in place of what is there, `concurrency` at a time
        (0: as many as the server likes). The write must have been opened with `modify(…, through=True)`.

        Raises:
            Unsupported: it was not, or the server fetches nothing.
        """
        self._writer.put_url(path, url, recursive, concurrency, append)

    def put_tar(self, path: str, source: Source, *, append: bool = False) -> Transferred:
        """Write each file of a tar, plain or compressed by gzip, bzip2, xz or zstd, to its place below `path`.

        The tar is read once, in order. Folders, links and devices in it are left out.

        Raises:
            BadRequest: it is no tar, is cut off, or has a path that leads out of it.
        """
        from howdah.client.untar import put_tar  # noqa: PLC0415 - few need it

        return put_tar(self._writer, path, source, append)

    def put_split(self, path: str, source: Source, split: Split, *, append: bool = False) -> Transferred:
        """Write a file as many: `path/0000000000000000` and so on, each with some of its records.

        The pieces replace whatever is at and below `path`. With `append` they come after those that are there, as
        files of their own. Equal beginnings give equal pieces, so that a line more is one new file, and for a
        pipeline one new datum. A header is in each piece.

        Raises:
            BadRequest: the bytes are not what `split` says.
        """
        from howdah.client.put_split import first_free, put_split  # noqa: PLC0415 - few need it

        first = first_free(self._view, path) if append else None
        return put_split(self._writer, path, source, split, first)

    @property
    def written(self) -> Written:
        """What was put; complete after the `with` block."""
        return self._writer.written

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
