# SPDX-License-Identifier: Apache-2.0
"""How pipelines are doing: what somebody should look at, and how many of each project work, rest or fail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.kit.clock import Clock
from howdah.model.refs import Pipeline
from howdah.model.states import JobState, PipelineState
from howdah.pfs import project_rows
from howdah.pps import job_lists, pipeline_rows
from howdah.pps.infos import PipelineInfo
from howdah.pps.job_lists import JobFilter
from howdah.pps.pipelines import Pipelines

__all__ = ["Alert", "Statuses", "Summary"]

_PAGE: Final = 200
_BAD_ENDS: Final = (JobState.FAILURE, JobState.UNRUNNABLE)
_UNWELL: Final = (PipelineState.CRASHING, PipelineState.RESTARTING)


@dataclass(frozen=True, slots=True)
class Alert:
    """What somebody should know of a pipeline."""

    pipeline: Pipeline
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """How many pipelines of a project are in which shape; each counts once, as the first of these that it is.

    Paused ones are stopped; failed ones cannot work before they are updated; unhealthy ones cannot find workers, or
    their last job ended badly; all others are active.
    """

    project: str
    active: int = 0
    paused: int = 0
    failed: int = 0
    unhealthy: int = 0


class Statuses:
    """Looks at the pipelines of a lake. Safe for many threads."""

    def __init__(self, db: Database, pipelines: Pipelines, clock: Clock) -> None:
        self._db = db
        self._pipelines = pipelines
        self._clock = clock

    def alerts(self, projects: Sequence[str] = ()) -> Iterator[Alert]:
        """The pipelines, of some projects or of all, that have worked without a pause for longer than they should.

        How long that is, their `maximumExpectedUptime` says; without it a pipeline may work for ever.
        """
        now = self._clock.now()
        for info in self._pipelines.list(projects=tuple(projects)):
            limit = info.spec.maximum_expected_uptime
            if limit is None:
                continue
            with self._db.read() as tx:
                since = _busy_since(tx, info.pipeline)
            if since is not None and now - since > limit:
                began = since.isoformat(timespec="seconds").replace("+00:00", "Z")
                text = f"{info.pipeline} has worked since {began}, beyond its maximumExpectedUptime of {limit}"
                yield Alert(info.pipeline, (text,))

    def summaries(self, projects: Sequence[str] = ()) -> list[Summary]:
        """The shape of the pipelines of these projects, in their order, or of all projects by name.

        Raises:
            NotFound: PROJECT_NOT_FOUND.
        """
        with self._db.read() as tx:
            for project in projects:
                project_rows.get_id(tx, project)
            names = list(projects) or list(_all_projects(tx))
        shapes: dict[str, dict[str, int]] = {name: {} for name in names}
        for info in self._pipelines.list(projects=tuple(projects)):
            counts = shapes.setdefault(info.pipeline.project, {})
            shape = _shape(info)
            counts[shape] = counts.get(shape, 0) + 1
        return [Summary(name, **counts) for name, counts in shapes.items()]


def _busy_since(tx: Transaction, pipeline: Pipeline) -> datetime | None:
    """Since when a pipeline has had something to do without a pause; None if it has nothing to do now."""
    row = pipeline_rows.find(tx, pipeline)
    if row is None or not job_lists.open_of(tx, row.id):
        return None
    since: datetime | None = None
    past: int | None = None
    while page := job_lists.page(tx, JobFilter(pipeline_id=row.id), past, _PAGE):
        for job in page:
            if since is not None and job.finished_at is not None and job.finished_at < since:
                return since
            since = job.created_at if since is None else min(since, job.created_at)
        past = page[-1].id
    return since


def _all_projects(tx: Transaction) -> Iterator[str]:
    after = ""
    while page := project_rows.page(tx, after, _PAGE):
        yield from (each.name for each in page)
        after = page[-1].name


def _shape(info: PipelineInfo) -> str:
    if info.stopped:
        return "paused"
    if info.state is PipelineState.FAILURE:
        return "failed"
    return "unhealthy" if info.state in _UNWELL or info.last_job_state in _BAD_ENDS else "active"
