# SPDX-License-Identifier: Apache-2.0
"""From rows into objects, and at last away: how the lines of logs get old.

When rows hold enough for a segment (or their oldest has waited for long enough) they become one: an object with the
lines of all jobs, those of a job together in parts, and the rows that say what is where. The object is durable before
a row refers to it, and rows and segment change places in one transaction: a kill leaves every line exactly once. A
thread of the server has this done (`server.log_keeper`).
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from howdah.db.engine import Database
from howdah.kit import fail
from howdah.pfs.leases import Leases
from howdah.pps import log_rows
from howdah.pps.log_format import BLOCK_BYTES, datum_filter, datums_of, numbered
from howdah.pps.log_rows import NewPart, NewSegment
from howdah.storage.chunks import Chunks, chunk_key

__all__ = ["MOVE_AFTER", "SEGMENT_BYTES", "LogMover"]

SEGMENT_BYTES: Final = 4 << 20
"""The text of a segment: what one read of an object brings."""

MOVE_AFTER: Final = timedelta(hours=6)
"""Lines that wait for so long move, however few they are."""

_ROWS_MAX: Final = 20_000  # that a segment takes the place of
_LEASE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive blocks of one job that make a part."""

    rows: list[Any]
    text: bytes


class LogMover:
    """Moves and drops lines of a lake's logs. Safe for many threads: one moves at a time."""

    def __init__(self, db: Database, chunks: Chunks, leases: Leases, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._db = db
        self._chunks = chunks
        self._leases = leases
        self._segment_bytes = segment_bytes
        self._moving = threading.Lock()
        self._counting = threading.Lock()
        # Guarded by _counting: bytes that came since the last segment's worth of them.
        self._bytes = 0
        self._full: Callable[[], None] = lambda: None

    def when_full(self, told: Callable[[], None]) -> None:
        """Call `told`, in the thread of some writer, each time that a segment's worth of lines has come."""
        self._full = told

    def count(self, size: int) -> None:
        """Be told that so many bytes were kept."""
        with self._counting:
            self._bytes += size
            full = self._bytes >= self._segment_bytes
            if full:
                self._bytes = 0
        if full:
            self._full()

    def move(self, *, everything: bool = False) -> int:
        """Make segments while there is enough for one, or something is too old; how many. With `everything` of all.

        Repeating it, also after a crash, goes on where it ended.
        """
        made = 0
        with self._moving:
            while (rows := self._due(everything)) and self._move(rows):
                made += 1
        return made

    def drop(self, *, keep: timedelta | None = None, bytes_max: int | None = None) -> int:
        """Forget lines that are older than `keep`, and the oldest while they take more than `bytes_max`; how many.

        Whole segments go, each in a transaction of its own; what was dropped is remembered for who asks for it. The
        objects are garbage then.
        """
        with self._db.read() as tx:
            now, segments = tx.now, log_rows.segments(tx)
            oldest = log_rows.oldest_end(tx)
        gone = 0
        total = sum(each.stored_bytes for each in segments)
        for each in segments:
            old = keep is not None and each.last_at < now - keep
            if not old and (bytes_max is None or total <= bytes_max):
                continue
            with self._db.write() as tx:
                gone += log_rows.drop_segment(tx, each.id)
            total -= each.stored_bytes
            fail.here("logs.dropped")
        if keep is not None and oldest is not None and oldest < now - keep:
            with self._db.write() as tx:
                gone += log_rows.drop_chunks(tx, now - keep)
        if gone:
            with self._db.write() as tx:
                log_rows.forget_sources(tx)
        return gone

    def _due(self, everything: bool) -> list[Any]:
        """The rows that make the next segment; none if they are to wait."""
        with self._db.read() as tx:
            rows = log_rows.fresh(tx, 0, _ROWS_MAX)
            now = tx.now
        size = 0
        for at, row in enumerate(rows):
            size += row.size
            if size >= self._segment_bytes:
                return rows[: at + 1]
        full = len(rows) == _ROWS_MAX
        old = bool(rows) and min(row.first_at for row in rows) < now - MOVE_AFTER
        return rows if full or old or everything else []

    def _move(self, rows: list[Any]) -> bool:
        """Make a segment of rows; False if they were dropped meanwhile."""
        with self._db.read() as tx:
            bodies = log_rows.bodies(tx, [row.id for row in rows])
        if len(bodies) != len(rows):
            return False
        lease = self._leases.create("logs", _LEASE_SECONDS)
        try:
            plain = bytearray()
            parts = []
            for run in _runs(rows, bodies):
                parts.append(_part(run, len(plain), bodies))
                plain += run.text
            name = self._chunks.put(plain)
            self._chunks.store.sync()
            fail.here("logs.stored")
            stored = self._chunks.store.size(chunk_key(name)) or len(plain)
            segment = NewSegment(name, stored, [row.id for row in rows], parts)
            with self._db.write() as tx:
                self._leases.check(tx, lease)
                done = log_rows.replace_chunks(tx, segment)
            fail.here("logs.moved")
            return done
        finally:
            self._leases.release(lease)


def _runs(rows: list[Any], bodies: dict[int, bytes]) -> Iterator[_Run]:
    """The blocks of each job in runs that make a part each, in the order of the jobs' first blocks."""
    of_jobs: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        of_jobs.setdefault((row.pipeline_id, row.job_id), []).append(row)
    for mine in of_jobs.values():
        run: list[Any] = []
        text = bytearray()
        for row in mine:
            run.append(row)
            text += numbered(row.id, bodies[row.id])
            if len(text) >= BLOCK_BYTES:
                yield _Run(run, bytes(text))
                run, text = [], bytearray()
        if run:
            yield _Run(run, bytes(text))


def _part(run: _Run, start: int, bodies: dict[int, bytes]) -> NewPart:
    first = run.rows[0]
    datums = set().union(*(datums_of(bodies[row.id]) for row in run.rows))
    return NewPart(
        first.pipeline_id,
        first.job_id,
        run.rows[-1].id,
        min(row.first_at for row in run.rows),
        max(row.last_at for row in run.rows),
        sum(row.lines for row in run.rows),
        start,
        len(run.text),
        datum_filter(datums),
    )
