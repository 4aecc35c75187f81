# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Logs over gRPC: what user code printed, and what workers and the scheduler have to say.

There is one kind of log here, kept in the lake. The protocol's calls for the logs of a cluster (its events, its own
log store, its tasks) answer an empty stream, which clients take as "nothing to tell".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from howdah.apis.grpc import pps_answers, pps_requests
from howdah.apis.grpc.bridge import Context, Page
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model.refs import Job, Pipeline
from howdah.pps.infos import LogLine
from howdah.pps.logs import Logs
from howdah.pps.subjects import logs_subject, pipeline_subject
from howdah.wire.stubs import pps_v2_pb2 as pb
from howdah.wire.stubs import taskapi_pb2

__all__ = ["LogCalls"]

# How far back lines are given when the request does not say.
SINCE: Final = timedelta(hours=24)
# Lines after which one read of a followed log sends what it has.
PAGE_LINES: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which lines: of a pipeline, of one of its jobs or of a datum; the scheduler's (`master`) or all others."""

    pipeline: Pipeline
    job: Job | None
    datum: str
    master: bool
    since: datetime

    @property
    def subject(self) -> str:
        """What is told of when there are more."""
        return pipeline_subject(self.pipeline) if self.job is None else logs_subject(self.job)

    def tail(self, logs: Logs, number: int) -> tuple[int, list[LogLine]]:
        """The last `number` of the lines, and where to read on after them."""
        asked = number
        while True:
            newest, lines = logs.tail(asked, pipeline=self._whole, job=self.job, datum=self.datum)
            found = [line for line in lines if self._is_wanted(line)]
            if len(found) >= number or len(lines) < asked:
                return newest, found[-number:]
            asked *= 4

    def read(self, logs: Logs, after: int) -> Iterator[tuple[int, list[LogLine]]]:
        """The lines behind a place, in chunks, each with its own place."""
        chunks = logs.read(pipeline=self._whole, job=self.job, datum=self.datum, since=self.since, after=after)
        return ((place, [line for line in lines if self._is_wanted(line)]) for place, lines in chunks)

    def messages(self, lines: Iterable[LogLine]) -> list[pb.LogMessage]:
        """The lines as they are sent."""
        return [pps_answers.log_message(line, self.pipeline) for line in lines]

    @property
    def _whole(self) -> Pipeline | None:
        return self.pipeline if self.job is None else None

    def _is_wanted(self, line: LogLine) -> bool:
        return pps_answers.is_masters(line) == self.master and line.at >= self.since


class LogCalls(PpsCalls):
    """The calls of `pps_v2.API` about logs."""

    async def GetLogs(self, request: pb.GetLogsRequest, context: Context) -> None:
        """The lines of a pipeline, a job or a datum, oldest first; with `follow` also those that come. Endless then."""
        wanted = await self._bridge.unary(context, self._wanted, request)
        if not request.follow:
            await self._bridge.stream(context, lambda: self._lines(wanted, request.tail))
            return

        def read(place: int | None) -> Page[pb.LogMessage, int | None]:
            if place is None and request.tail:
                newest, lines = wanted.tail(self._pps.logs, request.tail)
                return Page(wanted.messages(lines), newest)
            messages: list[pb.LogMessage] = []
            for after, lines in wanted.read(self._pps.logs, place or 0):
                place = after
                messages += wanted.messages(lines)
                if len(messages) >= PAGE_LINES:
                    break
            return Page(messages, place)

        await self._bridge.follow(context, [wanted.subject], read, None)

    async def GetKubeEvents(self, request: pb.LokiRequest, context: Context) -> None:
        """Nothing: there is no cluster."""

    async def QueryLoki(self, request: pb.LokiRequest, context: Context) -> None:
        """Nothing: there is no other store of logs."""

    async def ListTask(self, request: taskapi_pb2.ListTaskRequest, context: Context) -> None:
        """Nothing: work is given out as datum sets, which belong to jobs."""

    def _lines(self, wanted: _Wanted, tail: int) -> Iterator[pb.LogMessage]:
        if tail:
            yield from wanted.messages(wanted.tail(self._pps.logs, tail)[1])
            return
        for _, lines in wanted.read(self._pps.logs, 0):
            yield from wanted.messages(lines)

    def _wanted(self, request: pb.GetLogsRequest) -> _Wanted:
        """What a request asks for; it is there."""
        if request.data_filters:
            raise Unsupported(
                ErrorKind.UNSUPPORTED, "logs by input files are not supported by this version; name a datum by its id"
            )
        pps_requests.page("tail", request.tail)
        job = pps_requests.job(request) if request.HasField("job") else None
        if request.datum.HasField("job"):
            job = pps_requests.job(request.datum)
        pipeline = pps_requests.pipeline_or_none(request) if job is None else job.pipeline
        if pipeline is None:
            text = "must specify a pipeline or a job; the server's own log is what it writes to stderr"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        if job is None:
            self._pps.pipelines.inspect(pipeline)
        else:
            self._pps.jobs.inspect(job)
        since = self._clock.now() - (pps_requests.duration(request, "since") or SINCE)
        return _Wanted(pipeline, job, request.datum.id, request.master, since)
