# SPDX-License-Identifier: Apache-2.0
"""Moments and JSON values come back as they went in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from howdah.db.columns import Json
from howdah.db.times import from_microseconds, to_microseconds

DIALECT = sqlite.dialect()


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_comes_back_exactly(moment):
    """To the microsecond, for every year that Python knows."""
    assert moment == from_microseconds(to_microseconds(moment))


def test_a_moment_of_another_zone_is_the_same_moment():
    """What is kept has no zone: it is UTC."""
    moment = datetime(1970, 1, 1, 2, 0, 1, tzinfo=timezone(timedelta(hours=2)))

    assert 1_000_000 == to_microseconds(moment)
    assert UTC == from_microseconds(to_microseconds(moment)).tzinfo


def test_a_moment_without_a_zone_is_refused():
    """Nobody can tell which moment it is."""
    with pytest.raises(ValueError, match="has no zone"):
        to_microseconds(datetime(2030, 1, 1))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=4))
def test_a_json_value_comes_back(value):
    """Whatever text it holds."""
    column = Json()

    assert value == column.process_result_value(column.process_bind_param(value, DIALECT), DIALECT)


def test_equal_json_values_have_equal_text():
    """The order of keys does not matter, so texts can be compared."""
    column = Json()

    assert column.process_bind_param({"a": 1, "b": 2}, DIALECT) == column.process_bind_param({"b": 2, "a": 1}, DIALECT)


def test_no_json_value_is_null():
    """None is the database's NULL, not the text null."""
    assert Json().process_bind_param(None, DIALECT) is None
    assert Json().process_result_value(None, DIALECT) is None
