# SPDX-License-Identifier: Apache-2.0
"""Take commits out of history: squash keeps their data in their children, drop gives it up.

What must go together is found first, and every rule is tried before anything changes. So a dry run is the
plan without its execution, and what it says is what a removal does. Each commit holds all its files, so
children need no rewriting: they get another parent, and only rows are touched, whatever a commit holds.

Branches whose head goes move to the nearest ancestor that stays. If that leaves a branch on other commits
than the provenance asks for, propagation makes the commit that is missing (`pfs.propagation`): an output
that was dropped while its input stays is made again. What pipelines have to do with it: `pps.removing`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Refused
from howdah.model.infos import Removed
from howdah.model.refs import Commitish, Job
from howdah.pfs import branch_rows, commit_lines, commit_rows, provenance, repo_rows
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.commit_sets import set_missing
from howdah.pfs.resolve import own
from howdah.pfs.starting import make_empty
from howdah.pfs.subjects import commit_subject
from howdah.pfs.work import Attached, Hooks, Work, Works

__all__ = ["Removals", "drop", "drop_set", "retire", "squash", "squash_set"]

_NAMED_MAX: Final = 5  # commits or sets that an error names


class _How(Enum):
    """What becomes of the data; the values are the words of the errors."""

    SQUASH = "squashed"
    DROP = "dropped"
    RETIRE = "removed"  # squashed where there are children, else dropped


@dataclass(frozen=True, slots=True)
class _Plan:
    """What goes, by key and oldest first; the jobs that go with it; the children that stay, with their new parents."""

    rows: dict[int, CommitRow]
    jobs: tuple[Job, ...]
    orphans: dict[int, int | None]

    @property
    def removed(self) -> Removed:
        return Removed(tuple(row.commit for row in self.rows.values()), self.jobs)


def squash_set(work: Work, set_id: str) -> Removed:
    """Remove all commits of a set from history; their data stay in their children. What went.

    Raises:
        NotFound: COMMIT_SET_NOT_FOUND.
        Refused: HAS_NO_CHILDREN: data would be lost; HAS_DEPENDANTS: commits of other sets depend on them, a child
            with an error is read as one of them, or one updated a pipeline; COMMIT_OPEN: they or a child are open.
    """
    return _carry_out(work, _plan_set(work.tx, work.hooks, set_id, _How.SQUASH))


def drop_set(work: Work, set_id: str) -> Removed:
    """Remove all commits of a set from history with their data, open ones too; jobs that run are ended. What went.

    Raises:
        NotFound: COMMIT_SET_NOT_FOUND.
        Refused: HAS_DEPENDANTS: a commit has children, commits of other sets depend on it, or it updated a pipeline.
    """
    return _carry_out(work, _plan_set(work.tx, work.hooks, set_id, _How.DROP))


def squash(work: Work, ref: Commitish, *, recursive: bool = False) -> Removed:
    """As `squash_set`, of one commit; with `recursive` also of all that depends on it.

    An output commit goes with its meta commit and its job.

    Raises:
        NotFound: there is no such commit; an alias is none.
        Refused: as `squash_set`; without `recursive` HAS_DEPENDANTS also if anything depends on it.
    """
    return _carry_out(work, _plan_one(work.tx, work.hooks, ref, _How.SQUASH, recursive))


def drop(work: Work, ref: Commitish, *, recursive: bool = False) -> Removed:
    """As `drop_set`, of one commit; with `recursive` also of all that depends on it.

    An output commit goes with its meta commit and its job.

    Raises:
        NotFound: there is no such commit; an alias is none.
        Refused: as `drop_set`; without `recursive` HAS_DEPENDANTS also if anything depends on it.
    """
    return _carry_out(work, _plan_one(work.tx, work.hooks, ref, _How.DROP, recursive))


def retire(work: Work, ref: Commitish, *, recursive: bool = False) -> Removed:
    """Remove a commit from history whether it has children, which keep its data, or none, so that its data go.

    Otherwise as `squash`, and open commits without children go too; jobs that run are ended.

    Raises:
        NotFound: there is no such commit; an alias is none.
        Refused: HAS_DEPENDANTS and COMMIT_OPEN as `squash`.
    """
    return _carry_out(work, _plan_one(work.tx, work.hooks, ref, _How.RETIRE, recursive))


class Removals:
    """Removes commits of a lake; each method is one transaction. With `dry_run` it says what would go, or why not."""

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works

    def squash_set(self, set_id: str, *, dry_run: bool = False) -> Removed:
        """As the function `squash_set`."""
        return self._set(set_id, _How.SQUASH, dry_run)

    def drop_set(self, set_id: str, *, dry_run: bool = False) -> Removed:
        """As the function `drop_set`."""
        return self._set(set_id, _How.DROP, dry_run)

    def squash(self, ref: Commitish, *, recursive: bool = False, dry_run: bool = False) -> Removed:
        """As the function `squash`."""
        return self._one(ref, _How.SQUASH, recursive, dry_run)

    def drop(self, ref: Commitish, *, recursive: bool = False, dry_run: bool = False) -> Removed:
        """As the function `drop`."""
        return self._one(ref, _How.DROP, recursive, dry_run)

    def _set(self, set_id: str, how: _How, dry_run: bool) -> Removed:
        if dry_run:
            with self._db.read() as tx:
                return _plan_set(tx, self._works.hooks, set_id, how).removed
        with self._works.open() as work:
            return _carry_out(work, _plan_set(work.tx, work.hooks, set_id, how))

    def _one(self, ref: Commitish, how: _How, recursive: bool, dry_run: bool) -> Removed:
        if dry_run:
            with self._db.read() as tx:
                return _plan_one(tx, self._works.hooks, ref, how, recursive).removed
        with self._works.open() as work:
            return _carry_out(work, _plan_one(work.tx, work.hooks, ref, how, recursive))


def _plan_set(tx: Transaction, hooks: Hooks, set_id: str, how: _How) -> _Plan:
    start = [row.id for row in commit_rows.in_sets(tx, [set_id])]
    if not start:
        raise set_missing(set_id)
    rows, jobs = _gather(tx, hooks, start, recursive=False)
    if others := sorted({row.set_id for row in _dependants(tx, rows)}):
        raise Refused(
            ErrorKind.HAS_DEPENDANTS,
            f"commit set {set_id} cannot be {how.value} because it has subvenant commit sets: {_some(others)}; "
            "remove those first",
        )
    return _checked(tx, rows, jobs, how)


def _plan_one(tx: Transaction, hooks: Hooks, ref: Commitish, how: _How, recursive: bool) -> _Plan:
    start = own(tx, ref)
    rows, jobs = _gather(tx, hooks, [start.id], recursive=recursive)
    if others := [row.commit for row in _dependants(tx, rows)]:
        raise Refused(
            ErrorKind.HAS_DEPENDANTS,
            f"commit {start.commit} cannot be {how.value} because it has subvenant commits: {_some(others)}; "
            "remove those first, or all at once with recursive",
        )
    return _checked(tx, rows, jobs, how)


def _gather(
    tx: Transaction, hooks: Hooks, start: Collection[int], *, recursive: bool
) -> tuple[dict[int, CommitRow], tuple[Job, ...]]:
    """All that goes together with these commits, oldest first, and the jobs."""
    found: dict[int, CommitRow] = {}
    jobs: dict[Job, None] = {}
    fresh = set(start)
    while fresh:
        if recursive:
            fresh |= provenance.commits_below(tx, fresh)
        rows = commit_rows.by_ids(tx, fresh - found.keys())
        found |= rows
        attached = [guard(tx, list(rows.values())) for guard in hooks.removal_guards]
        jobs |= dict.fromkeys(job for each in attached for job in each.jobs)
        fresh = _commits(attached) - found.keys()
    return {key: found[key] for key in sorted(found)}, tuple(jobs)


def _commits(attached: Iterable[Attached]) -> set[int]:
    return {key for each in attached for key in each.commits}


def _dependants(tx: Transaction, rows: dict[int, CommitRow]) -> list[CommitRow]:
    """The commits that depend on these and would stay, oldest first."""
    below = provenance.commits_below(tx, rows.keys()) - rows.keys()
    return [row for _, row in sorted(commit_rows.by_ids(tx, below).items())]


def _checked(tx: Transaction, rows: dict[int, CommitRow], jobs: tuple[Job, ...], how: _How) -> _Plan:
    """The plan of a removal that is allowed as far as parents and children go."""
    children = commit_rows.child_rows(tx, rows.keys())
    orphans = {child.id: child for child in children if child.id not in rows}
    if how is _How.DROP:
        _check_drop(rows, orphans.values())
    else:
        if how is _How.SQUASH:
            _check_children(rows, children)
        _check_kept(tx, rows, orphans.values(), how)
    return _Plan(rows, jobs, {key: _survivor(rows, child.parent_id) for key, child in orphans.items()})


def _check_drop(rows: dict[int, CommitRow], orphans: Iterable[CommitRow]) -> None:
    for child in orphans:
        assert child.parent_id is not None
        commit = rows[child.parent_id].commit
        raise Refused(
            ErrorKind.HAS_DEPENDANTS,
            f"cannot drop a commit that has children: {commit} has {child.commit}; drop that first, or squash instead: "
            f"howdah squash commit {commit}",
        )


def _check_children(rows: dict[int, CommitRow], children: Iterable[CommitRow]) -> None:
    """Every removed commit has a child."""
    parents = {child.parent_id for child in children}
    for key, row in rows.items():
        if key not in parents:
            raise Refused(
                ErrorKind.HAS_NO_CHILDREN,
                "cannot squash a commit that has no children as that would cause data loss: "
                f"{row.commit}; use the drop operation instead: howdah drop commit {row.commit}",
            )


def _check_kept(tx: Transaction, rows: dict[int, CommitRow], orphans: Iterable[CommitRow], how: _How) -> None:
    """What stays has its files, and is read as before."""
    # The oldest first: those that come after it wait for it. What has no children may be open if it need not be kept.
    involved = (*rows.values(), *orphans) if how is _How.SQUASH else orphans
    unfinished = sorted(each.id for each in involved if each.finished_at is None)
    if unfinished:
        commit = commit_rows.by_ids(tx, unfinished[:1])[unfinished[0]].commit
        raise Refused(
            ErrorKind.COMMIT_OPEN,
            f"cannot squash: commit {commit} is not finished; wait for it: howdah wait commit {commit}",
        )
    for child in orphans:
        if child.error and (good := commit_lines.last_good(tx, child.id)) is not None and good.id in rows:
            raise Refused(
                ErrorKind.HAS_DEPENDANTS,
                f"commit {good.commit} cannot be {how.value}: its child {child.commit} finished with an error, so it "
                f"is read as its parent; squash or drop that first: howdah drop commit {child.commit}",
            )


def _survivor(rows: dict[int, CommitRow], key: int | None) -> int | None:
    """The nearest commit from `key` up through the parents that stays; None if none does."""
    while key is not None and key in rows:
        key = rows[key].parent_id
    return key


def _carry_out(work: Work, plan: _Plan) -> Removed:
    tx = work.tx
    for tell in work.hooks.on_removing:
        tell(tx, plan.rows.keys())
    _move_heads(work, plan)
    commit_rows.reparent(tx, plan.orphans)
    provenance.cut_below_commits(tx, plan.rows.keys())
    commit_rows.remove(tx, plan.rows.keys())
    for row in plan.rows.values():
        tx.emit(commit_subject(row.commit), "deleted", {"branch": row.branch_name})
    return plan.removed


def _move_heads(work: Work, plan: _Plan) -> None:
    """Move the branches off what goes; one that is left with nothing gets an empty commit, now or by propagation."""
    branches = branch_rows.with_heads(work.tx, plan.rows.keys())
    outputs = {edge.branch_id for edge in provenance.edges_of_branches(work.tx, [row.id for row in branches])}
    empty: dict[int, int] = {}  # by repo: a set has one commit of each
    for row in branches:
        head = _survivor(plan.rows, row.head_id)
        if head is None and row.id not in outputs:
            if row.repo_id not in empty:
                empty[row.repo_id] = make_empty(work, repo_rows.get(work.tx, row.branch.repo), row.branch.name)
            head = empty[row.repo_id]
        branch_rows.move_head(work.tx, row, head)
        work.moved(row.id)


def _some(names: Iterable[object]) -> str:
    """The first few names."""
    rest = iter(names)
    shown = ", ".join(map(str, islice(rest, _NAMED_MAX)))
    more = sum(1 for _ in rest)
    return f"{shown} and {more} more" if more else shown
