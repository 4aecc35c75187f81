# SPDX-License-Identifier: Apache-2.0
"""Values of `/metrics` that are measured only when somebody asks, and not each time either."""

import threading
from typing import Final

from howdah.kit.clock import Clock
from howdah.storage.objects import ObjectStore

__all__ = ["StoreBytes"]

_AGE_SECONDS_MAX: Final = 300.0  # listing a big store takes seconds; its size does not change that fast


class StoreBytes:
    """The bytes of all objects of a store, as of some minutes ago at most."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        # Guarded by the lock: the last sum, and when it was taken.
        self._total = 0
        self._taken: float | None = None

    def read(self) -> float:
        """The sum; lists the whole store when the last one is too old."""
        with self._lock:
            now = self._clock.monotonic()
            if self._taken is None or now - self._taken > _AGE_SECONDS_MAX:
                self._total = sum(each.size for each in self._store.list())
                self._taken = now
            return self._total
