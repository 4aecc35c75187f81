# SPDX-License-Identifier: Apache-2.0
"""Retention rules as texts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import BadRequest, ErrorKind
from howdah.model.retention import Rule, RuleTarget, parse_rule, parse_target

SPANS = st.integers(1, 10**8).map(lambda seconds: timedelta(seconds=seconds))
RULES = st.one_of(
    st.builds(Rule, keep_commits=st.none() | st.integers(1, 10**6), keep_for=st.none() | SPANS),
    st.builds(Rule, delete_after=SPANS, whole_repo=st.booleans()),
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("keep 10 commits", Rule(10)),
        ("keep last 1 commit", Rule(1)),
        ("Keep  30 days", Rule(keep_for=timedelta(30))),
        ("keep 2w", Rule(keep_for=timedelta(14))),
        ("keep 36h and 5 commits", Rule(5, timedelta(1.5))),
        ("keep everything", Rule()),
        ("delete commits after 48 hours", Rule(delete_after=timedelta(2))),
        ("delete repo after 90 minutes", Rule(delete_after=timedelta(minutes=90), whole_repo=True)),
    ],
)
def test_a_rule_is_read(text, rule):
    """However it is spelled."""
    assert rule == parse_rule(text)


@given(RULES)
def test_a_rule_is_what_it_says(rule):
    """Its text is read back as the same rule."""
    assert rule == parse_rule(str(rule))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keep",
        "keep 0 commits",
        "keep 10",
        "keep 10 commits and 20 commits",
        "keep 1 day and 2 days",
        "keep 0 days",
        "keep -1 days",
        "keep 999999999 weeks",
        "delete commits",
        "delete branch after 1 day",
        "delete repo after 0 hours",
    ],
)
def test_what_is_no_rule_is_refused(text):
    """And the error says what would be."""
    with pytest.raises(BadRequest, match="keep 10 commits") as error:
        parse_rule(text)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("p/", RuleTarget("p")),
        ("images", RuleTarget("mine", "images")),
        ("p/images", RuleTarget("p", "images")),
        ("images@dev", RuleTarget("mine", "images", "dev")),
        ("p/images@dev", RuleTarget("p", "images", "dev")),
    ],
)
def test_what_a_rule_is_of_is_read(text, target):
    """A project ends with a slash; the others are as they are everywhere."""
    assert target == parse_target(text, "mine")
    assert target == parse_target(str(target))


@pytest.mark.parametrize("text", ["", "/", "p//", "images@", "edges.meta", "edges.spec@master"])
def test_a_rule_is_of_a_project_repo_or_branch_of_users(text):
    """What pipelines keep beside their output goes with it."""
    with pytest.raises(BadRequest):
        parse_target(text)
