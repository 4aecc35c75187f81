# SPDX-License-Identifier: Apache-2.0
"""The direct way: files are cut, hashed, stored and read here, beside the object store.

The server gives a commit's root to read, and takes a small change when all that it refers to is durable. This
way is open when the store that the server names can be reached from here, is the same lake, and may be
written (`reach`). The other way is `through`. What opens filesets loads Arrow, so it is loaded when it is called for.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from howdah.client import read_pfs
from howdah.client.channel import Wire
from howdah.client.light_writer import LightWriter
from howdah.client.one_file import OneFile, open_file
from howdah.client.reach import Reached
from howdah.client.values import FileDiff, Progress, Transferred
from howdah.client.ways import Buffer, FileContent, LocalPath
from howdah.client.write_session import WriteSession
from howdah.model.files import FileInfo
from howdah.model.refs import Commit, Commitish, File
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pfs

if TYPE_CHECKING:
    import pyarrow as pa

    from howdah.client.direct_view import DirectView
    from howdah.client.direct_writer import DirectWriter

__all__ = ["DirectWay"]


class DirectWay:
    """Reads and writes at the store."""

    def __init__(self, wire: Wire, reached: Reached, progress: Progress | None) -> None:
        self._wire = wire
        self._reached = reached
        self._progress = progress

    def view(self, commit: Commitish) -> "OpeningView":
        """The files of a commit."""
        return OpeningView(self, commit)

    def writer(self, commit: Commitish, parallel: int) -> LightWriter:
        """A writer with a lease of its own."""
        session = WriteSession(self._wire, self._reached.store, commit, self._progress, parallel)
        return LightWriter(session, lambda: self._full_writer(session))

    def diff(self, new: File, old: File | None, shallow: bool) -> Iterator[FileDiff]:
        """Compared here, by digests."""
        from howdah.storage.tree import diff  # noqa: PLC0415 - Arrow is loaded only when it is used

        view = self.fileset(new.commit)
        before = self._parent(view.commit) if old is None else self.fileset(old.commit)
        pairs = diff(view.tree, new.path, before.tree, (old or new).path, shallow=shallow)
        return (FileDiff(*pair) for pair in pairs)

    def close(self) -> None:
        """Nothing: the store is shared with the client's other calls."""

    def fileset(self, commit: Commitish) -> "DirectView":
        """All files that the commit has now."""
        request = hd.OpenFilesetRequest(commit=commit_message(commit))
        answer = self._wire.call(self._wire.lake.OpenFileset, request)
        return self._view(read_pfs.commit(answer.commit), answer.root)

    def file(self, commit: Commitish, path: str) -> OneFile:
        """One file that the commit has now."""
        return open_file(self._wire, self._reached.reader, commit, path)

    @property
    def progress(self) -> Progress | None:
        """Who is told what is done."""
        return self._progress

    def _parent(self, commit: Commit) -> "DirectView":
        request = pfs.InspectCommitRequest(commit=commit_message(commit))
        info = read_pfs.commit_info(self._wire.call(self._wire.pfs.InspectCommit, request))
        return self._view(commit, b"") if info.parent is None else self.fileset(info.parent)

    def _view(self, commit: Commit, root: bytes) -> "DirectView":
        from howdah.client.direct_view import DirectView  # noqa: PLC0415 - as above

        storage = self._reached.storage
        return DirectView(commit, storage.fileset(root or None, f"commit {commit}"), storage, self._progress)

    def _full_writer(self, session: WriteSession) -> "DirectWriter":
        from howdah.client.direct_writer import DirectWriter  # noqa: PLC0415 - as above

        return DirectWriter(session, self._reached.storage, self.fileset)


class OpeningView:
    """The files of a commit: one file is opened for itself, anything else opens all, once."""

    def __init__(self, way: DirectWay, commit: Commitish) -> None:
        self._way = way
        self._commit = commit

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path."""
        return self._all.inspect(path)

    def list(self, path: str, after: str, number: int, reverse: bool) -> Iterator[FileInfo]:
        """What lies directly in a directory, or the file itself."""
        return self._all.list(path, after, number, reverse)

    def walk(self, path: str) -> Iterator[FileInfo]:
        """Everything at and below a path."""
        return self._all.walk(path)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Everything that matches."""
        return self._all.glob(pattern)

    def table(self, pattern: str) -> "pa.Table":
        """Everything that matches, as columns."""
        return self._all.table(pattern)

    def contents(self, path: str) -> Iterator[FileContent]:
        """Every file at or below a path or pattern, with its bytes."""
        return self._all.contents(path)

    def read(self, path: str, offset: int, length: int | None) -> Iterator[Buffer]:
        """The verified bytes of the one file that a path or pattern means."""
        return self._way.file(self._commit, path).read(offset, length)

    def save(self, path: str, local: LocalPath) -> int:
        """Write a file to a local path, over what is there."""
        return self._way.file(self._commit, path).save(local, self._way.progress)

    def save_folder(self, path: str, folder: LocalPath, overwrite: bool, parallel: int) -> Transferred:
        """Write all files at and below a path or pattern into a local folder."""
        return self._all.save_folder(path, folder, overwrite, parallel)

    @cached_property
    def _all(self) -> "DirectView":
        return self._way.fileset(self._commit)
