# SPDX-License-Identifier: Apache-2.0
"""Taking commits back through the official client, unmodified: what it shows afterwards, and the texts of refusals."""

import itertools
import re

import grpc
import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

from howdah.testing.server import running_server

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as server:
        yield Client(host=server.host, port=server.grpc_port)


@pytest.fixture
def master(client):
    """The branch of a new repo."""
    repo = pfs.Repo.from_uri(f"repo-{next(_numbers)}")
    client.pfs.create_repo(repo=repo)
    return pfs.Branch(repo=repo, name="master")


@pytest.fixture
def follower(client, master):
    """A branch of another repo that follows the first; nobody finishes its commits but the tests."""
    repo = pfs.Repo.from_uri(f"repo-{next(_numbers)}")
    client.pfs.create_repo(repo=repo)
    branch = pfs.Branch(repo=repo, name="master")
    client.pfs.create_branch(branch=branch, provenance=[master])
    finish(client, branch)
    return branch


def put(client, branch, path):
    with client.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path=path, data=path.encode())
    return pfs.Commit(repo=branch.repo, id=commit.id)


def finish(client, branch):
    client.pfs.finish_commit(commit=pfs.Commit(branch=branch, repo=branch.repo), force=True)


def head(client, branch):
    return client.pfs.inspect_branch(branch=branch).head.id


def paths(client, branch):
    file = pfs.File(commit=pfs.Commit(branch=branch, repo=branch.repo), path="/")
    return [info.file.path for info in client.pfs.list_file(file=file)]


def ids(client, branch):
    return [info.commit.id for info in client.pfs.list_commit(repo=branch.repo)]


def refused(call, **request):
    """The text of a refusal."""
    with pytest.raises(grpc.RpcError) as caught:
        call(**request)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    return caught.value.details()


def test_a_squashed_set_leaves_its_files_to_the_next(client, master):
    """The commit is gone, its files are not."""
    first, second = put(client, master, "/a"), put(client, master, "/b")

    client.pfs.squash_commit_set(commit_set=pfs.CommitSet(id=first.id))

    assert [second.id] == ids(client, master)
    assert ["/a", "/b"] == paths(client, master)
    assert not client.pfs.commit_exists(first)


def test_a_dropped_set_takes_its_files(client, master):
    """The branch is back at the commit before."""
    first, second = put(client, master, "/a"), put(client, master, "/b")

    client.pfs.drop_commit_set(commit_set=pfs.CommitSet(id=second.id))

    assert first.id == head(client, master)
    assert ["/a"] == paths(client, master)


def test_refusals_have_the_texts_that_clients_know(client, master):
    """On one line, with the way out after them."""
    first, second = put(client, master, "/a"), put(client, master, "/b")

    text = refused(client.pfs.squash_commit_set, commit_set=pfs.CommitSet(id=second.id))
    assert re.match(r"cannot squash a commit that has no children", text)
    text = refused(client.pfs.drop_commit_set, commit_set=pfs.CommitSet(id=first.id))
    assert re.match(r"cannot drop a commit that has children", text)
    assert [second.id, first.id] == ids(client, master)


def test_a_set_that_later_sets_were_made_from_is_refused(client, master, follower):
    """A second input moved alone, so the output of its set depends on the first one's commit."""
    other = pfs.Branch(repo=pfs.Repo.from_uri(f"repo-{next(_numbers)}"), name="master")
    client.pfs.create_repo(repo=other.repo)
    client.pfs.create_branch(branch=follower, provenance=[master, other])
    first = put(client, master, "/a")
    put(client, other, "/b")

    text = refused(client.pfs.drop_commit_set, commit_set=pfs.CommitSet(id=first.id))

    assert re.match(r"commit set .+ cannot be dropped because it has subvenant commit sets: .+", text)


def test_single_commits_go_with_what_depends_on_them(client, master, follower):
    """Only if that is asked for."""
    before = head(client, master), head(client, follower)
    commit = put(client, master, "/a")
    assert (commit.id, commit.id) == (head(client, master), head(client, follower))

    assert "subvenant" in refused(client.pfs.drop_commit, commit=commit)
    client.pfs.drop_commit(commit=commit, recursive=True)

    assert before == (head(client, master), head(client, follower))


def test_single_commits_are_squashed(client, master, follower):
    """Both repos keep their files in the later commits."""
    first = put(client, master, "/a")
    finish(client, follower)
    second = put(client, master, "/b")
    finish(client, follower)

    client.pfs.squash_commit(commit=first, recursive=True)

    assert (second.id, second.id) == (head(client, master), head(client, follower))
    assert ["/a", "/b"] == paths(client, master)
    assert first.id not in ids(client, follower)


def test_an_open_commit_is_cleared(client, master):
    """It holds what its parent does."""
    put(client, master, "/a")
    commit = client.pfs.start_commit(branch=master)
    client.pfs.put_file_from_bytes(commit=commit, path="/b", data=b"b")
    assert ["/a", "/b"] == paths(client, master)

    client.pfs.clear_commit(commit=commit)

    assert ["/a"] == paths(client, master)
    client.pfs.finish_commit(commit=commit)


def test_a_forgotten_commit_says_so_when_it_is_read(client, master):
    """It is listed as before."""
    first, second = put(client, master, "/a"), put(client, master, "/b")
    of = pfs.RepoPicker(name=pfs.RepoPickerRepoName(name=master.repo.name))
    picker = pfs.CommitPicker(id=pfs.CommitPickerCommitByGlobalId(repo=of, id=first.id))

    client.pfs.forget_commit(commit=picker)

    assert [second.id, first.id] == ids(client, master)
    with pytest.raises(grpc.RpcError) as caught:
        list(client.pfs.list_file(file=pfs.File(commit=first, path="/")))
    assert "is forgotten" in caught.value.details()


def test_whoever_waits_for_a_dropped_commit_hears_of_it(client, master):
    """By the text that clients know, and at once."""
    commit = client.pfs.start_commit(branch=master)
    answers = client.pfs.inspect_commit_set(commit_set=pfs.CommitSet(id=commit.id), wait=True)

    client.pfs.drop_commit_set(commit_set=pfs.CommitSet(id=commit.id))

    with pytest.raises(grpc.RpcError, match=r"commit [^ ]+ was deleted|no commits found"):
        list(answers)
