# SPDX-License-Identifier: Apache-2.0
"""Regular expressions for lines: what they find, what is none, and that none takes for ever."""

import pytest

from howdah.errors import BadRequest, ErrorKind
from howdah.model.logs import LINE_CHARS_MAX
from howdah.pps.log_patterns import line_pattern

MANY = "|".join(f"a.{{{number}}}c" for number in range(1, 200))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("^took [0-9]{2,} ms$", ["took 12 ms"]),
        ("(?i)TOOK", ["took 12 ms", "took 1 ms"]),
        ("é|\\bx", ["café", "a x"]),
        ("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|took .{1,500}s", ["took 12 ms", "took 1 ms"]),
    ],
)
def test_a_pattern_matches_somewhere(pattern, found):
    """In any of many lines."""
    lines = ["took 12 ms", "took 1 ms", "café", "a x", "", "\udcff"]

    assert found == [line for line, match in zip(lines, line_pattern(pattern).matches(lines), strict=True) if match]


@pytest.mark.parametrize("text", ["(", "a{2,1}", "x" * 2_001, "(?=a)b", r"(a)\1", "(?:a{1000}){1000}", "\udcff", MANY])
def test_a_pattern_that_is_none_is_refused(text):
    """In one line that says what is wrong; so is what needs looking around, or going back."""
    with pytest.raises(BadRequest) as error:
        line_pattern(text)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind
    assert "regular expression" in error.value.message
    assert "\n" not in error.value.message


@pytest.mark.parametrize("text", ["(a+)+$", "(a|aa)+$", "(a*)*b", "(?:a?){30}a{30}$", "(.*)(.*)(.*)(.*)(.*)=$"])
def test_no_pattern_goes_over_a_line_again_and_again(text):
    """For each of these, other engines need longer than the world is old."""
    lines = ["a" * (LINE_CHARS_MAX - 1) + "!"]

    assert [False] == line_pattern(text).matches(lines)
