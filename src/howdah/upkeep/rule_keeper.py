# SPDX-License-Identifier: Apache-2.0
"""Retention rules in the background: all of them once in each period, in a thread of its own. Garbage: `keeper`."""

import logging
import threading
from typing import Final

from howdah.errors import HowdahError
from howdah.model.retention import Summary
from howdah.upkeep.retiring import Retiring

__all__ = ["RuleKeeper"]

_log: Final = logging.getLogger(__name__)


class RuleKeeper:
    """Applies the rules of a lake from `start` to `stop`; never with a period of 0."""

    def __init__(self, retiring: Retiring, period_seconds: float) -> None:
        self._retiring = retiring
        self._period = period_seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Apply them for the first time after one period."""
        if self._period > 0:
            self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the commit that is being removed; stopping again does nothing."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def once(self) -> None:
        """Apply them now. What goes wrong is logged and tried again after the next period."""
        try:
            # What went has been logged one by one.
            for answer in self._retiring.apply():
                if isinstance(answer, Summary) and answer.retired:
                    _log.info("retention rules: %d removed, %d stay because they are needed", *_counts(answer))
                if self._stopping.is_set():
                    return
        except HowdahError as error:
            _log.warning("retention rules were not applied: %s", error.message)
        except Exception:  # nobody above could do better than to try again
            _log.exception("retention rules failed; they are tried again")

    def _run(self) -> None:
        while not self._stopping.wait(self._period):
            self.once()


def _counts(summary: Summary) -> tuple[int, int]:
    return summary.retired, summary.kept
