# SPDX-License-Identifier: Apache-2.0
"""Calls that set pipelines going, and that look at how they are doing. Making and stopping them is in `pipelines`."""

from collections.abc import Generator, Iterator, Sequence

from howdah.client import read_pps
from howdah.client.caller import Caller
from howdah.client.coerce import JobLike, PipelineLike, a_job, a_pipeline
from howdah.client.values import JobInfo, PipelineAlert
from howdah.wire.convert import project_message
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["Running"]


class Running(Caller):
    """What runs without a new commit, and what should be looked at."""

    def run_cron(self, pipeline: PipelineLike) -> None:
        """Let the cron inputs of a pipeline tick now; each call is a tick.

        Raises:
            NotFound: there is no such pipeline.
            BadRequest: it has no cron input.
            Refused: PIPELINE_STOPPED.
        """
        self._wire.call(self._wire.pps.RunCron, pb.RunCronRequest(pipeline=_pipeline(pipeline, self.project)))

    def rerun_pipeline(self, pipeline: PipelineLike, *, reprocess: bool = False) -> None:
        """Start a job on what the inputs hold now; only what has not succeeded runs, or with `reprocess` everything.

        It is another version of the same spec, so a job that has not ended is killed.

        Raises:
            NotFound: there is no such pipeline.
            Refused: PIPELINE_STOPPED.
        """
        request = pb.RerunPipelineRequest(pipeline=_pipeline(pipeline, self.project), reprocess=reprocess)
        self._wire.call(self._wire.pps.RerunPipeline, request)

    def restart_datum(self, job: JobLike, filters: Sequence[str] = ()) -> None:
        """Let datums that workers are at begin again: those of a job that all `filters` fit.

        A filter is the path or the hash of one of a datum's files, or its id. What was handed in stays done.

        Raises:
            NotFound: the job; or no worker has such a datum.
        """
        named = a_job(job, self.project)
        message = pb.Job(pipeline=_pipeline(named.pipeline, self.project), id=named.id)
        self._wire.call(self._wire.pps.RestartDatum, pb.RestartDatumRequest(job=message, data_filters=filters))

    def subscribe_jobs(self, pipeline: PipelineLike) -> Generator[JobInfo, None, None]:
        """The open jobs of a pipeline, oldest first, and then each new one; again when its state or counts change.

        It has no end: close the iterator when it is enough.

        Raises:
            NotFound: there is no such pipeline.
        """
        request = pb.SubscribeJobRequest(pipeline=_pipeline(pipeline, self.project), details=True)
        for each in self._wire.stream(self._wire.jobs.SubscribeJob, request):
            yield read_pps.job_report(each)

    def check_status(self, *, everywhere: bool = False) -> Iterator[PipelineAlert]:
        """The pipelines of this client's project, or of all, that somebody should look at, and why."""
        request = pb.CheckStatusRequest()
        if everywhere:
            request.all = True
        else:
            request.project.CopyFrom(project_message(self.project))
        for each in self._wire.stream(self._wire.pps.CheckStatus, request):
            yield PipelineAlert(read_pps.pipeline(each.pipeline), tuple(each.alerts))


def _pipeline(pipeline: PipelineLike, project: str) -> pb.Pipeline:
    named = a_pipeline(pipeline, project)
    return pb.Pipeline(name=named.name, project=project_message(named.project))
