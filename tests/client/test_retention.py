# SPDX-License-Identifier: Apache-2.0
"""Retention rules, forgetting and following commits, by the client."""

import pytest

from howdah.client import Client
from howdah.client.contexts import Config, Context, save
from howdah.errors import AlreadyExists, ErrorKind, NotFound, Refused
from howdah.model.retention import Kept, Retired, Summary, parse_rule


def commits(client, repo, count=3):
    """So many commits of one file, which is another one each time."""
    made = []
    for number in range(count):
        client.put_file(f"{repo}@master", "/a", bytes([65 + number]))
        made.append(client.inspect_commit(f"{repo}@master").commit)
    return made


def test_a_rule_is_kept_shown_changed_and_taken_away(client, repo):
    """Each says what there is."""
    made = client.create_retention(f"{repo}@master", "keep 2 commits")
    with pytest.raises(AlreadyExists):
        client.create_retention(f"{repo}@master", "keep 3 commits")
    client.create_retention(f"{repo}@master", parse_rule("keep 3 commits"), update=True)

    shown = client.inspect_retention(f"{repo}@master")
    listed = [each.target for each in client.list_retentions()]
    client.delete_retention(made.target)

    assert ("keep 2 commits", "keep 3 commits") == (str(made.rule), str(shown.rule))
    assert made.target in listed
    with pytest.raises(NotFound) as error:
        client.inspect_retention(made.target)
    assert ErrorKind.RETENTION_NOT_FOUND == error.value.kind


def test_what_would_go_goes(client, repo):
    """The answers of a dry run are those of the application, but for the bytes."""
    made = commits(client, repo)
    client.create_branch(f"{repo}@old", head=made[0])

    tried = list(client.apply_retention(repo, dry_run=True, rule="keep 1 commit"))
    client.create_retention(repo, "keep 1 commit")
    done = list(client.apply_retention(repo))

    rule = f"default/{repo}"
    kept = Kept(made[0], rule, f"branch default/{repo}@old points to it")
    assert {Retired(made[1], rule), kept} == set(tried[:-1]) == set(done[:-1])
    assert Summary(True, 1, 1, tried[-1].freed_bytes) == tried[-1]
    assert Summary(False, 1, 1) == done[-1]
    assert 0 < tried[-1].freed_bytes


def test_a_commit_is_forgotten_and_stays(client, repo):
    """A dry run says which, or why not."""
    made = commits(client, repo, 2)

    tried = client.forget_commit(made[0], dry_run=True)
    before = client.get_file(made[0], "/a")
    client.forget_commit(made[0])

    assert (made[0], b"A") == (tried, before)
    assert made[0] in [info.commit for info in client.list_commits(repo)]
    with pytest.raises(Refused) as forgotten:
        client.get_file(made[0], "/a")
    with pytest.raises(Refused) as shown:
        client.forget_commit(f"{repo}@master", dry_run=True)
    assert (ErrorKind.COMMIT_FORGOTTEN, ErrorKind.HAS_DEPENDANTS) == (forgotten.value.kind, shown.value.kind)


def test_commits_are_followed_as_they_come(client, repo):
    """Those that are there, then each new one, of one branch alone."""
    made = commits(client, repo, 2)
    client.put_file(f"{repo}@dev", "/b", b"b")
    found = client.subscribe_commits(repo, branch="master")
    there = [next(found).commit, next(found).commit]

    new = commits(client, repo, 1)

    assert made == there
    assert new == [next(found).commit]
    found.close()
    after = client.subscribe_commits(repo, branch="master", from_=made[1])
    assert new == [next(after).commit]
    after.close()


def test_the_history_of_a_file_begins_with_what_is_not_finished(client, repo):
    """Then come the finished commits that changed it."""
    made = commits(client, repo, 2)
    client.put_file(f"{repo}@master", "/b", b"b")
    with client.commit(f"{repo}@master") as commit:
        commit.put("/c", b"c")
        before = [each.commit for each in client.file_history(f"{repo}@master", "/a")]
    opened = client.start_commit(f"{repo}@master")
    client.put_file(opened, "/a", b"new")

    versions = list(client.file_history(f"{repo}@master", "/a"))
    client.finish_commit(opened)

    assert made[::-1] == before
    assert [opened, *made[::-1]] == [each.commit for each in versions]
    assert (None, 3) == (versions[0].finished_at, versions[0].info.size_bytes)


def test_a_client_finds_its_server_as_the_command_line_does(monkeypatch, tmp_path):
    """What is given, the environment, the context, the default; a context's project is for its own server."""
    monkeypatch.setenv("HOWDAH_CONFIG", str(tmp_path / "contexts.json"))
    for name in ("HOWDAH_ADDRESS", "HOWDAH_PROJECT"):
        monkeypatch.delenv(name, raising=False)

    def found(*args, **options):
        with Client(*args, **options) as made:
            return made.address, made.project

    nothing = found()
    save(Config("work", {"work": Context("lake.example:7", "vision")}))
    context, given, project = found(), found("other:9"), found(project="mine")
    monkeypatch.setenv("HOWDAH_ADDRESS", "env.example:8")

    assert ("127.0.0.1:30650", "default") == nothing
    assert ("lake.example:7", "vision") == context
    assert (("other:9", "default"), ("lake.example:7", "mine")) == (given, project)
    assert ("env.example:8", "vision") == found()
