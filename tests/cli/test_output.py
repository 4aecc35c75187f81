# SPDX-License-Identifier: Apache-2.0
"""How answers are shown."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from howdah.cli import output
from howdah.model.refs import Commit, Repo
from howdah.model.states import JobState

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "text"),
    [(0, "now"), (1, "1 second ago"), (119, "1 minute ago"), (7200, "2 hours ago"), (86_400 * 800, "2 years ago")],
)
def test_ages_are_rounded_down_to_one_unit(ago, text):
    """People want to know how old, not to the second."""
    assert text == output.age(NOW - timedelta(seconds=ago), now=NOW)


@pytest.mark.parametrize(("seconds", "text"), [(0.01234, "0.0123s"), (59.9, "59.9s"), (61, "1m01s"), (7260, "2h01m")])
def test_spans_have_three_digits(seconds, text):
    """Short ones in seconds, long ones in larger units."""
    assert text == output.span(timedelta(seconds=seconds))


def test_values_are_plain_in_json():
    """References are text, hashes hex, times ISO 8601, spans seconds, states names."""
    values = (Commit(Repo("p", "r"), "i"), b"\x01", NOW, timedelta(seconds=1.5), JobState.SUCCESS, None)

    assert ["p/r@i", "01", "2026-01-02T03:04:05Z", 1.5, "SUCCESS", None] == json.loads(output.one_line_json(values))


def test_an_array_is_json_whatever_its_length():
    """Empty, one, many."""
    for count in (0, 1, 3):
        out = io.StringIO()
        output.print_array(iter(range(count)), out)
        assert list(range(count)) == json.loads(out.getvalue())


def test_a_table_of_many_rows_keeps_its_order():
    """Rows are aligned in blocks, so that a long list begins at once; none is lost between them."""
    out = io.StringIO()

    output.print_table(range(1200), [("N", str)], out)

    assert ["N", *map(str, range(1200))] == out.getvalue().splitlines()


def test_properties_that_are_not_there_are_left_out():
    """A list stands below its first line."""
    out = io.StringIO()

    output.print_properties(None, [("a", lambda _: ""), ("bb", lambda _: ["x", "y"]), ("c", lambda _: None)], out)

    assert "bb: x\n    y\n" == out.getvalue()
