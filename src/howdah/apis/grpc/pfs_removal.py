# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Calls that take something out of history or out of a commit. What went is said by `howdah.v1.Lake/RemoveCommits`."""

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc import pickers, requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["RemovalCalls"]


class RemovalCalls(PfsCalls):
    """The calls of `pfs_v2.API` that squash, drop, clear and forget commits."""

    async def SquashCommitSet(self, request: pb.SquashCommitSetRequest, context: Context) -> Empty:
        """Remove the commits of a set; their data stay in their children."""

        def squash() -> Empty:
            self._catalog.removals.squash_set(requests.commit_set(request.commit_set))
            return Empty()

        return await self._bridge.unary(context, squash)

    async def DropCommitSet(self, request: pb.DropCommitSetRequest, context: Context) -> Empty:
        """Remove the commits of a set with their data."""

        def drop() -> Empty:
            self._catalog.removals.drop_set(requests.commit_set(request.commit_set))
            return Empty()

        return await self._bridge.unary(context, drop)

    async def SquashCommit(self, request: pb.SquashCommitRequest, context: Context) -> pb.SquashCommitResponse:
        """Remove one commit; its data stay in its children."""

        def squash() -> pb.SquashCommitResponse:
            self._catalog.removals.squash(requests.commit(request.commit), recursive=request.recursive)
            return pb.SquashCommitResponse()

        return await self._bridge.unary(context, squash)

    async def DropCommit(self, request: pb.DropCommitRequest, context: Context) -> pb.DropCommitResponse:
        """Remove one commit with its data."""

        def drop() -> pb.DropCommitResponse:
            self._catalog.removals.drop(requests.commit(request.commit), recursive=request.recursive)
            return pb.DropCommitResponse()

        return await self._bridge.unary(context, drop)

    async def ClearCommit(self, request: pb.ClearCommitRequest, context: Context) -> Empty:
        """Let an open commit lose what was written to it."""

        def clear() -> Empty:
            self._catalog.commits.clear(requests.commit(request.commit))
            return Empty()

        return await self._bridge.unary(context, clear)

    async def ForgetCommit(self, request: pb.ForgetCommitRequest, context: Context) -> pb.ForgetCommitResponse:
        """Give up the files of a finished commit; the commit itself stays."""

        def forget() -> pb.ForgetCommitResponse:
            self._catalog.commits.forget(pickers.commit(request.commit))
            return pb.ForgetCommitResponse()

        return await self._bridge.unary(context, forget)
