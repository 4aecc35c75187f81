# SPDX-License-Identifier: Apache-2.0
"""Retention rules in the background: all of them once in each period, in a thread of its own. Garbage: `keeper`."""

import logging
from typing import Final

from howdah.errors import HowdahError
from howdah.kit.background import Background
from howdah.model.retention import Summary
from howdah.upkeep.retiring import Retiring

__all__ = ["RuleKeeper"]

_log: Final = logging.getLogger(__name__)


class RuleKeeper:
    """Applies the rules of a lake from `start` to `stop`; never with a period of 0."""

    def __init__(self, retiring: Retiring, period_seconds: float) -> None:
        self._retiring = retiring
        self._period = period_seconds
        self._background = Background("applying retention rules", self._again, retry_seconds=period_seconds)

    def start(self) -> None:
        """Apply them for the first time after one period."""
        if self._period > 0:
            self._background.start(self._period)

    def stop(self) -> None:
        """End after the commit that is being removed; stopping again does nothing."""
        self._background.stop()

    def once(self) -> None:
        """Apply them now. That it cannot be done is logged; it is tried again after the next period."""
        try:
            # What went has been logged one by one.
            for answer in self._retiring.apply():
                if isinstance(answer, Summary) and answer.retired:
                    _log.info("retention rules: %d removed, %d stay because they are needed", *_counts(answer))
                if self._background.stopping:
                    return
        except HowdahError as error:
            _log.warning("retention rules were not applied: %s", error.message)

    def _again(self) -> float:
        self.once()
        return self._period


def _counts(summary: Summary) -> tuple[int, int]:
    return summary.retired, summary.kept
