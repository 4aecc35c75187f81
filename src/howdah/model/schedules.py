# SPDX-License-Identifier: Apache-2.0
"""Schedules as specs and triggers write them: when does the next tick come after a moment?

A schedule is a cron expression of five fields (`*/15 8-18 * * 1-5`), one of the words `@hourly`, `@daily` and so on,
`@every 90m`, or `@never`. All times are in UTC. What acts on ticks is above (`pfs.triggers`, `pps.ticking`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from cronsim import CronSim, CronSimError

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line
from howdah.model.units import parse_duration

__all__ = ["Schedule", "parse_schedule"]

_WORDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_NEVER: Final = "@never"
_EVERY: Final = "@every "
_SHORTEST: Final = timedelta(seconds=1)  # as other cron libraries have it: what is shorter counts as a second
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A row of moments: those of a cron expression, or a fixed time apart; with neither, none at all."""

    expression: str = ""
    every: timedelta | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first tick after `moment`; None if none will come."""
        if self.every is not None:
            return moment + self.every if moment < _LATEST - self.every else None
        if not self.expression:
            return None
        try:
            return next(CronSim(self.expression, moment.astimezone(UTC)), None)
        except (OverflowError, ValueError):  # at the end of the calendar
            return None

    def between(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """The last `most` ticks later than `after` and not later than `until`, oldest first."""
        if self.every is not None:
            number = max(0, (until - after) // self.every)
            return [after + n * self.every for n in range(max(1, number - most + 1), number + 1)]
        if not self.expression:
            return []
        # Backwards it begins before the moment that it is given, so a tick of this very second needs the next one.
        beyond = until.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        back = takewhile(lambda tick: tick > after, CronSim(self.expression, beyond, reverse=True))
        return list(islice(back, most))[::-1]


def parse_schedule(text: str) -> Schedule:
    """Read a schedule.

    Raises:
        BadRequest: BAD_ARGUMENT.
    """
    words = text.strip()
    if words == _NEVER:
        return Schedule()
    if words.startswith(_EVERY):
        every = parse_duration(words.removeprefix(_EVERY).strip())
        if every <= timedelta():
            raise _bad(text, "the time between two ticks must be longer than none")
        return Schedule(every=max(every, _SHORTEST))
    expression = _WORDS.get(words, words)
    if len(expression.split()) != len(_WORDS["@daily"].split()):
        raise _bad(text, "five fields, or a word such as @daily, are expected")
    try:
        CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise _bad(text, str(error).lower()) from error
    return Schedule(expression)


def _bad(text: str, why: str) -> BadRequest:
    example = "write */15 * * * *, @daily, @every 5m or @never"
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"schedule ({one_line(text)}) invalid: {why}; {example}")
