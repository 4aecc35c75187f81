# SPDX-License-Identifier: Apache-2.0
"""Calls on jobs and their datums. Their logs: `client.logs`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.protobuf import json_format

from howdah.client import read_pps
from howdah.client.caller import Caller
from howdah.client.coerce import CommitLike, FileLike, JobLike, PipelineLike, a_commit, a_file, a_job, a_pipeline
from howdah.client.executions import of_version
from howdah.client.values import DatumInfo, JobInfo, Provenance
from howdah.client.warnings import Warn, teller
from howdah.model.refs import Job, Pipeline
from howdah.model.states import DatumState
from howdah.wire.convert import commit_message, file_message, project_message, timestamp
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["Jobs"]


class Jobs(Caller):
    """The work that commits started."""

    def inspect_job(self, job: JobLike) -> JobInfo:
        """A job as it is now. Raises NotFound."""
        return self._with_execution(self._inspect_job(job, wait=False, timeout=None))

    def wait_job(self, job: JobLike, *, timeout: float | None = None) -> JobInfo:
        """A job when it has ended, well or badly; `timeout` in seconds, None to wait for ever.

        Raises:
            NotFound: there is no such job.
            Conflict: DELETED_MEANWHILE.
            Unavailable: TIMED_OUT.
        """
        return self._with_execution(self._inspect_job(job, wait=True, timeout=timeout))

    def inspect_job_set(self, id: str) -> list[JobInfo]:
        """All jobs of a commit set, what depends after what it depends on."""
        return list(self._job_set(id, wait=False, timeout=None))

    def wait_job_set(self, id: str, *, timeout: float | None = None) -> Iterator[JobInfo]:
        """The jobs of a commit set, each when it has ended. Raises as `wait_job`."""
        return self._job_set(id, wait=True, timeout=timeout)

    def list_jobs(
        self,
        pipeline: PipelineLike | None = None,
        *,
        projects: Sequence[str] | None = None,
        inputs: Sequence[CommitLike] = (),
        number: int = 0,
        reverse: bool = False,
        jq: str = "",
        history: int = -1,
        after: datetime | None = None,
    ) -> Iterator[JobInfo]:
        """Jobs, the newest first: of one pipeline, or of all; `inputs` are commits that each must have read.

        `projects` are those to look in: this client's own for None, all for an empty one. `jq` is an expression of that
        language that must hold for the job as the protocol's JSON has it (`.state == "JOB_FAILURE"`). Of one pipeline,
        those of so many older versions of it too, all for -1. `after` begins after the job that was created then, the
        last one of the page before.

        Raises:
            NotFound: the pipeline, or a commit of `inputs`.
            BadRequest: the filter cannot be read, or takes too long.
        """
        wanted = [self.project] if projects is None else projects
        request = pb.ListJobRequest(
            pipeline=None if pipeline is None else _pipeline(a_pipeline(pipeline, self.project)),
            projects=[] if pipeline is not None else [project_message(name) for name in wanted],
            input_commit=[commit_message(a_commit(each, self.project)) for each in inputs],
            history=history,
            number=number,
            reverse=reverse,
            jqFilter=jq,
            paginationMarker=timestamp(after),
        )
        return map(read_pps.job_report, self._wire.stream(self._wire.jobs.ListJob, request))

    def stop_job(self, job: JobLike, *, reason: str = "") -> None:
        """End a job; nothing happens to one that has ended. Raises NotFound."""
        request = pb.StopJobRequest(job=_job(a_job(job, self.project)), reason=reason)
        self._wire.call(self._wire.pps.StopJob, request)

    def delete_job(self, job: JobLike) -> None:
        """Stop a job and forget it. Raises NotFound."""
        self._wire.call(self._wire.pps.DeleteJob, pb.DeleteJobRequest(job=_job(a_job(job, self.project))))

    def list_datums(
        self, job: JobLike, *, states: Sequence[DatumState] = (), after: str = "", number: int = 0
    ) -> Iterator[DatumInfo]:
        """The datums of a job in order of their ids: of some states or all, after an id, at most `number` (0: all)."""
        request = pb.ListDatumRequest(
            job=_job(a_job(job, self.project)),
            filter=pb.ListDatumRequest.Filter(state=[state.wire_name for state in states]) if states else None,
            paginationMarker=after,
            number=number,
        )
        return map(read_pps.datum_report, self._wire.stream(self._wire.jobs.ListDatum, request))

    def try_input(
        self,
        tried: Mapping[str, Any],
        *,
        after: str = "",
        number: int = 0,
        warn: Warn | None = None,
    ) -> Iterator[DatumInfo]:
        """The datums that a pipeline with such an input would have now, as they are found: after one of them, so many.

        `tried` is what a spec has as its `input`. When all have come, `warn` is told what is odd about it.

        Raises:
            BadRequest: BAD_SPEC, naming the field; or it has a cron input.
            NotFound: a repo that it reads.
        """
        from howdah.model.spec import encode_input, parse_input  # noqa: PLC0415 - it loads YAML, which few need

        node = json_format.ParseDict(encode_input(parse_input(tried, project=self.project)), pb.Input())
        request = pb.ListDatumRequest(input=node, paginationMarker=after, number=number)
        answers = self._wire.stream(self._wire.jobs.ListDatum, request, at_end=teller(warn))
        return map(read_pps.datum_report, answers)

    def inspect_datum(self, job: JobLike, datum: str) -> DatumInfo:
        """A datum of a job. Raises NotFound."""
        request = pb.InspectDatumRequest(datum=pb.Datum(job=_job(a_job(job, self.project)), id=datum))
        return read_pps.datum_report(self._wire.call(self._wire.jobs.InspectDatum, request))

    def inspect_provenance(self, file: FileLike) -> Provenance:
        """Which datum, job, code and input files made a file.

        Raises:
            NotFound: there is no such file.
        """
        request = hd.InspectProvenanceRequest(file=file_message(a_file(file, self.project)))
        return read_pps.provenance(self._wire.call(self._wire.lake.InspectProvenance, request))

    def _with_execution(self, info: JobInfo) -> JobInfo:
        return replace(info, execution=of_version(self._wire, info.job.pipeline, info.pipeline_version))

    def _inspect_job(self, job: JobLike, *, wait: bool, timeout: float | None) -> JobInfo:
        request = pb.InspectJobRequest(job=_job(a_job(job, self.project)), wait=wait, details=True)
        return read_pps.job_report(self._wire.call(self._wire.jobs.InspectJob, request, timeout=timeout))

    def _job_set(self, id: str, *, wait: bool, timeout: float | None) -> Iterator[JobInfo]:
        request = pb.InspectJobSetRequest(job_set=pb.JobSet(id=id), wait=wait, details=True)
        answers = self._wire.stream(self._wire.jobs.InspectJobSet, request, timeout=timeout)
        return map(read_pps.job_report, answers)


def _pipeline(pipeline: Pipeline) -> pb.Pipeline:
    return pb.Pipeline(name=pipeline.name, project=project_message(pipeline.project))


def _job(job: Job) -> pb.Job:
    return pb.Job(pipeline=_pipeline(job.pipeline), id=job.id)
