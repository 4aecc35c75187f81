# SPDX-License-Identifier: Apache-2.0
"""What clients send, read into references and checked: the many spellings of the wire become one here.

An absent project is `default`, an absent repo type `user`. The official Python client sends a repo field that was
never set as a repo with an empty name, so an empty name counts as absent everywhere.
"""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from howdah.errors import BadRequest, ErrorKind
from howdah.model.infos import Trigger
from howdah.model.names import (
    DEFAULT_PROJECT,
    branch_name,
    commit_id,
    is_commit_id,
    project_name,
    repo_name,
    repo_type,
)
from howdah.model.refs import Branch, Commit, Commitish, File, Repo, commit_ref
from howdah.model.states import CommitState, OriginKind
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = [
    "WORDS_BYTES_MAX",
    "branch",
    "commit",
    "commit_or_none",
    "commit_set",
    "file",
    "origin",
    "project",
    "propagated",
    "repo",
    "repo_or_none",
    "required",
    "state",
    "trigger",
    "words",
]

# Every answer about a thing carries its description, and clients take 20 MiB in one message.
WORDS_BYTES_MAX: Final = 64 << 10

_BYTES_A_CHARACTER: Final = 4  # at most, in UTF-8


def required(message: Message, *fields: str) -> None:
    """Check that these message fields are set, which the protocol itself does not ask for (`apis.required`).

    Raises:
        BadRequest: BAD_ARGUMENT, naming the first that is missing.
    """
    for field in fields:
        if not message.HasField(field):
            name = f"{message.DESCRIPTOR.full_name}.{field}"
            raise _bad(f"validate request: invalid {name}: value is required; set it")


def words(message: Message, field: str = "description") -> str:
    """A text that is kept and shown as it is.

    Raises:
        BadRequest: BAD_ARGUMENT: it is longer than 64 KiB.
    """
    text: str = getattr(message, field)
    if len(text) * _BYTES_A_CHARACTER > WORDS_BYTES_MAX and (size := len(text.encode())) > WORDS_BYTES_MAX:
        raise _bad(f"{field} has {size} bytes; give at most {WORDS_BYTES_MAX}, and keep more in a file")
    return text


def project(message: pb.Project) -> str:
    """The name of a project, `default` when none is given.

    Raises:
        BadRequest: BAD_NAME.
    """
    return project_name(message.name) if message.name else DEFAULT_PROJECT


def repo(message: pb.Repo) -> Repo:
    """A repo that must be named.

    Raises:
        BadRequest: BAD_ARGUMENT without a name, else BAD_NAME.
    """
    if not message.name:
        raise _bad("repo cannot be nil; name a repo")
    return Repo(project(message.project), repo_name(message.name), repo_type(message.type))


def repo_or_none(message: pb.Repo) -> Repo | None:
    """A repo; None when none is named."""
    return repo(message) if message.name else None


def branch(message: pb.Branch) -> Branch:
    """A branch that must be named, and its repo too.

    Raises:
        BadRequest: BAD_ARGUMENT without a name, else BAD_NAME.
    """
    if not message.name:
        raise _bad("branch must be specified; name a branch, as in repo@master")
    return Branch(repo(message.repo), branch_name(message.name))


def commit(message: pb.Commit, default: Repo | None = None) -> Commitish:
    """A commit in any of its spellings; `default` is its repo where the message names none.

    Raises:
        BadRequest: BAD_ARGUMENT without a repo, BAD_REFERENCE or BAD_NAME.
    """
    named = repo_or_none(message.repo) or repo_or_none(message.branch.repo) or default
    if named is None:
        raise _bad("commit must have a repo; name one, as in repo@master")
    if is_commit_id(message.id):
        return Commit(named, message.id)
    return commit_ref(named, branch=message.branch.name, commit=message.id)


def commit_or_none(message: pb.Commit, default: Repo | None = None) -> Commitish | None:
    """A commit; None when the message has neither an id nor a branch."""
    return commit(message, default) if message.id or message.branch.name else None


def commit_set(message: pb.CommitSet) -> str:
    """The id of a commit set.

    Raises:
        BadRequest: BAD_REFERENCE.
    """
    return commit_id(message.id)


def file(message: pb.File) -> File:
    """A path or pattern in a commit.

    Raises:
        BadRequest: BAD_ARGUMENT without a commit, else as `commit`.
    """
    if not message.HasField("commit"):
        raise _bad("file must have a commit; name one, as in repo@master:/path")
    return File(commit(message.commit), message.path)


def state(number: int) -> CommitState:
    """The state to wait for; STARTED, which is no wait, when none is given.

    Raises:
        BadRequest: BAD_ARGUMENT: the protocol has no such state.
    """
    try:
        return CommitState(number or CommitState.STARTED)
    except ValueError:
        raise _bad(f"commit state {number} is unknown; use one of 1 to {max(CommitState)}") from None


def origin(number: int) -> OriginKind | None:
    """The origin to look for; None, which is any, when none is given.

    Raises:
        BadRequest: BAD_ARGUMENT: the protocol has no such origin.
    """
    try:
        return OriginKind(number) if number else None
    except ValueError:
        raise _bad(f"commit origin {number} is unknown; use one of 1 to {max(OriginKind)}") from None


def trigger(message: pb.Trigger) -> Trigger | None:
    """A trigger as it was sent; None when nothing of it is set."""
    if message == pb.Trigger():
        return None
    return Trigger(
        branch=message.branch,
        all=message.all,
        rate_limit_spec=message.rate_limit_spec,
        size=message.size,
        commits=message.commits,
        cron_spec=message.cron_spec,
    )


def propagated(specs: Sequence[pb.BranchPropagationSpec]) -> list[Branch]:
    """The branches of a provenance whose new commits are not to be followed."""
    return [branch(spec.branch) for spec in specs if spec.propagation_spec.never]


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)
