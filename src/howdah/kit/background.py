# SPDX-License-Identifier: Apache-2.0
"""What a server does again and again beside its calls: a thread that can be woken and is stopped in order."""

import logging
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["Background"]

_log: Final = logging.getLogger(__name__)


class Background:
    """Does one thing again and again from `start` to `stop`. All methods are for any thread.

    `once` does it and tells in how many seconds to do it again. What it raises is logged, and it is done again after
    `retry_seconds`.
    """

    def __init__(self, name: str, once: Callable[[], float], *, retry_seconds: float) -> None:
        self._name = name
        self._once = once
        self._retry_seconds = retry_seconds
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called: `once` may look at it where it could end early."""
        return self._stopped.is_set()

    def start(self, first_seconds: float = 0.0) -> None:
        """Do it for the first time after so many seconds, or when woken."""
        self._thread = threading.Thread(target=self._run, args=(first_seconds,), name=self._name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Do it as soon as possible; once more if it is being done now."""
        self._wake.set()

    def stop(self) -> None:
        """Return when it is not being done and never will be; stopping again, or what never began, does nothing."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, seconds: float) -> None:
        while True:
            self._wake.wait(seconds)
            self._wake.clear()  # before the look at `stopping`: `stop` wakes after it has said so
            if self.stopping:
                return
            try:
                seconds = self._once()
            except Exception:  # nobody above could do better than to try again
                _log.exception("%s failed; it is tried again in %g s", self._name, self._retry_seconds)
                seconds = self._retry_seconds
