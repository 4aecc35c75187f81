# SPDX-License-Identifier: Apache-2.0
"""Pickers of the wire become references."""

import pytest

from howdah.apis.grpc import pickers
from howdah.client import pickers as picked_by_client
from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Ancestry, Branch, Commit, CommitRef, Pipeline, Repo
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2

ID = "4f1c2b3a4d5e4f6a8b9c0d1e2f3a4b5c"
IMAGES = Repo("default", "images")
REPO = pb.RepoPicker(name=pb.RepoPicker.RepoName(name="images"))
MASTER = pb.BranchPicker(name=pb.BranchPicker.BranchName(repo=REPO, name="master"))
HEAD = pb.CommitPicker(branch_head=MASTER)
BY_ID = pb.CommitPicker(id=pb.CommitPicker.CommitByGlobalId(repo=REPO, id=ID))


def above(picker, offset):
    return pb.CommitPicker(ancestor=pb.CommitPicker.AncestorOf(offset=offset, start=picker))


def from_root(offset):
    return pb.CommitPicker(branch_root=pb.CommitPicker.BranchRoot(offset=offset, branch=MASTER))


def test_names_are_picked():
    """With the project and the type, or those that are meant without."""
    full = pb.RepoPicker.RepoName(project=pb.ProjectPicker(name="p"), name="images", type="meta")

    assert Repo("p", "images", "meta") == pickers.repo(pb.RepoPicker(name=full))
    assert IMAGES == pickers.repo(REPO)
    assert Branch(IMAGES, "master") == pickers.branch(MASTER)
    assert ["default", "p"] == [pickers.project(pb.ProjectPicker(name=name)) for name in ("", "p")]
    name = pps_v2_pb2.PipelinePicker.PipelineName(name="edges")
    assert Pipeline("default", "edges") == pickers.pipeline(pps_v2_pb2.PipelinePicker(name=name))


@pytest.mark.parametrize(
    ("picker", "expected"),
    [
        (HEAD, CommitRef(IMAGES, "master")),
        (BY_ID, CommitRef(IMAGES, id=ID)),
        (above(HEAD, 3), CommitRef(IMAGES, "master", ancestry=Ancestry(3))),
        (above(above(BY_ID, 1), 2), CommitRef(IMAGES, id=ID, ancestry=Ancestry(3))),
        (from_root(0), CommitRef(IMAGES, "master", ancestry=Ancestry(0, 1))),
        (above(from_root(4), 1), CommitRef(IMAGES, "master", ancestry=Ancestry(1, 5))),
    ],
)
def test_commits_are_picked_in_every_way(picker, expected):
    """Steps of nested pickers are added; counting from the root begins with 0."""
    assert expected == pickers.commit(picker)


@pytest.mark.parametrize(
    ("read", "picker"),
    [
        (pickers.repo, pb.RepoPicker()),
        (pickers.repo, pb.RepoPicker(name=pb.RepoPicker.RepoName())),
        (pickers.branch, pb.BranchPicker()),
        (pickers.branch, pb.BranchPicker(name=pb.BranchPicker.BranchName(repo=REPO, name=ID))),
        (pickers.commit, pb.CommitPicker()),
        (pickers.commit, above(pb.CommitPicker(), 1)),
        (pickers.commit, above(above(HEAD, 2**32 - 1), 1)),
        (pickers.commit, pb.CommitPicker(id=pb.CommitPicker.CommitByGlobalId(repo=REPO, id="master"))),
        (pickers.pipeline, pps_v2_pb2.PipelinePicker()),
    ],
)
def test_what_picks_nothing_is_refused(read, picker):
    """An empty one, a bad name, steps beyond counting."""
    with pytest.raises(BadRequest):
        read(picker)


@pytest.mark.parametrize(("offset", "up"), [(0, 1), (1, 2), (4, 40)])
def test_a_picker_does_not_go_up_past_the_first_commit(offset, up):
    """As the text form of it."""
    with pytest.raises(BadRequest, match="before the first") as error:
        pickers.commit(above(above(from_root(offset), 1), up - 1))

    assert ErrorKind.BAD_REFERENCE == error.value.kind


def test_a_picker_that_picks_nothing_is_refused_however_deep_it_hides_that():
    """Messages may be nested some fifty times."""
    empty = pb.CommitPicker()
    for _ in range(40):
        empty = above(empty, 1)

    with pytest.raises(BadRequest) as error:
        pickers.commit(empty)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


@pytest.mark.parametrize(
    "ref",
    [
        Commit(IMAGES, ID),
        CommitRef(IMAGES, "master"),
        CommitRef(Repo("p", "images", "meta"), id=ID, ancestry=Ancestry(2)),
        CommitRef(IMAGES, "master", ancestry=Ancestry(1, 5)),
    ],
)
def test_what_our_client_picks_is_read_back(ref):
    """Its pickers and the server's reading of them are one language."""
    picked = pickers.commit(picked_by_client.commit(ref))

    assert (ref.repo, ref.id) == (picked.repo, picked.id)
    assert isinstance(ref, Commit) or ref == picked
    named = Branch(IMAGES, "master"), Pipeline("p", "edges")
    assert named == (
        pickers.branch(picked_by_client.branch(named[0])),
        pickers.pipeline(picked_by_client.pipeline(named[1])),
    )


def test_our_client_cannot_count_from_the_root_of_an_id():
    """Pickers have no word for it."""
    with pytest.raises(BadRequest):
        picked_by_client.commit(CommitRef(IMAGES, id=ID, ancestry=Ancestry(0, 1)))
