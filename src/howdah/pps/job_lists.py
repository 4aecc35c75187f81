# SPDX-License-Identifier: Apache-2.0
"""Which jobs there are: pages of listings, what is open, and what the last ones say of a pipeline. Reads `job` alone.

The rows themselves, and all that changes them, are the matter of `pps.job_rows`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, func, or_, select

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.states import JobState
from howdah.pps.job_rows import OPEN, ROWS, JobRow, row_of

__all__ = [
    "JobFilter",
    "OpenJob",
    "last_success",
    "newest_states",
    "of_commits",
    "oldest_open",
    "open_of",
    "page",
    "seconds_per_datum",
]

_T: Final = tables.job.c
# Jobs before one by which it is judged how long its datums will take.
_MEASURED_JOBS: Final = 20


class OpenJob(NamedTuple):
    """A job that has not ended, as far as it says whether its next step is due. `ready`: what it reads is there."""

    id: int
    pipeline_id: int
    version: int
    state: JobState
    started_at: datetime | None
    ready: bool


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


_OLDEST: Final = (
    select(_T.id, _T.pipeline_id, _T.version, _T.state, _T.started_at, tables.commit.c.ready_at.is_not(None))
    .join(tables.commit, tables.commit.c.id == _T.output_commit_id)
    .where(_T.id.in_(select(func.min(_T.id)).where(_T.state.in_(OPEN)).group_by(_T.pipeline_id)))
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


def of_commits(tx: Transaction, commit_ids: Collection[int]) -> list[JobRow]:
    """The jobs whose output or meta commit is one of these, oldest first, each once."""
    found: dict[int, JobRow] = {}
    for batch in batches(commit_ids):
        wanted = ROWS.where(or_(_T.output_commit_id.in_(batch), _T.meta_commit_id.in_(batch)))
        found |= {row.id: row_of(row) for row in tx.execute(wanted)}
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
    keys = select(_T.id).where(_T.pipeline_id == pipeline_id, _T.state.in_(OPEN))
    return [row_of(row) for row in tx.execute(ROWS.where(_T.id.in_(keys)).order_by(_T.id))]


def last_success(tx: Transaction, row: JobRow) -> JobRow | None:
    """The newest job of the same pipeline before this one all of whose datums succeeded or had before."""
    wanted = ROWS.where(
        _T.pipeline_id == row.pipeline_id,
        _T.id < row.id,
        _T.state == int(JobState.SUCCESS),
        _T.datums_recovered == 0,
        _T.plan_root.is_not(None),
    )
    found = tx.execute(wanted.order_by(_T.id.desc()).limit(1)).one_or_none()
    return None if found is None else row_of(found)


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
    return [row_of(row) for row in tx.execute(ROWS.where(_T.id.in_(keys)).order_by(by_age))]


def _made_of(commit_id: int) -> Select[Any]:
    """The keys of all commits that depend on one, however far."""
    edges = tables.commit_provenance.c
    down = select(edges.commit_id).where(edges.upstream_id == commit_id).cte(f"made_of_{commit_id}", recursive=True)
    down = down.union(select(edges.commit_id).join(down, edges.upstream_id == down.c.commit_id))
    return select(down.c.commit_id)
