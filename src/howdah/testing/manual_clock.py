# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

__all__ = ["ManualClock"]


class ManualClock:
    """A `howdah.kit.clock.Clock` moved by hand; starts at noon of 2030-01-01, UTC, unless told otherwise."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = self._now = start or datetime(2030, 1, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment that the clock was moved to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds by which it was advanced in all."""
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += timedelta(seconds=seconds)
