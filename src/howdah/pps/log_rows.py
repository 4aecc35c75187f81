# SPDX-License-Identifier: Apache-2.0
"""Owner of the tables of logs: `log_source` says whose lines there are, `log_chunk` has the latest ones, `log_segment`
and `log_part` say which objects have the older ones and where in them. What lines look like: `pps.log_format`.

Lines are numbered by the row of `log_chunk` that they came in, for ever: what moves keeps its number.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.refs import Pipeline
from howdah.pps.log_format import may_have

__all__ = [
    "SERVER",
    "Dropped",
    "NewPart",
    "NewSegment",
    "Piece",
    "Scope",
    "Segment",
    "add_chunk",
    "add_source",
    "bodies",
    "drop_chunks",
    "drop_segment",
    "dropped",
    "forget_sources",
    "fresh",
    "is_known",
    "moved",
    "newest",
    "oldest_end",
    "pieces",
    "replace_chunks",
    "segments",
    "source_of",
    "sources",
]

_C: Final = tables.log_chunk.c
_P: Final = tables.log_part.c
_S: Final = tables.log_segment.c
_W: Final = tables.log_source.c

Columns = ReadOnlyColumnCollection[str, Any]

SERVER: Final = 0
"""The key of the pipeline and job that the server's own lines are kept under."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose lines: of a job, a pipeline, a job set, a project, or of all pipelines, by the first that is given."""

    job_id: int | None = None
    pipeline_id: int | None = None
    set_id: str = ""
    project: str = ""

    def of(self, columns: Columns) -> ColumnElement[bool]:
        """The condition on a table with keys of pipelines and jobs."""
        condition: ColumnElement[bool]
        if self.job_id is not None:
            condition = columns.job_id == self.job_id
        elif self.pipeline_id is not None:
            condition = columns.pipeline_id == self.pipeline_id
        elif self.set_id:
            condition = columns.job_id.in_(select(_W.job_id).where(_W.set_id == self.set_id))
        elif self.project:
            condition = columns.pipeline_id.in_(select(_W.pipeline_id).where(_W.project == self.project))
        else:
            condition = columns.pipeline_id != SERVER
        return condition


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of one job: a row of `log_chunk`, or a part of the object of a segment, which ends with it."""

    number: int
    pipeline_id: int
    job_id: int
    first_at: datetime
    last_at: datetime
    object: bytes | None = None
    start: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many lines are not there any more, and when the last of them was said."""

    lines: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NewPart:
    """Lines of one job on their way into a segment."""

    pipeline_id: int
    job_id: int
    last_chunk: int
    first_at: datetime
    last_at: datetime
    lines: int
    start: int
    length: int
    datums: bytes


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment whose object is stored and durable, and the rows that it takes the place of."""

    object: bytes
    stored_bytes: int
    chunks: Sequence[int]
    parts: Sequence[NewPart] = field(default=())


@dataclass(frozen=True, slots=True)
class Segment:
    """A row of `log_segment`."""

    id: int
    last_at: datetime
    lines: int
    stored_bytes: int


def add_source(tx: Transaction, pipeline_id: int, job_id: int, pipeline: Pipeline | None, set_id: str) -> None:
    """Write down whose lines come; nothing happens if that is known."""
    known = select(literal(1)).where(_W.pipeline_id == pipeline_id, _W.job_id == job_id)
    if tx.execute(known).one_or_none() is None:
        names = ("", "") if pipeline is None else (pipeline.project, pipeline.name)
        values = {"pipeline_id": pipeline_id, "job_id": job_id, "project": names[0], "pipeline": names[1]}
        tx.execute(insert(tables.log_source), {**values, "set_id": set_id})


def add_chunk(
    tx: Transaction, pipeline_id: int, job_id: int, body: bytes, lines: int, first_at: datetime, last_at: datetime
) -> None:
    """Keep one block of lines of a job."""
    values = {"pipeline_id": pipeline_id, "job_id": job_id, "lines": lines, "body": body}
    tx.execute(insert(tables.log_chunk), {**values, "first_at": first_at, "last_at": last_at})


def source_of(tx: Transaction, pipeline: Pipeline, set_id: str | None = None) -> tuple[int, int] | None:
    """The keys under which lines of a pipeline (or of its job of that set) were kept last; None if there are none."""
    wanted = select(_W.pipeline_id, _W.job_id).where(_W.project == pipeline.project, _W.pipeline == pipeline.name)
    if set_id is not None:
        wanted = wanted.where(_W.set_id == set_id)
    row = tx.execute(wanted.order_by(_W.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.pipeline_id, row.job_id)


def sources(tx: Transaction, pairs: Collection[int]) -> Mapping[int, tuple[Pipeline | None, str]]:
    """Pipeline and job set of each of these keys of jobs whose names are known."""
    found: dict[int, tuple[Pipeline | None, str]] = {}
    for batch in batches(pairs):
        wanted = select(_W.job_id, _W.project, _W.pipeline, _W.set_id).where(_W.job_id.in_(batch))
        for row in tx.execute(wanted):
            found[row.job_id] = (Pipeline(row.project, row.pipeline) if row.pipeline else None, row.set_id)
    return found


def is_known(tx: Transaction, set_id: str) -> bool:
    """Whether there is a job of that set, or lines of one."""
    job = tables.job.c
    kept = tx.execute(select(_W.id).where(_W.set_id == set_id).limit(1)).one_or_none()
    return kept is not None or tx.execute(select(job.id).where(job.set_id == set_id).limit(1)).one_or_none() is not None


def newest(tx: Transaction) -> int:
    """The number of the newest block of all; 0 before the first."""
    last = tx.execute(select(func.max(_C.id))).scalar() or tx.execute(select(func.max(_S.last_chunk))).scalar()
    return int(last or 0)


def pieces(
    tx: Transaction,
    scope: Scope,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    datum: str = "",
    after: int = 0,
) -> Iterator[Piece]:
    """Where lines of that scope are, with some of that time and perhaps of that datum, after a number; in any order."""
    places = select(_P.last_chunk, _P.pipeline_id, _P.job_id, _P.first_at, _P.last_at, _S.object, _P.start, _P.length)
    if datum:
        places = places.add_columns(_P.datums)
    places = places.join(tables.log_segment, _S.id == _P.segment_id)
    places = places.where(scope.of(_P), _P.last_chunk > after, *_between(_P, since, until))
    for row in tx.execute(places):
        if not datum or may_have(row.datums, datum):
            yield Piece(*row[:8])
    latest = select(_C.id, _C.pipeline_id, _C.job_id, _C.first_at, _C.last_at)
    for row in tx.execute(latest.where(scope.of(_C), _C.id > after, *_between(_C, since, until))):
        yield Piece(*row)


def bodies(tx: Transaction, numbers: Collection[int]) -> dict[int, bytes]:
    """The blocks of those rows that are still there."""
    found: dict[int, bytes] = {}
    for batch in batches(numbers):
        found |= {row.id: row.body for row in tx.execute(select(_C.id, _C.body).where(_C.id.in_(batch)))}
    return found


def moved(tx: Transaction, piece: Piece) -> Piece | None:
    """Where the block of a row is now that the row is gone; None if it is nowhere any more."""
    wanted = (
        select(_P.last_chunk, _P.pipeline_id, _P.job_id, _P.first_at, _P.last_at, _S.object, _P.start, _P.length)
        .join(tables.log_segment, _S.id == _P.segment_id)
        .where(_P.job_id == piece.job_id, _P.pipeline_id == piece.pipeline_id, _P.last_chunk >= piece.number)
        .where(_S.first_chunk <= piece.number)
        .order_by(_P.last_chunk)
        .limit(1)
    )
    row = tx.execute(wanted).one_or_none()
    return None if row is None else Piece(*row)


def fresh(tx: Transaction, after: int, limit: int) -> list[Any]:
    """The oldest rows after a number: id, keys, times, count of lines, and the size of the block."""
    wanted = select(
        _C.id, _C.pipeline_id, _C.job_id, _C.first_at, _C.last_at, _C.lines, func.length(_C.body).label("size")
    )
    return list(tx.execute(wanted.where(_C.id > after).order_by(_C.id).limit(limit)))


def replace_chunks(tx: Transaction, segment: NewSegment) -> bool:
    """Let a segment take the place of rows; False, and nothing is changed, if one of them is gone."""
    there = 0
    for batch in batches(segment.chunks):
        there += tx.execute(select(func.count()).select_from(tables.log_chunk).where(_C.id.in_(batch))).scalar_one()
    if there != len(segment.chunks):
        return False
    for batch in batches(segment.chunks):
        tx.execute(delete(tables.log_chunk).where(_C.id.in_(batch)))
    values = {
        "first_chunk": segment.chunks[0],
        "last_chunk": segment.chunks[-1],
        "first_at": min(part.first_at for part in segment.parts),
        "last_at": max(part.last_at for part in segment.parts),
        "lines": sum(part.lines for part in segment.parts),
        "stored_bytes": segment.stored_bytes,
        "object": segment.object,
    }
    made = tx.execute(insert(tables.log_segment).values(values).returning(_S.id)).scalar_one()
    tx.execute(insert(tables.log_part), [_part(made, part) for part in segment.parts])
    return True


def segments(tx: Transaction) -> list[Segment]:
    """All of them, the oldest first."""
    wanted = select(_S.id, _S.last_at, _S.lines, _S.stored_bytes).order_by(_S.last_chunk)
    return [Segment(*row) for row in tx.execute(wanted)]


def oldest_end(tx: Transaction) -> datetime | None:
    """When the last line was said of the rows that are oldest; None without rows."""
    found: datetime | None = tx.execute(select(func.min(_C.last_at))).scalar()
    return found


def drop_segment(tx: Transaction, key: int) -> int:
    """Forget the lines of a segment and remember that there were some; how many."""
    gone = _count_dropped(tx, _P, _P.segment_id == key)
    tx.execute(delete(tables.log_part).where(_P.segment_id == key))
    tx.execute(delete(tables.log_segment).where(_S.id == key))
    return gone


def drop_chunks(tx: Transaction, before: datetime) -> int:
    """Forget the rows all of whose lines are older, and remember that there were some; how many lines."""
    gone = _count_dropped(tx, _C, _C.last_at < before)
    tx.execute(delete(tables.log_chunk).where(_C.last_at < before))
    return gone


def dropped(tx: Transaction, scope: Scope) -> Dropped | None:
    """What was dropped of the lines of that scope; None if all are there."""
    wanted = select(func.sum(_W.dropped_lines), func.max(_W.dropped_until)).where(scope.of(_W), _W.dropped_lines > 0)
    lines, until = tx.execute(wanted).one()
    return Dropped(int(lines), until) if lines else None


def forget_sources(tx: Transaction) -> None:
    """Forget whose lines there were, where neither lines nor the job are there any more."""
    job = tables.job.c
    lost = delete(tables.log_source).where(
        _W.job_id != SERVER,
        _W.dropped_lines > 0,
        _W.job_id.not_in(select(job.id)),
        _W.job_id.not_in(select(_P.job_id)),
        _W.job_id.not_in(select(_C.job_id).where(_C.job_id.is_not(None))),
    )
    tx.execute(lost)


def _count_dropped(tx: Transaction, columns: Columns, which: ColumnElement[bool]) -> int:
    keys = (columns.pipeline_id, columns.job_id)
    lost = select(*keys, func.sum(columns.lines), func.max(columns.last_at)).where(which).group_by(*keys)
    total = 0
    for pipeline_id, job_id, lines, until in tx.execute(lost).all():
        values = {"dropped_lines": _W.dropped_lines + lines, "dropped_until": until}
        mine = (_W.pipeline_id == pipeline_id, _W.job_id == job_id)
        tx.execute(update(tables.log_source).where(*mine).values(values))
        total += int(lines)
    return total


def _between(columns: Columns, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(columns.last_at >= since)
    if until is not None:
        found.append(columns.first_at <= until)
    return found


def _part(segment_id: int, part: NewPart) -> dict[str, Any]:
    return {
        "segment_id": segment_id,
        "pipeline_id": part.pipeline_id,
        "job_id": part.job_id,
        "last_chunk": part.last_chunk,
        "first_at": part.first_at,
        "last_at": part.last_at,
        "lines": part.lines,
        "start": part.start,
        "length": part.length,
        "datums": part.datums,
    }
