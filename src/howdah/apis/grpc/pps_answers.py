# SPDX-License-Identifier: Apache-2.0
"""What is known of pipelines, jobs and datums, made into the messages of `pps_v2`.

`pachctl` ends where one of these is absent: a pipeline's and a job's project, a job's stats and state, details with
their transform where they were asked for, a datum with its job and stats. They are always filled here. Times that
have not come stay unset. How requests are read is in `pps_requests`; specs cross in `convert_pps_spec`.
"""

from collections.abc import Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from howdah.apis.calls import WARNING_KEY, Call
from howdah.apis.grpc.answers import FileMessages
from howdah.apis.grpc.convert_pps_spec import job_details, pipeline_details
from howdah.model.names import META
from howdah.model.refs import Commit, Job, Pipeline, Repo
from howdah.pps.executions import Execution
from howdah.pps.infos import DatumInfo, DatumInput, JobInfo, PipelineInfo, ProcessStats
from howdah.wire.convert import commit_message, timestamp
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps

__all__ = [
    "attach_warnings",
    "datum_info",
    "input_file",
    "job_info",
    "job_message",
    "pipeline_info",
    "pipeline_message",
    "process_stats",
]


def pipeline_message(pipeline: Pipeline) -> pps.Pipeline:
    """A pipeline by its name."""
    return pps.Pipeline(name=pipeline.name, project=pfs.Project(name=pipeline.project))


def job_message(job: Job) -> pps.Job:
    """A job by its pipeline and id."""
    return pps.Job(pipeline=pipeline_message(job.pipeline), id=job.id)


def pipeline_info(info: PipelineInfo, *, details: bool) -> pps.PipelineInfo:
    """A pipeline at one of its versions."""
    return pps.PipelineInfo(
        pipeline=pipeline_message(info.pipeline),
        version=info.version,
        spec_commit=commit_message(info.spec_commit),
        stopped=info.stopped,
        state=info.state.wire_name,
        reason=info.reason,
        last_job_state=None if info.last_job_state is None else info.last_job_state.wire_name,
        parallelism=info.spec.parallelism,
        type=pps.PipelineInfo.PIPELINE_TYPE_TRANSFORM,
        details=_pipeline_details(info) if details else None,
        user_spec_json=info.user_spec,
        effective_spec_json=info.effective_spec,
        metadata=info.metadata,
    )


def job_info(info: JobInfo, effective_spec: str | None = None) -> pps.JobInfo:
    """A job; with details if the effective spec of its version is given."""
    return pps.JobInfo(
        job=job_message(info.job),
        pipeline_version=info.version,
        output_commit=_output_commit(info),
        restart=info.restart,
        data_processed=info.datums_processed,
        data_skipped=info.datums_skipped,
        data_total=info.datums_total,
        data_failed=info.datums_failed,
        data_recovered=info.datums_recovered,
        stats=process_stats(info.stats),
        state=info.state.wire_name,
        reason=info.reason or _warned(info.execution) or _uncontained(info),
        created=timestamp(info.created_at),
        started=timestamp(info.started_at),
        finished=timestamp(info.finished_at),
        details=None if effective_spec is None else job_details(effective_spec),
    )


def _warned(execution: Execution) -> str:
    """Why user code ran in no container, if that was not what its spec asked for."""
    return "" if execution.in_container else execution.note


def _uncontained(info: JobInfo) -> str:
    """What to know of user code that ran without namespaces of its own; the protocol has no better place for it."""
    if info.execution.in_container or not info.containment or info.containment.startswith("namespaces"):
        return ""
    return f"user code was not contained, its files were in $PFS: {info.containment}"


def datum_info(info: DatumInfo) -> pps.DatumInfo:
    """A datum with the files it is made of; its state in the meta repo too, if it is one of a job."""
    message = pps.DatumInfo(
        datum=pps.Datum(id=info.id),
        state=info.state.wire_name,
        stats=process_stats(info.stats),
        data=[input_file(part) for part in info.inputs],
        image_id=info.image,
    )
    if info.job is not None:
        message.datum.job.CopyFrom(job_message(info.job))
        pipeline = info.job.pipeline
        meta = Commit(Repo(pipeline.project, pipeline.name, META), info.job.id)
        message.pfs_state.CopyFrom(pfs.File(commit=commit_message(meta), path=f"/pfs/{info.id}"))
    return message


def input_file(part: DatumInput) -> pfs.FileInfo:
    """One part of a datum as the file that it is."""
    if part.commit is not None:
        return FileMessages(part.commit, None).one(part.file)
    kind = pfs.DIR if part.file.is_dir else pfs.FILE
    file = pfs.File(path=part.file.path)
    return pfs.FileInfo(file=file, file_type=kind, size_bytes=part.file.size_bytes, hash=part.file.hash)


def attach_warnings(context: Call, warnings: Sequence[str]) -> None:
    """Send warnings with the end of a call, for our own client: the protocol has no place for them."""
    if warnings:
        context.set_trailing_metadata(tuple((WARNING_KEY, text.encode()) for text in warnings))


def process_stats(stats: ProcessStats) -> pps.ProcessStats:
    """Times and bytes; zero is said too."""
    return pps.ProcessStats(
        download_time=_duration(stats.download_ms),
        process_time=_duration(stats.process_ms),
        upload_time=_duration(stats.upload_ms),
        download_bytes=stats.download_bytes,
        upload_bytes=stats.upload_bytes,
    )


def _pipeline_details(info: PipelineInfo) -> pps.PipelineInfo.Details:
    details = pipeline_details(info.effective_spec)
    details.MergeFrom(
        pps.PipelineInfo.Details(
            created_at=timestamp(info.created_at),
            updated_at=timestamp(info.updated_at),
            reason=info.reason,
            salt=info.salt,
            workers_requested=info.spec.parallelism,
        )
    )
    details.input.SetInParent()
    return details


def _output_commit(info: JobInfo) -> pfs.Commit:
    """The commit with its branch, which clients expect here, unlike elsewhere."""
    message = commit_message(info.output_commit)
    message.branch.repo.CopyFrom(message.repo)
    message.branch.name = info.output_branch
    return message


def _duration(milliseconds: int) -> Duration:
    message = Duration()
    message.FromTimedelta(timedelta(milliseconds=milliseconds))
    return message
