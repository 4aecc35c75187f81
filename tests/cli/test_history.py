# SPDX-License-Identifier: Apache-2.0
"""Squash, drop, delete, clear and update of commits on the command line."""

import pytest


@pytest.fixture
def ids(howdah, repo):
    """The ids of three commits of the repo, oldest first."""
    return [howdah("create", "commit", f"{repo}@master").out.strip() for _ in range(3)]


def left(howdah, repo):
    found = howdah("list", "commit", repo, "-o", "json").json
    return [each["commit"].partition("@")[2] for each in found]


def test_a_squash_says_what_went(howdah, repo, ids):
    """As a table for people and as an object for programs."""
    ran = howdah("squash", "commit", f"{repo}@master^", "-o", "json")

    assert (0, {"commits": [f"default/{repo}@{ids[1]}"], "jobs": []}) == (ran.code, ran.json)
    assert f"commits: default/{repo}@{ids[0]}\n" == howdah("squash", "commit", ids[0]).out
    assert [ids[2]] == left(howdah, repo)


@pytest.mark.parametrize("verb", ["drop", "delete"])
def test_a_drop_takes_the_head_away(howdah, repo, ids, verb):
    """By the commit or by the id of its set; with the parent as the new head."""
    assert 0 == howdah(verb, "commit", f"{repo}@master").code
    assert 0 == howdah(verb, "commit", ids[1]).code

    assert [ids[0]] == left(howdah, repo)


def test_a_dry_run_removes_nothing(howdah, repo, ids):
    """It says the same, and that it was one."""
    ran = howdah("drop", "commit", f"{repo}@master", "--dry-run")

    assert (0, f"commits: default/{repo}@{ids[2]}\n") == (ran.code, ran.out)
    assert "this was a dry run: nothing was removed\n" == ran.err
    assert list(reversed(ids)) == left(howdah, repo)


def test_a_refusal_names_the_way_out(howdah, repo, ids):
    """On one line, with the exit code of what is not allowed now."""
    ran = howdah("delete", "commit", f"{repo}@{ids[0]}")

    assert 6 == ran.code
    assert f"howdah squash commit default/{repo}@{ids[0]}" in ran.err
    assert 2 == howdah("drop", "commit", ids[2], "--recursive").code


def test_a_finished_commit_is_described(howdah, repo, ids):
    """The description is shown."""
    assert 0 == howdah("update", "commit", f"{repo}@{ids[0]}", "-d", "the first").code

    assert "the first" == howdah("inspect", "commit", f"{repo}@{ids[0]}", "-o", "json").json["description"]


def test_an_open_commit_is_cleared(howdah, repo, tmp_path):
    """What was put is gone."""
    howdah("start", "commit", f"{repo}@master")
    (tmp_path / "a").write_text("x")
    howdah("put", "file", f"{repo}@master:/a", "-f", str(tmp_path / "a"))

    assert 0 == howdah("clear", "commit", f"{repo}@master").code

    assert [] == howdah("list", "file", f"{repo}@master", "-o", "json").json
