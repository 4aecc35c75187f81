# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`storage.Fileset`: the file sets of `pfs_v2` by another service's calls, and reading them by references."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import BytesValue

from howdah.apis.grpc.bridge import Bridge, Context
from howdah.apis.grpc.cdr import References
from howdah.apis.grpc.options import STREAM_PAYLOAD_BYTES
from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import DEFAULT_PROJECT, FILESETS_REPO
from howdah.model.refs import Commit, File, Repo
from howdah.model.texts import one_line
from howdah.pfs.files import View
from howdah.pfs.lake import Pfs
from howdah.pfs.writes import Copy, Delete, Operation, Put
from howdah.storage import rows
from howdah.storage.rows import Entry
from howdah.wire.stubs import storage_pb2 as pb

__all__ = ["StorageService"]

_FILE_SETS = Repo(DEFAULT_PROJECT, FILESETS_REPO)

M = TypeVar("M")


class StorageService:
    """The servicer of `storage.Fileset`."""

    def __init__(self, bridge: Bridge, pfs: Pfs, references: References) -> None:
        self._bridge = bridge
        self._pfs = pfs
        self._references = references

    async def CreateFileset(
        self, messages: AsyncIterator[pb.CreateFilesetRequest], context: Context
    ) -> pb.CreateFilesetResponse:
        """Make a file set of operations; all of them when the stream ends well, otherwise none."""

        def create(received: Iterator[pb.CreateFilesetRequest]) -> pb.CreateFilesetResponse:
            return pb.CreateFilesetResponse(fileset_id=self._pfs.file_sets.create(_Operations(received)))

        return await self._bridge.upload(context, create, messages)

    async def ReadFileset(self, request: pb.ReadFilesetRequest, context: Context) -> None:
        """The files that pass the filters, in pieces; with `empty_files` their paths alone."""

        def pieces(view: View, entry: Entry) -> Iterator[pb.ReadFilesetResponse]:
            if request.empty_files:
                yield pb.ReadFilesetResponse(path=entry.path)
                return
            sent = False
            for piece in view.read(entry):
                for at in range(0, len(piece), STREAM_PAYLOAD_BYTES):
                    data = BytesValue(value=bytes(piece[at : at + STREAM_PAYLOAD_BYTES]))
                    yield pb.ReadFilesetResponse(path=entry.path, data=data)
                    sent = True
            if not sent:
                yield pb.ReadFilesetResponse(path=entry.path, data=BytesValue())

        await self._bridge.stream(context, lambda: self._read(request, pieces))

    async def ReadFilesetCDR(self, request: pb.ReadFilesetRequest, context: Context) -> None:
        """The files that pass the filters, as references by which the client gets their bytes itself."""

        def reference(view: View, entry: Entry) -> Iterator[pb.ReadFilesetCDRResponse]:
            yield pb.ReadFilesetCDRResponse(path=entry.path, ref=self._references.to(entry, view.of(entry.path)))

        await self._bridge.stream(context, lambda: self._read(request, reference))

    async def RenewFileset(self, request: pb.RenewFilesetRequest, context: Context) -> Empty:
        """Let a file set live on."""

        def renew() -> Empty:
            self._pfs.file_sets.renew(request.fileset_id, request.ttl_seconds)
            return Empty()

        return await self._bridge.unary(context, renew)

    async def ComposeFileset(self, request: pb.ComposeFilesetRequest, context: Context) -> pb.ComposeFilesetResponse:
        """Make one file set of several."""

        def compose() -> pb.ComposeFilesetResponse:
            made = self._pfs.file_sets.compose(request.fileset_ids, request.ttl_seconds)
            return pb.ComposeFilesetResponse(fileset_id=made)

        return await self._bridge.unary(context, compose)

    async def ShardFileset(self, request: pb.ShardFilesetRequest, context: Context) -> pb.ShardFilesetResponse:
        """Intervals of paths that cut a file set into parts of about equal work."""

        def shard() -> pb.ShardFilesetResponse:
            found = self._pfs.file_sets.shard(request.fileset_id, request.num_files, request.size_bytes)
            return pb.ShardFilesetResponse(shards=[pb.PathRange(lower=low, upper=high) for low, high in found])

        return await self._bridge.unary(context, shard)

    def _read(self, request: pb.ReadFilesetRequest, answer: Callable[[View, Entry], Iterator[M]]) -> Iterator[M]:
        view = self._pfs.files.view(Commit(_FILE_SETS, request.fileset_id))
        lower, upper, patterns = _filters(request)
        for batch in view.fileset.batches(lower, upper):
            for entry in rows.entries(_matching(batch, patterns)):
                yield from answer(view, entry)


class _Operations(Iterator[Operation]):
    """The operations that messages mean; pieces of one file that follow each other become one put."""

    def __init__(self, messages: Iterator[pb.CreateFilesetRequest]) -> None:
        self._messages = messages
        # The message that ended the last put, and so belongs to the next operation.
        self._next: pb.CreateFilesetRequest | None = None

    def __next__(self) -> Operation:
        message = self._next or next(self._messages)
        self._next = None
        match message.WhichOneof("modification"):
            case "append_file":
                return Put(message.append_file.path, self._pieces(message.append_file), append=True)
            case "delete_file":
                return Delete(message.delete_file.path)
            case "copy_file":
                copy = message.copy_file
                return Copy(File(Commit(_FILE_SETS, copy.fileset_id), copy.src), copy.dst)
            case _:
                text = "a message of the stream says nothing; send append_file, delete_file or copy_file"
                raise BadRequest(ErrorKind.BAD_ARGUMENT, text)

    def _pieces(self, first: pb.AppendFile) -> Iterator[bytes]:
        yield first.data.value
        for message in self._messages:
            if message.WhichOneof("modification") != "append_file" or message.append_file.path != first.path:
                self._next = message
                return
            yield message.append_file.data.value


def _filters(request: pb.ReadFilesetRequest) -> tuple[str, str | None, list[str]]:
    """The interval of paths and the regular expressions that a file must pass; all filters count."""
    lower, uppers, patterns = "", [], []
    for each in request.filters:
        if each.WhichOneof("filter") == "path_regex":
            patterns.append(each.path_regex)
            _matching(rows.EMPTY, patterns[-1:])
        else:
            lower = max(lower, each.path_range.lower, key=str.encode)
            uppers += [each.path_range.upper] if each.path_range.upper else []
    return lower, min(uppers, key=str.encode, default=None), patterns


def _matching(batch: pa.RecordBatch, patterns: list[str]) -> pa.RecordBatch:
    """The rows whose path contains a match of every expression."""
    for pattern in patterns:
        try:
            batch = batch.filter(pc.match_substring_regex(batch.column(0), pattern))
        except pa.ArrowInvalid as error:
            text = (
                f"path_regex ({one_line(pattern)}) cannot be understood ({one_line(str(error))}); write it as RE2 does"
            )
            raise BadRequest(ErrorKind.BAD_PATTERN, text) from error
    return batch
