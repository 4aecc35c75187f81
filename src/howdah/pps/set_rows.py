# SPDX-License-Identifier: Apache-2.0
"""Owner of the tables `datum_set`, `datum_result` and `datum_result_state`. What they mean to workers: `pps.claims`.

A row of `datum_set` says what is left of the set: with each hand-in its first datum moves on. So a set whose
worker died is given to the next one without what was handed in before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.states import DatumState, JobState, is_terminal

__all__ = [
    "CLAIMED",
    "SetRow",
    "add_result",
    "any_left",
    "claim",
    "claimable",
    "claimed_of",
    "clear",
    "get",
    "handed_in",
    "has_expired",
    "has_results",
    "insert_sets",
    "leftovers",
    "progress",
    "release",
    "renew",
    "results",
    "results_after",
    "take_back",
    "waiting",
]

WAITING: Final = 0
CLAIMED: Final = 1
DONE: Final = 2

_S: Final = tables.datum_set.c
_R: Final = tables.datum_result.c
_B: Final = tables.datum_result_state.c
_J: Final = tables.job.c
_INSERTED: Final = 1_000  # rows of one statement
_RESULTS_PAGE: Final = 8  # a hand-in of thousands of datums takes a megabyte
_STATES_PAGE: Final = 8  # hand-ins of thousands of datums; a page of a listing is in few of them
_JOBS_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class SetRow:
    """What is left of a datum set: rows `first` to `first + count - 1` of the job's todo."""

    id: int
    job_id: int
    first: int
    count: int
    state: int
    worker: str
    fence: int
    claimed_until: datetime | None


_COLUMNS: Final = (_S.id, _S.job_id, _S.first, _S.datum_count, _S.state, _S.worker, _S.fence, _S.claimed_until)
_GET: Final = select(*_COLUMNS).where(_S.id == bindparam("key"))
_LEFT: Final = select(_S.id).where(_S.job_id == bindparam("job"), _S.state.in_((WAITING, CLAIMED))).limit(1)
_RUNNING: Final = select(_J.id).where(_J.state == int(JobState.RUNNING))


def _claimable_page() -> Any:
    """The next running jobs, by age: the set that waits first, a claimed one that has run out, live claims."""
    own = _S.job_id == _J.id
    waiting = select(_S.id).where(own, _S.state == WAITING).order_by(_S.position).limit(1).correlate(tables.job)
    claimed = and_(own, _S.state == CLAIMED)
    expired = select(func.min(_S.id)).where(claimed, _S.claimed_until <= bindparam("now")).correlate(tables.job)
    live = select(func.count()).where(claimed, _S.claimed_until > bindparam("now")).correlate(tables.job)
    columns = (_J.id, *(each.scalar_subquery() for each in (waiting, expired, live)))
    running = select(*columns).where(_J.state == int(JobState.RUNNING), _J.id > bindparam("after"))
    return running.order_by(_J.id).limit(_JOBS_PAGE)


def _with_sets() -> Any:
    """The jobs that have datum sets: one step in the index for each, however many sets it has."""
    found = select(func.min(_S.job_id).label("id")).cte("found", recursive=True)
    step = select(func.min(_S.job_id)).where(_S.job_id > found.c.id).correlate(found).scalar_subquery()
    found = found.union_all(select(step).where(found.c.id.is_not(None)))
    return select(found.c.id).where(found.c.id.is_not(None))


_CLAIMABLE: Final = _claimable_page()
_WITH_SETS: Final = _with_sets()
_HAS_RESULTS: Final = select(_R.id).where(_R.job_id == bindparam("job")).limit(1)


def insert_sets(tx: Transaction, job_id: int, parts: Sequence[tuple[int, int]]) -> None:
    """Add waiting sets, given as (first, count), in the order in which they shall be claimed."""
    values = [
        {"job_id": job_id, "position": position, "first": first, "datum_count": count}
        for position, (first, count) in enumerate(parts)
    ]
    for begin in range(0, len(values), _INSERTED):
        tx.execute(insert(tables.datum_set), values[begin : begin + _INSERTED])


