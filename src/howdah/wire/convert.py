# SPDX-License-Identifier: Apache-2.0
"""References and moments as messages, for both ends of the wire.

Only what callers and the server share is here: what a server answers is made in `howdah.apis.grpc`, and read in
`howdah.client`. A value that is None leaves its field unset, since clients test some of them for presence.
"""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Branch, Commit, Commitish, File, Repo
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["branch_message", "commit_message", "file_message", "moment", "project_message", "repo_message", "timestamp"]


def timestamp(at: datetime | None) -> Timestamp | None:
    """A moment for the wire; None stays None."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def moment(message: Timestamp) -> datetime:
    """A moment from the wire, in UTC, cut to microseconds.

    Raises:
        BadRequest: BAD_ARGUMENT: no calendar has it.
    """
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        text = f"a time of {message.seconds} s and {message.nanos} ns is out of range; use the years 1 to 9999"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from None


def project_message(name: str) -> pb.Project:
    """A project by its name."""
    return pb.Project(name=name)


def repo_message(repo: Repo) -> pb.Repo:
    """A repo with all its fields."""
    return pb.Repo(name=repo.name, type=repo.type, project=pb.Project(name=repo.project))


def branch_message(branch: Branch) -> pb.Branch:
    """A branch with its repo."""
    return pb.Branch(repo=repo_message(branch.repo), name=branch.name)


def commit_message(ref: Commitish) -> pb.Commit:
    """A commit by repo and id; a reference keeps its branch, and its steps where they were written.

    A resolved commit names no branch: it is the same commit whichever branch it was made on. But older clients look for
    a commit's repo in its branch, so it is said there too.
    """
    repo = repo_message(ref.repo)
    if isinstance(ref, Commit):
        return pb.Commit(repo=repo, id=ref.id, branch=pb.Branch(repo=repo))
    message = pb.Commit(repo=repo, id=f"{ref.id}{ref.ancestry}")
    if ref.branch:
        message.branch.CopyFrom(pb.Branch(repo=repo, name=ref.branch))
    return message


def file_message(file: File) -> pb.File:
    """A path in a commit."""
    return pb.File(commit=commit_message(file.commit), path=file.path)
