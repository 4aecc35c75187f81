# SPDX-License-Identifier: Apache-2.0
"""Let cron inputs tick: an empty file in a commit of its own, named by its time, when it is time.

What is due is seen from the database and the clock alone, so deciding may be repeated. The commit of a tick and the
place in time that it moves the input to are one transaction: a crash neither loses a tick nor doubles one. What was
missed while no server ran, or while the pipeline was stopped, is made up for tick by tick, or with `overwrite` by the
newest one. From where on an input ticks is in `pps.crons`.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import Event
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, Conflict, ErrorKind, HowdahError
from howdah.kit import fail
from howdah.model.refs import Branch, Pipeline
from howdah.model.schedules import parse_schedule
from howdah.model.spec import CronInput, cron_inputs
from howdah.pfs import closing, resolve, starting, touched
from howdah.pfs.work import Work, Works
from howdah.pps import cron_rows, pipeline_rows
from howdah.pps.cron_rows import CronRow
from howdah.pps.crons import MISSED_MAX, tick_branch
from howdah.pps.pipeline_rows import PipelineRow
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter

__all__ = ["Ticker"]

_log: Final = logging.getLogger(__name__)

# How late a tick may be seen if somebody set the clock; without that the thread wakes at the tick itself.
WAIT_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 5.0  # after a tick that could not be committed
_ATTEMPTS: Final = 100  # of a tick by hand, while others commit to its repo
_WAKING: Final = ("created", "updated", "started")


@dataclass(frozen=True, slots=True)
class _Cron:
    """A cron input of a pipeline that works."""

    row: CronRow
    pipeline: Pipeline
    version: int
    node: CronInput

    def due(self, now: datetime) -> list[datetime]:
        """The ticks that have come and were not made, oldest first."""
        return parse_schedule(self.node.spec).between(self.row.ticked_at, now, 1 if self.node.overwrite else MISSED_MAX)

    @property
    def next(self) -> datetime | None:
        """The tick that comes next, if one ever does."""
        return parse_schedule(self.node.spec).next_after(self.row.ticked_at)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The files that a tick repo has after a tick, in the store; and the head that they were made from."""

    branch: Branch
    head_id: int | None
    root: bytes
    files: int
    size: int
    hashes: bytes | None


