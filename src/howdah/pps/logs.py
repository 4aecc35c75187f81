# SPDX-License-Identifier: Apache-2.0
"""Logs: what user code printed, and what workers and the scheduler have to say. Owner of the table `log_chunk`.

Lines come in chunks, one for each call of a worker, and are kept in their order. They outlive their job and
their pipeline. Who follows a log listens to its subject (`pps.subjects`) and reads on after the last chunk.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, insert, select

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.times import from_microseconds, to_microseconds
from howdah.db.transaction import Transaction
from howdah.model.refs import Job, Pipeline
from howdah.pps import job_rows, pipeline_rows
from howdah.pps.infos import LogLine
from howdah.pps.job_rows import JobRow
from howdah.pps.subjects import logs_subject

__all__ = ["Logs", "say"]

_T: Final = tables.log_chunk.c
_PAGE: Final = 100  # chunks


class Logs:
    """The logs of a lake. Safe for many threads."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append(self, job: Job, worker: str, lines: Sequence[LogLine]) -> None:
        """Keep lines of a job, in their order. They are durable when this returns.

        Raises:
            NotFound: JOB_NOT_FOUND.
        """
        if not lines:
            return
        with self._db.write() as tx:
            _add(tx, job_rows.get(tx, job), worker, lines)

    def read(
        self,
        *,
        pipeline: Pipeline | None = None,
        job: Job | None = None,
        datum: str = "",
        since: datetime | None = None,
        after: int = 0,
    ) -> Iterator[tuple[int, list[LogLine]]]:
        """The lines of a pipeline or a job (or of everything), oldest first, in chunks with their numbers.

        Only those of a datum, not older than `since`, in chunks after the number `after`: to follow a log, pass the
        last number on. Pages are read as they are reached.

        Raises:
            NotFound: JOB_NOT_FOUND or PIPELINE_NOT_FOUND.
        """
        with self._db.read() as tx:
            wanted = _wanted(tx, pipeline, job)
        if since is not None:
            wanted = wanted.where(_T.last_at >= since)
        return self._pages(wanted, after, datum, since)

    def tail(
        self, number: int, *, pipeline: Pipeline | None = None, job: Job | None = None, datum: str = ""
    ) -> tuple[int, list[LogLine]]:
        """The last `number` lines, oldest first, and the number of the newest chunk, to go on with `read`.

        Raises:
            NotFound: JOB_NOT_FOUND or PIPELINE_NOT_FOUND.
        """
        found: list[LogLine] = []
        newest = 0
        with self._db.read() as tx:
            wanted = _wanted(tx, pipeline, job).order_by(_T.id.desc()).limit(_PAGE)
            page = tx.execute(wanted).all()
            newest = page[0].id if page else 0
            while page and len(found) < number:
                for row in page:
                    found[:0] = _lines(row, datum, None)
                page = tx.execute(wanted.where(_T.id < page[-1].id)).all()
        return newest, found[-number:] if number else []

    def _pages(
        self, wanted: Select[Any], after: int, datum: str, since: datetime | None
    ) -> Iterator[tuple[int, list[LogLine]]]:
        while True:
            with self._db.read() as tx:
                page = tx.execute(wanted.where(_T.id > after).order_by(_T.id).limit(_PAGE)).all()
            for row in page:
                after = row.id
                if lines := _lines(row, datum, since):
                    yield row.id, lines
            if len(page) < _PAGE:
                return


def say(tx: Transaction, row: JobRow, message: str) -> None:
    """Keep a line of the scheduler's own about a job, in the transaction that makes it true."""
    _add(tx, row, "", [LogLine(tx.now, message)])


def _add(tx: Transaction, row: JobRow, worker: str, lines: Sequence[LogLine]) -> None:
    times = [line.at for line in lines]
    values = [[to_microseconds(line.at), line.user, line.datum_id, line.message] for line in lines]
    body = json.dumps({"job": row.job.id, "worker": worker, "lines": values}, ensure_ascii=False).encode()
    tx.execute(
        insert(tables.log_chunk),
        {
            "pipeline_id": row.pipeline_id,
            "job_id": row.id,
            "first_at": min(times),
            "last_at": max(times),
            "lines": len(lines),
            "body": body,
        },
    )
    tx.emit(logs_subject(row.job), "appended")


def _wanted(tx: Transaction, pipeline: Pipeline | None, job: Job | None) -> Select[Any]:
    wanted = select(_T.id, _T.body)
    if job is not None:
        return wanted.where(_T.job_id == job_rows.get(tx, job).id)
    if pipeline is not None:
        return wanted.where(_T.pipeline_id == pipeline_rows.get(tx, pipeline).id)
    return wanted


def _lines(row: Any, datum: str, since: datetime | None) -> list[LogLine]:
    chunk = json.loads(row.body)
    lines = [
        LogLine(from_microseconds(at), message, user, of, chunk["worker"], chunk["job"])
        for at, user, of, message in chunk["lines"]
    ]
    return [line for line in lines if (not datum or line.datum_id == datum) and (since is None or line.at >= since)]
