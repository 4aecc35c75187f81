# SPDX-License-Identifier: Apache-2.0
"""Workers as threads of this process: for tests, and for whoever puts howdah into a program of their own."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from howdah.errors import ErrorKind, Refused

__all__ = ["ThreadPool"]

PAUSE_SECONDS: Final = 0.2

_log = logging.getLogger(__name__)


class ThreadPool:
    """Calls `work(worker_id, stopped)` in a thread for each worker; it is to return soon after `stopped` is set.

    An `Execution`. What returns, or raises, before that is called again after a pause.
    """

    def __init__(
        self,
        work: Callable[[str, threading.Event], None],
        *,
        name: str = "worker",
        pause: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        """`pause` waits that many seconds, or until its event is set."""
        self._work = work
        self._pause = pause
        self._name = name
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._threads: list[threading.Thread] = []
        self._working: set[str] = set()

    def start(self, workers: int) -> None:
        """Have that many threads work. See `Execution`."""
        with self._lock:
            if self._stopped.is_set():
                raise Refused(ErrorKind.BAD_MOVE, "the pool of workers was stopped; make another")
            for number in range(len(self._threads) + 1, workers + 1):
                worker_id = f"{self._name}-{number}"
                thread = threading.Thread(target=self._keep, args=(worker_id,), name=worker_id, daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Set the event and wait for the threads. See `Execution`."""
        self._stopped.set()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def alive(self) -> int:
        """How many threads are at work, and not in a pause. See `Execution`."""
        with self._lock:
            return len(self._working)

    def _keep(self, worker_id: str) -> None:
        while not self._stopped.is_set():
            with self._lock:
                self._working.add(worker_id)
            try:
                self._work(worker_id, self._stopped)
            except Exception:
                _log.exception("%s ended by an error", worker_id)
            finally:
                with self._lock:
                    self._working.discard(worker_id)
            self._pause(self._stopped, PAUSE_SECONDS)
