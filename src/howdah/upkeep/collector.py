# SPDX-License-Identifier: Apache-2.0
"""Garbage collection: what nothing names goes into the trash, stays there for a while, and then away for good.

    1. Look at leases and roots, in one snapshot; mark all that the roots reach.
    2. What is not marked, and older than the oldest living lease and a margin, goes into the trash.
    3. Look at leases and roots again, and mark what is new. What is in the trash and marked goes back; what is not,
       and has been there for long enough and from before any living lease, is removed.

Only the third step loses anything, and nothing that was in its place when a living writer began: one that comes
later does not find it and stores it again; who read its root before has the time of the trash. A crash leaves each
object in its place or in the trash, where readers find it. See docs/papers/0006, and `storage.trash`.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import numpy as np
from sqlalchemy import func, or_, select

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, Unavailable
from howdah.kit import fail
from howdah.model.states import JobState, is_terminal
from howdah.model.upkeep import Collected, Tally
from howdah.pfs import leases
from howdah.storage.extents import NAME_BYTES
from howdah.storage.marks import KINDS, Marks
from howdah.storage.name_sets import Flags, Names, names_in
from howdah.storage.objects import ObjectInfo, ObjectStore
from howdah.storage.probe import PROBE_PREFIX
from howdah.storage.trash import TRASH_PREFIX, RecoveringStore, put_back, throw_away, trashed
from howdah.upkeep.roots import Root, RootList, find_roots

__all__ = ["KEEP_SECONDS", "MARGIN_SECONDS", "Collector"]

KEEP_SECONDS: Final = 24 * 3600.0
"""How long the trash is kept unless somebody says otherwise: who reads what was deleted has that long to end."""

MARGIN_SECONDS: Final = 3600.0
"""Objects younger than this are left alone: what the server itself makes without a lease takes minutes at most."""

_KEEP_SECONDS_MAX: Final = 10 * 365 * 86_400
_PAGE: Final = 20_000  # objects of a listing that are looked at together

ExtraRoots = Callable[[Transaction], Iterable[Root]]


@dataclass(slots=True)
class _Sum:
    """A tally that grows."""

    objects: int = 0
    size_bytes: int = 0

    def add(self, info: ObjectInfo) -> None:
        self.objects += 1
        self.size_bytes += info.size

    def merge(self, other: "_Sum") -> None:
        self.objects += other.objects
        self.size_bytes += other.size_bytes

    @property
    def tally(self) -> Tally:
        return Tally(self.objects, self.size_bytes)


@dataclass(slots=True)
class _Run:
    """One collection that goes on."""

    dry_run: bool
    marks: Marks
    named: _Sum = field(default_factory=_Sum)
    young: _Sum = field(default_factory=_Sum)
    thrown_away: _Sum = field(default_factory=_Sum)
    waiting: _Sum = field(default_factory=_Sum)
    put_back: _Sum = field(default_factory=_Sum)
    removed: _Sum = field(default_factory=_Sum)

    def report(self, missing: int = 0) -> Collected:
        return Collected(
            dry_run=self.dry_run,
            named=self.named.tally,
            young=self.young.tally,
            thrown_away=self.thrown_away.tally,
            waiting=self.waiting.tally,
            put_back=self.put_back.tally,
            removed=self.removed.tally,
            missing=missing,
        )


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What the database said at one moment."""

    now: datetime
    lease: datetime | None  # when the oldest living one was taken
    job: datetime | None  # when the oldest job that is not settled was made

    def before(self, keep_seconds: float) -> datetime:
        """What has a time before this is older than `keep_seconds`, and than whatever is at work now.

        Clocks differ, and a file's time is some milliseconds late; hence the margin before each lease. What jobs store
        they store without a lease: with an hour to keep, what they do is done long before.
        """
        moments = [self.now - timedelta(seconds=keep_seconds) + timedelta.resolution]
        if self.lease is not None:
            moments.append(self.lease - timedelta(seconds=MARGIN_SECONDS))
        if self.job is not None and keep_seconds < MARGIN_SECONDS:
            moments.append(self.job - timedelta(seconds=MARGIN_SECONDS))
        return min(moments)


