# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Reading files over gRPC. Each call reads one view of its commit, whatever happens to the commit meanwhile.

Messages are made and serialised in the thread that reads, many for each crossing to the loop (see `bridge`).
How a folder becomes a tar stream is in `tar`.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

import pyarrow as pa

from howdah.apis.grpc import answers, requests
from howdah.apis.grpc.answers import FileMessages
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.options import STREAM_PAYLOAD_BYTES
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.apis.grpc.register import bytes_value
from howdah.apis.grpc.tar import bounded, tar_stream
from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model.files import FileInfo
from howdah.model.refs import Commit
from howdah.pfs.exports import export
from howdah.pfs.files import View
from howdah.storage import listing, rows
from howdah.storage.rows import Entry
from howdah.storage.tree import diff
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["ReadCalls"]

_PAGE_MAX: Final = 100_000


class ReadCalls(PfsCalls):
    """The calls of `pfs_v2.API` that read files."""

    async def InspectFile(self, request: pb.InspectFileRequest, context: Context) -> pb.FileInfo:
        """One file or directory."""
        view, path = await self._file(context, request.file)
        return await self._bridge.unary(context, lambda: _messages(view).one(view.inspect(path)))

    async def ListFile(self, request: pb.ListFileRequest, context: Context) -> None:
        """What lies directly in a directory, page by page if asked."""
        view, path = await self._file(context, request.file)

        def infos() -> Iterator[bytes]:
            number, after = _page(request), request.paginationMarker.path
            return _messages(view).of_infos(view.list(path, after=after, number=number, reverse=request.reverse))

        await self._bridge.stream(context, infos)

    async def WalkFile(self, request: pb.WalkFileRequest, context: Context) -> None:
        """Everything at and below a path, depth first, page by page if asked."""
        view, path = await self._file(context, request.file)

        def infos() -> Iterator[bytes]:
            number, marker = _page(request), request.paginationMarker.path
            if request.reverse:
                return _messages(view).of_infos(_last(view.walk(path), number, marker))
            return _messages(view).of_batches(_first(view.walk(path, after=marker), number))

        await self._bridge.stream(context, infos)

    async def GlobFile(self, request: pb.GlobFileRequest, context: Context) -> None:
        """The files and directories that match a pattern."""
        view = await self._view(context, await self._bridge.unary(context, requests.commit, request.commit))
        bounds = request.path_range

        def infos() -> Iterator[bytes]:
            found = view.glob(request.pattern, lower=bounds.lower, upper=bounds.upper)
            return _messages(view).of_batches(found)

        await self._bridge.stream(context, infos)

    async def DiffFile(self, request: pb.DiffFileRequest, context: Context) -> None:
        """What differs between two paths; without an old one, from the parent commit."""
        new, path = await self._file(context, request.new_file)
        if request.HasField("old_file"):
            old, old_path = await self._file(context, request.old_file)
        else:
            parent = await self._bridge.unary(context, self._parent, new.commit)
            old_path = path
            old = self._empty(new) if parent is None else await self._view(context, parent)
        await self._bridge.stream(context, lambda: _differences(new, path, old, old_path, request.shallow))

    async def GetFile(self, request: pb.GetFileRequest, context: Context) -> None:
        """The bytes of one file; of an empty one a single empty message. With a URL they go there instead."""
        await self._bridge.unary(context, _check_get, request)
        view, path = await self._file(context, request.file)
        if request.URL:
            await self._bridge.stream(context, lambda: _exported(view, [view.file(path)], request.URL))
            return

        def messages() -> Iterator[bytes]:
            pieces = view.get(path, offset=request.offset)
            first = next(pieces, memoryview(b""))
            for piece in chain((first,), pieces):
                for start in range(0, max(len(piece), 1), STREAM_PAYLOAD_BYTES):
                    yield bytes_value(piece[start : start + STREAM_PAYLOAD_BYTES])

        await self._bridge.stream(context, messages)

    async def GetFileTAR(self, request: pb.GetFileRequest, context: Context) -> None:
        """Everything at and below what a path or pattern means, as one tar. With a URL the files go there instead."""
        await self._bridge.unary(context, _check_get, request)
        view, path = await self._file(context, request.file)
        bounds = request.path_range
        if request.URL:
            files = bounded(view.files(path), bounds.lower, bounds.upper)
            await self._bridge.stream(context, lambda: _exported(view, files, request.URL))
            return

        def messages() -> Iterator[bytes]:
            return map(bytes_value, tar_stream(view, path, lower=bounds.lower, upper=bounds.upper))

        await self._bridge.stream(context, messages)

    async def Egress(self, request: pb.EgressRequest, context: Context) -> pb.EgressResponse:
        """Write all files of a commit to an object store; the number of their bytes."""
        await self._bridge.unary(context, _check_egress, request)
        view = await self._view(context, await self._bridge.unary(context, requests.commit, request.commit))

        def egress() -> pb.EgressResponse:
            written = export(view, view.files("/"), request.object_storage.url)
            return pb.EgressResponse(object_storage=pb.EgressResponse.ObjectStorageResult(bytes_written=written))

        return await self._bridge.unary(context, egress)

    async def _file(self, context: Context, message: pb.File) -> tuple[View, str]:
        """The view that a file of a request is in, and its path."""
        file = await self._bridge.unary(context, requests.file, message)
        return await self._view(context, file.commit), file.path

    def _parent(self, commit: Commit) -> Commit | None:
        return self._catalog.commits.inspect(commit).parent

    def _empty(self, new: View) -> View:
        """What the first commit of a branch is compared with: no file at all."""
        return View(
            new.commit, None, self._pfs.storage.fileset(None, f"nothing before commit {new.commit}"), new.storage
        )


