# SPDX-License-Identifier: Apache-2.0
"""The logs of a lake in the background: lines move into objects, and what is too old or too much is dropped.

A thread of its own, woken when a segment's worth of lines has come, and once in each period. Garbage: `upkeep.keeper`.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from howdah.errors import HowdahError
from howdah.kit.background import Background
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
        self._background = Background("looking after logs", self._again, retry_seconds=period_seconds)

    def start(self) -> None:
        """Look after them for the first time after one period, or when there is enough to move."""
        self._mover.when_full(self._background.wake)
        self._background.start(self._period)

    def stop(self) -> None:
        """End after what goes on; stopping again does nothing."""
        self._background.stop()

    def once(self) -> None:
        """Move and drop now. That it cannot be done is logged; it is tried again after the next period."""
        try:
            self._mover.move()
            if gone := self._mover.drop(keep=self._rules.keep, bytes_max=self._rules.bytes_max):
                _log.info("logs: %d lines were dropped by the rules", gone)
        except HowdahError as error:
            _log.warning("logs were not moved: %s", error.message)

    def _again(self) -> float:
        self.once()
        return self._period
