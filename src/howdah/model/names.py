# SPDX-License-Identifier: Apache-2.0
"""Names of projects, repos, branches and pipelines, and the ids of commits: what is a good one.

Each function takes a caller's text and gives it back as the type of that name, or raises; nothing else
makes these types. References built of names (`project/repo@branch`) are in `model.refs`, paths of files
in `model.paths`.
"""

import re
from typing import Final, NewType

from howdah.errors import BadRequest, ErrorKind
from howdah.kit.ids import UUID4_HEX
from howdah.model.texts import one_line

__all__ = [
    "DEFAULT_BRANCH",
    "DEFAULT_PROJECT",
    "FILESETS_REPO",
    "META",
    "REPO_TYPES",
    "SPEC",
    "USER",
    "BranchName",
    "CommitId",
    "DatumId",
    "FilesetId",
    "PipelineName",
    "ProjectName",
    "RepoName",
    "branch_name",
    "commit_id",
    "is_commit_id",
    "new_repo_name",
    "pipeline_name",
    "project_name",
    "repo_name",
    "repo_type",
]

ProjectName = NewType("ProjectName", str)
RepoName = NewType("RepoName", str)
BranchName = NewType("BranchName", str)
PipelineName = NewType("PipelineName", str)
CommitId = NewType("CommitId", str)  # also the id of its commit set, and of the jobs of that set
DatumId = NewType("DatumId", str)
FilesetId = NewType("FilesetId", str)

DEFAULT_PROJECT: Final = ProjectName("default")
DEFAULT_BRANCH: Final = BranchName("master")
FILESETS_REPO: Final = RepoName("__filesets__")  # addresses a fileset as if it were a finished commit

USER: Final = "user"
META: Final = "meta"
SPEC: Final = "spec"
REPO_TYPES: Final = (USER, META, SPEC)

_GOOD: Final = re.compile(r"[a-zA-Z0-9_-]+")

# Clients make Kubernetes names of `<project>-<pipeline>-v<version>`, which end at 63 characters; the
# limits of a project and of a pipeline leave room for a name of 8 and for "-v99".
_WORKER_NAME_MAX: Final = 63
_PROJECT_MAX: Final = 51
_PIPELINE_MAX: Final = 51

_NAME_MAX: Final = 255  # a repo's name is a folder below /pfs, and no file system takes more


def project_name(text: str) -> ProjectName:
    """A project's name: at most 51 letters, digits, `_` and `-`, a letter or digit first.

    The empty text is not a name; whoever lets it stand for `default` fills that in before.

    Raises:
        BadRequest: BAD_NAME.
    """
    _check(text, _PROJECT_MAX)
    _check_start(text, "a project")
    return ProjectName(text)


def repo_name(text: str) -> RepoName:
    """A repo's name; also one that only the server may make (see `new_repo_name`).

    Raises:
        BadRequest: BAD_NAME.
    """
    _check(text, _NAME_MAX)
    return RepoName(text)


def new_repo_name(text: str) -> RepoName:
    """The name of a repo that is to be made; refuses the reserved one.

    Raises:
        BadRequest: BAD_NAME.
    """
    name = repo_name(text)
    if name == FILESETS_REPO:
        raise BadRequest(ErrorKind.BAD_NAME, f"repo name {FILESETS_REPO} is reserved; choose another name")
    return name


def repo_type(text: str) -> str:
    """A repo's type, `user` when empty.

    Raises:
        BadRequest: BAD_NAME, naming the types there are.
    """
    if text in REPO_TYPES:
        return text
    if not text:
        return USER
    types = ", ".join(REPO_TYPES)
    raise BadRequest(ErrorKind.BAD_NAME, f"repo type ({one_line(text)}) is unknown; use one of {types}")


def branch_name(text: str) -> BranchName:
    """A branch's name: letters, digits, `_` and `-`, but nothing that looks like a commit id.

    Raises:
        BadRequest: BAD_NAME.
    """
    _check(text, _NAME_MAX)
    if is_commit_id(text):
        raise BadRequest(ErrorKind.BAD_NAME, f"branch name {text} looks like a commit id; choose another name")
    return BranchName(text)


def pipeline_name(text: str, project: str = DEFAULT_PROJECT) -> PipelineName:
    """A pipeline's name: at most 51 characters, a letter or digit first, and not too long with its project.

    Raises:
        BadRequest: BAD_NAME.
    """
    _check(text, _PIPELINE_MAX)
    _check_start(text, "a pipeline")
    worker = f"{project}-{text}-v99"
    if len(worker) > _WORKER_NAME_MAX:
        raise _bad(text, f"{worker} must have at most {_WORKER_NAME_MAX} characters; shorten it or its project's name")
    return PipelineName(text)


def commit_id(text: str) -> CommitId:
    """A commit's id, which is its commit set's and its job's id too.

    Raises:
        BadRequest: BAD_REFERENCE.
    """
    if not is_commit_id(text):
        raise BadRequest(
            ErrorKind.BAD_REFERENCE,
            f"id ({one_line(text)}) is not a commit id; an id has 32 lower-case hex digits, the 13th of them a 4",
        )
    return CommitId(text)


def is_commit_id(text: str) -> bool:
    """Whether a text is an id and so not the name of a branch: the pattern by which all clients decide."""
    return UUID4_HEX.fullmatch(text) is not None


def _check(text: str, longest: int) -> None:
    if _GOOD.fullmatch(text) is None:
        raise _bad(text, "only alphanumeric characters, underscores, and dashes are allowed")
    if len(text) > longest:
        raise _bad(text, f"it has {len(text)} characters; at most {longest} are allowed")


def _check_start(text: str, what: str) -> None:
    if not text[0].isalnum():
        raise _bad(text, f"the name of {what} must start with an alphanumeric character")


def _bad(text: str, why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_NAME, f"name ({one_line(text)}) invalid: {why}")
