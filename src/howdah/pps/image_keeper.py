# SPDX-License-Identifier: Apache-2.0
"""See to it that images are there before datums are given to workers, and say what is waited for.

A version that runs in a container gets no worker before the engine is known to have its image: that is asked when the
server starts, when the version is made, and when a worker could not run it (`doubt`). While an image is fetched, its
jobs say how far that is. While it cannot be had, they say why, the pipeline is CRASHING, and it is tried again: ever
less often, and at once when the pipeline is updated or a secret is made. All this is known in memory alone: a server
that starts asks anew. What the database has is what image a version runs in, once that is known.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import Event
from howdah.db.transaction import Transaction
from howdah.engine.images import Credentials, Progress
from howdah.errors import HowdahError
from howdah.kit import fail
from howdah.kit.background import Background
from howdah.kit.clock import Clock
from howdah.model.states import JobState, PipelineState
from howdah.pps import execution_rows, job_rows, pipeline_rows
from howdah.pps.executions import Execution
from howdah.pps.images import Images
from howdah.pps.job_rows import JobRow
from howdah.pps.registries import credentials_for
from howdah.pps.secrets import Secrets
from howdah.pps.subjects import WORK, pipeline_subject

__all__ = ["ImageKeeper"]

_log: Final = logging.getLogger(__name__)

AT_ONCE: Final = 4  # images that are looked after at the same time
FIRST_SECONDS: Final = 2.0  # before the second try; each time twice as long
LAST_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 60.0  # between two looks when nothing is to be tried; events come in between
TELL_SECONDS: Final = 1.0  # between two times that people are told how far a pull is
_STOP_SECONDS: Final = 1.0  # that a look is given to end; a pull is the engine's work and holds nothing up
_CHANGES: Final = ("created", "updated", "started", "deleted")

Key = tuple[int, int]  # of a pipeline, and the number of a version


@dataclass(slots=True)
class _Care:
    """What is known of the image of one version. Guarded by the keeper's lock."""

    due: datetime  # when to look next, unless it is ready
    ready: bool = False
    busy: bool = False
    failures: int = 0  # in a row
    given_back: int = 0  # times that workers could not run it, since one last could
    not_before: datetime | None = None  # no worker gets it until then
    reason: str = ""  # what its jobs say


