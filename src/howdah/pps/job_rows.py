# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `job`, and of every move of a job's state: `move` is the one place that writes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.refs import Job, Pipeline
from howdah.model.states import JobState, is_terminal, move_job
from howdah.pps.infos import ProcessStats
from howdah.pps.subjects import claims_subject, job_subject

__all__ = [
    "JobDraft",
    "JobFilter",
    "JobRow",
    "OpenJob",
    "add_counts",
    "by_id",
    "by_output",
    "find",
    "get",
    "insert_jobs",
    "last_success",
    "missing",
    "move",
    "newest_states",
    "of_commits",
    "oldest_open",
    "open_of",
    "page",
    "remove",
    "seconds_per_datum",
    "set_plan",
    "set_reason",
    "set_results",
]

_T: Final = tables.job.c
# Jobs before one by which it is judged how long its datums will take.
_MEASURED_JOBS: Final = 20
_OPEN: Final = tuple(int(state) for state in JobState if not is_terminal(state))
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
    plan_root: bytes | None
    results_root: bytes | None
    base_done: bytes | None
    detail: Mapping[str, Any]


class OpenJob(NamedTuple):
    """A job that has not ended, as far as it says whether its next step is due. `ready`: what it reads is there."""

    id: int
    pipeline_id: int
    version: int
    state: JobState
    started_at: datetime | None
    ready: bool


