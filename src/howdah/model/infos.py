# SPDX-License-Identifier: Apache-2.0
"""What is known of projects, repos, branches and commits: the answers of the domain, whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from howdah.model.refs import Branch, Commit, Job, Repo
from howdah.model.states import CommitState, OriginKind

__all__ = ["BranchInfo", "CommitInfo", "ProjectInfo", "Removed", "RepoInfo", "Trigger"]


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project."""

    name: str
    description: str
    created_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RepoInfo:
    """A repo. `size_bytes` is that of the last finished commit of its branch `master`, 0 if there is none."""

    repo: Repo
    description: str
    created_at: datetime
    branches: tuple[Branch, ...]
    size_bytes: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a branch follows another of its repo; the fields of the protocol's trigger.

    `size` is by how much the data grew and `commits` how many came since the branch moved last; with a rate limit it
    moves at most once between two ticks of that schedule. One condition will do, or with `all` every one must hold.
    `cron_spec` stands alone: the branch moves at each tick to what there is.
    """

    branch: str
    all: bool = False
    rate_limit_spec: str = ""
    size: str = ""
    commits: int = 0
    cron_spec: str = ""


@dataclass(frozen=True, slots=True)
class BranchInfo:
    """A branch: its head, and the branches it depends on and that depend on it (directly, and in all).

    Those of its direct provenance that are in `never` may move without it.
    """

    branch: Branch
    head: Commit | None
    direct_provenance: tuple[Branch, ...]
    provenance: tuple[Branch, ...]
    subvenance: tuple[Branch, ...]
    trigger: Trigger | None
    created_at: datetime
    updated_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    never: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit. Times are None until they happen; `size_bytes` and `files` are known once it is finished."""

    commit: Commit
    branch: str
    origin: OriginKind
    description: str
    parent: Commit | None
    children: tuple[Commit, ...]
    started_at: datetime
    ready_at: datetime | None
    finishing_at: datetime | None
    finished_at: datetime | None
    error: str
    size_bytes: int | None
    files: int | None
    direct_provenance: tuple[Commit, ...]
    direct_subvenance: tuple[Commit, ...]
    updated_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> CommitState:
        """How far it has come."""
        if self.finished_at is not None:
            return CommitState.FINISHED
        if self.finishing_at is not None:
            return CommitState.FINISHING
        return CommitState.READY if self.ready_at is not None else CommitState.STARTED


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal took out of history, or would take: commits, each after those it depended on, and their jobs."""

    commits: tuple[Commit, ...]
    jobs: tuple[Job, ...]
