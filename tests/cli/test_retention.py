# SPDX-License-Identifier: Apache-2.0
"""Retention rules, and what else removes or follows commits and files, on the command line."""

import pytest

from howdah.testing.server import running_server


@pytest.fixture
def history(howdah, repo, tmp_path):
    """The ids of three commits of one file, the oldest first."""
    for text in ("one", "two", "three"):
        (tmp_path / "f").write_text(text)
        assert 0 == howdah("put", "file", f"{repo}@master:/a/f", "-f", str(tmp_path / "f")).code
    listed = howdah("list", "commit", f"{repo}@master", "-o", "json").json
    return [each["commit"].partition("@")[2] for each in reversed(listed)]


def test_a_rule_is_made_shown_changed_and_taken_away(howdah, repo):
    """By words that are read as a sentence."""
    made = howdah("create", "retention", repo, "keep", "2", "commits", "and", "30", "days")
    changed = howdah("update", "retention", repo, "keep 1 commit")
    listed = howdah("list", "retention", "-o", "json").json
    shown = howdah("inspect", "retention", repo)
    gone = howdah("delete", "retention", repo)
    missing = howdah("inspect", "retention", repo)

    assert (0, 0, 0) == (made.code, changed.code, gone.code)
    assert "keep 2 commits and 30 days" in made.out
    assert "keep 1 commit" in shown.out
    assert f"default/{repo}" in [each["target"] for each in listed]
    assert "has no retention rule of its own" in missing.err


def test_a_rule_is_tried_and_then_applied(howdah, repo, history):
    """A dry run says what would go, why something stays, and how many bytes come back."""
    howdah("create", "branch", f"{repo}@old", "--head", f"{repo}@{history[0]}")

    tried = howdah("create", "retention", repo, "keep", "1", "commit", "--dry-run")
    howdah("create", "retention", repo, "keep", "1", "commit")
    dry = howdah("apply", "retention", repo, "--dry-run")
    done = howdah("apply", "retention", repo)
    left = howdah("list", "commit", repo, "-o", "json").json

    assert tried.out == dry.out
    assert f"- default/{repo}@{history[1]} (rule of default/{repo})" in tried.out
    assert f"is kept because branch default/{repo}@old points to it" in tried.out
    assert "1 would go, 1 kept because they are needed; garbage collection would give back" in tried.out
    assert "nothing was removed" in tried.err
    assert done.out.endswith("1 went, 1 kept because they are needed\n")
    assert 2 == len(left)


def test_answers_of_rules_are_json_too(howdah, repo, history):
    """One object on a line."""
    howdah("create", "retention", f"{repo}@master", "keep 1 commit")

    lines = howdah("apply", "retention", f"{repo}@master", "--dry-run", "-o", "json").out.splitlines()

    assert 3 == len(lines)
    assert history[1] in lines[0]
    assert '"freed_bytes"' in lines[-1]


def test_the_files_of_a_commit_are_given_up(howdah, repo, history):
    """Or, by a dry run, named."""
    tried = howdah("forget", "commit", f"{repo}@master^", "--dry-run")
    readable = howdah("get", "file", f"{repo}@master^:/a/f")
    done = howdah("forget", "commit", f"{repo}@master^")
    head = howdah("forget", "commit", f"{repo}@master")

    assert history[1] in tried.out
    assert tried.out == done.out
    assert "two" == readable.out
    assert 0 != howdah("get", "file", f"{repo}@master^:/a/f").code
    assert "shows its files" in head.err


def test_commits_are_printed_as_they_come(howdah, repo, history):
    """Until there are enough."""
    of_branch = howdah("subscribe", "commit", f"{repo}@master", "-n", "2")
    later = howdah("subscribe", "commit", repo, "--from", f"{repo}@{history[1]}", "-n", "1", "-o", "json")

    assert [f"default/{repo}@{id}" for id in history[:2]] == of_branch.out.splitlines()
    assert history[2] in later.out


def test_what_matches_a_pattern_is_copied_into_a_directory(howdah, repo, tmp_path):
    """All of it or nothing; two of one name are refused."""
    for name in ("x.png", "y.png", "z.txt"):
        (tmp_path / name).write_text(name)
        howdah("put", "file", f"{repo}@master:/from/{name}", "-f", str(tmp_path / name))
    howdah("copy", "file", f"{repo}@master:/from/x.png", f"{repo}@master:/other/x.png")

    tried = howdah("copy", "file", f"{repo}@master:/from/*.png", f"{repo}@dev:/to/", "--dry-run")
    done = howdah("copy", "file", f"{repo}@master:/from/*.png", f"{repo}@dev:/to/")
    folder = howdah("copy", "file", f"{repo}@master:/from", f"{repo}@dev:/to/")
    double = howdah("copy", "file", f"{repo}@master:/**.png", f"{repo}@dev:/to/")
    nothing = howdah("copy", "file", f"{repo}@master:/**.gif", f"{repo}@dev:/to/")
    listed = [each["path"] for each in howdah("glob", "file", f"{repo}@dev:/**", "-o", "json").json]

    assert (0, 0, 0) == (tried.code, done.code, folder.code)
    assert "/from/x.png" in tried.out
    assert "would both become /to/x.png" in double.err
    assert "not found" in nothing.err
    assert {"/to/x.png", "/to/y.png", "/to/from/z.txt"} <= set(listed)
    assert "/to/z.txt" not in listed


def test_a_transaction_updates_the_repo_that_it_makes(howdah, repo):
    """There is none to look at yet."""
    howdah("start", "transaction")
    made = howdah("create", "repo", f"{repo}b", "-d", "first")
    updated = howdah("update", "repo", f"{repo}b", "-d", "second")
    howdah("finish", "transaction")

    assert (0, 0) == (made.code, updated.code)
    assert "second" in howdah("inspect", "repo", f"{repo}b").out


def test_everything_is_deleted_when_it_is_meant(howdah, tmp_path, monkeypatch):
    """Nobody to ask is no yes."""
    with running_server(tmp_path / "lake") as server:
        monkeypatch.setenv("HOWDAH_ADDRESS", server.grpc_address)
        howdah("create", "repo", "a")
        howdah("create", "project", "p")
        tried = howdah("delete", "all", "--dry-run", "-o", "json").json
        unasked = howdah("delete", "all")
        there = howdah("list", "repo", "-o", "json").json
        done = howdah("delete", "all", "--yes")

        assert {"projects": ["default", "p"], "pipelines": [], "repos": ["default/a"]} == tried
        assert (1, 0) == (len(there), done.code)
        assert "say --yes" in unasked.err
        assert [] == howdah("list", "repo", "-o", "json").json
        assert ["default"] == [each["name"] for each in howdah("list", "project", "-o", "json").json]
