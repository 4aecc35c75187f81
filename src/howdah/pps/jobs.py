# SPDX-License-Identifier: Apache-2.0
"""Jobs as people see them: listing, inspecting, waiting, stopping, deleting."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, Conflict, ErrorKind, Refused
from howdah.model.refs import Commit, Job, Pipeline
from howdah.model.states import JobState, is_terminal
from howdah.pfs import commit_rows, resolve
from howdah.pps import execution_rows, job_rows, pipeline_rows
from howdah.pps.executions import AS_PROCESS, Execution
from howdah.pps.finishing import end_badly
from howdah.pps.infos import JobInfo, ProcessStats
from howdah.pps.job_rows import JobFilter, JobRow
from howdah.pps.starting import Details

__all__ = ["Jobs", "end", "stop", "stopped"]

_PAGE: Final = 200
# What callers may bring a job to; all other states are the scheduler's.
_ENDS: Final = (JobState.KILLED, JobState.FAILURE, JobState.UNRUNNABLE)


def stop(tx: Transaction, job: Job, reason: str = "job stopped") -> None:
    """End a job: it is KILLED, and its commits are closed with an error. One that has ended is left as it is.

    What succeeded in it is kept, and does not run again.

    Raises:
        NotFound: JOB_NOT_FOUND.
    """
    row = job_rows.get(tx, job)
    if not is_terminal(row.state):
        end_badly(tx, row, JobState.KILLED, reason)


def stopped(why: str) -> str:
    """The reason of a job that somebody stopped, who may have said why."""
    return f"job stopped: {why}" if why else "job stopped"


def end(tx: Transaction, job: Job, state: JobState, reason: str = "") -> None:
    """Bring a job to KILLED, FAILURE or UNRUNNABLE, with its commits as `stop`; nothing happens if it is there.

    Raises:
        NotFound: JOB_NOT_FOUND.
        Refused: BAD_MOVE: another state, or one that it cannot come to from where it is; JOB_FINISHED.
    """
    row = job_rows.get(tx, job)
    if state not in _ENDS:
        names = ", ".join(each.wire_name for each in _ENDS)
        text = f"job {job} cannot be brought to {state.wire_name}: the scheduler does that; it can be set to {names}"
        raise Refused(ErrorKind.BAD_MOVE, text)
    if row.state is not state:
        end_badly(tx, row, state, reason or f"set to {state.wire_name}")


class Jobs:
    """The jobs of a lake. Safe for many threads."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def inspect(self, job: Job) -> JobInfo:
        """What is known of a job.

        Raises:
            NotFound: JOB_NOT_FOUND.
        """
        with self._db.read() as tx:
            return _infos(tx, [job_rows.get(tx, job)])[0]

    def finished(self, job: Job) -> JobInfo | None:
        """What is known of a job once it has ended; None before. For a waiter, who listens to the job's subject.

        Raises:
            Conflict: DELETED_MEANWHILE. (Whether there is such a job, `inspect` says.)
        """
        with self._db.read() as tx:
            if (row := job_rows.find(tx, job)) is None:
                raise Conflict(ErrorKind.DELETED_MEANWHILE, f"job {job} was deleted; wait for another one")
            return _infos(tx, [row])[0] if is_terminal(row.state) else None

    def list(
        self,
        pipeline: Pipeline | None = None,
        *,
        projects: Sequence[str] = (),
        job_set: str | None = None,
        inputs: Sequence[Commit] = (),
        created: datetime | None = None,
        number: int = 0,
        reverse: bool = False,
        history: int = -1,
    ) -> Iterator[JobInfo]:
        """Jobs, newest first; with `reverse` oldest first. `number` 0 is all.

        Of one pipeline or of all; of some projects; of one set; those that depend, directly or not, on all of
        `inputs`; created before `created` (in reverse: after it); of the present version and `history` older
        ones, -1 for all. Pages are read as they are reached, each as things are then.

        Raises:
            NotFound: PIPELINE_NOT_FOUND, or a commit of `inputs`.
            BadRequest: BAD_ARGUMENT: `number` is negative.
        """
        if number < 0:
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list {number} jobs; use 0 for all")
        with self._db.read() as tx:
            row = None if pipeline is None else pipeline_rows.get(tx, pipeline)
            above = [resolve.resolve(tx, each).id for each in inputs]
        wanted = JobFilter(
            pipeline_id=None if row is None else row.id,
            projects=projects,
            set_id=job_set,
            created_before=None if reverse else created,
            created_after=created if reverse else None,
            depends_on=above,
            versions=None if row is None or history < 0 else (row.version - history, row.version),
        )
        return islice(self._pages(wanted, reverse, min(number or _PAGE, _PAGE)), number or None)

    def stop(self, job: Job, reason: str = "job stopped") -> None:
        """As the function `stop`."""
        with self._db.write() as tx:
            stop(tx, job, reason)

    def end(self, job: Job, state: JobState, reason: str = "") -> None:
        """As the function `end`."""
        with self._db.write() as tx:
            end(tx, job, state, reason)

    def delete(self, job: Job) -> None:
        """Stop a job if it runs, and forget it; its commits stay. What it handed in and was not collected is lost.

        Raises:
            NotFound: JOB_NOT_FOUND.
        """
        with self._db.write() as tx:
            row = job_rows.get(tx, job)
            if not is_terminal(row.state):
                end_badly(tx, row, JobState.KILLED, "job deleted")
            job_rows.remove(tx, row)

    def of_set(self, set_id: str) -> tuple[JobInfo, ...]:
        """The jobs of a commit set, each after those whose output it reads."""
        rows: list[JobRow] = []
        with self._db.read() as tx:
            while page := job_rows.page(
                tx, JobFilter(set_id=set_id), rows[-1].id if rows else None, _PAGE, oldest_first=True
            ):
                rows += page
            return tuple(_infos(tx, sorted(rows, key=lambda row: row.output_commit_id)))

    def _pages(self, wanted: JobFilter, oldest_first: bool, size: int) -> Iterator[JobInfo]:
        past: int | None = None
        while True:
            with self._db.read() as tx:
                rows = job_rows.page(tx, wanted, past, size, oldest_first=oldest_first)
                infos = _infos(tx, rows)
            yield from infos
            if len(rows) < size:
                return
            past = rows[-1].id


def _infos(tx: Transaction, rows: Sequence[JobRow]) -> list[JobInfo]:
    keys = {key for row in rows for key in (row.output_commit_id, row.meta_commit_id) if key is not None}
    commits = commit_rows.by_ids(tx, keys)
    how = execution_rows.of_versions(tx, {(row.pipeline_id, row.version) for row in rows})
    return [_info(row, commits, how.get((row.pipeline_id, row.version), AS_PROCESS)) for row in rows]


def _info(row: JobRow, commits: "dict[int, commit_rows.CommitRow]", execution: Execution) -> JobInfo:
    output = commits[row.output_commit_id]
    detail = Details.of(row)
    return JobInfo(
        job=row.job,
        version=row.version,
        output_commit=output.commit,
        output_branch=output.branch_name,
        meta_commit=None if row.meta_commit_id is None else commits[row.meta_commit_id].commit,
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        restart=row.restart,
        datums_total=row.datums_total,
        datums_processed=row.datums_processed,
        datums_skipped=row.datums_skipped,
        datums_failed=row.datums_failed,
        datums_recovered=row.datums_recovered,
        stats=ProcessStats(row.download_ms, row.process_ms, row.upload_ms, row.download_bytes, row.upload_bytes),
        inputs=detail.inputs,
        containment=detail.containment,
        execution=execution,
    )
