# SPDX-License-Identifier: Apache-2.0
"""One change from outside: a transaction, the commit set of all that it makes, and one propagation at its end.

    with catalog.work() as work:
        starting.start(work, branch_a)
        starting.start(work, branch_b)     # a pipeline that reads both gets one commit, not two

Every operation that changes something is a function over a `Work`; the public methods of `Branches`,
`Commits` and the rest open one for a single call. Pipelines are made in one `Work` of many operations.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Refused
from howdah.kit import fail
from howdah.kit.ids import NewId
from howdah.model.refs import Branch, Job, Repo
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.propagation import NewCommit, propagate

__all__ = [
    "Attached",
    "DependantsGuard",
    "Hooks",
    "OnPropagated",
    "OnRemoving",
    "RemovalGuard",
    "RepoGuard",
    "Work",
    "Works",
    "dependants",
]


@dataclass(frozen=True, slots=True)
class Attached:
    """What hangs on commits that are to be removed and goes with them: keys of more commits, and jobs."""

    commits: frozenset[int] = frozenset()
    jobs: tuple[Job, ...] = ()


DependantsGuard = Callable[[Transaction, str, Sequence[Branch]], None]
OnPropagated = Callable[[Transaction, list[NewCommit]], None]
RepoGuard = Callable[[Transaction, Repo], None]
RemovalGuard = Callable[[Transaction, Sequence[CommitRow]], Attached]
OnRemoving = Callable[[Transaction, Collection[int]], None]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the layers above want to hear or to forbid. All are called inside the transaction; what they raise ends it.

    `on_propagated` gets the commits that propagation made. `repo_guards` are asked before a repo is deleted,
    `project_guards` before a project is; `dependants_guards` hear of what cannot be deleted because of the branches
    that depend on it, and may say so in better words. `removal_guards` are asked before commits are removed from
    history, and say what goes with them; `on_removing` gets the keys of all that go, while their rows are there.
    """

    on_propagated: list[OnPropagated] = field(default_factory=list)
    repo_guards: list[RepoGuard] = field(default_factory=list)
    project_guards: list[Callable[[Transaction, str], None]] = field(default_factory=list)
    dependants_guards: list[DependantsGuard] = field(default_factory=list)
    removal_guards: list[RemovalGuard] = field(default_factory=list)
    on_removing: list[OnRemoving] = field(default_factory=list)


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


class _TakenBack(Exception):
    """Ends the transaction of a trial; it never leaves `Works.trial`."""


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
            self._end(work)

    @contextmanager
    def trial(self, set_id: str = "") -> Iterator[Work]:
        """As `open`, but in the end nothing has changed and nobody was told: for what the change would answer or raise.

        It takes the turn of a writer all the same, so it must be short.
        """
        with suppress(_TakenBack), self._db.write() as tx:
            work = Work(tx, self._new_id, self.hooks, set_id)
            yield work
            self._end(work)
            raise _TakenBack

    def _end(self, work: Work) -> None:
        if made := work.propagate():
            for tell in self.hooks.on_propagated:
                tell(work.tx, made)
            fail.here("pfs.propagated")


def dependants(work: Work, what: str, rows: Iterable[BranchRow]) -> Refused:
    """The error that says that `what` cannot be deleted because of the branches in `rows`.

    Raises:
        Refused: a guard's own words for it.
    """
    branches = sorted(row.branch for row in rows)
    for guard in work.hooks.dependants_guards:
        guard(work.tx, what, branches)
    text = f"{what} cannot be deleted: branch {branches[0]} depends on it; delete that first, or use force"
    return Refused(ErrorKind.HAS_DEPENDANTS, text)
