# SPDX-License-Identifier: Apache-2.0
"""What workers handed in to this process since it began: counters for those who watch it. Jobs have their own sums."""

import threading

from howdah.pps.handed_in import Outcomes

__all__ = ["Counted"]


class Counted:
    """Counts that only grow. For many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._datums = 0
        self._cpu_us = 0

    def add(self, outcomes: Outcomes) -> None:
        """Count some results that were taken."""
        cpu_us = outcomes.total.cpu_us
        with self._lock:
            self._datums += len(outcomes)
            self._cpu_us += cpu_us

    def datums(self) -> float:
        """How many datums ended, well or badly."""
        return float(self._datums)

    def cpu_seconds(self) -> float:
        """The CPU time of their user code."""
        return self._cpu_us / 1e6
