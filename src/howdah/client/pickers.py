# SPDX-License-Identifier: Apache-2.0
"""References made into pickers, which some calls of the protocol take. The server reads them in `apis.grpc.pickers`."""

from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Branch, Commit, Commitish, Pipeline, Repo
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2

__all__ = ["branch", "commit", "pipeline", "project", "repo"]


def project(name: str) -> pb.ProjectPicker:
    """A project by its name."""
    return pb.ProjectPicker(name=name)


def repo(of: Repo) -> pb.RepoPicker:
    """A repo by its name."""
    return pb.RepoPicker(name=pb.RepoPicker.RepoName(project=project(of.project), name=of.name, type=of.type))


def branch(of: Branch) -> pb.BranchPicker:
    """A branch by its name."""
    return pb.BranchPicker(name=pb.BranchPicker.BranchName(repo=repo(of.repo), name=of.name))


def commit(of: Commitish) -> pb.CommitPicker:
    """A commit by its id or its branch, and the steps from there.

    Raises:
        BadRequest: BAD_REFERENCE: pickers cannot count from the root of an id.
    """
    if isinstance(of, Commit):
        return _by_id(of)
    if of.ancestry.from_root is not None:
        if of.id:
            text = f"commit {of} cannot be picked: counting from the root takes a branch; name one instead of the id"
            raise BadRequest(ErrorKind.BAD_REFERENCE, text)
        root = pb.CommitPicker.BranchRoot(offset=of.ancestry.from_root - 1, branch=branch(Branch(of.repo, of.branch)))
        start = pb.CommitPicker(branch_root=root)
    else:
        start = _by_id(of) if of.id else pb.CommitPicker(branch_head=branch(Branch(of.repo, of.branch)))
    up = of.ancestry.parents
    return pb.CommitPicker(ancestor=pb.CommitPicker.AncestorOf(offset=up, start=start)) if up else start


def pipeline(of: Pipeline) -> pps_v2_pb2.PipelinePicker:
    """A pipeline by its name."""
    name = pps_v2_pb2.PipelinePicker.PipelineName(project=project(of.project), name=of.name)
    return pps_v2_pb2.PipelinePicker(name=name)


def _by_id(of: Commitish) -> pb.CommitPicker:
    return pb.CommitPicker(id=pb.CommitPicker.CommitByGlobalId(repo=repo(of.repo), id=of.id))
