# SPDX-License-Identifier: Apache-2.0
"""Time as a parameter: whoever needs the time is given a `Clock`, so that tests move it and never sleep."""

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What tells the time. `howdah.testing.ManualClock` is the one that tests move by hand."""

    def now(self) -> datetime:
        """The present moment, in UTC, with its zone."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back, whatever is done to the wall clock."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment in UTC, in microseconds."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()
