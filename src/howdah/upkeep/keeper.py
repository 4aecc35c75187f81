# SPDX-License-Identifier: Apache-2.0
"""Garbage collection in the background: once in each period, in a thread of its own."""

import logging
from collections.abc import Callable
from typing import Final

from howdah.errors import HowdahError
from howdah.kit.background import Background
from howdah.model.upkeep import Collected
from howdah.upkeep.collector import Collector

__all__ = ["Keeper"]

_log: Final = logging.getLogger(__name__)


class Keeper:
    """Collects the garbage of a lake from `start` to `stop`; never with a period of 0."""

    def __init__(
        self, collector: Collector, period_seconds: float, told: Callable[[Collected], None] = lambda _: None
    ) -> None:
        """`told` hears of each collection that was done."""
        self._told = told
        self._collector = collector
        self._period = period_seconds
        self._background = Background("garbage collection", self._again, retry_seconds=period_seconds)

    def start(self) -> None:
        """Collect for the first time after one period: a server that starts has better things to do."""
        if self._period > 0:
            self._background.start(self._period)

    def stop(self) -> None:
        """End after the collection that goes on; stopping again does nothing."""
        self._background.stop()

    def once(self) -> None:
        """Collect now. That it cannot be done is logged; it is tried again after the next period."""
        try:
            done = self._collector.collect()
        except HowdahError as error:
            _log.warning("garbage was not collected: %s", error.message)
        else:
            self._told(done)
            if done.thrown_away.objects or done.removed.objects:
                text = "garbage collection: %d bytes into the trash, %d bytes removed"
                _log.info(text, done.thrown_away.size_bytes, done.removed.size_bytes)

    def _again(self) -> float:
        self.once()
        return self._period
