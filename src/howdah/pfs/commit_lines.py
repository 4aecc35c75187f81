# SPDX-License-Identifier: Apache-2.0
"""A commit and its parents, as far up as is asked: histories, ancestry, the nearest good one. Reads `commit_` alone.

All is one recursive statement, so a history of many thousands is gone through inside the database. The rows themselves
are the matter of `pfs.commit_rows`.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import and_, literal, or_, select

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.pfs.commit_rows import ROWS, CommitRow, row_of

__all__ = ["Link", "ancestor", "ancestors", "distance", "from_root", "last_good", "line"]

_T: Final = tables.commit.c


class Link(NamedTuple):
    """A commit as one of many in a history: what it takes to compare it with its neighbours.

    `good` is one that is finished without an error, and whose files were not forgotten.
    """

    id: int
    set_id: str
    parent_id: int | None
    root: bytes | None
    good: bool


def ancestors(tx: Transaction, start: int, limit: int) -> list[CommitRow]:
    """The commit `start` and its parents, newest first, at most `limit` in all."""
    up = _up_from(start, limit - 1)
    return [row_of(row) for row in tx.execute(ROWS.join(up, up.c.id == _T.id).order_by(up.c.depth))]


def line(tx: Transaction, start: int, limit: int) -> list[Link]:
    """The commit `start` and its parents, newest first, at most `limit` in all; for histories of many thousands."""
    up = _up_from(start, limit - 1)
    good = and_(_T.finished_at.is_not(None), _T.error == "", _T.root.is_not(None))
    wanted = select(_T.id, _T.set_id, _T.parent_id, _T.root, good).join(up, up.c.id == _T.id).order_by(up.c.depth)
    return [Link(*row) for row in tx.execute(wanted)]


def ancestor(tx: Transaction, start: int, steps: int) -> int | None:
    """The key of the commit `steps` parents above `start`; None if its history is shorter."""
    up = _up_from(start, steps)
    found: int | None = tx.execute(select(up.c.id).where(up.c.depth == steps)).scalar()
    return found


def from_root(tx: Transaction, start: int, place: int) -> int | None:
    """The key of the `place`-th commit (the first is 0) of the history that ends with `start`; None if it is shorter.

    Counts all of the history, inside the database.
    """
    up = _up_from(start, None)
    found: int | None = tx.execute(select(up.c.id).order_by(up.c.depth.desc()).offset(place).limit(1)).scalar()
    return found


def distance(tx: Transaction, start: int, end: int | None, limit: int) -> int:
    """How many commits lie from `start`, which counts, up to `end`, which does not, or to the root; `limit` at most."""
    up = select(_T.id, _T.parent_id, literal(1).label("count")).where(_T.id == start).cte("up", recursive=True)
    more = select(_T.id, _T.parent_id, up.c.count + 1).join(up, _T.id == up.c.parent_id).where(up.c.count < limit)
    up = up.union_all(more if end is None else more.where(_T.id != end))
    found: int = tx.execute(select(up.c.count).order_by(up.c.count.desc()).limit(1)).scalar_one()
    return found


def last_good(tx: Transaction, start: int, *, past_open: bool = False) -> CommitRow | None:
    """The first commit without error from `start` up through the parents; None if there is none.

    An open commit ends the search, whatever it will become: the caller sees it by its `finished_at`.
    With `past_open` it is passed over too.
    """
    up = select(_T.id, _T.parent_id, _T.finished_at, _T.error).where(_T.id == start).cte("up", recursive=True)
    more = select(_T.id, _T.parent_id, _T.finished_at, _T.error).join(up, _T.id == up.c.parent_id)
    bad = and_(up.c.finished_at.is_not(None), up.c.error != "")
    up = up.union_all(more.where(or_(bad, up.c.finished_at.is_(None)) if past_open else bad))
    # A parent is older than its child, so the last one that was looked at has the lowest key.
    row = row_of(tx.execute(ROWS.join(up, up.c.id == _T.id).order_by(_T.id).limit(1)).one())
    if row.finished_at is None:
        return None if past_open else row
    return None if row.error else row


def _up_from(start: int, steps: int | None) -> Any:
    """The keys of a commit and its parents with their distance, at most `steps` parents."""
    up = select(_T.id, _T.parent_id, literal(0).label("depth")).where(_T.id == start).cte("up", recursive=True)
    more = select(_T.id, _T.parent_id, up.c.depth + 1).join(up, _T.id == up.c.parent_id)
    return up.union_all(more if steps is None else more.where(up.c.depth < steps))
