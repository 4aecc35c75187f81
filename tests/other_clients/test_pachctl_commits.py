# SPDX-License-Identifier: Apache-2.0
"""What `pachctl` sends about commits and commit sets, command by command."""

import itertools

import pytest

from howdah.wire.stubs import pfs_v2_pb2 as pb
from tests.other_clients.pachctl import branch, commit, put_file, repo

PFS = "pfs_v2.API"

_numbers = itertools.count(1)


@pytest.fixture
def name(pachctl):
    """A repo of its own."""
    made = f"repo-{next(_numbers)}"
    pachctl.run(f"create repo {made}", f"{PFS}/CreateRepo", pb.CreateRepoRequest(repo=repo(made)))
    return made


def put(pachctl, to, files):
    """One put on a branch is one commit; its id."""
    with pachctl.command(f"put file {to}@master") as begun:
        put_file(begun, commit(to, name="master"), files)
    return inspected(pachctl, commit(to, name="master")).commit.id


def inspected(pachctl, what, wait=pb.STARTED):
    return pachctl.run("inspect commit", f"{PFS}/InspectCommit", pb.InspectCommitRequest(commit=what, wait=wait))


def listed(pachctl, of, **options):
    request = pb.ListCommitRequest(repo=repo(of), all=True, **options)
    return [info.commit.id for info in pachctl.run(f"list commit {of}", f"{PFS}/ListCommit", request)]


def test_a_commit_is_started_finished_and_waited_for(pachctl, name):
    """`start commit` prints the id, by which the others name it."""
    request = pb.StartCommitRequest(branch=branch(name), description="why")
    started = pachctl.run(f"start commit {name}@master", f"{PFS}/StartCommit", request, transacted=True)
    opened = inspected(pachctl, commit(name, name="master"))
    request = pb.FinishCommitRequest(commit=commit(name, started.id))
    pachctl.run(f"finish commit {name}@{started.id}", f"{PFS}/FinishCommit", request, transacted=True)

    waited = inspected(pachctl, commit(name, started.id), wait=pb.FINISHED)

    assert (started.id, "why", False) == (opened.commit.id, opened.description, opened.HasField("finished"))
    assert (started.id, True, True) == (waited.commit.id, waited.HasField("finished"), waited.HasField("details"))


def test_commits_are_listed_in_all_four_ways(pachctl, name):
    """Sets of a project, one set, a repo, and from one commit to another."""
    ids = [put(pachctl, name, {"/a": b"%d" % number}) for number in range(4)]

    request = pb.ListCommitSetRequest(project=pb.Project(name="default"))
    sets = pachctl.run("list commit", f"{PFS}/ListCommitSet", request)
    request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=ids[0]))
    one = pachctl.run(f"list commit {ids[0]}", f"{PFS}/InspectCommitSet", request)
    bounds = {"from": commit(name, ids[0]), "to": commit(name, name="master"), "number": 2}

    assert ids[::-1] == [info.commit_set.id for info in sets][:4]
    assert [name] == [info.commit.repo.name for info in one]
    assert ids[::-1] == listed(pachctl, name)
    assert ids[3:1:-1] == listed(pachctl, name, **bounds)
    assert [] == listed(pachctl, name, origin_kind=pb.AUTO)


def test_commits_are_named_by_steps(pachctl, name):
    """`inspect commit images@master^`: the steps stand in the id, beside the branch or not."""
    first, second = (put(pachctl, name, {path: b"1"}) for path in ("/a", "/b"))

    assert first == inspected(pachctl, commit(name, "^", name="master")).commit.id
    assert first == inspected(pachctl, commit(name, "master~1")).commit.id
    assert first == inspected(pachctl, commit(name, f"{second}^")).commit.id


def test_new_commits_are_told_to_subscribers(pachctl, name):
    """`subscribe commit`: those that are there and then those that come, until it is stopped."""
    first = put(pachctl, name, {"/a": b"1"})
    second = put(pachctl, name, {"/a": b"2"})

    request = pb.SubscribeCommitRequest(repo=repo(name), branch="master", state=pb.STARTED, all=True)
    told = pachctl.run(f"subscribe commit {name}@master", f"{PFS}/SubscribeCommit", request, number=2)

    assert [first, second] == [info.commit.id for info in told]


def test_commits_that_touched_a_file_are_found(pachctl, name):
    """Each as it is found, and last how far was looked."""
    ids = [put(pachctl, name, {path: b"%d" % number}) for number, path in enumerate(["/a", "/b", "/a"])]

    request = pb.FindCommitsRequest(start=commit(name, name="master"), file_path="/a", limit=0)
    answers = pachctl.run(f"find commit {name}@master:/a", f"{PFS}/FindCommits", request)

    assert [ids[2], ids[0]] == [each.found_commit.id for each in answers if each.HasField("found_commit")]
    assert ids[0] == answers[-1].last_searched_commit.id


def test_sets_are_squashed_and_dropped(pachctl, name):
    """A squash leaves the files to the child, a drop takes them."""
    first, second, third = (put(pachctl, name, {path: b"1"}) for path in ("/a", "/b", "/c"))

    request = pb.SquashCommitSetRequest(commit_set=pb.CommitSet(id=first))
    pachctl.run(f"squash commit {first}", f"{PFS}/SquashCommitSet", request, transacted=True)
    request = pb.DropCommitSetRequest(commit_set=pb.CommitSet(id=third))
    pachctl.run(f"delete commit {third}", f"{PFS}/DropCommitSet", request)

    request = pb.GlobFileRequest(commit=commit(name, name="master"), pattern="/*")
    found = pachctl.run(f"glob file {name}@master:/*", f"{PFS}/GlobFile", request)
    assert [second] == listed(pachctl, name)
    assert ["/a", "/b"] == [info.file.path for info in found]


def test_single_commits_are_squashed_and_dropped(pachctl, name):
    """With what depends on them."""
    first, second, third = (put(pachctl, name, {path: b"1"}) for path in ("/a", "/b", "/c"))

    request = pb.SquashCommitRequest(commit=commit(name, first), recursive=True)
    pachctl.run(f"squash commit {name}@{first} -r", f"{PFS}/SquashCommit", request)
    request = pb.DropCommitRequest(commit=commit(name, third), recursive=True)
    pachctl.run(f"drop commit {name}@{third} -r", f"{PFS}/DropCommit", request)

    assert [second] == listed(pachctl, name)


def test_a_downstream_commit_is_in_the_set(pachctl, name):
    """`wait commit ID`: each commit of the set once it is finished."""
    follower = f"{name}-follower"
    pachctl.run(f"create repo {follower}", f"{PFS}/CreateRepo", pb.CreateRepoRequest(repo=repo(follower)))
    request = pb.CreateBranchRequest(branch=branch(follower), provenance=[branch(name)])
    pachctl.run(f"create branch {follower}@master -p {name}@master", f"{PFS}/CreateBranch", request)
    finish = pb.FinishCommitRequest(commit=commit(follower, name="master"), force=True)
    pachctl.run(f"finish commit {follower}@master -f", f"{PFS}/FinishCommit", finish)
    id = put(pachctl, name, {"/a": b"1"})
    pachctl.run(f"finish commit {follower}@master -f", f"{PFS}/FinishCommit", finish)

    request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=id), wait=True)
    waited = pachctl.run(f"wait commit {id}", f"{PFS}/InspectCommitSet", request)

    assert [name, follower] == [info.commit.repo.name for info in waited]
    assert all(info.HasField("finished") for info in waited)
