# SPDX-License-Identifier: Apache-2.0
"""The feed of events: one row for each change, with a growing number. Owner of the table `event`.

Whoever lives in this process is told of events when they were committed (`db.delivery`). Whoever comes from outside
remembers the last number it saw and asks for what came after; what is older than a day may be gone
(`server.event_keeper`). So numbers are given at the very end of a transaction, while it is the only one
that writes: whoever sees number n has been able to see every smaller one. (`Transaction.emit` collects,
`append_events` numbers.) Numbers may have gaps, and are never given twice.

Nothing of the feed is held in memory: readers take pages, and listeners get the events of one
transaction at a time (`db.delivery`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, insert, or_, select

from howdah.db.tables import event
from howdah.db.transaction import EventDraft, Transaction

__all__ = ["Event", "append_events", "last_event", "outdated_events", "read_events", "trim_events"]

PAGE_EVENTS: Final = 1_000
TRIM_EVENTS: Final = 10_000  # some 20 ms of the one writer; more would be felt by everybody who waits for it


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: to whom (`subject`), what (`kind`), and the particulars (`body`)."""

    n: int
    at: datetime
    subject: str
    kind: str
    body: Mapping[str, Any]


_INSERT: Final = insert(event).returning(event.c.n, sort_by_parameter_order=True)
_COLUMNS: Final = (event.c.n, event.c.at, event.c.subject, event.c.kind, event.c.body)


def append_events(tx: Transaction, drafts: Sequence[EventDraft]) -> list[Event]:
    """Store events and number them in their order. Called by the engine as the last thing before the commit."""
    if not drafts:
        return []
    rows = [{"at": tx.now, "subject": d.subject, "kind": d.kind, "body": d.body} for d in drafts]
    numbers = tx.execute(_INSERT, rows if len(rows) > 1 else rows[0]).scalars()
    return [Event(n, tx.now, d.subject, d.kind, d.body) for n, d in zip(numbers, drafts, strict=True)]


def read_events(tx: Transaction, after: int, limit: int = PAGE_EVENTS) -> list[Event]:
    """The first `limit` events with a number above `after`, oldest first; empty when there are none yet."""
    page = select(*_COLUMNS).where(event.c.n > after).order_by(event.c.n).limit(limit)
    return [Event(*row) for row in tx.execute(page)]


def last_event(tx: Transaction) -> int:
    """The number of the newest event; 0 in a new lake. What to pass to `read_events` to see only what comes."""
    newest: int | None = tx.execute(select(func.max(event.c.n))).scalar()
    return newest or 0


def outdated_events(tx: Transaction, before: datetime, most: int, limit: int = TRIM_EVENTS) -> int:
    """A number for `trim_events`: all under it are older than `before` or not among the newest `most`; 0 if none is.

    Only the oldest `limit` are looked at, as many as one call of that removes. The newest never counts as outdated.
    """
    newest = last_event(tx)
    oldest = select(event.c.n, event.c.at).order_by(event.c.n).limit(limit).subquery()
    gone = or_(oldest.c.at < before, oldest.c.n <= newest - most)
    last: int | None = tx.execute(select(func.max(oldest.c.n)).where(gone, oldest.c.n < newest)).scalar()
    return 0 if last is None else last + 1


def trim_events(tx: Transaction, before_n: int, limit: int = TRIM_EVENTS) -> int:
    """Forget events with a number under `before_n`, oldest first; how many went. Repeat until it is 0.

    One call removes at most `limit`, since others wait for the writer meanwhile. The newest event
    always stays, so that `last_event` never goes back.
    """
    oldest, newest = tx.execute(select(func.min(event.c.n), func.max(event.c.n))).one()
    if oldest is None:
        return 0
    bound = min(before_n, newest, oldest + limit)
    return tx.execute(delete(event).where(event.c.n < bound)).rowcount