class ImageKeeper:
    """Looks after images from `start` to `stop`; `step` is for callers that want to know when it is done."""

    def __init__(self, db: Database, images: Images, secrets: Secrets, clock: Clock) -> None:
        self._db = db
        self._images = images
        self._secrets = secrets
        self._clock = clock
        self._lock = threading.Lock()
        self._cares: dict[Key, _Care] = {}
        self._threads: list[threading.Thread] = []  # of the background's own thread, and of `stop` after it
        self._background = Background("looking after images", self._again, retry_seconds=FIRST_SECONDS)
        self._forget: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Look after images in threads of its own until `stop`."""
        self._forget = self._db.on_commit(self._hear)
        self._background.start()

    def stop(self) -> None:
        """End. A pull that goes on is left to the engine, and not written down. Stopping again does nothing."""
        self._forget()
        self._background.stop()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        self._threads = []

    def is_ready(self, pipeline_id: int, version: int, execution: Execution) -> bool:
        """Whether workers may be given datums of a version."""
        with self._lock:
            care = self._cares.get((pipeline_id, version))
            if care is None:
                return not execution.in_container
            return care.ready and (care.not_before is None or self._clock.now() >= care.not_before)

    def is_well(self, pipeline_id: int, version: int, execution: Execution) -> bool:
        """Whether nothing is wrong with the image of a version, as far as it was looked at."""
        with self._lock:
            care = self._cares.get((pipeline_id, version))
            return not execution.in_container if care is None else care.ready

    def doubt(self, job: JobRow, execution: Execution, reason: str) -> None:
        """A worker could not run a version: look after its image at once, and give it to nobody for a while.

        The while is over at once if something was amiss and could be mended. Each time in a row it is longer.
        """
        now = self._clock.now()
        with self._lock:
            care = self._cares.setdefault((job.pipeline_id, job.version), _Care(now))
            care.given_back += 1
            care.not_before = now + _pause(care.given_back)
            care.due, care.reason = now, reason
            care.ready = not execution.in_container
        self._background.wake()

    def worked(self, pipeline_id: int, version: int) -> None:
        """A worker could run a version."""
        with self._lock:
            care = self._cares.get((pipeline_id, version))
            if care is not None and care.ready:
                care.given_back, care.not_before, care.reason = 0, None, ""

    def retry(self, pipeline_id: int) -> None:
        """Look after the image of a pipeline now, if it could not be had before."""
        self._hurry(lambda key: key[0] == pipeline_id)

    def step(self) -> bool:
        """Do what is to be done now; whether there was anything."""
        self._look_around()
        due = self._due(AT_ONCE)
        for key in due:
            self._look_after(key)
        return bool(due)

    def _again(self) -> float:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._look_around()
        for key in self._due(AT_ONCE - len(self._threads)):
            # A registry may be silent for minutes, and whoever waits for it cannot be stopped.
            thread = threading.Thread(target=self._look_after, args=(key,), name="image", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self._seconds()

    def _look_around(self) -> None:
        """See which versions there are, let those go on whose pause is over, and tell jobs that began meanwhile."""
        now = self._clock.now()
        with self._db.read() as tx:
            wanted = set(execution_rows.contained(tx))
        with self._lock:
            paused = {key for key, care in self._cares.items() if care.not_before is not None}
            self._cares = {key: self._cares.get(key) or _Care(now) for key in wanted | paused}
            over = [each for each in self._cares.values() if each.not_before is not None and each.not_before <= now]
            for care in over:
                care.not_before = None
            reasons = {
                key: care.reason for key, care in self._cares.items() if care.reason and not (care.ready or care.busy)
            }
        for key, reason in reasons.items():
            self._tell(key, reason)
        if over:
            with self._db.write() as tx:
                tx.emit(WORK, "waiting")

    def _due(self, most: int) -> list[Key]:
        """The versions whose image is to be looked after now, at most so many; they are the caller's then."""
        now = self._clock.now()
        with self._lock:
            waiting = [key for key, care in self._cares.items() if not (care.ready or care.busy) and care.due <= now]
            found = sorted(waiting)[: max(0, most)]
            for key in found:
                self._cares[key].busy = True
        return found

    def _seconds(self) -> float:
        """Until something is to be done."""
        now = self._clock.now()
        with self._lock:
            open_cares = [care for care in self._cares.values() if not care.ready and not care.busy]
            times = [care.due for care in open_cares if len(self._threads) < AT_ONCE]
            times += [care.not_before for care in self._cares.values() if care.not_before is not None]
        return min([IDLE_SECONDS, *(max(0.05, (at - now).total_seconds()) for at in times)])

    def _look_after(self, key: Key) -> None:
        """See to the image of a version; what comes of it is known when this returns."""
        try:
            found = self._wanted(key)
            if found is None:
                with self._lock:
                    self._cares.pop(key, None)
                return
            execution, credentials = found
            teller = _Teller(execution, self._clock, lambda text: self._tell(key, text))
            digest, fetched = self._images.fetch(execution, credentials, teller.told, lambda: self._background.stopping)
            fail.here("images.fetched")
            self._succeeded(key, execution, digest, fetched)
        except HowdahError as error:
            self._failed(key, error.message)
        except Exception as error:
            _log.exception("an image could not be looked after")
            self._failed(key, f"an error of howdah itself ({type(error).__name__}: {error}); see the server's log")
        finally:
            self._background.wake()

    def _wanted(self, key: Key) -> tuple[Execution, Credentials | None] | None:
        """The image of a version and what its registry is to be given; None if nobody wants it any more."""
        with self._db.read() as tx:
            row = pipeline_rows.by_id(tx, key[0])
            if row is None or row.version != key[1]:
                return None
            execution = execution_rows.get(tx, *key)
            spec = pipeline_rows.spec_of(pipeline_rows.version(tx, row, key[1]).effective_spec)
            return execution, credentials_for(tx, self._secrets, spec)

    def _succeeded(self, key: Key, execution: Execution, digest: str, fetched: bool) -> None:
        if self._background.stopping:
            return
        with self._lock:
            care = self._cares.get(key)
            mended = care is None or fetched or care.failures > 0
            reason = "" if mended or care is None or care.not_before is None else care.reason
        with self._db.write() as tx:
            execution_rows.set_digest(tx, *key, digest)
            _say(tx, key[0], reason)
            tx.emit(WORK, "waiting")
        if not execution.digest:
            _log.info("image %s is %s", execution.image, digest)
        self._settle(key, mended=mended, reason=reason)

    def _failed(self, key: Key, reason: str) -> None:
        if self._background.stopping:
            return
        _log.warning("%s", reason)
        self._tell(key, reason, failed=True)
        with self._lock:
            if (care := self._cares.get(key)) is not None:
                care.failures += 1
                care.due = self._clock.now() + _pause(care.failures)
                care.busy, care.reason = False, reason

    def _settle(self, key: Key, *, mended: bool, reason: str) -> None:
        with self._lock:
            if (care := self._cares.get(key)) is None:
                return
            care.busy, care.ready, care.failures, care.reason = False, True, 0, reason
            if mended:
                care.not_before = None

    def _tell(self, key: Key, reason: str, *, failed: bool = False) -> None:
        """Let the running jobs of a version say what they wait for; if it has `failed`, the pipeline too."""
        if self._background.stopping:
            return
        with self._db.read() as tx:
            row = pipeline_rows.by_id(tx, key[0])
            if row is None or row.version != key[1]:
                return
            crashes = failed and not row.stopped and (row.state, row.reason) != (PipelineState.CRASHING, reason)
            if not crashes and not any(job.reason != reason for job in _running(tx, key[0])):
                return
        with self._db.write() as tx:
            row = pipeline_rows.by_id(tx, key[0])
            if row is None or row.version != key[1]:
                return
            _say(tx, key[0], reason)
            if crashes and not row.stopped:
                pipeline_rows.set_condition(tx, row.id, PipelineState.CRASHING, reason)
                tx.emit(pipeline_subject(row.pipeline), "moved", {"state": PipelineState.CRASHING.wire_name})

    def _hear(self, events: Sequence[Event]) -> None:
        if any(event.subject.startswith("secret/") and event.kind == "created" for event in events):
            self._hurry(lambda _key: True)
        elif any(event.kind in _CHANGES and _is_of_pipeline(event.subject) for event in events) or (
            self._is_waited_for() and any(event.subject == WORK for event in events)
        ):
            self._background.wake()

    def _is_waited_for(self) -> bool:
        with self._lock:
            return any(not care.ready and not care.busy for care in self._cares.values())

    def _hurry(self, wanted: Callable[[Key], bool]) -> None:
        now = self._clock.now()
        with self._lock:
            for key, care in self._cares.items():
                if not care.ready and wanted(key):
                    care.due, care.failures = now, 0
        self._background.wake()


class _Teller:
    """Says how far a pull is, not too often."""

    def __init__(self, execution: Execution, clock: Clock, say: Callable[[str], None]) -> None:
        self._name = execution.digest or execution.image
        self._clock = clock
        self._say = say
        self._said_at: datetime | None = None

    def told(self, progress: Progress) -> None:
        now = self._clock.now()
        if self._said_at is None or now >= self._said_at + timedelta(seconds=TELL_SECONDS):
            self._said_at = now
            self._say(f"pulling image {self._name}: {progress}")


def _say(tx: Transaction, pipeline_id: int, reason: str) -> None:
    for job in _running(tx, pipeline_id):
        job_rows.set_reason(tx, job, reason)


def _running(tx: Transaction, pipeline_id: int) -> list[JobRow]:
    return [job for job in job_rows.open_of(tx, pipeline_id) if job.state is JobState.RUNNING]


def _pause(times: int) -> timedelta:
    return timedelta(seconds=min(LAST_SECONDS, FIRST_SECONDS * 2 ** min(times - 1, 10)))


def _is_of_pipeline(subject: str) -> bool:
    """Whether an event is about a pipeline itself, and not about its jobs."""
    return subject.startswith("pipeline/") and subject.count("/") == 2
