# SPDX-License-Identifier: Apache-2.0
"""The way through the server: for callers that cannot reach the object store. The other way is `direct`."""

import os
import tarfile
from collections.abc import Iterator
from functools import partial
from io import RawIOBase
from typing import TYPE_CHECKING, Any

from howdah.client import read_pfs
from howdah.client.channel import Wire
from howdah.client.sources import ranged, sendable
from howdah.client.through_writer import ThroughWriter
from howdah.client.values import FileDiff, Progress, Transferred
from howdah.client.ways import Buffer, FileContent, LocalPath, base_of
from howdah.errors import BadRequest, ErrorKind
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.refs import Commitish, File
from howdah.storage.local_files import explained
from howdah.storage.tree_get import LocalFolder
from howdah.storage.whole_files import whole_file
from howdah.wire.convert import commit_message, file_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ThroughView", "ThroughWay"]

_COPY_BYTES = 1 << 20


class ThroughWay:
    """Reads and writes by the protocol's own calls."""

    def __init__(self, wire: Wire, progress: Progress | None) -> None:
        self._wire = wire
        self._progress = progress

    def view(self, commit: Commitish) -> "ThroughView":
        """The files that the commit has at each call."""
        return ThroughView(self._wire, commit, self._progress)

    def writer(self, commit: Commitish, parallel: int) -> ThroughWriter:  # noqa: ARG002 - one stream is in order
        """A writer over one stream."""
        return ThroughWriter(self._wire, commit, self._progress)

    def diff(self, new: File, old: File | None, shallow: bool) -> Iterator[FileDiff]:
        """Compared by the server."""
        request = pb.DiffFileRequest(
            new_file=file_message(new), old_file=None if old is None else file_message(old), shallow=shallow
        )
        for pair in self._wire.stream(self._wire.pfs.DiffFile, request):
            sides = [
                read_pfs.file_info(getattr(pair, side)) if pair.HasField(side) else None
                for side in ("new_file", "old_file")
            ]
            yield FileDiff(*sides)

    def close(self) -> None:
        """Nothing: the connection is the client's."""


class ThroughView:
    """The files of a commit, asked for one call at a time."""

    def __init__(self, wire: Wire, commit: Commitish, progress: Progress | None) -> None:
        self._wire = wire
        self._commit = commit
        self._progress = progress

    def inspect(self, path: str) -> FileInfo:
        """The file or directory of that path."""
        request = pb.InspectFileRequest(file=self._file(path))
        return read_pfs.file_info(self._wire.call(self._wire.pfs.InspectFile, request))

    def list(self, path: str, after: str, number: int, reverse: bool) -> Iterator[FileInfo]:
        """What lies directly in a directory, or the file itself."""
        marker = self._file(after) if after else None
        request = pb.ListFileRequest(file=self._file(path), paginationMarker=marker, number=number, reverse=reverse)
        return map(read_pfs.file_info, self._wire.stream(self._wire.pfs.ListFile, request))

    def walk(self, path: str) -> Iterator[FileInfo]:
        """Everything at and below a path."""
        request = pb.WalkFileRequest(file=self._file(path))
        return map(read_pfs.file_info, self._wire.stream(self._wire.pfs.WalkFile, request))

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Everything that matches."""
        request = pb.GlobFileRequest(commit=commit_message(self._commit), pattern=sendable(pattern))
        return map(read_pfs.file_info, self._wire.stream(self._wire.pfs.GlobFile, request))

    def table(self, pattern: str) -> "pa.Table":
        """Everything that matches, as columns."""
        import pyarrow as pa  # noqa: PLC0415 - loaded only when a table is asked for

        from howdah.storage.listing import COLUMNS, columns  # noqa: PLC0415

        return pa.Table.from_batches([columns(list(self.glob(pattern)))], schema=COLUMNS)

    def read(self, path: str, offset: int, length: int | None) -> Iterator[Buffer]:
        """The bytes of the one file that a path or pattern means."""
        ranged(path, offset, length)
        request = pb.GetFileRequest(file=self._file(path), offset=offset)
        answers = self._wire.stream(self._wire.pfs.GetFile, request)
        # The first message is taken at once, so that a missing file is told before anything is written.
        first = next(answers, None)
        return _cut(_values(first, answers), length)

    def contents(self, path: str) -> Iterator[FileContent]:
        """Every file at or below a path or pattern, with its bytes."""
        if path.strip("/") == "" and next(self.list("/", "", 1, False), None) is None:
            return
        answers = self._wire.stream(self._wire.pfs.GetFileTAR, pb.GetFileRequest(file=self._file(path)))
        with tarfile.open(fileobj=_Stream(answers), mode="r|") as tar:
            for member in tar:
                if member.isfile():
                    source = tar.extractfile(member)
                    assert source is not None
                    yield paths.clean(member.name), member.size, iter(partial(source.read, _COPY_BYTES), b"")

    def save(self, path: str, local: LocalPath) -> int:
        """Write a file to a local path, over what is there."""
        pieces = self.read(path, 0, None)
        with whole_file(local) as place, explained(local, writing=True), open(place, "wb") as file:
            size = _copied(pieces, file, self._done)
            file.flush()
            os.fsync(file.fileno())
        self._done(0, 1)
        return size

    def save_folder(self, path: str, folder: LocalPath, overwrite: bool, parallel: int) -> Transferred:  # noqa: ARG002
        """Write all files at and below a path or pattern into a local folder, as they come on the one stream."""
        base = base_of(self, path)
        target = LocalFolder(folder, overwrite=overwrite, whole=True)
        with explained(folder):
            os.makedirs(folder, exist_ok=True)
        files = total = 0
        for name, _, pieces in self.contents(path):
            if not paths.is_under(name, base):
                text = f"the server sent {name} for {base}, which would lead out of {folder}; get the file by itself"
                raise BadRequest(ErrorKind.BAD_PATH, text)
            with (
                target.written(name[len(base.rstrip("/")) + 1 :]) as place,
                explained(place),
                open(place, "wb") as file,
            ):
                total += _copied(pieces, file, self._done)
            files += 1
            self._done(0, 1)
        return Transferred(files, total, target.replaced)

    def _file(self, path: str) -> pb.File:
        return pb.File(commit=commit_message(self._commit), path=sendable(path))

    def _done(self, size: int, files: int) -> None:
        if self._progress is not None:
            self._progress(size, files)


class _Stream(RawIOBase):
    """The bytes of a stream of messages as a file, without their number in memory."""

    def __init__(self, answers: Iterator[Any]) -> None:
        self._answers = answers
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as there is at once; 0 at the end."""
        while not self._rest:
            message = next(self._answers, None)
            if message is None:
                return 0
            self._rest = memoryview(message.value)
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _values(first: Any, answers: Iterator[Any]) -> Iterator[Buffer]:
    if first is not None:
        yield first.value
    for answer in answers:
        yield answer.value


def _cut(pieces: Iterator[Buffer], length: int | None) -> Iterator[Buffer]:
    """The first `length` bytes; the call is ended when they are there."""
    if length is None:
        yield from pieces
        return
    for piece in pieces:
        if length <= len(piece):
            yield memoryview(piece)[:length]
            return
        yield piece
        length -= len(piece)


def _copied(pieces: Iterator[Buffer], file: Any, done: Any) -> int:
    size = 0
    for piece in pieces:
        file.write(piece)
        size += len(piece)
        done(len(piece), 0)
    return size
