# SPDX-License-Identifier: Apache-2.0
"""Pickers: the protocol's second way to name things, read into references and checked. The first is in `requests`.

A picker says how a thing is found: by its name, by a commit set's id, as the N-th parent of another. Where none of
its ways is chosen, it picks nothing and is refused. `branch_root` counts from 0, and texts (`master.1`) from 1.
"""

from typing import Final

from google.protobuf.message import Message

from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import (
    DEFAULT_PROJECT,
    branch_name,
    commit_id,
    pipeline_name,
    project_name,
    repo_name,
    repo_type,
)
from howdah.model.refs import HEAD, Ancestry, Branch, CommitRef, Pipeline, Repo
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2

__all__ = ["branch", "commit", "pipeline", "project", "repo"]

_STEPS_MAX: Final = 2**32 - 1


def project(picker: pb.ProjectPicker) -> str:
    """The name of a project, `default` for an empty one.

    Raises:
        BadRequest: BAD_NAME.
    """
    return project_name(picker.name) if picker.name else DEFAULT_PROJECT


def repo(picker: pb.RepoPicker) -> Repo:
    """A repo.

    Raises:
        BadRequest: BAD_ARGUMENT: it picks nothing; BAD_NAME.
    """
    _chosen(picker, "repo")
    picked = picker.name
    return Repo(project(picked.project), repo_name(picked.name), repo_type(picked.type))


def branch(picker: pb.BranchPicker) -> Branch:
    """A branch. Raises as `repo`."""
    _chosen(picker, "branch")
    return Branch(repo(picker.name.repo), branch_name(picker.name.name))


def commit(picker: pb.CommitPicker) -> CommitRef:
    """A commit, however many steps lead to it.

    Raises:
        BadRequest: BAD_ARGUMENT: it picks nothing, or goes up too far; BAD_REFERENCE: it goes up past the first
            commit; BAD_NAME.
    """
    up = 0
    while (way := _chosen(picker, "commit")) == "ancestor":  # a message is nested some fifty times at most
        up += picker.ancestor.offset
        picker = picker.ancestor.start
    if up > _STEPS_MAX:
        raise _bad(f"a commit picker goes {up} parents up; a history has at most {_STEPS_MAX}")
    if way == "id":
        return CommitRef(repo(picker.id.repo), id=commit_id(picker.id.id), ancestry=Ancestry(up) if up else HEAD)
    of = branch(picker.branch_head if way == "branch_head" else picker.branch_root.branch)
    root = picker.branch_root.offset + 1 if way == "branch_root" else None
    if root is not None and up >= root:
        text = f"commit {of}.{root}^{up} is before the first; from .{root} go up at most {root - 1}"
        raise BadRequest(ErrorKind.BAD_REFERENCE, text)
    return CommitRef(of.repo, of.name, ancestry=Ancestry(up, root))


def pipeline(picker: pps_v2_pb2.PipelinePicker) -> Pipeline:
    """A pipeline. Raises as `repo`."""
    _chosen(picker, "pipeline")
    of = project(picker.name.project)
    return Pipeline(of, pipeline_name(picker.name.name, of))


def _chosen(picker: Message, what: str) -> str:
    """Which way a picker goes."""
    way: str | None = picker.WhichOneof("picker")
    if way is None:
        raise _bad(f"the {what} picker picks nothing; name a {what}")
    return way


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"validate request: {text}")
