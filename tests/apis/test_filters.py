# SPDX-License-Identifier: Apache-2.0
"""jq filters: what they see, what is left out, and what becomes of those that never end."""

import itertools

import pytest

from howdah.apis.filters import filtered
from howdah.errors import BadRequest, ErrorKind
from howdah.wire.stubs import pps_v2_pb2 as pps

JOBS = [
    pps.JobInfo(state=pps.JOB_SUCCESS, job=pps.Job(id="a"), data_failed=0, pipeline_version=1),
    pps.JobInfo(state=pps.JOB_FAILURE, job=pps.Job(id="b"), data_failed=3, pipeline_version=2),
]


def kept(expression):
    return "".join(info.job.id for info in filtered(JOBS, expression))


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("", "ab"),
        ('.state == "JOB_SUCCESS"', "a"),
        ('.state == "JOB_FAILURE" or .state == "JOB_SUCCESS"', "ab"),
        ('.pipeline_version == "2"', "b"),
        (".data_failed", "b"),
        ('select(.job.id == "b")', "b"),
        ("true # and a comment", "ab"),
        ("false, true", ""),
        ("env | length == 0 or .PATH != null", "ab"),
    ],
)
def test_a_filter_sees_the_original_names_and_keeps_what_is_true(expression, ids):
    """The first answer counts; false, null and none leave a thing out. 64 bits are texts, as protobuf's JSON has it."""
    assert ids == kept(expression)


@pytest.mark.parametrize(
    "expression",
    [
        ".state ==",
        ".state | keys",
        'import "a" as a; true',
        'include "a"; true',
        "x" * 20_000,
    ],
)
def test_a_bad_filter_is_named(expression):
    """It is the caller's error, on one line, whether it cannot be read or fails."""
    with pytest.raises(BadRequest) as error:
        kept(expression)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind
    assert error.value.message.startswith(f"jq filter ({expression[:20]}")
    assert "\n" not in error.value.message
    assert ";" in error.value.message


@pytest.mark.parametrize("expression", ["def f: f; f", "[range(1e12)] | length > 0"])
def test_a_filter_that_never_ends_is_ended(expression):
    """By its time, or by its memory."""
    with pytest.raises(BadRequest, match=r"takes too long|ended before|memory"):
        list(filtered(JOBS, expression, seconds_max=0.5))


def test_a_filter_is_asked_only_as_far_as_somebody_listens():
    """A page of an endless list is no more work than a page."""
    asked = itertools.count()
    endless = ((next(asked) and JOBS[1]) or JOBS[0] for _ in itertools.count())

    found = list(itertools.islice(filtered(endless, ".data_failed"), 3))

    assert [JOBS[1]] * 3 == found
    assert next(asked) < 10
