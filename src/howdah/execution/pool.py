# SPDX-License-Identifier: Apache-2.0
"""What an execution is. `howdah.testing.ExecutionContract` is the suite that each passes."""

import os
from typing import Protocol

__all__ = ["Execution", "cores"]


class Execution(Protocol):
    """A pool of workers of one kind. Methods may be called from any thread."""

    def start(self, workers: int) -> None:
        """Have that many workers run from now on, until `stop`; one that ends is replaced after a while.

        Returns before they are ready. Called again, it adds what is missing; it never takes a worker away.

        Raises:
            Refused: the pool was stopped.
        """

    def stop(self) -> None:
        """End all workers and all that they started; return when they are gone. Repeating is harmless."""

    def alive(self) -> int:
        """How many workers run now."""


def cores() -> int:
    """How many cores this process may use: as many workers as make sense on this machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
