# SPDX-License-Identifier: Apache-2.0
"""Lines of logs: their level and their length."""

import pytest

from howdah.model.logs import LINE_CHARS_MAX, LogLevel, cut_line, level_of


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ('{"level": "error", "msg": "no"}', LogLevel.ERROR),
        ('{"severity": "CRITICAL"}', LogLevel.ERROR),
        ('{"levelname": "DEBUG"}', LogLevel.DEBUG),
        (' {"lvl": "trace"}\n', LogLevel.DEBUG),
        ('{"level": "warning"}', LogLevel.INFO),
        ('{"level": 50}', LogLevel.INFO),
        ('{"message": "level: error"}', LogLevel.INFO),
        ('{"level": "error"', LogLevel.INFO),
        ("ERROR something is wrong", LogLevel.INFO),
        ("[" * 100_000, LogLevel.INFO),
        ("", LogLevel.INFO),
    ],
)
def test_a_line_in_json_says_its_level(line, level):
    """By its key; whatever says nothing is INFO."""
    assert level == level_of(line)


def test_a_long_line_is_cut_and_says_so():
    """The end of the line does not count, and nothing else is lost of one that is short enough."""
    assert "x" * LINE_CHARS_MAX == cut_line("x" * LINE_CHARS_MAX + "\r\n")
    assert cut_line("x" * (LINE_CHARS_MAX + 7)).endswith("x … (7 more characters were cut off)")
