# SPDX-License-Identifier: Apache-2.0
"""The scheduler: brings each job from one state to the next, when it is time.

It is woken by events (a commit is ready, a job moved) and by a slow tick for what only time does. Each step
looks at the database alone, is done in one transaction, and may be repeated; so a scheduler that dies
anywhere loses nothing, and the next one finds the same steps. Jobs of one pipeline run one after another, in
the order in which they were made. A pipeline's error ends its job, and never holds up another pipeline.

It does not run datums: workers claim those (`pps.claims`).
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import Event
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind, HowdahError, NotFound, Refused, Unavailable
from howdah.kit import fail
from howdah.kit.background import Background
from howdah.kit.clock import Clock
from howdah.model.states import JobState
from howdah.pps import job_rows, pipeline_rows, set_rows
from howdah.pps.claims import Claims
from howdah.pps.conditions import settle
from howdah.pps.finishing import end_badly, finish_job, keep_leftovers, unrunnable
from howdah.pps.image_keeper import ImageKeeper
from howdah.pps.job_rows import JobRow, OpenJob
from howdah.pps.secrets import Secrets
from howdah.pps.starting import plan_job
from howdah.storage.storage import Storage

__all__ = ["Scheduler"]

_log: Final = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0  # how late a timeout or a lost claim may be seen
THREADS: Final = 4  # pipelines whose jobs are planned or finished at the same time
HANDED_OUT_MAX: Final = 4 * THREADS  # pipelines that have a thread or wait for one; more need not be looked for
_WAKING: Final = ("ready", "created", "moved", "deleted")
_ENDED_MEANWHILE: Final = (ErrorKind.JOB_FINISHED, ErrorKind.BAD_MOVE)


class Scheduler:
    """Moves jobs. `step` is for callers that want to know when it is done; `start` lets it run by itself."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        claims: Claims,
        secrets: Secrets,
        images: ImageKeeper,
        clock: Clock,
        workers: int,
    ) -> None:
        self._db = db
        self._storage = storage
        self._claims = claims
        self._secrets = secrets
        self._images = images
        self._clock = clock
        self._workers = workers
        self._background = Background("scheduler", self._run, retry_seconds=TICK_SECONDS)
        self._pool: ThreadPoolExecutor | None = None
        # The pipelines whose job is in a thread's hands. Touched by the scheduler's own thread alone.
        self._busy: dict[int, Future[bool]] = {}
        # How long each running job may take, None for as long as it likes. Touched by that thread alone too.
        self._limits: dict[int, timedelta | None] = {}
        self._stop_listening: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Run in threads of its own until `stop`. Gives back all claims first: the workers of this server are new."""
        self._claims.release(everything=True)
        self._stop_listening = self._db.on_commit(self._hear)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="scheduler")
        self._background.start()

    def stop(self) -> None:
        """End after the steps that are being done; stopping again does nothing."""
        self._stop_listening()
        self._background.stop()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def step(self) -> bool:
        """Do what can be done now, for each pipeline one step; whether anything was done."""
        done = self._claims.release()
        done |= settle(self._db, self._secrets, self._images)
        for job_id in self._leftovers():
            done |= self._guarded_leftovers(job_id)
        for seen in self._due():
            done |= self._advance(seen)
        return done

    def settle(self) -> None:
        """Step until nothing is left to do but to wait for workers, people or time."""
        while self.step():
            pass

    def _hear(self, events: list[Event]) -> None:
        if any(event.kind in _WAKING for event in events):
            self._background.wake()

    def _run(self) -> float:
        self._round()
        return TICK_SECONDS

    def _round(self) -> None:
        """Hand each pipeline that has something to do to a thread, unless one is at it, and not too many."""
        assert self._pool is not None
        self._busy = {key: future for key, future in self._busy.items() if not future.done()}
        self._claims.release()
        settle(self._db, self._secrets, self._images)
        for job_id in self._leftovers():
            if self._guarded_leftovers(job_id):
                self._background.wake()
        room = HANDED_OUT_MAX - len(self._busy)
        if not room:
            return  # whoever is done with one lets us look again
        for seen in [each for each in self._due() if each.pipeline_id not in self._busy][:room]:
            future = self._pool.submit(self._advance, seen)
            self._busy[seen.pipeline_id] = future
            future.add_done_callback(self._look_again)

    def _look_again(self, future: "Future[bool]") -> None:
        if future.cancelled() or future.exception() is not None or future.result():
            self._background.wake()

    def _leftovers(self) -> list[int]:
        with self._db.read() as tx:
            return list(set_rows.leftovers(tx))

    def _due(self) -> list[OpenJob]:
        """Of each pipeline the oldest open job, where its next step can be done; all as they are at one moment.

        Thousands may be open, and this is asked whenever anything moves: so it takes few statements, whatever they are.
        """
        with self._db.read() as tx:
            jobs = job_rows.oldest_open(tx)
            # What a pipeline did before must be collected before it is asked what it did before.
            blocked = set(set_rows.leftovers(tx).values()) if jobs else set()
            running = [job for job in jobs if job.state is JobState.RUNNING]
            self._limits = {job.id: self._limit(tx, job) for job in running}
        now = self._clock.now()
        return [job for job in jobs if self._is_due(job, job.pipeline_id in blocked, now)]

    def _is_due(self, job: OpenJob, blocked: bool, now: datetime) -> bool:
        if job.state is JobState.CREATED:
            return job.ready and not blocked
        if job.state is not JobState.RUNNING:
            return True
        limit = self._limits[job.id]
        return limit is not None and job.started_at is not None and now >= job.started_at + limit

    def _limit(self, tx: Transaction, job: OpenJob) -> timedelta | None:
        """How long a running job may take; its spec is read once."""
        if job.id in self._limits:
            return self._limits[job.id]
        text = pipeline_rows.effective_spec(tx, job.pipeline_id, job.version)
        return None if text is None else pipeline_rows.spec_of(text).job_timeout

    def _advance(self, seen: OpenJob) -> bool:
        """Do the next step of a job; whether there was one. What goes wrong ends the job, not the scheduler."""
        with self._db.read() as tx:
            row = job_rows.by_id(tx, seen.id)
        if row is None or row.state is not seen.state:
            return True  # somebody moved or deleted it since; what is to be done now is seen in the next step
        try:
            self._step_of(row)
        except Unavailable as error:
            _log.warning("job %s waits: %s", row.job, error.message)
            return False
        except (Refused, NotFound, Conflict) as error:
            if error.kind in _ENDED_MEANWHILE or self._is_gone(row):
                return True  # somebody stopped or deleted it; what is left to do is seen in the next step
            if error.kind is ErrorKind.WRITE_CONFLICT:
                return True
            return self._fail(row, error.message)
        except HowdahError as error:
            return self._fail(row, error.message)
        except Exception as error:
            _log.exception("job %s ended by an error of howdah", row.job)
            return self._fail(row, f"an error of howdah itself ({type(error).__name__}: {error}); see the server's log")
        return True

    def _step_of(self, row: JobRow) -> None:
        if row.state is JobState.CREATED:
            self._begin(row)
        elif row.state is JobState.STARTING:
            plan_job(self._db, self._storage, row, self._workers)
        elif row.state is JobState.RUNNING:
            with self._db.write() as tx:
                end_badly(tx, row, JobState.KILLED, "job timed out: it ran for longer than job_timeout allows")
        else:
            finish_job(self._db, self._storage, row)

    def _begin(self, row: JobRow) -> None:
        with self._db.write() as tx:
            if reason := unrunnable(tx, row):
                end_badly(tx, row, JobState.UNRUNNABLE, reason)
                return
            started = job_rows.move(tx, row, JobState.STARTING)
        fail.here("pps.started")
        plan_job(self._db, self._storage, started, self._workers)

    def _is_gone(self, row: JobRow) -> bool:
        with self._db.read() as tx:
            return job_rows.by_id(tx, row.id) is None

    def _fail(self, row: JobRow, reason: str) -> bool:
        """End a job by an error; whether that could be done. What succeeded in it is kept by the next step."""
        try:
            with self._db.write() as tx:
                end_badly(tx, row, JobState.FAILURE, " ".join(reason.split()))
        except HowdahError as error:
            _log.warning("job %s could not be ended: %s", row.job, error.message)
            return False
        return True

    def _guarded_leftovers(self, job_id: int) -> bool:
        """Keep what succeeded in a job that ended early; whether that is settled."""
        try:
            keep_leftovers(self._db, self._storage, job_id)
        except (Unavailable, Conflict) as error:
            _log.warning("results of job number %d could not be kept yet: %s", job_id, error.message)
            return False
        except HowdahError as error:
            _log.error("results of job number %d are lost, their datums will run again: %s", job_id, error.message)
            with self._db.write() as tx:
                set_rows.clear(tx, job_id)
        return True
