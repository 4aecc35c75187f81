# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Logs by `pps_v2.API`: what user code printed, and what workers and the scheduler have to say.

There is one kind of log here, kept in the lake; `logs_service` has the younger calls for it. The protocol's calls
for the logs of a cluster (its events, its own log store, its tasks) answer an empty stream, which clients take as
"nothing to tell".
"""

from collections.abc import Iterator

from howdah.apis.grpc import log_requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.log_answers import dropped_pps, follower, in_pps
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.pps.log_reader import FoundLines
from howdah.wire.stubs import pps_v2_pb2 as pb
from howdah.wire.stubs import taskapi_pb2

__all__ = ["LogCalls"]


class LogCalls(PpsCalls):
    """The calls of `pps_v2.API` about logs."""

    async def GetLogs(self, request: pb.GetLogsRequest, context: Context) -> None:
        """The lines of a pipeline, a job, a datum or the server, oldest first; with `follow` also those that come."""

        def find() -> FoundLines:
            return self._pps.logs.find(log_requests.of_pps(request, self._clock.now()))

        found = await self._bridge.unary(context, find)
        if request.follow:
            past = _past(found, request.tail)
            await self._bridge.follow(context, [found.subject], follower(found, past, in_pps), found.place)
        else:
            await self._bridge.stream(context, lambda: _past(found, request.tail))

    async def GetKubeEvents(self, request: pb.LokiRequest, context: Context) -> None:
        """Nothing: there is no cluster."""

    async def QueryLoki(self, request: pb.LokiRequest, context: Context) -> None:
        """Nothing: there is no other store of logs."""

    async def ListTask(self, request: taskapi_pb2.ListTaskRequest, context: Context) -> None:
        """Nothing: work is given out as datum sets, which belong to jobs."""


def _past(found: FoundLines, tail: int) -> Iterator[pb.LogMessage]:
    """The lines that are there; before them, unless only the last were asked for, what is not there any more."""
    if tail:
        yield from map(in_pps, found.tail(tail))
        return
    if found.dropped is not None:
        yield dropped_pps(found.dropped)
    yield from map(in_pps, found.lines())
