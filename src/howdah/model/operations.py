# SPDX-License-Identifier: Apache-2.0
"""Changes of metadata as values: what a transaction is a list of.

Each is what the call of the same name does by itself; the words of its error messages are those of that call.
`howdah.transactions` makes the changes, an API reads them from its messages, and `str()` says one for people.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from howdah.model.infos import Trigger
from howdah.model.refs import Branch, Commitish, Job, Pipeline, Repo
from howdah.model.states import JobState

if TYPE_CHECKING:
    from howdah.model.spec import PipelineSpec  # it loads YAML, which few callers need

__all__ = [
    "CreateBranch",
    "CreatePipeline",
    "CreateRepo",
    "DeleteBranch",
    "DeleteRepo",
    "FinishCommit",
    "Operation",
    "SquashCommitSet",
    "StartCommit",
    "StopJob",
    "UpdateJobState",
]


@dataclass(frozen=True, slots=True)
class CreateRepo:
    """Make a repo; with `update` one that is there gets the description."""

    repo: Repo
    description: str = ""
    update: bool = False

    def __str__(self) -> str:
        return f"{'update' if self.update else 'create'} repo {self.repo}"


@dataclass(frozen=True, slots=True)
class DeleteRepo:
    """Delete a repo with its branches and commits; nothing happens if there is none."""

    repo: Repo
    force: bool = False

    def __str__(self) -> str:
        return f"delete repo {self.repo}"


@dataclass(frozen=True, slots=True)
class StartCommit:
    """Open a commit on a branch."""

    branch: Branch
    parent: Commitish | None = None
    description: str = ""

    def __str__(self) -> str:
        return f"start commit {self.branch}"


@dataclass(frozen=True, slots=True)
class FinishCommit:
    """Close a commit; `description` None keeps the one of its start."""

    commit: Commitish
    description: str | None = None
    error: str = ""
    force: bool = False

    def __str__(self) -> str:
        return f"finish commit {self.commit}"


@dataclass(frozen=True, slots=True)
class SquashCommitSet:
    """Remove the commits of a set from history; their children keep the data."""

    id: str

    def __str__(self) -> str:
        return f"squash commit set {self.id}"


@dataclass(frozen=True, slots=True)
class CreateBranch:
    """Make a branch, or change its head and provenance. `never` are those of the provenance that may move alone."""

    branch: Branch
    head: Commitish | None = None
    provenance: tuple[Branch, ...] = ()
    trigger: Trigger | None = None
    never: tuple[Branch, ...] = ()

    def __str__(self) -> str:
        return f"create branch {self.branch}"


@dataclass(frozen=True, slots=True)
class DeleteBranch:
    """Delete a branch; its commits stay."""

    branch: Branch
    force: bool = False

    def __str__(self) -> str:
        return f"delete branch {self.branch}"


@dataclass(frozen=True, slots=True)
class UpdateJobState:
    """Bring a job to an end that its workers did not."""

    job: Job
    state: JobState
    reason: str = ""

    def __str__(self) -> str:
        return f"update job {self.job} to {self.state.wire_name}"


@dataclass(frozen=True, slots=True)
class StopJob:
    """End a job; one that has ended stays as it is."""

    job: Job
    reason: str = ""

    def __str__(self) -> str:
        return f"stop job {self.job}"


@dataclass(frozen=True, slots=True)
class CreatePipeline:
    """Make a pipeline, or with `update` give one another version. `user_spec` is the text as it was given."""

    spec: "PipelineSpec"
    user_spec: str = field(default="", repr=False)
    update: bool = False
    reprocess: bool = False

    def __str__(self) -> str:
        name = Pipeline(self.spec.project, self.spec.name)
        return f"{'update' if self.update else 'create'} pipeline {name}"


Operation = (
    CreateRepo
    | DeleteRepo
    | StartCommit
    | FinishCommit
    | SquashCommitSet
    | CreateBranch
    | DeleteBranch
    | UpdateJobState
    | StopJob
    | CreatePipeline
)
"""One change."""
