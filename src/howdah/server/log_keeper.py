# SPDX-License-Identifier: Apache-2.0
"""The logs of a lake in the background: lines move into objects, and what is too old or too much is dropped.

A thread of its own, woken when a segment's worth of lines has come, and once in each period. Garbage: `upkeep.keeper`.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from howdah.errors import HowdahError
from howdah.pps.log_mover import LogMover

__all__ = ["LOGS_BYTES_MAX", "LOGS_KEEP", "LogKeeper", "LogRules"]

LOGS_KEEP: Final = timedelta(days=30)
LOGS_BYTES_MAX: Final = 10 << 30
_PERIOD_SECONDS: Final = 60.0

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogRules:
    """How long and how much of logs is kept; None is for ever, and without end."""

    keep: timedelta | None = LOGS_KEEP
    bytes_max: int | None = LOGS_BYTES_MAX


class LogKeeper:
    """Looks after the logs of a lake from `start` to `stop`."""

    def __init__(self, mover: LogMover, rules: LogRules, *, period_seconds: float = _PERIOD_SECONDS) -> None:
        self._mover = mover
        self._rules = rules
        self._period = period_seconds
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look after them for the first time after one period, or when there is enough to move."""
        self._mover.when_full(self._wake.set)
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after what goes on; stopping again does nothing."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def once(self) -> None:
        """Move and drop now. What goes wrong is logged and tried again after the next period."""
        try:
            self._mover.move()
            if gone := self._mover.drop(keep=self._rules.keep, bytes_max=self._rules.bytes_max):
                _log.info("logs: %d lines were dropped by the rules", gone)
        except HowdahError as error:
            _log.warning("logs were not moved: %s", error.message)
        except Exception:  # nobody above could do better than to try again
            _log.exception("looking after logs failed; it is tried again")

    def _run(self) -> None:
        while True:
            self._wake.wait(self._period)
            self._wake.clear()
            if self._stopping:
                return
            self.once()
