# SPDX-License-Identifier: Apache-2.0
"""Calls on files. Which of the two ways their bytes go is chosen here, once for each client (see `ways`)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from howdah.client.coerce import BranchLike, CommitLike, FileLike, a_commit, a_file
from howdah.client.commits import Commits
from howdah.client.searches import Searches
from howdah.client.split import Split
from howdah.client.values import FileDiff, FileVersion, Progress, Transferred
from howdah.client.ways import Buffer, FileContent, LocalPath, Source, View, Way
from howdah.client.writing import CommitWriter
from howdah.errors import ErrorKind, HowdahError, Unavailable
from howdah.model.files import FileInfo
from howdah.model.refs import File

if TYPE_CHECKING:
    import pyarrow as pa

    from howdah.client.reach import Reached

__all__ = ["Files"]


class Files(Commits, Searches):
    """Files of commits. A commit is `repo@branch`, `repo@id`, with steps, or a value of `howdah.model.refs`."""

    @contextmanager
    def commit(
        self, branch: BranchLike, *, description: str = "", progress: Progress | None = None
    ) -> Iterator[CommitWriter]:
        """Open a commit, write files into it in the `with` block, and close it.

        A block that raises closes it as a bad commit: nothing that it wrote is read, and nothing starts.

        Raises:
            NotFound: the repo.
            Refused: OUTPUT_BRANCH, or COMMIT_OPEN: the branch's head is still open.
        """
        commit = self.start_commit(branch, description=description)
        try:
            with self.modify(commit, progress=progress) as writer:
                yield writer
        except BaseException as error:
            with suppress(HowdahError):
                self.finish_commit(commit, error=f"given up by its writer: {type(error).__name__}")
            raise
        self.finish_commit(commit)

    def modify(
        self, commit: CommitLike, *, progress: Progress | None = None, parallel: int = 2, through: bool = False
    ) -> CommitWriter:
        """Write files into an open commit, or onto a branch as a commit of its own; use it in a `with` statement.

        `parallel` big files of a folder are stored at once, where bytes go directly to the store. With `through` all
        goes through the server, as it must when the server is to fetch something.

        Raises:
            NotFound: the repo or the commit.
            Refused: COMMIT_FINISHED, OUTPUT_BRANCH.
        """
        target = a_commit(commit, self.project)
        way = self._way(progress, through=through)
        return CommitWriter(way.writer(target, parallel), target, self.project, lambda: self._view(target))

    def put_file(
        self, commit: CommitLike, path: str, source: Source, *, append: bool = False, progress: Progress | None = None
    ) -> None:
        """Write one file; as `CommitWriter.put` and `modify`."""
        with self.modify(commit, progress=progress) as writer:
            writer.put(path, source, append=append)

    def put_folder(
        self,
        commit: CommitLike,
        path: str,
        folder: LocalPath,
        *,
        append: bool = False,
        exclude: Sequence[str] = (),
        progress: Progress | None = None,
        parallel: int = 2,
    ) -> Transferred:
        """Write all files of a local folder; as `CommitWriter.put_folder` and `modify`."""
        with self.modify(commit, progress=progress, parallel=parallel) as writer:
            return writer.put_folder(path, folder, append=append, exclude=exclude)

    def put_url(
        self, commit: CommitLike, path: str, url: str, *, append: bool = False, recursive: bool = False
    ) -> None:
        """Have the server fetch a file; as `CommitWriter.put_url` and `modify`."""
        with self.modify(commit, through=True) as writer:
            writer.put_url(path, url, append=append, recursive=recursive)

    def put_tar(self, commit: CommitLike, path: str, source: Source, *, append: bool = False) -> Transferred:
        """Write the files of a tar; as `CommitWriter.put_tar` and `modify`."""
        with self.modify(commit) as writer:
            return writer.put_tar(path, source, append=append)

    def put_split(
        self, commit: CommitLike, path: str, source: Source, split: Split, *, append: bool = False
    ) -> Transferred:
        """Write a file as many; as `CommitWriter.put_split` and `modify`."""
        with self.modify(commit) as writer:
            return writer.put_split(path, source, split, append=append)

    def delete_file(self, commit: CommitLike, path: str, *, recursive: bool = False) -> None:
        """Remove a file or directory; as `CommitWriter.delete` and `modify`."""
        with self.modify(commit) as writer:
            writer.delete(path, recursive=recursive)

    def copy_file(self, source: FileLike, commit: CommitLike, path: str, *, append: bool = False) -> None:
        """Copy a file or directory by reference; as `CommitWriter.copy` and `modify`."""
        with self.modify(commit) as writer:
            writer.copy(source, path, append=append)

    def inspect_file(self, commit: CommitLike, path: str) -> FileInfo:
        """The file or directory of a path. Raises NotFound."""
        return self._view(commit).inspect(path)

    def list_files(
        self, commit: CommitLike, path: str = "/", *, after: str = "", number: int = 0, reverse: bool = False
    ) -> Iterator[FileInfo]:
        """What lies directly in a directory, in order of path; of a file, the file itself.

        A page begins after the path `after` and has `number` entries, all for 0; `reverse` needs a number.

        Raises:
            NotFound: the commit or the path (the root is always there).
        """
        return self._view(commit).list(path, after, number, reverse)

    def walk_files(self, commit: CommitLike, path: str = "/") -> Iterator[FileInfo]:
        """Everything at and below a path, itself included, in order. Raises NotFound."""
        return self._view(commit).walk(path)

    def glob_files(self, commit: CommitLike, pattern: str) -> Iterator[FileInfo]:
        """Everything that matches a pattern, in order; an entry of exactly that path wins.

        Raises:
            NotFound: the commit.
            BadRequest: BAD_PATTERN.
        """
        return self._view(commit).glob(pattern)

    def glob_table(self, commit: CommitLike, pattern: str) -> "pa.Table":
        """The same as an Arrow table of path, size and hash; much quicker for very many files."""
        return self._view(commit).table(pattern)

    def diff_files(self, new: FileLike, old: FileLike | None = None, *, shallow: bool = False) -> Iterator[FileDiff]:
        """Where two places differ, in order of path; without `old`, from the same place in the parent commit.

        With `shallow` only what lies directly in the directories is compared.
        """
        before = None if old is None else self._file(old)
        return self._way(None).diff(self._file(new), before, shallow)

    def get_file(self, commit: CommitLike, path: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of a file from `offset` on, at most `length` of them.

        Raises:
            NotFound: the commit or the file.
            Refused: NOT_A_FILE: it is a directory.
            Damaged: its bytes are missing or wrong in the store.
        """
        return b"".join(self.read_file(commit, path, offset=offset, length=length))

    def read_file(
        self, commit: CommitLike, path: str, *, offset: int = 0, length: int | None = None
    ) -> Iterator[Buffer]:
        """The same in pieces, which hold little memory however large the file is."""
        return self._view(commit).read(path, offset, length)

    def save_file(self, commit: CommitLike, path: str, local: LocalPath, *, progress: Progress | None = None) -> int:
        """Write a file to a local path, over what is there; the number of its bytes. Raises as `get_file`.

        It is there whole and durably when this returns. A call that fails or is killed changes nothing.
        """
        return self._view(commit, progress).save(path, local)

    def get_folder(
        self,
        commit: CommitLike,
        path: str,
        folder: LocalPath,
        *,
        overwrite: bool = True,
        parallel: int = 2,
        progress: Progress | None = None,
    ) -> Transferred:
        """Write all files below a directory into a local folder, which is made; of a file, the file itself.

        Of a pattern, the files that match and those below directories that do, each at its place below the last
        directory before anything special. Files that are there under the same names are overwritten and counted,
        others stay; each file is there whole or not at all. `parallel` is how many are written at once where bytes come
        directly from the store.

        Raises:
            NotFound: the commit or the path (the root is always there), or nothing matches.
            AlreadyExists: a file is there, and `overwrite` is off; those before it have been written.
        """
        return self._view(commit, progress).save_folder(path, folder, overwrite, parallel)

    def read_files(self, commit: CommitLike, path: str) -> Iterator[FileContent]:
        """The path, size and bytes of every file at and below a path or pattern, in order.

        The bytes are an iterator of pieces, to be read before the next file is asked for.

        Raises:
            NotFound: the commit or the path (the root is always there), or nothing matches.
        """
        return self._view(commit).contents(path)

    def get_tar(self, commit: CommitLike, path: str, to: IO[bytes]) -> Transferred:
        """Write a tar of what `get_folder` would write, as it is read; `to` need not be able to seek.

        All files have mode 644 and the time 0, so that equal files make equal tars. Raises as `read_files`.
        """
        from howdah.client.archives import write_tar  # noqa: PLC0415 - few need it

        return write_tar(self._view(commit), path, to)

    def get_zip(self, commit: CommitLike, path: str, to: IO[bytes]) -> Transferred:
        """The same as a zip."""
        from howdah.client.archives import write_zip  # noqa: PLC0415 - few need it

        return write_zip(self._view(commit), path, to)

    def file_history(self, commit: CommitLike, path: str) -> Iterator[FileVersion]:
        """The commits that changed a file or directory, from `commit` back through its ancestors, as they are found.

        The server searches, and looks only where something may have changed; stop reading when it is enough.

        Raises:
            NotFound: the commit, or neither it nor an ancestor has the path.
        """
        from howdah.client.file_history import versions  # noqa: PLC0415 - few need it

        return versions(self, self.inspect_commit(commit), path)

    @property
    def is_direct(self) -> bool:
        """Whether bytes go to and from the object store without passing the server."""
        return self._reached() is not None

    def close(self) -> None:
        """End the connection and all threads; closing again does nothing."""
        if self._lake:
            self._lake.close()
        self._lake = None
        self._direct = False
        self._wire.close()

    def _file(self, file: FileLike) -> File:
        return a_file(file, self.project)

    def _view(self, commit: CommitLike, progress: Progress | None = None) -> View:
        return self._way(progress).view(a_commit(commit, self.project))

    def _way(self, progress: Progress | None, *, through: bool = False) -> Way:
        reached = None if through else self._reached()
        if reached is not None:
            from howdah.client.direct import DirectWay  # noqa: PLC0415 - storage is loaded only when it is used

            return DirectWay(self._wire, reached, progress)
        from howdah.client.through import ThroughWay  # noqa: PLC0415 - as above

        return ThroughWay(self._wire, progress)

    def _reached(self) -> "Reached | None":
        """The lake's store if it can be used from here; it is looked for once."""
        if self._direct is False:
            return None
        if self._lake is None:
            from howdah.client.reach import open_direct  # noqa: PLC0415 - as above

            self._lake = open_direct(self._wire)
            if self._lake is None and self._direct:
                text = f"the object store of {self.address} cannot be used from here; leave out direct=True"
                raise Unavailable(ErrorKind.UNREACHABLE, text)
            self._direct = self._lake is not None
        return self._lake
