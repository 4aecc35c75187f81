# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""File sets over `pfs_v2.API`: files that are put together first and added to a commit later.

The same file sets, by the calls of the service `storage.Fileset`, are in `storage_service`.
"""

from collections.abc import AsyncIterator, Iterator

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.apis.grpc.pfs_writes import Operations
from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Commitish
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["FileSetCalls"]


class FileSetCalls(PfsCalls):
    """The calls of `pfs_v2.API` about file sets."""

    async def CreateFileSet(
        self, messages: AsyncIterator[pb.ModifyFileRequest], context: Context
    ) -> pb.CreateFileSetResponse:
        """Make a file set of operations; all of them when the stream ends well, otherwise none."""

        def create(received: Iterator[pb.ModifyFileRequest]) -> pb.CreateFileSetResponse:
            return pb.CreateFileSetResponse(file_set_id=self._pfs.file_sets.create(Operations(received)))

        return await self._bridge.upload(context, create, messages)

    async def GetFileSet(self, request: pb.GetFileSetRequest, context: Context) -> pb.CreateFileSetResponse:
        """Make a file set of a commit's files, or of what the commit changed."""
        ref = await self._bridge.unary(context, _commit, request)
        await self._view(context, ref)  # waits while it is being closed

        def get() -> pb.CreateFileSetResponse:
            difference = request.type == pb.GetFileSetRequest.DIFF
            return pb.CreateFileSetResponse(file_set_id=self._pfs.file_sets.of_commit(ref, difference=difference))

        return await self._bridge.unary(context, get)

    async def AddFileSet(self, request: pb.AddFileSetRequest, context: Context) -> Empty:
        """Do to a commit what a file set says."""

        def add() -> Empty:
            requests.required(request, "commit")
            self._pfs.file_sets.add(requests.commit(request.commit), request.file_set_id)
            return Empty()

        return await self._bridge.unary(context, add)

    async def RenewFileSet(self, request: pb.RenewFileSetRequest, context: Context) -> Empty:
        """Let a file set live on."""

        def renew() -> Empty:
            self._pfs.file_sets.renew(request.file_set_id, request.ttl_seconds)
            return Empty()

        return await self._bridge.unary(context, renew)

    async def ComposeFileSet(self, request: pb.ComposeFileSetRequest, context: Context) -> pb.CreateFileSetResponse:
        """Make one file set of several; it is always compact."""

        def compose() -> pb.CreateFileSetResponse:
            made = self._pfs.file_sets.compose(request.file_set_ids, request.ttl_seconds)
            return pb.CreateFileSetResponse(file_set_id=made)

        return await self._bridge.unary(context, compose)

    async def ShardFileSet(self, request: pb.ShardFileSetRequest, context: Context) -> pb.ShardFileSetResponse:
        """Intervals of paths that cut a file set into parts of about equal work."""

        def shard() -> pb.ShardFileSetResponse:
            found = self._pfs.file_sets.shard(request.file_set_id, request.num_files, request.size_bytes)
            return pb.ShardFileSetResponse(shards=[pb.PathRange(lower=low, upper=high) for low, high in found])

        return await self._bridge.unary(context, shard)


def _commit(request: pb.GetFileSetRequest) -> Commitish:
    requests.required(request, "commit")
    if request.type not in pb.GetFileSetRequest.FileSetType.values():
        text = f"file set type {request.type} is unknown; use 0 (total) or 1 (diff)"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    return requests.commit(request.commit)
