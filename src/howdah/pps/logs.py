# SPDX-License-Identifier: Apache-2.0
"""Logs: what user code printed, what workers and the scheduler have to say, and the server itself.

Lines come in blocks, some for each call of a worker, into rows; from there they move into objects (`pps.log_mover`).
They outlive their job and their pipeline, until the rules for logs drop them. What may be asked is a
`LogQuery`; who follows a log listens to its subject and reads on after the newest block.
"""

from collections.abc import Callable, Sequence
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.model.logs import LogLevel, cut_line
from howdah.model.refs import Job, Pipeline
from howdah.model.states import JobState
from howdah.pps import job_rows, log_rows
from howdah.pps.infos import LogLine
from howdah.pps.job_rows import JobRow
from howdah.pps.log_format import block, blocks
from howdah.pps.log_mover import LogMover
from howdah.pps.log_query import LogQuery, Passes
from howdah.pps.log_reader import FoundLines, find_lines
from howdah.pps.log_rows import SERVER
from howdah.pps.subjects import SERVER_LOGS, logs_subject
from howdah.storage.chunks import Chunks

__all__ = ["Logs", "say", "say_end"]


class Logs:
    """The logs of a lake. Safe for many threads.

    `mover` brings lines into objects and drops what is too old or too much; nothing moves by itself.
    """

    def __init__(
        self, db: Database, chunks: Chunks, mover: LogMover, reads_of: Callable[[Sequence[str]], Passes]
    ) -> None:
        """`reads_of` answers which lines are of datums that read all of some files (`pps.log_files`)."""
        self._db = db
        self._chunks = chunks
        self._reads_of = reads_of
        self.mover: Final = mover

    def append(self, job: Job, worker: str, lines: Sequence[LogLine]) -> None:
        """Keep lines of a job, in their order. They are durable when this returns.

        Raises:
            NotFound: JOB_NOT_FOUND.
        """
        if not lines:
            return
        with self._db.write() as tx:
            size = _add(tx, job_rows.get(tx, job), worker, lines)
        self.mover.count(size)

    def append_own(self, lines: Sequence[LogLine]) -> None:
        """Keep lines of the server itself. They are durable when this returns."""
        if not lines:
            return
        with self._db.write() as tx:
            size = _keep(tx, SERVER, SERVER, None, "", "", lines)
            tx.emit(SERVER_LOGS, "appended")
        self.mover.count(size)

    def find(self, query: LogQuery) -> FoundLines:
        """The lines that a query asks for, as of now; nothing of them is read yet.

        Raises:
            NotFound: JOB_NOT_FOUND, PIPELINE_NOT_FOUND or PROJECT_NOT_FOUND.
        """
        return find_lines(self._db, self._chunks, query, self._reads_of(query.files))


def say(tx: Transaction, row: JobRow, message: str, level: LogLevel = LogLevel.UNSET) -> None:
    """Keep a line of the scheduler's own about a job, in the transaction that makes it true."""
    _add(tx, row, "", [LogLine(tx.now, message, level=level)])


def say_end(tx: Transaction, row: JobRow) -> None:
    """Keep a line about a job that has just ended; an error unless it succeeded or was stopped."""
    level = LogLevel.ERROR if row.state in (JobState.FAILURE, JobState.UNRUNNABLE) else LogLevel.INFO
    say(tx, row, f"ended as {row.state.name}" + (f": {row.reason}" if row.reason else ""), level)


def _add(tx: Transaction, row: JobRow, worker: str, lines: Sequence[LogLine]) -> int:
    size = _keep(tx, row.pipeline_id, row.id, row.job.pipeline, row.job.id, worker, lines)
    tx.emit(logs_subject(row.job), "appended")
    return size


def _keep(
    tx: Transaction,
    pipeline_id: int,
    job_id: int,
    pipeline: Pipeline | None,
    set_id: str,
    worker: str,
    lines: Sequence[LogLine],
) -> int:
    """Add lines in blocks; how many bytes they take."""
    log_rows.add_source(tx, pipeline_id, job_id, pipeline, set_id)
    size = 0
    for some in blocks([_cut(line) for line in lines]):
        times = [line.at for line in some]
        body = block(worker, some)
        log_rows.add_chunk(tx, pipeline_id, job_id, body, len(some), min(times), max(times))
        size += len(body)
    return size


def _cut(line: LogLine) -> LogLine:
    message = cut_line(line.message)
    if message == line.message:
        return line
    return LogLine(line.at, message, line.user, line.datum_id, line.worker_id, line.job_id, line.level, line.pipeline)