def get(tx: Transaction, set_id: int) -> SetRow | None:
    """The row of a set; None if it is gone."""
    row = tx.execute(_GET, {"key": set_id}).one_or_none()
    return None if row is None else SetRow(*row)


def claimable(tx: Transaction, now: datetime) -> Iterator[tuple[int, int, int]]:
    """For each running job with a set to claim, oldest first: its key, its next set's key, and its live claims.

    Looks at one waiting set of each job and at those that are claimed, however many there are; and at no more jobs
    than the caller does, but for the rest of a page.
    """
    after = 0
    while True:
        page = tx.execute(_CLAIMABLE, {"now": now, "after": after}).all()
        for job_id, waiting, expired, live in page:
            after = job_id
            if (found := min((key for key in (waiting, expired) if key is not None), default=None)) is not None:
                yield job_id, found, live
        if len(page) < _JOBS_PAGE:
            return


def claim(tx: Transaction, row: SetRow, worker: str, until: datetime) -> int:
    """Give a set to a worker; its new fence."""
    values = {
        "state": CLAIMED,
        "worker": worker,
        "fence": row.fence + 1,
        "claimed_until": until,
        "attempts": _S.attempts + 1,
    }
    tx.execute(update(tables.datum_set).where(_S.id == row.id).values(values))
    return row.fence + 1


def renew(tx: Transaction, set_id: int, until: datetime) -> None:
    """Keep a claim until then."""
    tx.execute(update(tables.datum_set).where(_S.id == set_id).values(claimed_until=until))


def progress(tx: Transaction, row: SetRow, handed_in: int, until: datetime) -> bool:
    """Take the first datums off a set; whether none is left, and the set is done."""
    left = row.count - handed_in
    values: dict[str, Any] = {"first": row.first + handed_in, "datum_count": left, "claimed_until": until}
    if left == 0:
        values |= {"state": DONE, "claimed_until": None}
    tx.execute(update(tables.datum_set).where(_S.id == row.id).values(values))
    return left == 0


def any_left(tx: Transaction, job_id: int) -> bool:
    """Whether a set of the job is not done."""
    return tx.execute(_LEFT, {"job": job_id}).scalar() is not None


def has_expired(tx: Transaction, now: datetime) -> bool:
    """Whether a claim has run out that nobody has taken over."""
    wanted = select(_S.id).where(_S.job_id.in_(_RUNNING), _S.state == CLAIMED, _S.claimed_until <= now).limit(1)
    return tx.execute(wanted).scalar() is not None


def release(tx: Transaction, *, expired: datetime | None = None, worker: str = "") -> int:
    """Give back all claims, or those that have run out by `expired`, or those of one `worker`; how many."""
    given_back = update(tables.datum_set).where(_S.job_id.in_(_RUNNING), _S.state == CLAIMED)
    if expired is not None:
        given_back = given_back.where(_S.claimed_until <= expired)
    if worker:
        given_back = given_back.where(_S.worker == worker)
    # The fence grows here too, so that nobody works on under the claim that was lost.
    return tx.execute(given_back.values(state=WAITING, worker="", claimed_until=None, fence=_S.fence + 1)).rowcount


def claimed_of(tx: Transaction, job_id: int) -> list[SetRow]:
    """The sets of a job that workers have."""
    wanted = select(*_COLUMNS).where(_S.job_id == job_id, _S.state == CLAIMED).order_by(_S.id)
    return [SetRow(*row) for row in tx.execute(wanted)]


def take_back(tx: Transaction, row: SetRow) -> bool:
    """Let a claimed set wait for another claim; False if its worker has it no more under that fence."""
    taken = update(tables.datum_set).where(_S.id == row.id, _S.state == CLAIMED, _S.fence == row.fence)
    values = {"state": WAITING, "worker": "", "claimed_until": None, "fence": _S.fence + 1}
    return tx.execute(taken.values(values)).rowcount == 1


