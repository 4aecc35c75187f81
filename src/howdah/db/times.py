# SPDX-License-Identifier: Apache-2.0
"""Moments in the database: an aware datetime outside, integer microseconds since 1970 in UTC inside.

An integer sorts, compares and subtracts alike in every database and has no zone to lose. What tells the
time is `howdah.kit.clock`.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = ["Moment", "from_microseconds", "to_microseconds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_OF_DAY: Final = 86_400
_MICROSECONDS: Final = 1_000_000


def to_microseconds(moment: datetime) -> int:
    """Microseconds from 1970 to `moment`, exact. A datetime without a zone is a programming error."""
    if moment.tzinfo is None:
        raise ValueError(f"datetime {moment.isoformat()} has no zone; give it one, such as datetime.UTC")
    gap = moment - _EPOCH
    return (gap.days * _SECONDS_OF_DAY + gap.seconds) * _MICROSECONDS + gap.microseconds


def from_microseconds(microseconds: int) -> datetime:
    """The moment in UTC that many microseconds after 1970, exact."""
    return _EPOCH + timedelta(microseconds=microseconds)


class Moment(TypeDecorator[datetime]):
    """A column of moments: takes datetimes of any zone, gives them back in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """What the database keeps for `value`."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """What the caller gets for the stored `value`."""
        return None if value is None else from_microseconds(value)
