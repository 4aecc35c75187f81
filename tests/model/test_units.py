# SPDX-License-Identifier: Apache-2.0
"""Durations and sizes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import BadRequest, ErrorKind
from howdah.model.units import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1h30m", 5400), ("500ms", 0.5), ("1.5h", 5400), ("2d", 172800), ("0", 0), ("0s", 0), ("-5s", -5)],
)
def test_durations_are_read(text, seconds):
    """Numbers with units, one after another."""
    assert timedelta(seconds=seconds) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1:30", "5x", "1h-5m", "\u0665s", "9" * 18 + "d", "1e3s"])
def test_what_is_no_duration_is_refused(text):
    """A bare number has no unit and so no meaning."""
    with pytest.raises(BadRequest) as error:
        parse_duration(text)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


@given(st.timedeltas(timedelta(days=-400), timedelta(days=40_000)))
def test_a_duration_is_read_back(span):
    """Formatting loses nothing."""
    assert span == parse_duration(format_duration(span))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500", 500),
        ("500B", 500),
        ("10MB", 10_000_000),
        ("10M", 10_000_000),
        ("10mb", 10_000_000),
        ("1GiB", 1 << 30),
        ("256Mi", 256 << 20),
        ("1.5KiB", 1536),
        ("2 TB", 2 * 10**12),
    ],
)
def test_sizes_are_read(text, size):
    """Powers of 1,000, and of 1,024 where there is an i."""
    assert size == parse_size(text)


@pytest.mark.parametrize("text", ["", "MB", "-1", "1XB", "1iB", "1..5K", "10E", "1 M B"])
def test_what_is_no_size_is_refused(text):
    """Also what does not fit into 64 bits."""
    with pytest.raises(BadRequest) as error:
        parse_size(text)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


def test_sizes_are_shown_to_three_digits():
    """For people; the unit is a power of 1,024."""
    sizes = [0, 999, 1024, 1536, 1_048_575, 1 << 20, 10 << 30]

    assert ["0B", "999B", "1KiB", "1.5KiB", "1MiB", "1MiB", "10GiB"] == [format_size(size) for size in sizes]
