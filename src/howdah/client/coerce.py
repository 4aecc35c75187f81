# SPDX-License-Identifier: Apache-2.0
"""What callers may give for a name: a text as the command line takes it, or the value of `howdah.model.refs`."""

from howdah.model.names import is_commit_id
from howdah.model.refs import (
    Branch,
    Commit,
    Commitish,
    CommitRef,
    File,
    Job,
    Pipeline,
    Repo,
    parse_branch,
    parse_commit,
    parse_file,
    parse_job,
    parse_pipeline,
    parse_repo,
)

__all__ = [
    "BranchLike",
    "CommitLike",
    "FileLike",
    "JobLike",
    "PipelineLike",
    "RepoLike",
    "a_branch",
    "a_commit",
    "a_file",
    "a_job",
    "a_pipeline",
    "a_repo",
    "is_id",
]

RepoLike = str | Repo
BranchLike = str | Branch
CommitLike = str | Commit | CommitRef | Branch
FileLike = str | File
PipelineLike = str | Pipeline
JobLike = str | Job


def a_repo(value: RepoLike, project: str) -> Repo:
    """Raises BadRequest for a text that is no reference, as all functions here."""
    return parse_repo(value, project) if isinstance(value, str) else value


def a_branch(value: BranchLike, project: str) -> Branch:
    """A branch, by `repo@branch`."""
    return parse_branch(value, project) if isinstance(value, str) else value


def a_commit(value: CommitLike, project: str) -> Commitish:
    """A commit, by `repo@branch`, `repo@id` and steps; a branch stands for its head."""
    if isinstance(value, str):
        return parse_commit(value, project)
    return CommitRef(value.repo, value.name) if isinstance(value, Branch) else value


def a_file(value: FileLike, project: str) -> File:
    """A path in a commit, by `repo@branch:/path`."""
    return parse_file(value, project) if isinstance(value, str) else value


def a_pipeline(value: PipelineLike, project: str) -> Pipeline:
    """A pipeline, by its name."""
    return parse_pipeline(value, project) if isinstance(value, str) else value


def a_job(value: JobLike, project: str) -> Job:
    """A job, by `pipeline@id`."""
    return parse_job(value, project) if isinstance(value, str) else value


def is_id(text: str) -> bool:
    """Whether a text is the id of a commit set, and so names no repo or pipeline."""
    return is_commit_id(text)
