# SPDX-License-Identifier: Apache-2.0
"""Wake waiting calls by events of their own subject, and by nothing else.

A waiter on the event loop costs an object, not a thread. Whoever changes something calls
`Hub.notify(subject)` from any thread once its transaction has committed; the hub carries no data, so a
waiter always reads the truth again. Subjects are plain names chosen by the domain ("commit/<id>",
"logs/<job>"). The blocking calls themselves are bridged in `howdah.apis.grpc.bridge`.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import TypeVar

__all__ = ["Hub", "Listener"]

T = TypeVar("T")


class Listener:
    """One waiting call's ear; made by `Hub.listen`, used on the loop that made it."""

    def __init__(self, lock: threading.Lock) -> None:
        self.loop = asyncio.get_running_loop()
        self._lock = lock
        self._event = asyncio.Event()
        # True from a notification until `changed` has returned for it. Guarded by the hub's lock. A burst
        # of notifications so costs the loop one wake-up.
        self.called = False

    def wake(self) -> None:
        """Let `changed` return. Runs on the loop."""
        self._event.set()

    async def changed(self) -> None:
        """Return once a subject was notified since the last return, or since `listen`.

        What happened before that return is visible to a read that starts after it.
        """
        await self._event.wait()
        self._event.clear()
        with self._lock:
            self.called = False


class Hub:
    """Who waits for which subject. `notify` may be called from any thread; the rest runs on an event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Invariant: holds no empty set, so a subject that nobody waits for costs one failed look-up.
        self._listeners: dict[str, set[Listener]] = {}

    def notify(self, *subjects: str) -> None:
        """Wake the waiters of these subjects; call it after the transaction has committed, never before.

        Never blocks and never fails; repeating it is harmless. Waiters of other subjects cost nothing.
        """
        with self._lock:
            called = {one for subject in subjects for one in self._listeners.get(subject, ())}
            self._call(called)

    def notify_all(self) -> None:
        """Wake every waiter: for a feed that may have missed events, after a lost connection for example."""
        with self._lock:
            self._call({one for ones in self._listeners.values() for one in ones})

    def waiting(self, subject: str | None = None) -> int:
        """How many listeners there are, of one subject or over all (one counts once for each of its subjects)."""
        with self._lock:
            if subject is not None:
                return len(self._listeners.get(subject, ()))
            return sum(len(ones) for ones in self._listeners.values())

    @contextlib.contextmanager
    def listen(self, subjects: Iterable[str]) -> Iterator[Listener]:
        """Hear these subjects inside the block. Enter it before the first read, so that nothing falls between."""
        names = frozenset(subjects)
        listener = Listener(self._lock)
        with self._lock:
            for name in names:
                self._listeners.setdefault(name, set()).add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                for name in names:
                    self._listeners[name].discard(listener)
                    if not self._listeners[name]:
                        del self._listeners[name]

    async def wait(self, subjects: Iterable[str], until: Callable[[], T | None], pool: Executor) -> T:
        """Return the first answer of `until` that is not None.

        `until` is blocking code and runs in `pool`: once at the start, then once after each notification of
        a subject (a burst counts as one). No thread is held in between. Its errors pass through. Cancelling
        ends the wait at once; an `until` that is running then still comes to its end, unheard.
        """
        loop = asyncio.get_running_loop()
        with self.listen(subjects) as listener:
            while (answer := await loop.run_in_executor(pool, until)) is None:
                await listener.changed()
            return answer

    def _call(self, listeners: set[Listener]) -> None:
        """Wake those not yet called, with one call into each loop. The lock is held."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Listener]] = {}
        for one in listeners:
            if not one.called:
                one.called = True
                by_loop.setdefault(one.loop, []).append(one)
        for loop, ones in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: its waiters are gone with it
                loop.call_soon_threadsafe(_wake_all, ones)


def _wake_all(listeners: list[Listener]) -> None:
    for one in listeners:
        one.wake()
