# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Looking at jobs, whatever they are answered as: `pps_jobs` answers the protocol's messages, `reports` says more."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Generic, TypeVar

from google.protobuf.message import Message

from howdah.apis.filters import filtered
from howdah.apis.grpc import pps_requests, requests
from howdah.apis.grpc.bridge import Context, Page
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.model.refs import Commit, Pipeline
from howdah.model.states import JobState, is_terminal
from howdah.pps.infos import JobInfo
from howdah.pps.subjects import job_subject, pipeline_subject
from howdah.wire.convert import moment
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["JobReads", "marked"]

M = TypeVar("M", bound=Message)


# What is told again of an open job when it changes: state, and counts of datums.
Progress = tuple[int, ...]
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a subscriber knows: when the newest job was made that it heard of, and how far the open ones were."""

    newest: datetime | None = None
    open: Mapping[str, Progress] = field(default_factory=dict)


class JobReads(PpsCalls, ABC, Generic[M]):
    """The calls that ask for a job, those of a set, a list, or what comes; each job is answered as an `M`."""

    @abstractmethod
    def _answers(self, infos: Iterable[JobInfo], details: bool) -> Iterator[M]:
        """The answers for some jobs, in their order."""

    @abstractmethod
    def _message(self, answer: M) -> pb.JobInfo:
        """The job as the protocol has it, for filters."""

    async def InspectJob(self, request: pb.InspectJobRequest, context: Context) -> M:
        """One job, now or once it has ended."""
        info = await self._bridge.unary(context, lambda: self._pps.jobs.inspect(pps_requests.job(request)))
        job = info.job

        def ended() -> M | None:
            found = self._pps.jobs.finished(job) if request.wait else info
            return None if found is None else self._answer(found, request.details)

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

        def read(place: int) -> Page[M, int]:
            if place == len(infos):
                return Page((), place, ended=True)
            found = self._pps.jobs.finished(infos[place].job) if request.wait else infos[place]
            return Page((), place) if found is None else Page([self._answer(found, request.details)], place + 1)

        await self._bridge.follow(context, [job_subject(info.job) for info in infos], read, 0)

    async def ListJob(self, request: pb.ListJobRequest, context: Context) -> None:
        """Jobs of a pipeline, of some projects, or of all, newest first."""

        def jobs() -> Iterator[M]:
            number = pps_requests.page("number", request.number)
            infos = self._pps.jobs.list(
                pps_requests.pipeline_or_none(request),
                projects=pps_requests.projects(request.projects),
                inputs=[self._resolved(commit) for commit in request.input_commit],
                created=marked(request),
                number=0 if request.jqFilter else number,
                reverse=request.reverse,
                history=request.history,
            )
            answers = filtered(self._answers(infos, request.details), request.jqFilter, of=self._message)
            return islice(answers, number or None)

        await self._bridge.stream(context, jobs)

    async def SubscribeJob(self, request: pb.SubscribeJobRequest, context: Context) -> None:
        """The open jobs of a pipeline, then each new one; again when its state or its counts change. Endless."""
        pipeline = await self._bridge.unary(context, pps_requests.pipeline, request)
        await self._bridge.unary(context, self._pps.pipelines.inspect, pipeline)

        def read(told: _Told) -> Page[M, _Told]:
            news, now = self._news(pipeline, told)
            return Page(list(self._answers(news, request.details)), now)

        await self._bridge.follow(context, [pipeline_subject(pipeline)], read, _Told())

    def _answer(self, info: JobInfo, details: bool) -> M:
        return next(self._answers([info], details))

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


def marked(request: pb.ListJobRequest | pb.ListJobSetRequest) -> datetime | None:
    """When the last job of the page before was created; None for the first page."""
    return moment(request.paginationMarker) if request.HasField("paginationMarker") else None


def _progress(info: JobInfo) -> Progress:
    counts = (info.datums_total, info.datums_processed, info.datums_skipped)
    return (info.state, *counts, info.datums_failed, info.datums_recovered)
