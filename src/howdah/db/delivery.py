# SPDX-License-Identifier: Apache-2.0
"""Tell listeners what was committed: after the commit, in the order of commits, and never under the writer's lock.

The engine puts a batch here while it still holds the writer's lock, so batches stand in commit order; it
delivers when it has let go, so a listener may read and write as it likes. One thread delivers at a time.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from howdah.db.events import Event

__all__ = ["Batch", "Delivery", "Listener"]

Listener = Callable[[list[Event]], None]

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one committed transaction left to tell: its own callbacks first, then its events."""

    callbacks: list[Callable[[], None]]
    events: list[Event]


class Delivery:
    """The batches that are committed and not yet told, and those who listen."""

    def __init__(self) -> None:
        # Committed, not yet told; in commit order, since only the holder of the writer's lock appends.
        self._waiting: deque[Batch] = deque()
        # Replaced as a whole, under `_changing`; read without it.
        self._listeners: tuple[Listener, ...] = ()
        self._changing = threading.Lock()
        self._delivering = threading.Lock()
        # The thread that holds `_delivering`. Invariant: None whenever nobody holds it.
        self._thread: int | None = None

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every transaction with events from now on; the result, called, ends that."""
        with self._changing:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._changing:
                self._listeners = tuple(kept for kept in self._listeners if kept is not listener)

        return stop

    def put(self, batch: Batch) -> None:
        """Add what a transaction left to tell. The caller holds the writer's lock."""
        if batch.callbacks or batch.events:
            self._waiting.append(batch)

    def deliver(self) -> None:
        """Tell everything that waits; when this returns, the caller's own batch was told, by whichever thread.

        Called by a listener that wrote, it returns at once: the delivery that called the listener goes on with it.
        """
        if self._thread == threading.get_ident():
            return
        if not self._waiting and not self._delivering.locked():
            return
        with self._delivering:
            self._thread = threading.get_ident()
            try:
                while self._waiting:
                    self._tell(self._waiting.popleft())
            finally:
                self._thread = None

    def _tell(self, batch: Batch) -> None:
        for callback in batch.callbacks:
            _guarded(callback)
        if batch.events:
            for listener in self._listeners:
                _guarded(partial(listener, list(batch.events)))


def _guarded(call: Callable[[], None]) -> None:
    """Call it; what it raises is logged. The commit stands, so its writer must not be told that it failed."""
    try:
        call()
    except Exception:
        _log.exception("a listener of committed events failed; the transaction stands")
