# SPDX-License-Identifier: Apache-2.0
"""Messages of `pps_v2`, and those of ours around them, read into the values of `howdah.client.values`."""

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from howdah.client.read_pfs import commit, file, when
from howdah.client.values import DatumInfo, InputFile, JobInfo, LogLine, PipelineInfo, ProcessStats, Provenance
from howdah.model.logs import LogLevel
from howdah.model.names import DEFAULT_PROJECT
from howdah.model.refs import Job, Pipeline
from howdah.model.states import DatumState, JobState, PipelineState
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["datum_report", "job", "job_report", "log_line", "pipeline", "pipeline_info", "provenance"]


def pipeline(message: pb.Pipeline) -> Pipeline:
    """A pipeline by its name."""
    return Pipeline(message.project.name or DEFAULT_PROJECT, message.name)


def job(message: pb.Job) -> Job:
    """A job by its id."""
    return Job(pipeline(message.pipeline), message.id)


def pipeline_info(message: pb.PipelineInfo) -> PipelineInfo:
    """A pipeline."""
    details = message.details
    return PipelineInfo(
        pipeline=pipeline(message.pipeline),
        version=message.version,
        state=PipelineState(message.state) if message.state else None,
        stopped=message.stopped,
        reason=message.reason or details.reason,
        last_job_state=JobState(message.last_job_state) if message.last_job_state else None,
        description=details.description,
        cmd=tuple(details.transform.cmd),
        image=details.transform.image,
        output_branch=details.output_branch,
        parallelism=message.parallelism,
        created_at=when(details.created_at),
        updated_at=when(details.updated_at),
        user_spec=message.user_spec_json,
        metadata=dict(message.metadata),
        spec=message.effective_spec_json,
        spec_commit=commit(message.spec_commit) if message.spec_commit.id else None,
    )


def job_report(report: hd.JobReport) -> JobInfo:
    """A job, and what it cost."""
    message = report.job
    return JobInfo(
        job=job(message.job),
        pipeline_version=message.pipeline_version,
        state=JobState(message.state or JobState.CREATED),
        reason=message.reason,
        output_commit=commit(message.output_commit) if message.output_commit.id else None,
        created_at=when(message.created),
        started_at=when(message.started),
        finished_at=when(message.finished),
        datums=message.data_total,
        processed=message.data_processed,
        carried_over=message.data_skipped,
        failed=message.data_failed,
        recovered=message.data_recovered,
        stats=_stats(message.stats, report.cost),
    )


def datum_report(report: hd.DatumReport) -> DatumInfo:
    """A datum with its inputs, and what it cost."""
    message = report.datum
    return DatumInfo(
        id=message.datum.id,
        job=job(message.datum.job) if message.datum.job.id else None,
        state=DatumState(message.state),
        inputs=tuple(_input(each) for each in message.data),
        stats=_stats(message.stats, report.cost),
        image=message.image_id,
        tries=report.tries,
        reason=report.reason,
    )


def log_line(message: pb.LogMessage, level: LogLevel = LogLevel.INFO) -> LogLine:
    """A line of a log."""
    named = Pipeline(message.project_name or DEFAULT_PROJECT, message.pipeline_name) if message.pipeline_name else None
    return LogLine(
        at=when(message.ts),
        pipeline=named,
        job_id=message.job_id,
        datum_id=message.datum_id,
        worker_id=message.worker_id,
        user=message.user,
        message=message.message,
        level=level,
    )


def provenance(message: hd.InspectProvenanceResponse) -> Provenance:
    """What made a file."""
    return Provenance(
        file=file(message.file.file),
        size_bytes=message.file.size_bytes,
        hash=message.file.hash,
        job=job(message.job) if message.job.id else None,
        datum_id=message.datum_id,
        pipeline_version=message.pipeline_version,
        cmd=tuple(message.cmd),
        image=message.image,
        inputs=tuple(_input(each.file, each.name) for each in message.inputs),
    )


def _input(message: pfs.FileInfo, name: str = "") -> InputFile:
    return InputFile(name, file(message.file), message.size_bytes, message.hash)


def _stats(message: pb.ProcessStats, cost: hd.Cost) -> ProcessStats:
    return ProcessStats(
        download_time=_span(message.download_time),
        process_time=_span(message.process_time),
        upload_time=_span(message.upload_time),
        download_bytes=message.download_bytes,
        upload_bytes=message.upload_bytes,
        cpu_time=_span(cost.cpu_time),
        memory_max_bytes=cost.memory_max_bytes,
    )


def _span(message: Duration) -> timedelta:
    return message.ToTimedelta()
