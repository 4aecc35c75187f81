# SPDX-License-Identifier: Apache-2.0
"""What datums made, collected, stored and handed in by a thread while the next datums run.

Results are handed in at least every second, with 64 MiB of output, and at the end of a claim. All that a result
refers to is durable by then. A result that was not handed in is done again by whoever gets the claim next.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from howdah.errors import BadRequest, HowdahError, Unavailable
from howdah.kit import fail
from howdah.storage import changes
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.worker.attempts import Ran, failure_text
from howdah.worker.backoff import delays
from howdah.worker.collect import Collected, collect
from howdah.worker.folders import Folders
from howdah.worker.values import Claim, Held, Result

__all__ = ["HandIn", "Results"]

BATCH_SECONDS: Final = 1.0
BATCH_BYTES: Final = 64 << 20
# Datums that ran and were not collected yet: their folders take up the disk, so big ones wait for their upload.
WAITING_MAX: Final = 64
WAITING_BYTES: Final = 256 << 20

_log = logging.getLogger(__name__)


class HandIn(Protocol):
    """Gives results to the server; `howdah.worker.link.Link.hand_in` is one."""

    def __call__(
        self, claim: Claim, change: bytes, results: Iterable[Result], *, last: bool, containment: str
    ) -> None: ...


@dataclass
class _Batch:
    """Results of one claim that were not handed in yet, and their output."""

    held: Held
    writer: ChangeWriter
    due: float
    results: list[Result] = field(default_factory=list)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _End:
    """All datums of a claim came before this."""

    held: Held
    whole: bool


class Results:
    """Takes datums that ran and hands in what they made. `add` and `end` are for one thread.

    An error that is nobody's fault but ours ends the thread, and comes out of the next call.
    """

    def __init__(
        self,
        storage: Storage,
        folders: Folders,
        hand_in: HandIn,
        before: Callable[[Held], None],
        after: Callable[[Held], None],
        containment: Callable[[Claim], str],
    ) -> None:
        """`before` is called before each hand-in: it has the logs sent, so that nothing is done without its log.

        `after` is called when nothing more of a claim will be handed in.
        """
        self._storage = storage
        self._folders = folders
        self._hand_in = hand_in
        self._before = before
        self._after = after
        self._containment = containment
        self._changed = threading.Condition()
        # All below is guarded by _changed. What waits, oldest first; and how many may: fewer where they are big.
        self._waiting: deque[tuple[Held, Ran] | _End | None] = deque()
        self._room = WAITING_MAX
        self._error: BaseException | None = None
        # What of one claim waits to be handed in. The thread's own.
        self._batch: _Batch | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hand-in", daemon=True)
        self._thread.start()

    def add(self, held: Held, ran: Ran) -> None:
        """Take a datum whose tries are over; its folder is ours from now on. Waits while many are waiting."""
        self._put((held, ran))

    def end(self, held: Held, *, whole: bool) -> None:
        """Hand in what is left of a claim; `whole` if all its datums were added, and the claim is done by that."""
        self._put(_End(held, whole))

    def stop(self) -> None:
        """Try no more than once to hand in what comes from now on: the worker is about to end."""
        self._stopping.set()

    def close(self) -> None:
        """Return when all that was added is handed in, or given up."""
        with suppress(Exception):  # an error has been logged, and came out of `add` or `end`
            self._put(None)
        self._thread.join()

    def _put(self, item: tuple[Held, Ran] | _End | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or len(self._waiting) < self._room)
            if self._error is not None:
                raise self._error
            self._waiting.append(item)
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                if isinstance(item, _End):
                    self._finish(item.held, last=item.whole)
                    self._after(item.held)
                else:
                    self._take(*item)
        except BaseException as error:
            _log.exception("handing in results failed")
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> tuple[Held, Ran] | _End | None:
        while self._batch is not None:
            with self._changed:
                if self._changed.wait_for(lambda: self._waiting, max(0.0, self._batch.due - time.monotonic())):
                    return self._taken()
            self._finish(self._batch.held, last=False)
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            return self._taken()

    def _taken(self) -> tuple[Held, Ran] | _End | None:
        item = self._waiting.popleft()
        self._changed.notify_all()
        return item

    def _take(self, held: Held, ran: Ran) -> None:
        try:
            if not held.lost:
                self._add(held, ran)
        except HowdahError as error:
            self._give_up(held, error)
        finally:
            if ran.folder:
                self._folders.discard(ran.folder)
        batch = self._batch
        if batch is not None and (batch.bytes >= BATCH_BYTES or time.monotonic() >= batch.due):
            self._finish(held, last=False)

    def _add(self, held: Held, ran: Ran) -> None:
        batch = self._batch_of(held)
        began = time.perf_counter()
        collected, reason = Collected(0, 0), ran.reason
        if ran.folder:
            try:
                collected = collect(
                    self._storage, batch.writer, held.claim, ran.datum.id, ran.folder, ran.began_ns, moved=ran.moved
                )
            except BadRequest as error:
                reason = failure_text(held, ran.datum, f"left something that is no output: {error.message}")
        fail.here("worker.collected")
        batch.bytes += collected.bytes
        with self._changed:
            self._room = max(1, min(WAITING_MAX, WAITING_BYTES // max(1, ran.download_bytes + collected.bytes)))
            self._changed.notify_all()
        batch.results.append(
            Result(
                datum_id=ran.datum.id,
                reason=reason,
                recovered=ran.recovered,
                tries=ran.tries,
                download_seconds=ran.download_seconds,
                process_seconds=ran.process_seconds,
                upload_seconds=time.perf_counter() - began,
                download_bytes=ran.download_bytes,
                upload_bytes=collected.bytes,
                cost=ran.cost,
            )
        )

    def _batch_of(self, held: Held) -> _Batch:
        if self._batch is None:
            base = self._storage.fileset(None, f"the output of job {held.claim.job}")
            self._batch = _Batch(held, ChangeWriter(self._storage, base), time.monotonic() + BATCH_SECONDS)
        return self._batch

    def _finish(self, held: Held, *, last: bool) -> None:
        """Hand in the batch, if there is one; and that the claim is done, if it is."""
        if self._batch is None and (not last or held.lost):
            return
        batch = self._batch_of(held)
        self._batch = None
        try:
            if not held.lost:
                change = changes.encode(batch.writer.finish())
                self._before(held)
                fail.here("worker.stored")
                self._send(batch, change, last)
        except HowdahError as error:
            self._give_up(held, error)
        finally:
            batch.writer.close()

    def _send(self, batch: _Batch, change: bytes, last: bool) -> None:
        """Hand in, again and again while the server is away and the claim is not lost."""
        held = batch.held
        pauses = delays(0.1, 2.0)
        while not held.lost:
            try:
                self._hand_in(held.claim, change, batch.results, last=last, containment=self._containment(held.claim))
            except Unavailable:
                if self._stopping.is_set():
                    raise
                self._wait(held, next(pauses))
            else:
                fail.here("worker.handed_in")
                return

    def _wait(self, held: Held, seconds: float) -> None:
        if held.over:
            self._stopping.wait(seconds)
        else:
            held.pause(seconds)

    def _give_up(self, held: Held, error: HowdahError) -> None:
        """Let somebody else do the rest of a claim."""
        claim = held.claim
        if not held.lost:
            _log.warning("datum set %d of job %s is given up: %s", claim.set_id, claim.job, error.message)
        held.lose()
        if self._batch is not None:
            self._batch.writer.close()
            self._batch = None
