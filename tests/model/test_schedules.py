# SPDX-License-Identifier: Apache-2.0
"""Schedules: when the next tick comes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from howdah.errors import BadRequest, ErrorKind
from howdah.model.schedules import parse_schedule

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * *", NOON + timedelta(minutes=15)),
        ("30 8 * * 1-5", datetime(2030, 1, 2, 8, 30, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2032, 2, 29, tzinfo=UTC)),
        ("@hourly", NOON + timedelta(hours=1)),
        ("@daily", datetime(2030, 1, 2, tzinfo=UTC)),
        ("@weekly", datetime(2030, 1, 6, tzinfo=UTC)),
        ("@monthly", datetime(2030, 2, 1, tzinfo=UTC)),
        ("@yearly", datetime(2031, 1, 1, tzinfo=UTC)),
        ("@every 90m", NOON + timedelta(minutes=90)),
        ("@every 1ms", NOON + timedelta(seconds=1)),
        ("@never", None),
    ],
)
def test_the_next_tick_comes_after_the_moment(text, expected):
    """Never at it; and not at all where none will come."""
    assert expected == parse_schedule(text).next_after(NOON)


@pytest.mark.parametrize("text", ["* * * * *", "@daily", "@every 1s"])
def test_no_tick_comes_after_the_end_of_the_calendar(text):
    """And that is no error: somebody may have written such a start."""
    assert None is parse_schedule(text).next_after(datetime.max.replace(tzinfo=UTC))


def test_ticks_are_in_utc():
    """Whatever zone the moment is told in."""
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))

    assert datetime(2030, 1, 2, tzinfo=UTC) == parse_schedule("@daily").next_after(elsewhere)


@pytest.mark.parametrize(
    ("text", "after", "most", "expected"),
    [
        ("0 * * * *", 3, 9, [-2, -1, 0]),
        ("0 * * * *", 3, 2, [-1, 0]),
        ("0 0 * * *", 12, 9, []),
        ("0 0 * * *", 13, 9, [-12]),
        ("0 0 1 1 *", 24 * 365 * 900, 2, [-24 * 365 - 12, -12]),
        ("@every 2h", 5, 9, [-3, -1]),
        ("@every 2h", 4, 1, [0]),
        ("@every 2h", -4, 9, []),
        ("@never", 99, 9, []),
    ],
)
def test_ticks_between_two_moments(text, after, most, expected):
    """The last ones, if they are many: after so many hours ago, up to now."""
    found = parse_schedule(text).between(NOON - timedelta(hours=after), NOON, most)

    assert [NOON + timedelta(hours=n) for n in expected] == found


def test_a_tick_of_this_second_has_come():
    """With any fraction of it."""
    moment = NOON + timedelta(microseconds=5)

    assert [NOON] == parse_schedule("0 * * * *").between(NOON - timedelta(minutes=1), moment, 9)
    assert [] == parse_schedule("0 * * * *").between(NOON, moment, 9)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "0 0 0 * * *", "61 * * * *", "0 0 31 2 *", "@sometimes", "@every", "@every -5m", "x" * 9]
)
def test_what_is_no_schedule_is_refused(text):
    """The text says what may be written."""
    with pytest.raises(BadRequest) as error:
        parse_schedule(text)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind
