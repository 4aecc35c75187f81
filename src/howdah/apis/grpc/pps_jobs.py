# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Jobs and job sets over gRPC: lists of sets, and what is done to a job. Looking at jobs: `pps_job_reads`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Final

from google.protobuf.empty_pb2 import Empty

from howdah.apis.filters import filtered
from howdah.apis.grpc import pps_requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pps_job_reads import JobReads, marked
from howdah.model.texts import one_line
from howdah.pps.infos import JobInfo
from howdah.pps.jobs import stopped
from howdah.wire.convert import moment
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["JobCalls"]

# The jobs of a set are created within it: a microsecond apart.
_SET_SPAN: Final = timedelta(seconds=1)


class JobCalls(JobReads[pb.JobInfo]):
    """The calls of `pps_v2.API` about jobs."""

    def _answers(self, infos: Iterable[JobInfo], details: bool) -> Iterator[pb.JobInfo]:
        return self._jobs(infos, details)

    def _message(self, answer: pb.JobInfo) -> pb.JobInfo:
        return answer

    async def ListJobSet(self, request: pb.ListJobSetRequest, context: Context) -> None:
        """Job sets, newest first, each with its jobs, or with those of them that a filter holds for."""

        def sets() -> Iterator[pb.JobSetInfo]:
            number = pps_requests.page("number", request.number)
            marker = marked(request)
            infos = self._pps.jobs.list(
                projects=pps_requests.projects(request.projects),
                created=_within(marker, request.reverse),
                reverse=request.reverse,
            )
            # The jobs of a set are made at once, so they stand together.
            found = filtered(self._jobs(infos, request.details), request.jqFilter)
            grouped = ((set_id, list(jobs)) for set_id, jobs in groupby(found, lambda info: info.job.id))
            past = (each for each in grouped if _is_past(each[1], marker, request.reverse))
            for set_id, jobs in islice(past, number or None):
                yield pb.JobSetInfo(job_set=pb.JobSet(id=set_id), jobs=jobs if request.reverse else jobs[::-1])

        await self._bridge.stream(context, sets)

    async def StopJob(self, request: pb.StopJobRequest, context: Context) -> Empty:
        """Stop a job; one that has ended stays as it is."""

        def stop() -> None:
            self._pps.jobs.stop(pps_requests.job(request), stopped(one_line(request.reason)))

        await self._bridge.unary(context, stop)
        return Empty()

    async def UpdateJobState(self, request: pb.UpdateJobStateRequest, context: Context) -> Empty:
        """Bring a job to an end that its workers did not; all other states are the scheduler's."""

        def end() -> None:
            state = pps_requests.job_state(request.state)
            self._pps.jobs.end(pps_requests.job(request), state, one_line(request.reason))

        await self._bridge.unary(context, end)
        return Empty()

    async def DeleteJob(self, request: pb.DeleteJobRequest, context: Context) -> Empty:
        """Stop a job and forget it; its commits stay."""
        await self._bridge.unary(context, lambda: self._pps.jobs.delete(pps_requests.job(request)))
        return Empty()


def _within(marker: datetime | None, reverse: bool) -> datetime | None:
    """A moment beyond which all jobs are of sets before the one with a job of that time, or in reverse after it."""
    try:
        return marker and (marker - _SET_SPAN if reverse else marker + _SET_SPAN)
    except OverflowError:  # at the end of the calendar there are no jobs
        return marker


def _is_past(jobs: Sequence[pb.JobInfo], marker: datetime | None, reverse: bool) -> bool:
    """Whether a set comes after the one that has a job of that time."""
    if marker is None:
        return True
    times = [moment(job.created) for job in jobs]
    return min(times) > marker if reverse else max(times) < marker
