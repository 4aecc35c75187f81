# SPDX-License-Identifier: Apache-2.0
"""What the domain knows, made into the messages of `pfs_v2`.

A commit in an answer has its repo and id, and no branch: clients expect the branch to be cleared. Times that have not
come and details that are not known stay unset. How requests are read is in `requests`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import pyarrow as pa

from howdah.model.files import FileInfo
from howdah.model.infos import BranchInfo, CommitInfo, ProjectInfo, RepoInfo, Trigger
from howdah.model.refs import Commit
from howdah.wire.convert import branch_message, commit_message, repo_message, timestamp
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["FileMessages", "branch_info", "commit_info", "project_info", "repo_info"]


def project_info(info: ProjectInfo) -> pb.ProjectInfo:
    """A project."""
    return pb.ProjectInfo(
        project=pb.Project(name=info.name),
        description=info.description,
        created_at=timestamp(info.created_at),
        metadata=info.metadata,
    )


def repo_info(info: RepoInfo, *, details: bool) -> pb.RepoInfo:
    """A repo; its exact size only with `details`, as the protocol has it."""
    return pb.RepoInfo(
        repo=repo_message(info.repo),
        created=timestamp(info.created_at),
        size_bytes_upper_bound=info.size_bytes,
        description=info.description,
        branches=[branch_message(branch) for branch in info.branches],
        details=pb.RepoInfo.Details(size_bytes=info.size_bytes) if details else None,
        metadata=info.metadata,
    )


def branch_info(info: BranchInfo) -> pb.BranchInfo:
    """A branch."""
    return pb.BranchInfo(
        branch=branch_message(info.branch),
        head=None if info.head is None else commit_message(info.head),
        provenance=[branch_message(branch) for branch in info.provenance],
        subvenance=[branch_message(branch) for branch in info.subvenance],
        direct_provenance=[branch_message(branch) for branch in info.direct_provenance],
        trigger=None if info.trigger is None else _trigger(info.trigger),
        metadata=info.metadata,
        created_at=timestamp(info.created_at),
        updated_at=timestamp(info.updated_at),
        branch_propagation_specs=[
            pb.BranchPropagationSpec(branch=branch_message(branch), propagation_spec=pb.PropagationSpec(never=True))
            for branch in info.never
        ],
    )


def commit_info(info: CommitInfo) -> pb.CommitInfo:
    """A commit; its size once it is finished."""
    size = info.size_bytes
    return pb.CommitInfo(
        commit=commit_message(info.commit),
        origin=pb.CommitOrigin(kind=info.origin.wire_name),
        description=info.description,
        parent_commit=None if info.parent is None else commit_message(info.parent),
        child_commits=[commit_message(child) for child in info.children],
        started=timestamp(info.started_at),
        finishing=timestamp(info.finishing_at),
        finished=timestamp(info.finished_at),
        error=info.error,
        size_bytes_upper_bound=size or 0,
        details=None if info.finished_at is None else pb.CommitInfo.Details(size_bytes=size or 0),
        direct_provenance=[commit_message(commit) for commit in info.direct_provenance],
        direct_subvenance=[commit_message(commit) for commit in info.direct_subvenance],
        metadata=info.metadata,
        created_at=timestamp(info.started_at),
        updated_at=timestamp(info.updated_at),
    )


class FileMessages:
    """Makes the messages of one commit's files by filling one again and again: one each costs three times more."""

    def __init__(self, commit: Commit, committed: datetime | None) -> None:
        self._message = pb.FileInfo(file=pb.File(commit=commit_message(commit)), committed=timestamp(committed))

    def one(self, info: FileInfo) -> pb.FileInfo:
        """A message that is the caller's to keep."""
        answer = pb.FileInfo()
        answer.CopyFrom(self._filled(info.path, info.size_bytes, info.hash))
        return answer

    def of_infos(self, infos: Iterable[FileInfo]) -> Iterator[bytes]:
        """Serialised messages of all these files."""
        for info in infos:
            yield self._filled(info.path, info.size_bytes, info.hash).SerializeToString()

    def of_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
        """Serialised messages of columns of paths, sizes and hashes (`storage.listing.COLUMNS`)."""
        for batch in batches:
            columns = (column.to_pylist() for column in batch.columns)
            for path, size, hash in zip(*columns, strict=True):
                yield self._filled(path, size, hash).SerializeToString()

    def _filled(self, path: str, size: int, hash: bytes) -> pb.FileInfo:
        message = self._message
        message.file.path = path
        message.file_type = pb.DIR if path.endswith("/") else pb.FILE
        message.size_bytes = size
        message.hash = hash
        return message


def _trigger(trigger: Trigger) -> pb.Trigger:
    return pb.Trigger(
        branch=trigger.branch,
        all=trigger.all,
        rate_limit_spec=trigger.rate_limit_spec,
        size=trigger.size,
        commits=trigger.commits,
        cron_spec=trigger.cron_spec,
    )