def add_result(tx: Transaction, row: SetRow, body: bytes, states: Sequence[DatumState]) -> None:
    """Keep what a worker handed in until the job's results are collected: the first datums left, in these states."""
    values = {"datum_set_id": row.id, "job_id": row.job_id, "fence": row.fence, "body": body, "at": tx.now}
    key: int = tx.execute(insert(tables.datum_result).returning(_R.id), values).scalar_one()
    common = {"result_id": key, "job_id": row.job_id, "first": row.first, "datum_count": len(states)}
    for state in sorted(set(states)):
        tx.execute(insert(tables.datum_result_state), {**common, "state": int(state)})


def waiting(tx: Transaction, job_id: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Which of the datums number `first` to `end` - 1 of todo were not handed in: intervals (begin, end), in order."""
    wanted = select(_S.first, _S.datum_count).where(
        _S.job_id == job_id, _S.state != DONE, _S.first + _S.datum_count > first, _S.first < end
    )
    for begin, count in tx.execute(wanted.order_by(_S.first)):
        yield max(begin, first), min(begin + count, end)


def handed_in(tx: Transaction, job_id: int, state: DatumState, first: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The hand-ins with datums in a state that touch numbers `first` to `end` - 1, in the order of their datums.

    Each as the number of its first datum, and its body. A page is read when it is reached.
    """
    of_job = and_(_B.job_id == job_id, _B.state == int(state))
    nearest = select(func.max(_B.first)).where(of_job, _B.first <= first)
    after = tx.execute(nearest).scalar() or 0
    while True:
        wanted = select(_B.first, _B.datum_count, _R.body).join(tables.datum_result, _R.id == _B.result_id)
        page = tx.execute(
            wanted.where(of_job, _B.first >= after, _B.first < end).order_by(_B.first).limit(_STATES_PAGE)
        ).all()
        for begin, count, body in page:
            after = begin + 1
            if begin + count > first:
                yield begin, body
        if len(page) < _STATES_PAGE:
            return


def results(tx: Transaction, job_id: int) -> Iterator[bytes]:
    """What was handed in for a job, in the order in which it came; a page is read when it is reached."""
    return (body for _, body in results_after(tx, job_id, 0))


def results_after(tx: Transaction, job_id: int, after: int) -> Iterator[tuple[int, bytes]]:
    """What was handed in after a row, each with the key of its own; as `results`."""
    while True:
        wanted = select(_R.id, _R.body).where(_R.job_id == job_id, _R.id > after).order_by(_R.id).limit(_RESULTS_PAGE)
        page = tx.execute(wanted).all()
        for key, body in page:
            after = key
            yield key, body
        if len(page) < _RESULTS_PAGE:
            return


def has_results(tx: Transaction, job_id: int) -> bool:
    """Whether something was handed in for a job that was not collected."""
    return tx.execute(_HAS_RESULTS, {"job": job_id}).scalar() is not None


def leftovers(tx: Transaction) -> dict[int, int]:
    """The jobs that have ended and whose sets are here still, oldest first, each with the key of its pipeline."""
    found: dict[int, int] = {}
    for batch in batches(list(tx.execute(_WITH_SETS).scalars())):
        wanted = select(_J.id, _J.pipeline_id, _J.state).where(_J.id.in_(batch)).order_by(_J.id)
        # Those that have ended are sorted out here: asked for the state, a database may begin with all that ever ended.
        found |= {key: of for key, of, state in tx.execute(wanted) if is_terminal(JobState(state))}
    return found


def clear(tx: Transaction, job_id: int) -> None:
    """Delete the sets of a job, and its results, which have been collected."""
    tx.execute(delete(tables.datum_result).where(_R.job_id == job_id))
    tx.execute(delete(tables.datum_set).where(_S.job_id == job_id))