def _messages(view: View) -> FileMessages:
    return FileMessages(view.commit, view.committed)


def _page(request: pb.ListFileRequest | pb.WalkFileRequest) -> int:
    """The size of the page asked for, 0 for all."""
    number = request.number
    if not 0 <= number <= _PAGE_MAX:
        raise _bad(f"a page of {number} files cannot be asked for; use 0 (all) to {_PAGE_MAX}")
    if request.reverse and number == 0:
        raise _bad("a listing in reverse must be a page; give its number of files")
    return number


def _exported(view: View, files: Iterable[Entry], url: str) -> Iterator[bytes]:
    """Write the files to the address; nothing is sent."""
    export(view, files, url)
    yield from ()


def _check_get(request: pb.GetFileRequest) -> None:
    if request.offset < 0:
        raise _bad(f"offset {request.offset} lies before the file; use 0 or more")


def _check_egress(request: pb.EgressRequest) -> None:
    requests.required(request, "commit")
    if request.WhichOneof("target") == "sql_database":
        text = "this server does not write to databases; get the files and load them there yourself"
        raise Unsupported(ErrorKind.UNSUPPORTED, text)
    requests.required(request, "object_storage")


def _first(batches: Iterator[pa.RecordBatch], number: int) -> Iterator[pa.RecordBatch]:
    """The first `number` rows, or all for 0."""
    left = number
    for batch in batches:
        yield batch.slice(0, left) if number else batch
        left -= batch.num_rows
        if number and left <= 0:
            return


def _last(batches: Iterator[pa.RecordBatch], number: int, marker: str) -> Iterator[FileInfo]:
    """The last `number` rows before the path `marker` (empty: before the end), the last of them first."""
    kept: deque[pa.RecordBatch] = deque()
    count = 0
    for batch in batches:
        before = batch.slice(0, rows.bounds(batch, "", marker)[1]) if marker else batch
        kept.append(before)
        count += before.num_rows
        while count - kept[0].num_rows >= number:
            count -= kept.popleft().num_rows
        if before.num_rows < batch.num_rows:
            break
    return islice((info for batch in reversed(kept) for info in reversed(listing.infos(batch))), number)


def _differences(new: View, new_path: str, old: View, old_path: str, shallow: bool) -> Iterator[pb.DiffFileResponse]:
    ours, theirs = answers.FileMessages(new.commit, new.committed), answers.FileMessages(old.commit, old.committed)
    for left, right in diff(new, new_path, old, old_path, shallow=shallow):
        yield pb.DiffFileResponse(
            new_file=None if left is None else ours.one(left), old_file=None if right is None else theirs.one(right)
        )


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)
