# SPDX-License-Identifier: Apache-2.0
"""Values of `/metrics` that are measured only when somebody asks, and not each time either."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from howdah.errors import HowdahError
from howdah.kit.clock import Clock
from howdah.storage.objects import ObjectStore

__all__ = ["StoreBytes"]

# Listing a folder takes little; listing a bucket takes a request for each thousand objects, and costs money.
_AGE_SECONDS_MAX: Final = 300.0
_FAR_AGE_SECONDS_MAX: Final = 12 * 3600.0
_UNKNOWN: Final = float("nan")

_log: Final = logging.getLogger(__name__)


def _in_background(count: Callable[[], None]) -> None:
    threading.Thread(target=count, name="store-bytes", daemon=True).start()


class StoreBytes:
    """The bytes of all objects of a store. Whoever collects garbage has counted them and says so by `seen`.

    A store on this machine is counted again when the sum is some minutes old. One far away is counted in the background
    and twice a day at most; until that is done for the first time, the sum is not a number.
    """

    def __init__(
        self, store: ObjectStore, clock: Clock, *, start: Callable[[Callable[[], None]], None] = _in_background
    ) -> None:
        self._store = store
        self._clock = clock
        self._start = start
        self._far = store.overlap > 0
        self._lock = threading.Lock()
        # Guarded by the lock: the last sum, when it was taken, and whether somebody is counting.
        self._total = _UNKNOWN
        self._taken: float | None = None
        self._counting = False

    def seen(self, total: int) -> None:
        """Remember a sum that somebody else has taken just now."""
        with self._lock:
            self._total, self._taken = total, self._clock.monotonic()

    def read(self) -> float:
        """The last sum; it waits for a new one only where that is quick."""
        limit = _FAR_AGE_SECONDS_MAX if self._far else _AGE_SECONDS_MAX
        with self._lock:
            old = self._taken is None or self._clock.monotonic() - self._taken > limit
            begin = old and not self._counting
            self._counting = self._counting or begin
        if begin:
            self._start(self._count) if self._far else self._count()
        with self._lock:
            return self._total

    def _count(self) -> None:
        try:
            self.seen(sum(each.size for each in self._store.list()))
        except HowdahError as error:
            _log.warning("the bytes of the store were not counted: %s", error.message)
        finally:
            with self._lock:
                self._counting = False
