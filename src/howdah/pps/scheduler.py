# SPDX-License-Identifier: Apache-2.0
"""The scheduler: brings each job from one state to the next, when it is time.

It is woken by events (a commit is ready, a job moved) and by a slow tick for what only time does. Each step
looks at the database alone, is done in one transaction, and may be repeated; so a scheduler that dies
anywhere loses nothing, and the next one finds the same steps. Jobs of one pipeline run one after another, in
the order in which they were made. A pipeline's error ends its job, and never holds up another pipeline.

It does not run datums: workers claim those (`pps.claims`).
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import Event
from howdah.errors import Conflict, ErrorKind, HowdahError, NotFound, Refused, Unavailable
from howdah.kit import fail
from howdah.kit.clock import Clock
from howdah.model.states import JobState
from howdah.pfs import commit_rows
from howdah.pps import job_rows, pipeline_rows, set_rows
from howdah.pps.claims import Claims
from howdah.pps.conditions import settle
from howdah.pps.finishing import end_badly, finish_job, keep_leftovers, unrunnable
from howdah.pps.job_rows import JobRow
from howdah.pps.secrets import Secrets
from howdah.pps.starting import plan_job
from howdah.storage.storage import Storage

__all__ = ["Scheduler"]

_log: Final = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0  # how late a timeout or a lost claim may be seen
THREADS: Final = 4  # pipelines whose jobs are planned or finished at the same time
_WAKING: Final = ("ready", "created", "moved", "deleted")
_ENDED_MEANWHILE: Final = (ErrorKind.JOB_FINISHED, ErrorKind.BAD_MOVE)


class Scheduler:
    """Moves jobs. `step` is for callers that want to know when it is done; `start` lets it run by itself."""

    def __init__(
        self, db: Database, storage: Storage, claims: Claims, secrets: Secrets, clock: Clock, workers: int
    ) -> None:
        self._db = db
        self._storage = storage
        self._claims = claims
        self._secrets = secrets
        self._clock = clock
        self._workers = workers
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        # The pipelines whose job is in a thread's hands. Touched by the scheduler's own thread alone.
        self._busy: dict[int, Future[bool]] = {}
        self._stop_listening: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Run in threads of its own until `stop`. Gives back all claims first: the workers of this server are new."""
        self._claims.release(everything=True)
        self._stop_listening = self._db.on_commit(self._hear)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="scheduler")
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the steps that are being done; stopping again does nothing."""
        self._stopping = True
        self._wake.set()
        self._stop_listening()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def step(self) -> bool:
        """Do what can be done now, for each pipeline one step; whether anything was done."""
        done = self._claims.release()
        done |= settle(self._db, self._secrets)
        for job_id in self._leftovers():
            done |= self._guarded_leftovers(job_id)
        for row in self._oldest():
            done |= self._advance(row)
        return done

    def settle(self) -> None:
        """Step until nothing is left to do but to wait for workers, people or time."""
        while self.step():
            pass

    def _hear(self, events: list[Event]) -> None:
        if any(event.kind in _WAKING for event in events):
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._round()
            except Exception:  # nobody above could do better than to try again
                _log.exception("the scheduler could not look for work; it tries again")
            self._wake.wait(TICK_SECONDS)

    def _round(self) -> None:
        """Hand each pipeline that has something to do to a thread, unless one is at it."""
        assert self._pool is not None
        self._busy = {key: future for key, future in self._busy.items() if not future.done()}
        self._claims.release()
        settle(self._db, self._secrets)
        for job_id in self._leftovers():
            if self._guarded_leftovers(job_id):
                self._wake.set()
        for row in self._oldest():
            if row.pipeline_id not in self._busy and self._is_due(row):
                future = self._pool.submit(self._advance, row)
                self._busy[row.pipeline_id] = future
                future.add_done_callback(self._look_again)

    def _look_again(self, future: "Future[bool]") -> None:
        if future.cancelled() or future.exception() is not None or future.result():
            self._wake.set()

    def _oldest(self) -> list[JobRow]:
        with self._db.read() as tx:
            return job_rows.oldest_open(tx)

    def _leftovers(self) -> list[int]:
        with self._db.read() as tx:
            return set_rows.jobs_with_leftovers(tx)

    def _is_due(self, row: JobRow) -> bool:
        """Whether a step can be done for this job, the oldest of its pipeline."""
        if row.state is JobState.CREATED:
            return self._is_ready(row)
        return row.state is not JobState.RUNNING or self._is_late(row, self._clock.now())

    def _is_ready(self, row: JobRow) -> bool:
        """Whether what a new job reads is there, and what its pipeline did before is collected."""
        with self._db.read() as tx:
            commit = commit_rows.by_ids(tx, [row.output_commit_id]).get(row.output_commit_id)
            if commit is None or commit.ready_at is None:
                return False
            return not set_rows.jobs_with_leftovers(tx, row.pipeline_id)

    def _is_late(self, row: JobRow, now: datetime) -> bool:
        limit = self._timeout(row)
        return limit is not None and row.started_at is not None and now >= row.started_at + limit

    def _timeout(self, row: JobRow) -> timedelta | None:
        with self._db.read() as tx:
            pipeline = pipeline_rows.by_id(tx, row.pipeline_id)
            if pipeline is None:
                return None
            return pipeline_rows.spec_of(pipeline_rows.version(tx, pipeline, row.version).effective_spec).job_timeout

    def _advance(self, row: JobRow) -> bool:
        """Do the next step of a job; whether there was one. What goes wrong ends the job, not the scheduler."""
        if not self._is_due(row):
            return False
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
