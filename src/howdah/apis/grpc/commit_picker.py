# SPDX-License-Identifier: Apache-2.0
"""`CommitPicker`, the protocol's newer spelling of a commit, read into a reference. The older ones: `requests`."""

from dataclasses import replace

from howdah.apis.grpc import requests
from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import branch_name, commit_id
from howdah.model.refs import Ancestry, CommitRef, Repo
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["picked_commit"]


def picked_commit(picker: pb.CommitPicker) -> CommitRef:
    """The commit that a picker means: by branch, by global id, or by steps from another one.

    Raises:
        BadRequest: BAD_ARGUMENT: a part of it is missing; BAD_REFERENCE: it goes up past the first commit; BAD_NAME.
    """
    parents = 0
    while (kind := picker.WhichOneof("picker")) == "ancestor":  # a message is nested some fifty times at most
        parents += picker.ancestor.offset
        picker = picker.ancestor.start
    start = _start(picker, kind)
    root = start.ancestry.from_root
    if root is not None and parents >= root:
        text = f"commit {start}^{parents} is before the first; from .{root} go up at most {root - 1}"
        raise BadRequest(ErrorKind.BAD_REFERENCE, text)
    return replace(start, ancestry=Ancestry(parents, root))


def _start(picker: pb.CommitPicker, kind: str | None) -> CommitRef:
    if kind == "branch_head":
        return _branch(picker.branch_head)
    if kind == "id":
        return CommitRef(_repo(picker.id.repo), "", commit_id(picker.id.id))
    if kind == "branch_root":
        # The protocol counts from 0, a reference from 1.
        root = picker.branch_root.offset + 1
        return replace(_branch(picker.branch_root.branch), ancestry=Ancestry(0, root))
    raise _bad("commit must be picked; name it by branch, by id, or by steps from another commit")


def _branch(picker: pb.BranchPicker) -> CommitRef:
    return CommitRef(_repo(picker.name.repo), branch_name(picker.name.name))


def _repo(picker: pb.RepoPicker) -> Repo:
    name = picker.name
    return requests.repo(pb.Repo(name=name.name, type=name.type, project=pb.Project(name=name.project.name)))


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)
