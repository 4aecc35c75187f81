# SPDX-License-Identifier: Apache-2.0
"""Messages of `pfs_v2` read into the values of `howdah.model`. The server's side is `howdah.apis.grpc.answers`.

What the protocol does not carry stays empty: the branch that a commit was made on, when it became ready, and how
many files it has.
"""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from howdah.model.files import FileInfo
from howdah.model.infos import BranchInfo, CommitInfo, ProjectInfo, RepoInfo, Trigger
from howdah.model.names import DEFAULT_PROJECT, USER
from howdah.model.refs import Branch, Commit, File, Repo
from howdah.model.states import OriginKind
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = [
    "branch",
    "branch_info",
    "commit",
    "commit_info",
    "file",
    "file_info",
    "project_info",
    "repo",
    "repo_info",
    "when",
]

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def when(message: Timestamp) -> datetime | None:
    """A moment; None if the message is unset."""
    if not message.seconds and not message.nanos:
        return None
    return message.ToDatetime(tzinfo=UTC)


def repo(message: pb.Repo) -> Repo:
    """A repo by its name."""
    return Repo(message.project.name or DEFAULT_PROJECT, message.name, message.type or USER)


def branch(message: pb.Branch) -> Branch:
    """A branch by its name."""
    return Branch(repo(message.repo), message.name)


def commit(message: pb.Commit) -> Commit:
    """A commit by its id."""
    return Commit(repo(message.repo if message.repo.name else message.branch.repo), message.id)


def file(message: pb.File) -> File:
    """A path in a commit."""
    return File(commit(message.commit), message.path)


def file_info(message: pb.FileInfo) -> FileInfo:
    """A file or directory as it is listed."""
    return FileInfo(message.file.path, message.file_type == pb.DIR, message.size_bytes, message.hash)


def project_info(message: pb.ProjectInfo) -> ProjectInfo:
    """A project."""
    created = when(message.created_at) or _LONG_AGO
    return ProjectInfo(message.project.name, message.description, created, dict(message.metadata))


def repo_info(message: pb.RepoInfo) -> RepoInfo:
    """A repo; its size is an upper bound in a list."""
    size = message.details.size_bytes if message.HasField("details") else message.size_bytes_upper_bound
    return RepoInfo(
        repo=repo(message.repo),
        description=message.description,
        created_at=when(message.created) or _LONG_AGO,
        branches=tuple(map(branch, message.branches)),
        size_bytes=size,
        metadata=dict(message.metadata),
    )


def branch_info(message: pb.BranchInfo) -> BranchInfo:
    """A branch."""
    return BranchInfo(
        branch=branch(message.branch),
        head=commit(message.head) if message.head.id else None,
        direct_provenance=tuple(map(branch, message.direct_provenance)),
        provenance=tuple(map(branch, message.provenance)),
        subvenance=tuple(map(branch, message.subvenance)),
        trigger=_trigger(message.trigger) if message.HasField("trigger") else None,
        created_at=when(message.created_at) or _LONG_AGO,
        updated_at=when(message.updated_at) or _LONG_AGO,
        metadata=dict(message.metadata),
        never=tuple(branch(s.branch) for s in message.branch_propagation_specs if s.propagation_spec.never),
    )


def commit_info(message: pb.CommitInfo) -> CommitInfo:
    """A commit; its size once it is finished."""
    started = when(message.started) or _LONG_AGO
    return CommitInfo(
        commit=commit(message.commit),
        branch=message.commit.branch.name,
        origin=OriginKind(message.origin.kind) if message.origin.kind else OriginKind.USER,
        description=message.description,
        parent=commit(message.parent_commit) if message.parent_commit.id else None,
        children=tuple(map(commit, message.child_commits)),
        started_at=started,
        ready_at=None,
        finishing_at=when(message.finishing),
        finished_at=when(message.finished),
        error=message.error,
        size_bytes=message.details.size_bytes if message.HasField("details") else None,
        files=None,
        direct_provenance=tuple(map(commit, message.direct_provenance)),
        direct_subvenance=tuple(map(commit, message.direct_subvenance)),
        updated_at=when(message.updated_at) or started,
        metadata=dict(message.metadata),
    )


def _trigger(message: pb.Trigger) -> Trigger:
    return Trigger(
        message.branch, message.all, message.rate_limit_spec, message.size, message.commits, message.cron_spec
    )
