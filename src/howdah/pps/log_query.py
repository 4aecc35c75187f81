# SPDX-License-Identifier: Apache-2.0
"""What may be asked of logs, whichever API asks: whose lines, and which of them. `pps.log_reader` finds them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.logs import LogLevel, Speaker
from howdah.model.refs import Job, Pipeline
from howdah.pfs import project_rows
from howdah.pps import job_rows, log_rows, pipeline_rows
from howdah.pps.infos import LogLine
from howdah.pps.log_patterns import LinePattern
from howdah.pps.log_rows import SERVER, Scope
from howdah.pps.subjects import PIPELINES, SERVER_LOGS, logs_subject, pipeline_subject, project_subject

__all__ = ["EVERYBODY", "Filter", "LogQuery", "Numbered", "Passes", "filter_of", "scope_of", "subject_of"]

EVERYBODY: Final = frozenset(Speaker)

Passes = Callable[[LogLine], bool]

Numbered = tuple[int, int, LogLine]
"""A line, behind the numbers of its block and of the line in it."""

Filter = Callable[[Iterable[Numbered]], list[Numbered]]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Lines of a job, of a pipeline, of all jobs of a job set, of a project, or of the server itself; else of all
    pipelines. Only those that pass: of a datum, of datums that read all these `files` (paths, or hashes in hex or
    base64), of a worker, by some speakers, at least so grave, matching (or with `negate` not matching) a pattern,
    of a time, its ends included.
    """

    job: Job | None = None
    pipeline: Pipeline | None = None
    job_set: str = ""
    project: str = ""
    server: bool = False
    datum: str = ""
    files: tuple[str, ...] = ()
    worker: str = ""
    speakers: frozenset[Speaker] = EVERYBODY
    level: LogLevel = LogLevel.UNSET
    pattern: LinePattern | None = None
    negate: bool = False
    since: datetime | None = None
    until: datetime | None = None


def scope_of(tx: Transaction, query: LogQuery) -> Scope:
    """Whose lines a query asks for. A job or pipeline that is gone is found as long as lines of it are there.

    Raises:
        NotFound: JOB_NOT_FOUND, PIPELINE_NOT_FOUND or PROJECT_NOT_FOUND.
    """
    if query.server:
        return Scope(pipeline_id=SERVER)
    if query.job is not None:
        row = job_rows.find(tx, query.job)
        kept = None if row else log_rows.source_of(tx, query.job.pipeline, query.job.id)
        if row is None and kept is None:
            raise job_rows.missing(query.job)
        return Scope(job_id=row.id if row else kept[1] if kept else None)
    if query.pipeline is not None:
        found = pipeline_rows.find(tx, query.pipeline)
        kept = None if found else log_rows.source_of(tx, query.pipeline)
        if found is None and kept is None:
            raise pipeline_rows.missing(query.pipeline)
        return Scope(pipeline_id=found.id if found else kept[0] if kept else None)
    if query.job_set:
        if not log_rows.is_known(tx, query.job_set):
            text = f"job {query.job_set} not found in any pipeline; see what there is: howdah list job"
            raise NotFound(ErrorKind.JOB_NOT_FOUND, text)
        return Scope(set_id=query.job_set)
    if query.project:
        project_rows.get_id(tx, query.project)
    return Scope(project=query.project)


def subject_of(query: LogQuery) -> str:
    """The subject of the events that tell of more lines."""
    if query.server:
        return SERVER_LOGS
    if query.job is not None:
        return logs_subject(query.job)
    if query.pipeline is not None:
        return pipeline_subject(query.pipeline)
    return project_subject(query.project) if query.project else PIPELINES


def filter_of(query: LogQuery, reads: Passes) -> Filter:
    """What leaves of lines those that a query asks for, in their order; `reads` says so of the files of a datum."""

    def passes(line: LogLine) -> bool:
        if query.datum and line.datum_id != query.datum:
            return False
        if query.worker and line.worker_id != query.worker:
            return False
        if line.speaker not in query.speakers or (line.level or LogLevel.INFO) < query.level:
            return False
        if query.since is not None and line.at < query.since:
            return False
        return query.until is None or line.at <= query.until

    def chosen(lines: Iterable[Numbered]) -> list[Numbered]:
        found = [each for each in lines if passes(each[2])]
        if query.pattern is not None and found:
            matches = query.pattern.matches([each[2].message for each in found])
            found = [each for each, match in zip(found, matches, strict=True) if match != query.negate]
        # Last, for it reads what jobs have planned.
        return [each for each in found if reads(each[2])] if query.files else found

    return chosen
