# SPDX-License-Identifier: Apache-2.0
"""Subjects of the events of versioned files: paths, so that a waiter on a prefix hears all below it.

    lake                                          updated
    project/<name>                                created, updated, deleted
    repo/<project>/<name>.<type>                  created, updated, deleted
    repo/<project>/<name>.<type>/branch/<name>    created, moved, trigger, updated, deleted
    repo/<project>/<name>.<type>/commit/<set id>  started, ready, finishing, finished, updated, cleared,
                                                  forgotten, retired, deleted
    retention/<target>                            created, updated, deleted

`retired` comes before `deleted` and says by which retention rule. The type is always there. No name holds a slash or a
dot, so a subject is read back without doubt.
"""

from typing import Final

from howdah.model.refs import Branch, Commit, Repo
from howdah.model.retention import RuleTarget

__all__ = ["LAKE", "branch_subject", "commit_subject", "project_subject", "repo_subject", "retention_subject"]

LAKE: Final = "lake"
"""The subject of the lake as a whole."""


def project_subject(name: str) -> str:
    """The subject of a project."""
    return f"project/{name}"


def repo_subject(repo: Repo) -> str:
    """The subject of a repo, and with a slash the prefix of all that happens in it."""
    return f"repo/{repo.project}/{repo.name}.{repo.type}"


def branch_subject(branch: Branch) -> str:
    """The subject of a branch."""
    return f"{repo_subject(branch.repo)}/branch/{branch.name}"


def commit_subject(commit: Commit) -> str:
    """The subject of a commit."""
    return f"{repo_subject(commit.repo)}/commit/{commit.id}"


def retention_subject(target: RuleTarget) -> str:
    """The subject of a retention rule."""
    return f"retention/{target}"
