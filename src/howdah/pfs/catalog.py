# SPDX-License-Identifier: Apache-2.0
"""All metadata of versioned files in one object: what the layers above are given."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from howdah.db.engine import Database
from howdah.kit import ids
from howdah.kit.ids import NewId
from howdah.model.names import DEFAULT_PROJECT
from howdah.pfs import project_rows, projects
from howdah.pfs.branches import Branches
from howdah.pfs.commit_sets import CommitSets
from howdah.pfs.commits import Commits
from howdah.pfs.leases import Leases
from howdah.pfs.projects import Projects
from howdah.pfs.removal import Removals
from howdah.pfs.repos import Repos
from howdah.pfs.retentions import Retentions
from howdah.pfs.work import OnPropagated, Work, Works

__all__ = ["Catalog"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Projects, repos, branches, commits, commit sets, removals, leases and retention rules of one database.

    Safe for many threads.
    """

    db: Database
    projects: Projects
    repos: Repos
    branches: Branches
    commits: Commits
    sets: CommitSets
    leases: Leases
    works: Works
    removals: Removals
    retentions: Retentions

    @classmethod
    def open(cls, db: Database, *, new_id: NewId = ids.new_id) -> Self:
        """The catalog of a database; makes the project `default` if it is missing. The time is the database's."""
        works = Works(db, new_id)
        with db.read() as tx:
            fresh = project_rows.find_id(tx, DEFAULT_PROJECT) is None
        if fresh:
            with works.open() as work:
                projects.create(work, DEFAULT_PROJECT, update=True)
        return cls(
            db,
            Projects(db, works),
            Repos(db, works),
            Branches(db, works),
            Commits(db, works),
            CommitSets(db),
            Leases(db, new_id),
            works,
            Removals(db, works),
            Retentions(db, works),
        )

    def work(self, set_id: str = "") -> AbstractContextManager[Work]:
        """One change of several operations; as `Works.open`."""
        return self.works.open(set_id)

    @property
    def on_propagated(self) -> list[OnPropagated]:
        """Called inside the transaction with the commits that propagation made; add to it."""
        return self.works.hooks.on_propagated
