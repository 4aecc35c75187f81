# SPDX-License-Identifier: Apache-2.0
"""Taking commits back by the client."""

import pytest

from howdah.errors import Conflict, ErrorKind, NotFound, Refused
from howdah.model.infos import Removed
from howdah.model.refs import Branch, Commit, Repo


@pytest.fixture
def master(repo):
    return Branch(Repo("default", repo), "master")


def put(client, master, *paths):
    """A commit for each path."""
    for path in paths:
        client.put_file(master, path, path.encode())
    return [info.commit for info in client.list_commits(master.repo, reverse=True)]


def test_a_squash_answers_what_went(client, master):
    """With the same answer from a dry run before."""
    first, second = put(client, master, "/a", "/b")

    expected = client.squash_commit(first, dry_run=True)
    assert Removed((first,), ()) == expected == client.squash_commit(first)

    assert [second] == [info.commit for info in client.list_commits(master.repo)]
    assert ["/a", "/b"] == [each.path for each in client.list_files(master)]


def test_sets_are_squashed_and_dropped(client, master):
    """By their ids."""
    first, second, third = put(client, master, "/a", "/b", "/c")

    assert Removed((first,), ()) == client.squash_commit_set(first.id)
    assert Removed((third,), ()) == client.drop_commit_set(third.id)

    assert [second] == [info.commit for info in client.list_commits(master.repo)]


def test_a_commit_is_deleted(client, master):
    """As a drop: its files are gone."""
    first, second = put(client, master, "/a", "/b")

    assert Removed((second,), ()) == client.delete_commit(master)

    assert first == client.inspect_branch(master).head
    with pytest.raises(NotFound):
        client.inspect_commit(second)


def test_what_depends_on_a_commit_goes_with_it(client, master):
    """Each commit after those it depended on."""
    output = Repo("default", master.repo.name + "-out")
    client.create_repo(output)
    client.create_branch(Branch(output, "master"), provenance=[master])
    [*_, last] = put(client, master, "/a")

    with pytest.raises(Refused) as error:
        client.drop_commit(last)
    assert ErrorKind.HAS_DEPENDANTS == error.value.kind

    assert (last, Commit(output, last.id)) == client.drop_commit(last, recursive=True).commits


def test_an_open_commit_is_cleared(client, master):
    """It can be written again."""
    commit = client.start_commit(master)
    client.put_file(commit, "/a", b"a")

    client.clear_commit(commit)

    assert [] == list(client.list_files(commit))
    client.put_file(commit, "/b", b"b")
    assert ["/b"] == [each.path for each in client.list_files(commit)]


def test_a_finished_commit_is_described(client, master):
    """Its name is answered."""
    [commit] = put(client, master, "/a")

    assert commit == client.update_commit(master, description="the first")

    assert "the first" == client.inspect_commit(commit).description


def test_a_write_into_a_dropped_commit_fails(client, master):
    """What was stored for it is nobody's."""
    commit = client.start_commit(master)

    def write():
        with client.modify(commit) as stream:
            stream.put("/a", b"a")
            client.drop_commit(commit)

    with pytest.raises((NotFound, Conflict)):
        write()

    assert "/a" not in [each.path for each in client.list_files(master)]