class Collector:
    """Collects the garbage of one lake. Safe for many threads: one collects, the others are told so."""

    def __init__(
        self,
        db: Database,
        store: ObjectStore,
        extra_roots: ExtraRoots = lambda _: (),
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """`extra_roots` are filesets that only this process knows, such as the merged files of open commits.

        `settle` is called before a run: it gives back leases that nobody needs.
        """
        self._settle = settle
        self._db = db
        # Marking brings back what is named; all else goes past that, for here the trash is the trash.
        self._reading = store if isinstance(store, RecoveringStore) else RecoveringStore(store)
        self._store = self._reading.inner
        self._extra_roots = extra_roots
        self._busy = threading.Lock()

    def collect(self, *, dry_run: bool = False, keep_seconds: float = KEEP_SECONDS) -> Collected:
        """Put what nothing names into the trash, and remove what has been there for `keep_seconds`.

        Repeating it, also after a crash, goes on where it ended. With less than an hour to keep, also younger objects
        go, and what goes is removed in the same run, unless a writer or a job is at work.

        Raises:
            BadRequest: a negative time, or one of more than ten years.
            Unavailable: BUSY: another one is going on.
            Damaged: what is named cannot be read, so what it names is not known; nothing was removed.
        """
        if not 0 <= keep_seconds <= _KEEP_SECONDS_MAX:
            text = (
                f"garbage cannot be kept for {keep_seconds} seconds; give 0 to {_KEEP_SECONDS_MAX}, which are ten years"
            )
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        with self._alone():
            self._settle()
            run = _Run(dry_run, Marks(self._reading))
            first = self._mark(run.marks)
            missing = self._sweep(run, first.before(min(keep_seconds, MARGIN_SECONDS)))
            fail.here("gc.swept")
            second = self._mark(run.marks)
            self._empty(run, second.before(keep_seconds))
            self._clear_probes(run, second.now - timedelta(seconds=KEEP_SECONDS))
            self._store.sync()
            return run.report(max(0, missing - run.put_back.objects))

    def undelete(self) -> Collected:
        """Put everything in the trash back in its place. What is still not named will go there again, in an hour.

        Raises:
            Unavailable: BUSY: garbage is being collected.
        """
        with self._alone():
            run = _Run(dry_run=False, marks=Marks(self._reading))
            for info in trashed(self._store):
                if put_back(self._store, info.key):
                    run.put_back.add(info)
            self._store.sync()
            return run.report()

    def _alone(self) -> "_Alone":
        return _Alone(self._busy)

    def _mark(self, marks: Marks) -> _Snapshot:
        """Mark what is named now; the leases as of the same moment."""
        with self._db.read() as tx:
            snapshot = _Snapshot(tx.now, leases.oldest(tx), _oldest_job(tx))
            roots = RootList()
            for root in find_roots(tx):
                roots.add(root)
            for root in self._extra_roots(tx):
                roots.add(root)
        marks.chunks.update(roots.chunks.names())
        marks.add(roots)
        return snapshot

    def _sweep(self, run: _Run, before: datetime) -> int:
        """Throw away what is not marked and older; how many marked objects are missing."""
        found = 0
        for prefix in KINDS:
            marked = run.marks.of(prefix)
            for page in _pages(self._store.list(prefix)):
                for info, known in zip(page, marked.contains(_names(page)), strict=True):
                    if known:
                        found += 1
                        run.named.add(info)
                    elif info.modified >= before:
                        run.young.add(info)
                    elif run.dry_run or throw_away(self._store, info.key):
                        run.thrown_away.add(info)
                        fail.here("gc.thrown_away")
        return sum(len(run.marks.of(prefix)) for prefix in KINDS) - found

    def _empty(self, run: _Run, before: datetime) -> None:
        """Look through the trash: put back what is marked, remove what has been there since `before`."""
        for page in _pages(trashed(self._store)):
            for info, known in zip(page, _marked(run.marks, page), strict=True):
                if known:
                    self._return(run, info)
                elif info.modified >= before:
                    run.waiting.add(info)
                else:
                    run.removed.add(info)
                    if not run.dry_run:
                        self._store.delete(TRASH_PREFIX + info.key)
                        fail.here("gc.removed")
        if run.dry_run:
            # What would have been thrown away is still in its place.
            (run.removed if before > self._db.clock.now() else run.waiting).merge(run.thrown_away)

    def _clear_probes(self, run: _Run, before: datetime) -> None:
        """Remove what probes of the store left that did not come to their end: nothing ever names it."""
        for info in self._store.list(PROBE_PREFIX):
            if info.modified < before:
                run.removed.add(info)
                if not run.dry_run:
                    self._store.delete(info.key)

    def _return(self, run: _Run, info: ObjectInfo) -> None:
        """Put back what is named; if it was stored again, what is in the trash is one too many."""
        there = self._store.exists(info.key)
        if run.dry_run or put_back(self._store, info.key):
            (_Sum() if there else run.put_back).add(info)


class _Alone:
    """The lock of a collection; who does not get it is told so and does not wait."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            text = "garbage collection is going on already; wait until it is done"
            raise Unavailable(ErrorKind.BUSY, text)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _oldest_job(tx: Transaction) -> datetime | None:
    """When the oldest job was made that is at work, or whose results are not collected yet."""
    job, result = tables.job.c, tables.datum_result.c
    waiting = (int(JobState.CREATED), *(int(state) for state in JobState if is_terminal(state)))
    unsettled = or_(job.state.not_in(waiting), job.id.in_(select(result.job_id)))
    made: datetime | None = tx.execute(select(func.min(job.created_at)).where(unsettled)).scalar()
    return made


def _pages(infos: Iterator[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    while page := list(islice(infos, _PAGE)):
        yield page


def _names(page: list[ObjectInfo]) -> Names:
    """The names of objects; one that is no name of ours is a name that nothing has."""
    return names_in(b"".join(_name(info.key) for info in page))


def _name(key: str) -> bytes:
    try:
        return bytes.fromhex(key[-2 * NAME_BYTES :]).rjust(NAME_BYTES, b"\0")
    except ValueError:
        return bytes(NAME_BYTES)


def _marked(marks: Marks, page: list[ObjectInfo]) -> Flags:
    """For each object of any kind, whether it is marked."""
    names = _names(page)
    known = np.zeros(len(page), np.bool_)
    for prefix in KINDS:
        of = np.fromiter((info.key.startswith(prefix) for info in page), np.bool_, len(page))
        known |= of & marks.of(prefix).contains(names)
    return known
