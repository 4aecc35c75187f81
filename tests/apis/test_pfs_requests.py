# SPDX-License-Identifier: Apache-2.0
"""The spellings of the wire, read into references."""

import pytest

from howdah.apis.grpc import requests
from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Ancestry, Commit, CommitRef, Repo
from howdah.model.states import CommitState
from howdah.wire.convert import commit_message, moment, timestamp
from howdah.wire.stubs import pfs_v2_pb2 as pb

ID = "0123456789ab4000a000000000000000"
IMAGES = Repo("default", "images")

IMAGES_MESSAGE = pb.Repo(name="images")
PHANTOM = pb.Repo(type="user", project=pb.Project(name="default"))  # what the official client sends for "no repo"


def branch_message(name):
    return pb.Branch(repo=IMAGES_MESSAGE, name=name)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(pb.Commit(repo=IMAGES_MESSAGE, id=ID), Commit(IMAGES, ID), id="repo and id"),
        pytest.param(pb.Commit(branch=branch_message("master")), CommitRef(IMAGES, "master"), id="a branch's head"),
        pytest.param(pb.Commit(branch=branch_message("master"), id=ID), Commit(IMAGES, ID), id="an id beats a branch"),
        pytest.param(
            pb.Commit(repo=PHANTOM, branch=branch_message("master")), CommitRef(IMAGES, "master"), id="a phantom repo"
        ),
        pytest.param(
            pb.Commit(repo=IMAGES_MESSAGE, id="master^2"),
            CommitRef(IMAGES, "master", ancestry=Ancestry(2)),
            id="steps in the id",
        ),
        pytest.param(
            pb.Commit(branch=branch_message("master"), id="^"),
            CommitRef(IMAGES, "master", ancestry=Ancestry(1)),
            id="steps alone",
        ),
        pytest.param(
            pb.Commit(repo=IMAGES_MESSAGE, id=ID + "~1"), CommitRef(IMAGES, "", ID, Ancestry(1)), id="steps from an id"
        ),
    ],
)
def test_every_spelling_of_a_commit_is_read(message, expected):
    """A repo beside or inside of the branch, an id, a name, steps."""
    assert expected == requests.commit(message)


def test_a_commit_goes_over_the_wire_and_back():
    """What one end writes, the other reads."""
    refs = [Commit(IMAGES, ID), CommitRef(IMAGES, "master"), CommitRef(IMAGES, "master", ancestry=Ancestry(1, 3))]

    assert refs == [requests.commit(commit_message(ref)) for ref in refs]


def test_a_resolved_commit_names_no_branch():
    """Clients expect it to be cleared; older ones look in it for the repo."""
    branch = commit_message(Commit(IMAGES, ID)).branch

    assert ("", IMAGES.name) == (branch.name, branch.repo.name)


def test_an_absent_project_is_the_default_one():
    """As is an absent type the user's."""
    assert IMAGES == requests.repo(pb.Repo(name="images"))
    assert "default" == requests.project(pb.Project())


@pytest.mark.parametrize(
    ("read", "message", "text"),
    [
        pytest.param(requests.repo, PHANTOM, "repo cannot be nil", id="no repo"),
        pytest.param(requests.branch, pb.Branch(repo=IMAGES_MESSAGE), "branch must be specified", id="no branch"),
        pytest.param(requests.commit, pb.Commit(id=ID), "commit must have a repo", id="a commit without a repo"),
        pytest.param(requests.file, pb.File(path="/a"), "file must have a commit", id="a file without a commit"),
        pytest.param(requests.state, 17, "commit state 17 is unknown", id="an unknown state"),
        pytest.param(requests.origin, 17, "commit origin 17 is unknown", id="an unknown origin"),
    ],
)
def test_what_must_be_given_is_asked_for(read, message, text):
    """The error says first what is missing."""
    with pytest.raises(BadRequest) as caught:
        read(message)

    assert ErrorKind.BAD_ARGUMENT == caught.value.kind
    assert caught.value.message.startswith(text)


def test_a_required_field_is_named():
    """By its full name in the protocol."""
    with pytest.raises(BadRequest, match=r"^validate request: .*pfs_v2.DeleteBranchRequest.branch"):
        requests.required(pb.DeleteBranchRequest(), "branch")


def test_no_state_means_no_wait():
    """Every commit has started."""
    assert CommitState.STARTED == requests.state(pb.COMMIT_STATE_UNKNOWN)


def test_a_moment_keeps_its_microseconds():
    """There and back; what has not happened stays unset."""
    message = pb.CommitInfo().started
    message.FromMicroseconds(1_700_000_000_123_456)

    assert message == timestamp(moment(message))
    assert timestamp(None) is None