@dataclass(frozen=True, slots=True)
class JobDraft:
    """A job that is about to be added, for an output commit that was just made."""

    pipeline_id: int
    job: Job
    version: int
    output_commit_id: int
    meta_commit_id: int | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a listing wants; what is None or empty does not matter."""

    pipeline_id: int | None = None
    projects: Sequence[str] = ()
    set_id: str | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None
    depends_on: Sequence[int] = ()  # keys of commits, of all of which the job's output must be made
    versions: tuple[int, int] | None = None


_ROWS: Final[Select[Any]] = (
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
_BY_ID: Final = _ROWS.where(_T.id == bindparam("key"))
_BY_OUTPUT: Final = _ROWS.where(_T.output_commit_id == bindparam("key"))
_FIND: Final = _ROWS.where(
    tables.project.c.name == bindparam("p"), tables.pipeline.c.name == bindparam("n"), _T.set_id == bindparam("s")
)
_OLDEST: Final = (
    select(_T.id, _T.pipeline_id, _T.version, _T.state, _T.started_at, tables.commit.c.ready_at.is_not(None))
    .join(tables.commit, tables.commit.c.id == _T.output_commit_id)
    .where(_T.id.in_(select(func.min(_T.id)).where(_T.state.in_(_OPEN)).group_by(_T.pipeline_id)))
    .order_by(_T.id)
)
_PIPELINE: Final = tables.pipeline.c
# One step in the index for each pipeline: grouping would go through all its jobs.
_NEWEST_STATES: Final = select(
    _PIPELINE.id,
    select(_T.state)
    .where(_T.pipeline_id == _PIPELINE.id)
    .order_by(_T.id.desc())
    .limit(1)
    .correlate(tables.pipeline)
    .scalar_subquery(),
).where(_PIPELINE.id.in_(bindparam("ids", expanding=True)))
# Looked up for each job on the way down the ages.
_PROJECT_NAME: Final = (
    select(tables.project.c.name)
    .join(tables.pipeline, _PIPELINE.project_id == tables.project.c.id)
    .where(_PIPELINE.id == _T.pipeline_id)
    .correlate(tables.job)
    .scalar_subquery()
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
    return None if row is None else _row(row)


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
    return None if row is None else _row(row)


def by_output(tx: Transaction, commit_id: int) -> JobRow | None:
    """The job that made an output commit; None if none did."""
    row = tx.execute(_BY_OUTPUT, {"key": commit_id}).one_or_none()
    return None if row is None else _row(row)


def of_commits(tx: Transaction, commit_ids: Collection[int]) -> list[JobRow]:
    """The jobs whose output or meta commit is one of these, oldest first, each once."""
    found: dict[int, JobRow] = {}
    for batch in batches(commit_ids):
        wanted = _ROWS.where(or_(_T.output_commit_id.in_(batch), _T.meta_commit_id.in_(batch)))
        found |= {row.id: _row(row) for row in tx.execute(wanted)}
    return [found[key] for key in sorted(found)]


def oldest_open(tx: Transaction) -> list[OpenJob]:
    """Of each pipeline the oldest job that has not ended: the only one that may be worked on. Oldest first."""
    return [
        OpenJob(key, pipeline_id, version, JobState(state), started_at, bool(ready))
        for key, pipeline_id, version, state, started_at, ready in tx.execute(_OLDEST)
    ]


def open_of(tx: Transaction, pipeline_id: int) -> list[JobRow]:
    """The jobs of a pipeline that have not ended, oldest first."""
    # Chosen by state first: in the order of age a database goes through all that the pipeline ever had.
    keys = select(_T.id).where(_T.pipeline_id == pipeline_id, _T.state.in_(_OPEN))
    return [_row(row) for row in tx.execute(_ROWS.where(_T.id.in_(keys)).order_by(_T.id))]


def last_success(tx: Transaction, row: JobRow) -> JobRow | None:
    """The newest job of the same pipeline before this one all of whose datums succeeded or had before."""
    wanted = _ROWS.where(
        _T.pipeline_id == row.pipeline_id,
        _T.id < row.id,
        _T.state == int(JobState.SUCCESS),
        _T.datums_recovered == 0,
        _T.plan_root.is_not(None),
    )
    found = tx.execute(wanted.order_by(_T.id.desc()).limit(1)).one_or_none()
    return None if found is None else _row(found)


def seconds_per_datum(tx: Transaction, row: JobRow) -> float | None:
    """How long a datum took in the last few jobs of the same pipeline that ran any; None if none of them did."""
    wanted = select(_T.datums_processed, _T.download_ms + _T.process_ms + _T.upload_ms)
    recent = tx.execute(
        wanted.where(_T.pipeline_id == row.pipeline_id, _T.id < row.id).order_by(_T.id.desc()).limit(_MEASURED_JOBS)
    ).all()
    datums, milliseconds = (sum(each[column] for each in recent if each[0]) for column in (0, 1))
    return milliseconds / datums / 1000 if datums else None


def newest_states(tx: Transaction, pipeline_ids: Collection[int]) -> dict[int, JobState]:
    """The state of the newest job of each of these pipelines that has any."""
    found = [row for batch in batches(pipeline_ids) for row in tx.execute(_NEWEST_STATES, {"ids": batch})]
    return {pipeline_id: JobState(state) for pipeline_id, state in found if state is not None}


def page(
    tx: Transaction, wanted: JobFilter, past: int | None, limit: int, *, oldest_first: bool = False
) -> list[JobRow]:
    """The first `limit` wanted jobs past the row `past`, by age."""
    by_age = _T.id if oldest_first else _T.id.desc()
    # Chosen among jobs alone: joined at once, a database may begin with the pipelines, and sort all their jobs.
    keys = select(_T.id).order_by(by_age).limit(limit)
    if past is not None:
        keys = keys.where(_T.id > past if oldest_first else _T.id < past)
    if wanted.pipeline_id is not None:
        keys = keys.where(_T.pipeline_id == wanted.pipeline_id)
    if wanted.projects:
        keys = keys.where(_PROJECT_NAME.in_(wanted.projects))
    if wanted.set_id is not None:
        keys = keys.where(_T.set_id == wanted.set_id)
    if wanted.created_before is not None:
        keys = keys.where(_T.created_at < wanted.created_before)
    if wanted.created_after is not None:
        keys = keys.where(_T.created_at > wanted.created_after)
    for commit_id in wanted.depends_on:
        keys = keys.where(_T.output_commit_id.in_(_made_of(commit_id)))
    if wanted.versions is not None:
        keys = keys.where(_T.version.between(*wanted.versions))
    return [_row(row) for row in tx.execute(_ROWS.where(_T.id.in_(keys)).order_by(by_age))]


def set_plan(
    tx: Transaction, key: int, plan: bytes, base_done: bytes, detail: Mapping[str, Any], total: int, todo: int
) -> None:
    """Write down what a job will do."""
    values = {"plan_root": plan, "base_done": base_done, "detail": dict(detail)}
    counts = {"datums_total": total, "datums_skipped": total - todo}
    tx.execute(update(tables.job).where(_T.id == key).values(**values, **counts))


def add_counts(tx: Transaction, key: int, *, processed: int, failed: int, recovered: int, stats: ProcessStats) -> None:
    """Count datums that were handed in."""
    values = {
        "datums_processed": _T.datums_processed + processed,
        "datums_failed": _T.datums_failed + failed,
        "datums_recovered": _T.datums_recovered + recovered,
        "download_ms": _T.download_ms + stats.download_ms,
        "process_ms": _T.process_ms + stats.process_ms,
        "upload_ms": _T.upload_ms + stats.upload_ms,
        "download_bytes": _T.download_bytes + stats.download_bytes,
        "upload_bytes": _T.upload_bytes + stats.upload_bytes,
    }
    tx.execute(update(tables.job).where(_T.id == key).values(values))


def set_reason(tx: Transaction, row: JobRow, reason: str) -> None:
    """Let a job that has not ended say what it waits for; its next move takes that away."""
    if row.reason != reason:
        tx.execute(update(tables.job).where(_T.id == row.id, _T.state.in_(_OPEN)).values(reason=reason))
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


def _made_of(commit_id: int) -> Select[Any]:
    """The keys of all commits that depend on one, however far."""
    edges = tables.commit_provenance.c
    down = select(edges.commit_id).where(edges.upstream_id == commit_id).cte(f"made_of_{commit_id}", recursive=True)
    down = down.union(select(edges.commit_id).join(down, edges.upstream_id == down.c.commit_id))
    return select(down.c.commit_id)


def _row(row: Any) -> JobRow:
    values = dict(row._mapping)
    job = Job(Pipeline(values.pop("project_name"), values.pop("pipeline_name")), values.pop("set_id"))
    values["state"] = JobState(values["state"])
    return JobRow(job=job, **values)
