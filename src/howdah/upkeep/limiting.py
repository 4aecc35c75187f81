# SPDX-License-Identifier: Apache-2.0
"""A store that is read no faster than it may be, so that a proof of all bytes leaves room for other work."""

import threading
import time
from collections.abc import Callable
from typing import Final

from howdah.kit.clock import Clock
from howdah.storage.cached_store import source
from howdah.storage.objects import ObjectStore
from howdah.storage.trash import RecoveringStore

__all__ = ["LimitedStore", "Pause"]

Pause = Callable[[float], None]
"""What waits for some seconds."""


class LimitedStore(RecoveringStore):
    """Reads at most so many bytes a second, on average; 0 for no limit. What was read is counted."""

    def __init__(self, inner: ObjectStore, bytes_per_second: float, clock: Clock, pause: Pause = time.sleep) -> None:
        # A copy nearby would hide that the object itself is lost.
        super().__init__(source(inner.inner if isinstance(inner, RecoveringStore) else inner))
        self._rate: Final = bytes_per_second
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._free = clock.monotonic()  # when the next read may begin; guarded by _lock
        self.size_bytes = 0

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`; waits after the read for as long as its bytes may take."""
        data = super().get(key)
        with self._lock:
            self.size_bytes += len(data)
            now = self._clock.monotonic()
            self._free = max(self._free, now) + (len(data) / self._rate if self._rate else 0)
            wait = self._free - now
        if self._rate and wait > 0:
            self._pause(wait)
        return data
