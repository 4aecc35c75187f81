# SPDX-License-Identifier: Apache-2.0
"""Keeping claims alive: a thread renews each after a third of its lifetime, and says when one is lost.

A claim is lost when the server says so, or when no renewal came through for its whole lifetime: by then the
server has given it to somebody else.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from howdah.errors import HowdahError, Unavailable
from howdah.kit.clock import Clock
from howdah.worker.values import Claim, Held

__all__ = ["Renewals"]

# Of its lifetime: how long after a renewal the next is tried, and how long after one that did not come through.
RENEW_AFTER: Final = 1 / 3
RETRY_AFTER: Final = 1 / 20

_log = logging.getLogger(__name__)


class _Due:
    """A claim with the moments of its last renewal and of the next try."""

    def __init__(self, held: Held, now: float) -> None:
        self.held = held
        self.renewed = now
        self.next = now + held.claim.lifetime * RENEW_AFTER


class Renewals:
    """Renews claims by `renew`. `start` runs it in a thread; a test calls `step` itself."""

    def __init__(self, renew: Callable[[Claim], None], clock: Clock) -> None:
        self._renew = renew
        self._clock = clock
        self._changed = threading.Condition()
        # Guarded by _changed.
        self._claims: list[_Due] = []
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
            self._claims = [each for each in self._claims if each.held is not held]

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def step(self) -> float | None:
        """Renew what is due; the moment of the next step, None if there is nothing to keep."""
        with self._changed:
            due = [each for each in self._claims if each.next <= self._clock.monotonic()]
        for each in due:
            self._renew_one(each)
            if each.held.lost:
                self.drop(each.held)
        with self._changed:
            return min((each.next for each in self._claims), default=None)

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

    def _lose(self, due: _Due, why: str) -> None:
        claim = due.held.claim
        _log.warning("datum set %d of job %s is lost: %s", claim.set_id, claim.job, why)
        due.held.lose()

    def _run(self) -> None:
        while True:
            soonest = self.step()
            with self._changed:
                if self._closed:
                    return
                if soonest is None:
                    self._changed.wait_for(lambda: self._closed or self._claims)
                else:
                    self._changed.wait(max(0.0, soonest - self._clock.monotonic()))
