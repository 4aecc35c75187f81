# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Jobs and job sets over gRPC, and the calls that wait for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Final

from google.protobuf.empty_pb2 import Empty

from howdah.apis.filters import filtered
from howdah.apis.grpc import pps_requests, requests
from howdah.apis.grpc.bridge import Context, Page
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.model.refs import Commit, Pipeline
from howdah.model.states import JobState, is_terminal
from howdah.model.texts import one_line
from howdah.pps.infos import JobInfo
from howdah.pps.jobs import stopped
from howdah.pps.subjects import job_subject, pipeline_subject
from howdah.wire.convert import moment
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["JobCalls"]

# What is told again of an open job when it changes: state, and counts of datums.
Progress = tuple[int, ...]
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
# The jobs of a set are created within it: a microsecond apart.
_SET_SPAN: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a subscriber knows: when the newest job was made that it heard of, and how far the open ones were."""

    newest: datetime | None = None
    open: Mapping[str, Progress] = field(default_factory=dict)


class JobCalls(PpsCalls):
    """The calls of `pps_v2.API` about jobs."""

    async def InspectJob(self, request: pb.InspectJobRequest, context: Context) -> pb.JobInfo:
        """One job, now or once it has ended."""
        info = await self._bridge.unary(context, lambda: self._pps.jobs.inspect(pps_requests.job(request)))
        job = info.job

        def ended() -> pb.JobInfo | None:
            found = self._pps.jobs.finished(job) if request.wait else info
            return None if found is None else self._job(found, request.details)

        return await self._bridge.wait(context, [job_subject(job)], ended)

    async def InspectJobSet(self, request: pb.InspectJobSetRequest, context: Context) -> None:
        """The jobs of a set, each after those it depends on; with `wait`, each once it has ended."""

        def jobs() -> Sequence[JobInfo]:
            set_id = pps_requests.job_set(request)
            found = self._pps.jobs.of_set(set_id)
            if not found:
                self._pfs.catalog.sets.inspect(set_id)
            return found

        infos = await self._bridge.unary(context, jobs)

        def read(place: int) -> Page[pb.JobInfo, int]:
            if place == len(infos):
                return Page((), place, ended=True)
            found = self._pps.jobs.finished(infos[place].job) if request.wait else infos[place]
            return Page((), place) if found is None else Page([self._job(found, request.details)], place + 1)

        await self._bridge.follow(context, [job_subject(info.job) for info in infos], read, 0)

    async def ListJob(self, request: pb.ListJobRequest, context: Context) -> None:
        """Jobs of a pipeline, of some projects, or of all, newest first."""

        def jobs() -> Iterator[pb.JobInfo]:
            number = pps_requests.page("number", request.number)
            infos = self._pps.jobs.list(
                pps_requests.pipeline_or_none(request),
                projects=pps_requests.projects(request.projects),
                inputs=[self._resolved(commit) for commit in request.input_commit],
                created=_marker(request),
                number=0 if request.jqFilter else number,
                reverse=request.reverse,
                history=request.history,
            )
            return islice(filtered(self._jobs(infos, request.details), request.jqFilter), number or None)

        await self._bridge.stream(context, jobs)

    async def ListJobSet(self, request: pb.ListJobSetRequest, context: Context) -> None:
        """Job sets, newest first, each with its jobs, or with those of them that a filter holds for."""

        def sets() -> Iterator[pb.JobSetInfo]:
            number = pps_requests.page("number", request.number)
            marker = _marker(request)
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

    async def SubscribeJob(self, request: pb.SubscribeJobRequest, context: Context) -> None:
        """The open jobs of a pipeline, then each new one; again when its state or its counts change. Endless."""
        pipeline = await self._bridge.unary(context, pps_requests.pipeline, request)
        await self._bridge.unary(context, self._pps.pipelines.inspect, pipeline)

        def read(told: _Told) -> Page[pb.JobInfo, _Told]:
            news, now = self._news(pipeline, told)
            return Page(list(self._jobs(news, request.details)), now)

        await self._bridge.follow(context, [pipeline_subject(pipeline)], read, _Told())

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

    def _resolved(self, message: pfs.Commit) -> Commit:
        return self._pfs.catalog.commits.resolve(requests.commit(message))

    def _news(self, pipeline: Pipeline, told: _Told) -> tuple[list[JobInfo], _Told]:
        """Jobs that a subscriber has not heard of, or that have changed since, oldest first; and what it knows then.

        Jobs of a pipeline end in the order in which they were made, unless they are killed. So below a job that
        ended otherwise none is open.
        """
        news: list[JobInfo] = []
        still_open: dict[str, Progress] = {}
        expected = set(told.open)
        newest = told.newest
        for info in self._pps.jobs.list(pipeline):
            ended, now = is_terminal(info.state), _progress(info)
            is_new = not ended if told.newest is None else info.created_at > told.newest
            if (is_new or info.job.id in expected) and told.open.get(info.job.id) != now:
                news.append(info)
            if not ended:
                still_open[info.job.id] = now
            expected.discard(info.job.id)
            newest = info.created_at if newest is None else max(newest, info.created_at)
            if ended and info.state is not JobState.KILLED and not is_new and not expected:
                break
        return news[::-1], _Told(newest or _BEGINNING, still_open)


def _marker(request: pb.ListJobRequest | pb.ListJobSetRequest) -> datetime | None:
    return moment(request.paginationMarker) if request.HasField("paginationMarker") else None


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


def _progress(info: JobInfo) -> Progress:
    counts = (info.datums_total, info.datums_processed, info.datums_skipped)
    return (info.state, *counts, info.datums_failed, info.datums_recovered)
