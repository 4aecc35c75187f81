# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802, ARG002 - methods have the protocol's names and arguments
"""Calls of `pfs_v2.API` about all of it: what projects hold, what is being worked on, and its authentication."""

from collections.abc import Iterator
from typing import NoReturn

from howdah.apis.grpc import pickers
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.apis.protocol import NO_AUTH
from howdah.errors import ErrorKind, Unsupported
from howdah.model.names import USER
from howdah.wire.convert import project_message
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import taskapi_pb2

__all__ = ["WholeCalls"]


class WholeCalls(PfsCalls):
    """The calls of `pfs_v2.API` that are about no repo, branch or commit."""

    async def ReposSummary(self, request: pb.ReposSummaryRequest, context: Context) -> pb.ReposSummaryResponse:
        """How many repos of users there are in some projects, or in all, and how big they are together."""

        def summaries() -> pb.ReposSummaryResponse:
            return pb.ReposSummaryResponse(summaries=map(self._summary, self._named(request)))

        return await self._bridge.unary(context, summaries)

    async def ListTask(self, request: taskapi_pb2.ListTaskRequest, context: Context) -> None:
        """Nothing: commits are merged by whoever finishes them, and no such work waits in a queue."""

    async def ActivateAuth(self, request: pb.ActivateAuthRequest, context: Context) -> pb.ActivateAuthResponse:
        """Refused: there is no authentication that repos could take part in."""

        def refuse() -> NoReturn:
            raise Unsupported(ErrorKind.UNSUPPORTED, NO_AUTH)

        return await self._bridge.unary(context, refuse)

    def _named(self, request: pb.ReposSummaryRequest) -> Iterator[str]:
        """The projects that are meant; each is there."""
        if request.projects:
            return (self._catalog.projects.inspect(pickers.project(each)).name for each in request.projects)
        return (info.name for info in self._catalog.projects.list())

    def _summary(self, project: str) -> pb.ReposSummary:
        count = size = 0
        for info in self._catalog.repos.list(USER, [project]):
            count += 1
            size += info.size_bytes
        return pb.ReposSummary(project=project_message(project), user_repo_count=count, size_bytes=size)
