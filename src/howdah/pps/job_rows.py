# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `job`, and of every move of a job's state: `move` is the one place that writes it.

Which jobs there are, many at a time, is asked in `pps.job_lists`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, case, delete, insert, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.refs import Job, Pipeline
from howdah.model.states import JobState, is_terminal, move_job
from howdah.pps.infos import ProcessStats
from howdah.pps.subjects import claims_subject, job_subject

__all__ = [
    "OPEN",
    "ROWS",
    "JobDraft",
    "JobRow",
    "add_counts",
    "by_id",
    "by_output",
    "find",
    "get",
    "insert_jobs",
    "missing",
    "move",
    "remove",
    "row_of",
    "set_plan",
    "set_reason",
    "set_results",
]

_T: Final = tables.job.c
OPEN: Final = tuple(int(state) for state in JobState if not is_terminal(state))
"""The states of jobs that have not ended, as the table has them."""
_STATS: Final = tuple(each.name for each in fields(ProcessStats))
_COUNTS: Final = (
    _T.datums_total,
    _T.datums_processed,
    _T.datums_skipped,
    _T.datums_failed,
    _T.datums_recovered,
    _T.download_ms,
    _T.process_ms,
    _T.upload_ms,
    _T.download_bytes,
    _T.upload_bytes,
    _T.cpu_us,
    _T.memory_max_bytes,
)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of `job`. `detail` holds what is fixed when it is planned: inputs, todo, salt; see `pps.starting`."""

    id: int
    pipeline_id: int
    job: Job
    version: int
    output_commit_id: int
    meta_commit_id: int | None
    state: JobState
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    restart: int
    datums_total: int
    datums_processed: int
    datums_skipped: int
    datums_failed: int
    datums_recovered: int
    download_ms: int
    process_ms: int
    upload_ms: int
    download_bytes: int
    upload_bytes: int
    cpu_us: int
    memory_max_bytes: int
    plan_root: bytes | None
    results_root: bytes | None
    base_done: bytes | None
    detail: Mapping[str, Any]

    @property
    def stats(self) -> ProcessStats:
        """What its datums took so far."""
        return ProcessStats(*(getattr(self, name) for name in _STATS))


@dataclass(frozen=True, slots=True)
class JobDraft:
    """A job that is about to be added, for an output commit that was just made."""

    pipeline_id: int
    job: Job
    version: int
    output_commit_id: int
    meta_commit_id: int | None


ROWS: Final[Select[Any]] = (
    select(
        _T.id,
        _T.pipeline_id,
        tables.project.c.name.label("project_name"),
        tables.pipeline.c.name.label("pipeline_name"),
        _T.set_id,
        _T.version,
        _T.output_commit_id,
        _T.meta_commit_id,
        _T.state,
        _T.reason,
        _T.created_at,
        _T.started_at,
        _T.finished_at,
        _T.restart,
        *_COUNTS,
        _T.plan_root,
        _T.results_root,
        _T.base_done,
        _T.detail,
    )
    .join(tables.pipeline, tables.pipeline.c.id == _T.pipeline_id)
    .join(tables.project, tables.project.c.id == tables.pipeline.c.project_id)
)
"""Statements over whole rows: narrow it down, and give what it finds to `row_of`."""
_BY_ID: Final = ROWS.where(_T.id == bindparam("key"))
_BY_OUTPUT: Final = ROWS.where(_T.output_commit_id == bindparam("key"))
_FIND: Final = ROWS.where(
    tables.project.c.name == bindparam("p"), tables.pipeline.c.name == bindparam("n"), _T.set_id == bindparam("s")
)


def insert_jobs(tx: Transaction, drafts: Sequence[JobDraft]) -> None:
    """Add jobs, CREATED, in their order.

    Each is a microsecond later than the one before it, so that a page of a list can begin after any of them.
    """
    values = [
        {
            "pipeline_id": draft.pipeline_id,
            "set_id": draft.job.id,
            "version": draft.version,
            "output_commit_id": draft.output_commit_id,
            "meta_commit_id": draft.meta_commit_id,
            "state": int(JobState.CREATED),
            "created_at": tx.now + timedelta(microseconds=number),
        }
        for number, draft in enumerate(drafts)
    ]
    if values:
        tx.execute(insert(tables.job), values)
    for draft in drafts:
        tx.emit(job_subject(draft.job), "created")


def move(tx: Transaction, row: JobRow, to: JobState, reason: str = "") -> JobRow:
    """Bring a job into another state: the only writer of states. The row as it is then.

    The job is read again, so a caller with an old row cannot move it twice.

    Raises:
        NotFound: JOB_NOT_FOUND: it was deleted.
        Refused: JOB_FINISHED or BAD_MOVE: it cannot go there from where it is now.
    """
    if (now := by_id(tx, row.id)) is None:
        raise missing(row.job)
    state = move_job(now.state, to, job=row.job)
    values: dict[str, Any] = {"state": int(state), "reason": reason}
    if now.started_at is None and state in (JobState.RUNNING, JobState.FINISHING):
        values["started_at"] = max(tx.now, now.created_at)  # see `insert_jobs`
    if is_terminal(state):
        values["finished_at"] = max(tx.now, now.created_at)
    tx.execute(update(tables.job).where(_T.id == row.id).values(**values))
    tx.emit(job_subject(row.job), "moved", {"state": state.wire_name})
    if now.state is JobState.RUNNING and is_terminal(state):
        tx.emit(claims_subject(row.job), "lost")
    return replace(
        now,
        state=state,
        reason=reason,
        started_at=values.get("started_at", now.started_at),
        finished_at=values.get("finished_at", now.finished_at),
    )


def find(tx: Transaction, job: Job) -> JobRow | None:
    """The job's row; None if there is no such job."""
    row = tx.execute(_FIND, {"p": job.pipeline.project, "n": job.pipeline.name, "s": job.id}).one_or_none()
    return None if row is None else row_of(row)


