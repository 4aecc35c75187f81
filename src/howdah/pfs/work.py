# SPDX-License-Identifier: Apache-2.0
"""One change from outside: a transaction, the commit set of all that it makes, and one propagation at its end.

    with catalog.work() as work:
        commits.start(work, branch_a)
        commits.start(work, branch_b)     # a pipeline that reads both gets one commit, not two

Every operation that changes something is a function over a `Work`; the public methods of `Branches`,
`Commits` and the rest open one for a single call. Pipelines are made in one `Work` of many operations.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.kit import fail
from howdah.kit.ids import NewId
from howdah.model.refs import Repo
from howdah.pfs.propagation import NewCommit, propagate

__all__ = ["Hooks", "OnPropagated", "RepoGuard", "Work", "Works"]

OnPropagated = Callable[[Transaction, list[NewCommit]], None]
RepoGuard = Callable[[Transaction, Repo], None]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the layers above want to hear or to forbid. All are called inside the transaction; what they raise ends it.

    `on_propagated` gets the commits that propagation made. `repo_guards` are asked before a repo is deleted,
    `project_guards` before a project is.
    """

    on_propagated: list[OnPropagated] = field(default_factory=list)
    repo_guards: list[RepoGuard] = field(default_factory=list)
    project_guards: list[Callable[[Transaction, str], None]] = field(default_factory=list)


class Work:
    """A change that is being made. Used inside its `with` block, by one thread."""

    def __init__(self, tx: Transaction, new_id: NewId, hooks: Hooks, set_id: str = "") -> None:
        self.tx = tx
        self.hooks = hooks
        self._new_id = new_id
        self._set_id = set_id
        # Branches whose head or provenance changed, in the order of the changes.
        self._moved: dict[int, None] = {}

    @property
    def set_id(self) -> str:
        """The commit set of everything made here; given out at the first use."""
        if not self._set_id:
            self._set_id = self._new_id()
        return self._set_id

    def new_set(self) -> None:
        """Put whatever is made from now on, propagation included, into a commit set of its own."""
        self._set_id = ""

    def moved(self, branch_id: int) -> None:
        """Say that a branch has another head or provenance: those that depend on it will follow. Repeat it freely."""
        self._moved[branch_id] = None

    def propagate(self) -> list[NewCommit]:
        """Make the commits that follow from the moves so far. Called when the block ends, by `Works` alone."""
        if not self._moved:
            return []
        made = propagate(self.tx, self._moved, self.set_id)
        self._moved.clear()
        return made


class Works:
    """Opens works on a database, and tells those who want to know what propagation made."""

    def __init__(self, db: Database, new_id: NewId) -> None:
        self.hooks = Hooks()
        self._db = db
        self._new_id = new_id

    @contextmanager
    def open(self, set_id: str = "") -> Iterator[Work]:
        """One change: all of it and what follows from it, or nothing if the block raises.

        `set_id` is the commit set to use; without it a fresh one is.
        """
        with self._db.write() as tx:
            work = Work(tx, self._new_id, self.hooks, set_id)
            yield work
            if made := work.propagate():
                for tell in self.hooks.on_propagated:
                    tell(tx, made)
                fail.here("pfs.propagated")
