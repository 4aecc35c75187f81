# SPDX-License-Identifier: Apache-2.0
"""Leases for the writers inside this server: many short ones share one, so that a small put costs no extra transaction.

A shared lease takes new holders for half a minute only. So it ends soon after its last holder, and the
oldest living lease is never much older than the oldest write, which is what garbage collection goes by.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final, TypeVar

from howdah.kit.clock import Clock
from howdah.pfs.leases import Leases

__all__ = ["Held", "HeldLeases"]

_SHARED_SECONDS: Final = 30.0
_OWNER: Final = "writers of this server"

T = TypeVar("T")


class Held:
    """A lease that some writers hold together. `keep` it alive while the writing goes on."""

    def __init__(self, leases: Leases, lease_id: str, seconds: float, clock: Clock) -> None:
        self.id = lease_id
        self.taken = clock.monotonic()
        self.holders = 0
        self._leases = leases
        self._seconds = seconds
        self._clock = clock
        self._renewed = self.taken

    def keep(self) -> None:
        """Renew the lease if a third of its life is over. Raises Conflict(LEASE_EXPIRED) if it is dead."""
        now = self._clock.monotonic()
        if now - self._renewed > self._seconds / 3:
            self._renewed = now
            self._leases.renew(self.id, self._seconds)

    def during(self, pieces: Iterable[T]) -> Iterator[T]:
        """The same pieces, however slowly they come: the lease is kept alive between them."""
        for piece in pieces:
            self.keep()
            yield piece


class HeldLeases:
    """Gives the server's own writers a lease each, or one together. Safe for many threads."""

    def __init__(self, leases: Leases, seconds: float, clock: Clock) -> None:
        self._leases = leases
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._current: Held | None = None

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """A living lease for the block; it is given back when its last holder is done."""
        held = self._take()
        try:
            yield held
        finally:
            self._give_back(held)

    def begin(self) -> None:
        """Release what the writers of the server before held: they ended with it. To be called once, before any."""
        self._leases.release_of(_OWNER)

    def rest(self) -> None:
        """Give back the shared lease if nobody holds it now: it would only keep garbage from being collected."""
        with self._lock:
            held = self._current
            if held is None or held.holders:
                return
            self._current = None
        self._leases.release(held.id)

    def _take(self) -> Held:
        with self._lock:
            held = self._current
            if held is None or self._clock.monotonic() - held.taken > _SHARED_SECONDS:
                if held is not None and not held.holders:
                    self._leases.release(held.id)
                lease_id = self._leases.create(_OWNER, self._seconds)
                held = self._current = Held(self._leases, lease_id, self._seconds, self._clock)
            held.holders += 1
            return held

    def _give_back(self, held: Held) -> None:
        with self._lock:
            held.holders -= 1
            over = held.holders == 0 and held is not self._current
        if over:
            self._leases.release(held.id)