class Ticker:
    """Ticks for a lake. `start` lets it run by itself; `step` is for callers that move the time themselves."""

    def __init__(self, db: Database, storage: Storage, works: Works) -> None:
        self._db = db
        self._storage = storage
        self._works = works
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._forget: Callable[[], None] = lambda: None
        # Why inputs could not tick, said once and not at each try.
        self._told: dict[tuple[int, str], str] = {}

    def start(self) -> None:
        """Make up for what was missed and tick on, in a thread, until `stop`."""
        self._forget = self._db.on_commit(self._hear)
        self._thread = threading.Thread(target=self._run, name="cron", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the tick that is being committed; stopping again does nothing."""
        self._forget()
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def step(self) -> bool:
        """Commit every tick that is due now; whether all of them could be committed."""
        now = self._db.clock.now()
        left = [(cron, ticks) for cron in self._working() if (ticks := cron.due(now))]
        for cron, ticks in left:
            if (first := cron.next) is not None and first < ticks[0] and not cron.node.overwrite:
                _log.warning(
                    "cron input %s of pipeline %s missed more than %d ticks; those from %s until %s are left out",
                    cron.node.name,
                    cron.pipeline,
                    MISSED_MAX,
                    first,
                    ticks[0],
                )
        well = True
        # In turn, so that an input with much to make up for holds up no other.
        while left and not self._stopping:
            turn, left = left, []
            for cron, (at, *later) in turn:
                moved = self._tick(cron, at)
                well = well and moved is not None
                if moved is not None and later:
                    left.append((moved, later))
        return well

    def next_tick(self) -> datetime | None:
        """When the next tick of any cron input comes; None if none ever does."""
        return min((cron.next for cron in self._working() if cron.next is not None), default=None)

    def run(self, pipeline: Pipeline) -> None:
        """Tick now, whatever the schedules say: one commit set for all cron inputs of a pipeline.

        Raises:
            NotFound: PIPELINE_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: it has no cron input.
            Refused: PIPELINE_STOPPED.
            Unavailable: BUSY: somebody has an open commit in a tick repo.
        """
        now = self._db.clock.now()
        for attempt in range(_ATTEMPTS):
            with self._db.read() as tx:
                nodes = _nodes(tx, pipeline)
            stored = [self._store(node, now, by_hand=True) for node in nodes]
            try:
                with self._works.open() as work:
                    if _nodes(work.tx, pipeline) != nodes:
                        text = f"pipeline {pipeline} was changed while it was to tick; let it tick again"
                        raise Conflict(ErrorKind.WRITE_CONFLICT, text)
                    for each in stored:
                        _commit(work, each)
            except Conflict as error:
                if error.kind is not ErrorKind.WRITE_CONFLICT or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _working(self) -> list[_Cron]:
        """The cron inputs of all pipelines that are not stopped."""
        with self._db.read() as tx:
            pipelines: dict[int, PipelineRow | None] = {}
            found: list[_Cron] = []
            for row in cron_rows.everything(tx):
                if row.pipeline_id not in pipelines:
                    pipelines[row.pipeline_id] = pipeline_rows.by_id(tx, row.pipeline_id)
                pipeline = pipelines[row.pipeline_id]
                if pipeline is not None and not pipeline.stopped:
                    nodes = {node.name: node for node in _nodes_of(tx, pipeline)}
                    found.append(_Cron(row, pipeline.pipeline, pipeline.version, nodes[row.name]))
        return found

    def _tick(self, cron: _Cron, at: datetime) -> _Cron | None:
        """Commit one tick; the input as it is then, None if it could not be."""
        key = (cron.row.pipeline_id, cron.row.name)
        try:
            stored = self._store(cron.node, at)
            fail.here("cron.stored")
            with self._works.open() as work:
                if not _is_current(work.tx, cron):
                    return None
                _commit(work, stored)
                cron_rows.note(work.tx, cron.row, at)
                fail.here("cron.noted")
        except HowdahError as error:
            if self._told.get(key) != error.message:
                self._told[key] = error.message
                text = "cron input %s of pipeline %s could not tick: %s"
                _log.warning(text, cron.node.name, cron.pipeline, error.message)
            return None
        except Exception:  # one pipeline must not stop the clock of all others
            _log.exception("cron input %s of pipeline %s could not tick", cron.node.name, cron.pipeline)
            return None
        self._told.pop(key, None)
        row = CronRow(cron.row.pipeline_id, cron.row.name, at, cron.row.repo_made)
        return _Cron(row, cron.pipeline, cron.version, cron.node)

    def _store(self, node: CronInput, at: datetime, *, by_hand: bool = False) -> _Stored:
        """Store the files that the repo of an input has after a tick."""
        branch = tick_branch(node)
        with self._db.read() as tx:
            head = resolve.head_of(tx, branch)
            base = None if head is None else closing.good_root(tx, head)
        referrer = f"branch {branch}"
        before = self._storage.fileset(base, referrer)
        path = _path(at)
        if by_hand and before.find(path):
            path = _path(at, "microseconds")  # two ticks by hand within a second are two
        with ChangeWriter(self._storage, before) as writer:
            if node.overwrite:
                writer.delete_directory("/")
            writer.put(path, [b""])
            root = self._storage.apply(base, writer.finish(), referrer).root
        total = self._storage.fileset(root, referrer).total
        hashes = touched.between(self._storage, base, root, referrer)
        return _Stored(branch, None if head is None else head.id, root, total.files, total.size, hashes)

    def _hear(self, events: Sequence[Event]) -> None:
        if any(event.kind in _WAKING and _is_of_pipeline(event.subject) for event in events):
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            seconds = RETRY_SECONDS
            try:
                if self.step():
                    seconds = self._seconds_to_next()
            except Exception:  # nobody above could do better than to try again
                _log.exception("schedules of cron inputs could not be read; it is tried again")
            self._wake.wait(seconds)

    def _seconds_to_next(self) -> float:
        if (tick := self.next_tick()) is None:
            return WAIT_SECONDS
        return min(WAIT_SECONDS, max(0.0, (tick - self._db.clock.now()).total_seconds()))


def _nodes_of(tx: Transaction, row: PipelineRow) -> tuple[CronInput, ...]:
    return cron_inputs(pipeline_rows.spec_of(pipeline_rows.version(tx, row, row.version).effective_spec).input)


def _nodes(tx: Transaction, pipeline: Pipeline) -> tuple[CronInput, ...]:
    """The cron inputs of a pipeline that may tick by hand."""
    row = pipeline_rows.get(tx, pipeline)
    nodes = _nodes_of(tx, row)
    if not nodes:
        text = f"pipeline doesn't have a cron input: {pipeline} reads other things; run it again"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}: howdah rerun pipeline {pipeline}")
    if row.stopped:
        raise pipeline_rows.is_stopped(pipeline)
    return nodes


def _is_current(tx: Transaction, cron: _Cron) -> bool:
    """Whether an input still is where it was when its tick was due."""
    row = pipeline_rows.by_id(tx, cron.row.pipeline_id)
    if row is None or row.stopped or row.version != cron.version:
        return False
    return cron_rows.find(tx, cron.row.pipeline_id, cron.row.name) == cron.row


def _commit(work: Work, stored: _Stored) -> None:
    starting.make_finished(
        work,
        stored.branch,
        stored.root,
        stored.files,
        stored.size,
        expected_head=stored.head_id,
        hashes=stored.hashes,
    )


def _path(at: datetime, precision: str = "seconds") -> str:
    """The file of a tick: its time in RFC 3339."""
    return "/" + at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _is_of_pipeline(subject: str) -> bool:
    """Whether an event is about a pipeline itself, and not about its jobs."""
    return subject.startswith("pipeline/") and subject.count("/") == 2