def get(tx: Transaction, job: Job) -> JobRow:
    """The job's row.

    Raises:
        NotFound: JOB_NOT_FOUND.
    """
    if (row := find(tx, job)) is None:
        raise missing(job)
    return row


def missing(job: Job) -> NotFound:
    """The error that says that there is no such job."""
    return NotFound(
        ErrorKind.JOB_NOT_FOUND, f"job {job} not found; see what there is: howdah list job -p {job.pipeline}"
    )


def by_id(tx: Transaction, key: int) -> JobRow | None:
    """The row with that key; None if it is gone."""
    row = tx.execute(_BY_ID, {"key": key}).one_or_none()
    return None if row is None else row_of(row)


def by_output(tx: Transaction, commit_id: int) -> JobRow | None:
    """The job that made an output commit; None if none did."""
    row = tx.execute(_BY_OUTPUT, {"key": commit_id}).one_or_none()
    return None if row is None else row_of(row)


def set_plan(
    tx: Transaction, key: int, plan: bytes, base_done: bytes, detail: Mapping[str, Any], total: int, todo: int
) -> None:
    """Write down what a job will do."""
    values = {"plan_root": plan, "base_done": base_done, "detail": dict(detail)}
    counts = {"datums_total": total, "datums_skipped": total - todo}
    tx.execute(update(tables.job).where(_T.id == key).values(**values, **counts))


def add_counts(tx: Transaction, key: int, *, processed: int, failed: int, recovered: int, stats: ProcessStats) -> None:
    """Count datums that were handed in, and what they took."""
    values = {
        "datums_processed": _T.datums_processed + processed,
        "datums_failed": _T.datums_failed + failed,
        "datums_recovered": _T.datums_recovered + recovered,
        "download_ms": _T.download_ms + stats.download_ms,
        "process_ms": _T.process_ms + stats.process_ms,
        "upload_ms": _T.upload_ms + stats.upload_ms,
        "download_bytes": _T.download_bytes + stats.download_bytes,
        "upload_bytes": _T.upload_bytes + stats.upload_bytes,
        "cpu_us": _T.cpu_us + stats.cpu_us,
        "memory_max_bytes": case(
            (_T.memory_max_bytes < stats.memory_max_bytes, stats.memory_max_bytes), else_=_T.memory_max_bytes
        ),
    }
    tx.execute(update(tables.job).where(_T.id == key).values(values))


def set_reason(tx: Transaction, row: JobRow, reason: str) -> None:
    """Let a job that has not ended say what it waits for; its next move takes that away."""
    if row.reason != reason:
        tx.execute(update(tables.job).where(_T.id == row.id, _T.state.in_(OPEN)).values(reason=reason))
        tx.emit(job_subject(row.job), "progress")


def set_results(tx: Transaction, key: int, results: bytes, containment: str) -> None:
    """Write down what became of the datums of a job."""
    if (row := by_id(tx, key)) is not None:
        detail = {**row.detail, "containment": containment}
        tx.execute(update(tables.job).where(_T.id == key).values(results_root=results, detail=detail))


def remove(tx: Transaction, row: JobRow) -> None:
    """Delete a job with its datum sets."""
    tx.execute(delete(tables.job).where(_T.id == row.id))
    tx.emit(job_subject(row.job), "deleted")


def row_of(row: Any) -> JobRow:
    """The value of a row of `ROWS`."""
    values = dict(row._mapping)
    job = Job(Pipeline(values.pop("project_name"), values.pop("pipeline_name")), values.pop("set_id"))
    values["state"] = JobState(values["state"])
    return JobRow(job=job, **values)
