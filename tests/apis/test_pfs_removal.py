# SPDX-License-Identifier: Apache-2.0
"""Removing commits by raw messages: waiting calls that it ends."""

import itertools

import grpc
import pytest

from howdah.apis.grpc.options import CHANNEL_OPTIONS
from howdah.model.refs import Repo
from howdah.testing.server import running_server
from howdah.wire.convert import repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pfs_v2_pb2_grpc

WAIT = 10.0  # seconds; reached only by a failing test

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with (
        running_server(tmp_path_factory.mktemp("lake")) as server,
        grpc.insecure_channel(server.grpc_address, options=CHANNEL_OPTIONS) as channel,
    ):
        yield pfs_v2_pb2_grpc.APIStub(channel)


@pytest.fixture
def commit(api):
    """An open commit of a new repo."""
    repo = repo_message(Repo("default", f"repo-{next(_numbers)}"))
    api.CreateRepo(pb.CreateRepoRequest(repo=repo))
    return api.StartCommit(pb.StartCommitRequest(branch=pb.Branch(repo=repo, name="master")))


def test_a_drop_ends_the_calls_that_wait_for_the_commit(api, commit):
    """With the text that clients match, at once."""
    request = pb.InspectCommitRequest(commit=commit, wait=pb.FINISHED)
    waiting = [api.InspectCommit.future(request, timeout=WAIT) for _ in range(3)]
    of_set = api.InspectCommitSet(
        pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=commit.id), wait=True), timeout=WAIT
    )
    # Answered in the order of arrival at the latest when all of them wait.
    assert commit.id == api.InspectCommit(pb.InspectCommitRequest(commit=commit)).commit.id

    api.DropCommit(pb.DropCommitRequest(commit=commit))

    for call in waiting:
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert "was deleted" in caught.value.details() or "not found" in caught.value.details()
    with pytest.raises(grpc.RpcError) as caught:
        list(of_set)
    assert "was deleted" in caught.value.details() or "no commits found" in caught.value.details()


def test_a_subscription_goes_on_after_a_drop(api, commit):
    """The dropped commit never comes; the next one does."""
    request = pb.SubscribeCommitRequest(repo=commit.repo, branch="master", state=pb.FINISHED)
    subscribed = api.SubscribeCommit(request, timeout=WAIT)
    api.DropCommit(pb.DropCommitRequest(commit=commit))

    branch = pb.Branch(repo=commit.repo, name="later")
    later = api.StartCommit(pb.StartCommitRequest(branch=branch))
    api.FinishCommit(pb.FinishCommitRequest(commit=later))
    master = api.StartCommit(pb.StartCommitRequest(branch=pb.Branch(repo=commit.repo, name="master")))
    api.FinishCommit(pb.FinishCommitRequest(commit=master))

    assert commit.id not in {next(subscribed).commit.id for _ in range(2)}
    subscribed.cancel()
