# SPDX-License-Identifier: Apache-2.0
"""Keeping claims alive: a thread renews each after a third of its lifetime, and says when one is lost.

A claim is lost when the server says so, or when no renewal came through for its whole lifetime: by then the
server has given it to somebody else. So that a stopped job's command does not go on until the next renewal, a claim
that is not over in a moment is also *watched*: a call of which the server answers when the claim is lost. Watching only
makes it quicker; a watch that fails is begun again when a renewal has come through.
"""

import logging
import threading
from collections.abc import Callable
from math import inf
from typing import Final

from howdah.errors import HowdahError, Unavailable
from howdah.kit.clock import Clock
from howdah.worker.values import Claim, Held

__all__ = ["Renewals"]

# Of its lifetime: how long after a renewal the next is tried, and how long after one that did not come through.
RENEW_AFTER: Final = 1 / 3
RETRY_AFTER: Final = 1 / 20
WATCH_AFTER_SECONDS: Final = 0.5  # most claims are over by then, and cost no call

Told = Callable[[HowdahError | None], None]
Watch = Callable[[Claim, Told], Callable[[], object]]
"""Begins to wait for the loss of a claim, and returns what ends that; tells, in any thread, an error or None once."""

_log = logging.getLogger(__name__)


class _Due:
    """A claim with the moments of its last renewal, of the next try, and of the next watch."""

    def __init__(self, held: Held, now: float) -> None:
        self.held = held
        self.renewed = now
        self.next = now + held.claim.lifetime * RENEW_AFTER
        self.watch_next = now + WATCH_AFTER_SECONDS
        # What ends the watch that is going on.
        self.unwatch: Callable[[], object] | None = None

    @property
    def soonest(self) -> float:
        """The moment at which there is something to do."""
        return self.next if self.unwatch is not None else min(self.next, self.watch_next)


class Renewals:
    """Renews claims by `renew`, watches them by `watch`. `start` runs it in a thread; a test calls `step` itself."""

    def __init__(self, renew: Callable[[Claim], None], clock: Clock, watch: Watch) -> None:
        self._renew = renew
        self._clock = clock
        self._watch = watch
        self._changed = threading.Condition()
        # Guarded by _changed.
        self._claims: list[_Due] = []
        self._heard: list[tuple[_Due, HowdahError | None]] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Renew by a thread from now on, until `close`."""
        self._thread = threading.Thread(target=self._run, name="renew-claims", daemon=True)
        self._thread.start()

    def keep(self, held: Held, claimed_at: float) -> None:
        """Keep a claim that was made at that moment, by the clock's monotonic time."""
        with self._changed:
            self._claims.append(_Due(held, claimed_at))
            self._changed.notify_all()

    def drop(self, held: Held) -> None:
        """Renew a claim no more: all its work is handed in, or it is lost."""
        with self._changed:
            dropped = [each for each in self._claims if each.held is held]
            self._claims = [each for each in self._claims if each.held is not held]
        for each in dropped:
            _end_watch(each)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            left, self._claims = self._claims, []
            self._changed.notify_all()
        for each in left:
            _end_watch(each)
        if self._thread is not None:
            self._thread.join()

    def step(self) -> float | None:
        """Take what was told, renew and watch what is due; the moment of the next step, None if nothing is kept."""
        self._take_heard()
        with self._changed:
            now = self._clock.monotonic()
            due = [each for each in self._claims if each.soonest <= now]
        for each in due:
            if each.next <= now:
                self._renew_one(each)
            if each.held.lost:
                self.drop(each.held)
            elif each.unwatch is None and each.watch_next <= now:
                self._watch_one(each)
        with self._changed:
            return self._soonest()

    def _renew_one(self, due: _Due) -> None:
        asked = self._clock.monotonic()
        lifetime = due.held.claim.lifetime
        try:
            self._renew(due.held.claim)
        except Unavailable as error:
            due.next = self._clock.monotonic() + lifetime * RETRY_AFTER
            if self._clock.monotonic() >= due.renewed + lifetime:
                self._lose(due, f"no renewal for {lifetime:g} s; {error.message}")
        except HowdahError as error:
            self._lose(due, error.message)
        else:
            due.renewed, due.next = asked, asked + lifetime * RENEW_AFTER
            due.watch_next = min(due.watch_next, asked + WATCH_AFTER_SECONDS)

    def _watch_one(self, due: _Due) -> None:
        """Begin a watch; should its answer come at once, the next is begun in a moment only."""
        due.watch_next = self._clock.monotonic() + WATCH_AFTER_SECONDS

        def told(error: HowdahError | None) -> None:
            with self._changed:
                self._heard.append((due, error))
                self._changed.notify_all()

        end = self._watch(due.held.claim, told)
        with self._changed:
            due.unwatch = end
            dropped = due not in self._claims
        if dropped:
            end()

    def _take_heard(self) -> None:
        """What watches told; of a claim that was dropped meanwhile nobody wants to know."""
        with self._changed:
            heard, self._heard = self._heard, []
            kept = [(due, error) for due, error in heard if due in self._claims]
        for due, error in kept:
            due.unwatch = None
            if isinstance(error, Unavailable):
                due.watch_next = inf
            elif error is not None:
                self._lose(due, error.message)
                self.drop(due.held)

    def _lose(self, due: _Due, why: str) -> None:
        claim = due.held.claim
        _log.warning("datum set %d of job %s is lost: %s", claim.set_id, claim.job, why)
        due.held.lose()

    def _soonest(self) -> float | None:
        return min((each.soonest for each in self._claims), default=None)

    def _run(self) -> None:
        while True:
            self.step()
            with self._changed:
                if self._closed:
                    return
                # What changed since that step woke nobody: look once more, under the lock.
                soonest = self._soonest()
                if soonest is None:
                    self._changed.wait_for(lambda: self._closed or self._claims)
                elif not self._heard:
                    self._changed.wait(max(0.0, soonest - self._clock.monotonic()))


def _end_watch(due: _Due) -> None:
    if due.unwatch is not None:
        due.unwatch()
